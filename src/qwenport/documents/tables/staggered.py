"""Text rows that stand beside one another although no two of their texts are level.

A cell of two lines beside cells of one, all of them centred, makes three text rows: half a line apart, and each where
the next one has nothing. Lines that follow one another in a text are farther apart, and stand one below the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.documents.tables.chunks import Chunk, TextRow

_HALF_A_LINE = 0.75  # of the text's height


def staggered(rows: Sequence[TextRow], text_height: float) -> list[range]:
    """Which rows stand beside one another, from top to bottom; most stand alone."""
    bands: list[range] = []
    for index, row in enumerate(rows):
        if bands and _is_beside(rows[index - 1], row, text_height):
            bands[-1] = range(bands[-1].start, index + 1)
        else:
            bands.append(range(index, index + 1))
    return bands


def _is_beside(above: TextRow, below: TextRow, text_height: float) -> bool:
    if below.below(above) >= _HALF_A_LINE * text_height:
        return False
    return not any(_meet(one, other) for one in above.chunks for other in below.chunks)


def _meet(one: Chunk, other: Chunk) -> bool:
    return one.left < other.right and other.left < one.right


def as_one(rows: Sequence[TextRow]) -> TextRow:
    """Rows as a single one, whose chunks are as wide as the texts that stand one below the other in them."""
    if len(rows) == 1:
        return rows[0]
    chunks: list[Chunk] = []
    for chunk in sorted((chunk for row in rows for chunk in row.chunks), key=lambda one: one.left):
        if chunks and _meet(chunks[-1], chunk):
            chunks[-1] = Chunk(pieces=(*chunks[-1].pieces, *chunk.pieces))
        else:
            chunks.append(chunk)
    return TextRow(
        chunks=tuple(chunks),
        top=rows[0].top,
        bottom=rows[-1].bottom,
        first=rows[0].first,
        last=rows[-1].last,
    )
