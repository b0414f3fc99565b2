"""How many cells of a table were found."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from qwenport.evaluation.metrics.fields import FieldCounts


class GridCell(Struct, frozen=True, kw_only=True, order=True):
    """A cell by its place in the full grid, from 0."""

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    text: str = ""


Grid = tuple[GridCell, ...]
"""One table."""


def count_cells(truth: Sequence[Grid], answer: Sequence[Grid]) -> FieldCounts:
    """Count the cells that are right: same row, column and spans, and same text but for blanks and width.

    Tables are paired so that most cells fit, each with at most one; what is left over counts against the answer. Empty
    cells count as well, so a table that is shifted by a column is wrong nearly everywhere.
    """
    given, wanted = sum(map(len, answer)), sum(map(len, truth))
    fits = sorted(
        ((_fitting(one, other), at, to) for at, one in enumerate(truth) for to, other in enumerate(answer)),
        key=lambda fit: (-fit[0], fit[1], fit[2]),
    )
    right, used_truth, used_answer = 0, set[int](), set[int]()
    for fitting, at, to in fits:
        if at not in used_truth and to not in used_answer:
            right += fitting
            used_truth.add(at)
            used_answer.add(to)
    return FieldCounts(right=right, given=given, wanted=wanted)


def _fitting(one: Grid, other: Grid) -> int:
    return (Counter(map(_seen, one)) & Counter(map(_seen, other))).total()


def _seen(cell: GridCell) -> tuple[int, int, int, int, str]:
    text = "".join(unicodedata.normalize("NFKC", cell.text).split())
    return cell.row, cell.column, cell.row_span, cell.column_span, text
