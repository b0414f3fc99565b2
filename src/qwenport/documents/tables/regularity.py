"""Whether the rows of aligned text are alike, as those of a table are; tickets, cards and receipts are aligned too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import median

from qwenport.documents.tables.bars import Bar
from qwenport.documents.tables.chunks import is_number
from qwenport.documents.tables.evidence import has_key
from qwenport.documents.tables.ledgers import has_amounts
from qwenport.documents.tables.pieces import text_of
from qwenport.documents.tables.row_groups import Group, Strip

_SMALLER = 0.88
_MOST = 0.6
_NEARLY_ALL = 0.8
_OF_ONE_SORT = 0.7
_LONGEST_HEAD = 24
_SEVERAL = 4
_DIGITS_OF_DATE = 8


def is_regular(groups: Sequence[Group], columns: int, rules: Sequence[Bar]) -> bool:
    """Whether most rows have most columns and, where too few rules tell, a head or their figures show a table."""
    filled = [frozenset(column for strip in group for column in strip.filled) for group in groups]
    texts = [texts_of(group) for group in groups]
    if not rules and _are_keys_above_values([strip for group in groups for strip in group]):
        return False
    if sum(1 for row in filled if len(row) >= _MOST * columns) < _MOST * len(groups):
        return has_full_head(texts, columns)
    if len(rules) > (1 if columns > 2 else _NEARLY_ALL * len(groups)):
        return True
    if columns > 2 and len(groups) > 3 and sum(len(row) == columns for row in filled) >= _NEARLY_ALL * len(groups):
        return True
    return has_head(texts, columns)


def _are_keys_above_values(strips: Sequence[Strip]) -> bool:
    """Whether small print stands above larger one again and again, as keys above values in a form do."""
    heights = [median(piece.height for span in strip.spans for piece in span.pieces) for strip in strips]
    pairs = sum(
        upper < _SMALLER * lower and bool(strip.filled & below.filled)
        for (upper, lower), (strip, below) in zip(pairwise(heights), pairwise(strips), strict=True)
    )
    return 2 * pairs >= _MOST * len(strips)


def has_head(rows: Sequence[Mapping[int, str]], columns: int) -> bool:
    """Whether the first row, given by column, or the second one names what the rows below it hold."""
    second = not any(map(_has_figure, rows[0].values()))  # a head of two rows has no figures in the upper one
    heads = rows[: 2 if second else 1]
    return any(_is_head(row, columns) and _bears_out(row, rows[i + 1 :], columns) for i, row in enumerate(heads))


def has_full_head(rows: Sequence[Mapping[int, str]], columns: int) -> bool:
    """Whether the first row names each of several columns, and the rows below have amounts, some columns blank."""
    if columns < _SEVERAL or len(rows) < _SEVERAL:
        return False
    head = rows[0]
    if len(head) < columns or not _is_head(head, columns):
        return False
    blank = [column for column in range(columns) if not any(column in row for row in rows[1:])]
    if any(map(_has_figure, head.values())) or len(blank) > 1:
        return False
    return has_amounts(rows[1:], columns)


def _bears_out(head: Mapping[int, str], body: Sequence[Mapping[int, str]], columns: int) -> bool:
    """Whether what stands below a head is of one sort in some column: numbers, or in many rows codes or dates."""
    if len(body) < 2:
        return False
    is_plain = not any(map(_has_figure, head.values()))
    if (is_plain or columns > 2) and any(_share(body, c, is_number) >= _OF_ONE_SORT for c in range(columns)):
        return True
    figures = any(_share(body, column, _has_figure) >= _OF_ONE_SORT for column in range(columns))
    return figures and is_plain and columns > 2 and len(body) > 2


def texts_of(group: Sequence[Strip]) -> dict[int, str]:
    """What a row has, by the column at which it begins."""
    texts: dict[int, str] = {}
    for span in (span for strip in group for span in strip.spans):
        texts[span.column] = texts.get(span.column, "") + text_of(span.pieces)
    return texts


def _is_head(row: Mapping[int, str], columns: int) -> bool:
    if len(row) < max(2, _MOST * columns):
        return False
    return not any(
        is_number(text) or has_key(text) or len(text) > _LONGEST_HEAD or _is_code(text) for text in row.values()
    )


def _is_code(text: str) -> bool:
    """Whether a text is a number of an account or the like; a date in a head has fewer digits."""
    return sum(map(str.isdigit, text)) > _DIGITS_OF_DATE


def _share(rows: Sequence[Mapping[int, str]], column: int, holds: Callable[[str], bool]) -> float:
    """Of the entries of a column, how many are of a sort; 0 where half of them are blank."""
    texts = [row[column] for row in rows if column in row]
    return sum(map(holds, texts)) / len(texts) if len(texts) > 0.5 * len(rows) else 0.0


def _has_figure(text: str) -> bool:
    return any(character.isdigit() for character in text)
