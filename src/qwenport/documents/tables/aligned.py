"""Tables without upright rules: rows whose chunks stand in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import median

from qwenport.documents.tables.assembly import Filled
from qwenport.documents.tables.bars import Bar
from qwenport.documents.tables.bounds import head_at, keeps_columns, strangers_above, within
from qwenport.documents.tables.chunks import TextRow
from qwenport.documents.tables.columns import Column, Span, columns_of
from qwenport.documents.tables.evidence import has_key, is_table
from qwenport.documents.tables.heads import strips_of
from qwenport.documents.tables.lattice import Slot
from qwenport.documents.tables.ledgers import is_ledger
from qwenport.documents.tables.pieces import Piece
from qwenport.documents.tables.regularity import has_head, is_regular, texts_of
from qwenport.documents.tables.row_groups import Group, Strip, grouped, is_over
from qwenport.documents.tables.runs import runs_of

_KEYS = 0.4  # of the texts of a row: a form has a key before each value
_OPEN = 0.2  # of a table's width: how far from its sides its rules may begin and end
_MANY = 3  # rules: so many part rows, and not only a head from its body
_HIGHER = 1.5  # than the highest row between rules
_STRADDLES = 0.25  # of the distance of two rows: a text this near to their border stands in both


def aligned_tables(pieces: Sequence[Piece], level: Sequence[Bar], text_height: float) -> list[list[Filled]]:
    """The tables that the alignment of pieces shows, from top to bottom."""
    found = []
    for run in runs_of(pieces, level, text_height):
        for stretch in _without_pairs(run):
            found += _tables(_between_rules(stretch, level, text_height), level, text_height)
    return found


def _tables(rows: Sequence[TextRow], level: Sequence[Bar], text_height: float) -> list[list[Filled]]:
    """The table that rows are, or those that are between, above and below the rules along them."""
    whole = _table(rows, level, text_height)
    parts = [whole] if whole else [_table(part, level, text_height) for part in _parted(rows, level, text_height)]
    return [part for part in parts if part]


def _table(rows: Sequence[TextRow], level: Sequence[Bar], text_height: float) -> list[Filled]:
    """The cells of the table that these rows are; none where they are none."""
    if len(rows) < 2:
        return []
    if above := head_at(rows, text_height):
        return _table(rows[above:], level, text_height)
    columns = columns_of(rows, text_height)
    strips = strips_of(rows, columns, text_height)
    near = _rules_of(rows, level, text_height)
    groups = _groups(within(strips, len(columns), near, text_height), columns, near, text_height)
    found = filled_of(groups, columns) if groups and is_regular(groups, len(columns), near) else []
    if found and (near or has_head(list(map(texts_of, groups)), len(columns))):
        return found
    return _ledger(rows[strangers_above(strips, text_height) :], near, text_height) or found


def _ledger(rows: Sequence[TextRow], near: Sequence[Bar], text_height: float) -> list[Filled]:
    """The cells of rows that have amounts in the same columns, though no head names these; none where they have not."""
    columns = columns_of(rows, text_height) if rows else []
    strips = within(strips_of(rows, columns, text_height), len(columns), near, text_height)
    if not keeps_columns(strips):
        return []
    groups = _groups(strips, columns, near, text_height)
    return filled_of(groups, columns) if is_ledger(list(map(texts_of, groups)), len(columns)) else []


def _groups(strips: Sequence[Strip], columns: Sequence[Column], near: Sequence[Bar], text_height: float) -> list[Group]:
    """The rows of strips that may be a table; none where they are something else."""
    if len(strips) < 2 or len(columns) < 2 or not is_table(strips, columns, near, text_height):
        return []
    return grouped(strips, len(columns), text_height, near)


def _without_pairs(rows: Sequence[TextRow]) -> list[list[TextRow]]:
    """Stretches of rows between those that are keys with their values: at the ends any, within them two at least."""
    stretches: list[list[TextRow]] = [[]]
    for is_pair, alike in groupby(rows, _has_pairs):
        some = list(alike)
        if not is_pair or (stretches[-1] and len(some) == 1):
            stretches[-1] += some
        else:
            stretches.append([])
    while stretches[-1] and _has_pairs(stretches[-1][-1]):
        stretches[-1].pop()
    return [stretch for stretch in stretches if stretch]


def _has_pairs(row: TextRow) -> bool:
    return sum(has_key(chunk.text) for chunk in row.chunks) >= _KEYS * len(row.chunks)


def _between_rules(rows: Sequence[TextRow], level: Sequence[Bar], text_height: float) -> Sequence[TextRow]:
    """The rows, without what stands above and below rules between rows, and is too much to be one row more."""
    places = sorted(bar.place for bar in _rules_of(rows, level, text_height)) if rows else []
    if len(places) < _MANY:
        return rows
    highest = _HIGHER * max(below - above for above, below in pairwise(places))
    start = places[0] if places[0] - rows[0].top > highest else rows[0].top
    end = places[-1] if rows[-1].bottom - places[-1] > highest else rows[-1].bottom
    return [row for row in rows if start <= row.middle <= end]


def _parted(rows: Sequence[TextRow], level: Sequence[Bar], text_height: float) -> list[list[TextRow]]:
    """The rows between the first and the last of the rules that run along them, and those above and below."""
    places = [bar.place for bar in _rules_of(rows, level, text_height)] if rows else []
    if len(places) < 2:
        return []
    parts: list[list[TextRow]] = [[], [], []]
    for row in rows:
        parts[0 if row.middle < min(places) else 2 if row.middle > max(places) else 1].append(row)
    return parts


def _rules_of(rows: Sequence[TextRow], level: Sequence[Bar], text_height: float) -> list[Bar]:
    """Level rules along nearly all of these rows' width, from just above them to just below."""
    left = min(row.chunks[0].left for row in rows)
    right = max(row.chunks[-1].right for row in rows)
    top, bottom = rows[0].top - 2 * text_height, rows[-1].bottom + 2 * text_height
    slack = _OPEN * (right - left)
    return [bar for bar in level if top < bar.place < bottom and bar.start < left + slack and bar.end > right - slack]


def filled_of(groups: Sequence[Group], columns: Sequence[Column]) -> list[Filled]:
    """The cells of groups of strips; a head beside one that is over others takes both rows."""
    rows = [_cells(group) for group in groups]
    filled: list[Filled] = []
    taken: set[tuple[int, int]] = set()
    for index, cells in enumerate(rows):
        below = rows[index + 1] if index + 1 < len(rows) else {}
        is_head = index == 0 and any(is_over(span, tuple(below.values())) for span in cells.values())
        for column in range(len(columns)):
            if (index, column) in taken:
                continue
            own = cells.get(column)
            lower = None if own else below.get(column)
            tall = _is_clear(own or lower, cells if lower else below) and (
                is_head or (own is not None and _straddles(own, cells, below))
            )
            held = (own or lower) if tall else own
            width = held.width if held else 1
            slot = Slot(row=index, column=column, row_span=2 if tall else 1, column_span=width)
            taken.update((index + i, column + j) for i in range(slot.row_span) for j in range(width))
            filled.append(_filled(slot, groups, columns, held))
    return filled


def _is_clear(span: Span | None, cells: dict[int, Span]) -> bool:
    """Whether nothing stands in the columns of a cell in the row above or below it."""
    return span is not None and bool(cells) and not any(_overlap(span, other) for other in cells.values())


def _overlap(one: Span, other: Span) -> bool:
    return one.column < other.column + other.width and other.column < one.column + one.width


def _cells(group: Group) -> dict[int, Span]:
    """What a row has in each column at which something begins: strips that overlap there are one cell."""
    merged: list[Span] = []
    for span in sorted((span for strip in group for span in strip.spans), key=lambda one: one.column):
        if merged and span.column < merged[-1].column + merged[-1].width:
            last = merged.pop()
            end = max(last.column + last.width, span.column + span.width)
            merged.append(Span(column=last.column, width=end - last.column, pieces=(*last.pieces, *span.pieces)))
        else:
            merged.append(span)
    return {span.column: span for span in merged}


def _straddles(span: Span, cells: dict[int, Span], below: dict[int, Span]) -> bool:
    """Whether a text stands at the border of two rows whose other cells stand above and below it."""
    middle = _middle([span])
    above = [other for other in cells.values() if any(_overlap(other, lower) for lower in below.values())]
    if not above or not below:
        return False
    first, second = _middle(above), _middle(below.values())
    slack = _STRADDLES * (second - first)
    is_beside = any(abs(middle - _middle([other])) < slack for other in above if other is not span)
    return not is_beside and abs(middle - (first + second) / 2) < slack


def _middle(spans: Iterable[Span]) -> float:
    return median(piece.middle for span in spans for piece in span.pieces)


def _filled(slot: Slot, groups: Sequence[Group], columns: Sequence[Column], span: Span | None) -> Filled:
    last = slot.row + slot.row_span - 1
    box = (
        columns[slot.column].left,
        min(strip.row.top for strip in groups[slot.row]),
        columns[slot.column + slot.column_span - 1].right,
        max(strip.row.bottom for strip in groups[last]),
    )
    return Filled(slot=slot, box=box, pieces=span.pieces if span else ())
