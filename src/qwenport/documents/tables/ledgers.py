"""Tables with columns that most rows leave blank: accounts above all, whose rows fill one of two of amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from qwenport.documents.tables.chunks import is_number

_FIRM = 0.8  # of the rows: a column that so many fill
_OFTEN = 0.6
_SELDOM = 0.2
_AMOUNTS = 0.7
_BOTH = 0.1  # of the rows: so many fill two columns that take turns, totals for instance
_ENDS = 2  # head and total, which fill both
_LEAST = 3  # rows and columns: what is smaller shows nothing

Row = Mapping[int, str]
"""The texts of a row by the column at which they begin."""


def columns_by_turns(rows: Sequence[Row], columns: int) -> list[frozenset[int]]:
    """The columns from left to right, neighbouring ones of amounts together where a row fills one of them only."""
    joined: list[frozenset[int]] = []
    for column in range(columns):
        if joined and _take_turns(rows, joined[-1], column):
            joined[-1] |= {column}
        else:
            joined.append(frozenset({column}))
    return joined


def is_ledger(rows: Sequence[Row], columns: int) -> bool:
    """Whether nearly all rows fill the same three columns or more, amounts among them, and may leave others blank."""
    body = rows[1:-1]  # the first and the last one may carry a balance alone
    joined = columns_by_turns(rows, columns)
    firm = [some for some in joined if _filling(body, some) >= _FIRM * len(body)]
    if columns <= _LEAST or len(body) < _LEAST or len(firm) < _LEAST or 2 * len(firm) < len(joined):
        return False
    if _filling(body, joined[0]) < _SELDOM * len(body):
        return False
    full = sum(all(some & row.keys() for some in firm) for row in body)
    return full >= _FIRM * len(body) and any(_are_amounts(body, some) for some in firm)


def has_amounts(rows: Sequence[Row], columns: int) -> bool:
    """Whether most rows have an amount in one column, or in several that take turns, and more than one entry beside."""
    full = [row for row in rows if len(row) > 1]  # the others may go on with a text
    if len(full) < _LEAST or len(full) < _OFTEN * len(rows) or median(map(len, full)) < _LEAST:
        return False
    joined = columns_by_turns(full, columns)
    return any(_are_amounts(full, some) and _filling(full, some) >= _OFTEN * len(full) for some in joined)


def _take_turns(rows: Sequence[Row], before: frozenset[int], column: int) -> bool:
    """Whether rows, but for a head and totals, have an amount either before or in a column."""
    if not (_are_amounts(rows, before) and _are_amounts(rows, frozenset({column}))):
        return False
    either = [(bool(before & row.keys()), column in row) for row in rows]
    both = either.count((True, True))
    return both <= max(_ENDS, _BOTH * len(rows)) and (True, False) in either and (False, True) in either


def _filling(rows: Sequence[Row], some: frozenset[int]) -> int:
    return sum(bool(some & row.keys()) for row in rows)


def _are_amounts(rows: Sequence[Row], some: frozenset[int]) -> bool:
    """Whether what stands in some columns, but for a head, is numbers."""
    texts = [row[column] for row in rows for column in some if column in row]
    numbers = sum(map(is_number, texts))
    return numbers > 0 and numbers >= _AMOUNTS * (len(texts) - len(some))
