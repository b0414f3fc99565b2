"""Amounts of money in recognised text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from qwenport.documents.receipts.sheet import Piece, Row, Sheet
from qwenport.documents.unreadable import UNREADABLE, Pattern

_CENTS = Pattern(
    r"(?<![\d.,])(\d{1,3}(?:[,.' ]\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)\s?[.,]\s?(\d{2})(?![\d%]|[.,]\d|\s?%)"
)
_MARKED = Pattern(
    r"(?:[$¥￥€£]|RM|HKD|RMB|USD|NT)\s?(\d{1,3}(?:,\d{3})+|\d+)(?![\d.,>]|\s?%)|(?<![\d.,])(\d+)(?=\s?[元圓])"
)
_SIGN = re.compile(r"(?:-|\(|—|\u2212)\s?(?:RM|\$|HK\$|¥)?\s?$")
_CURRENCY = re.compile(r"(?:RM|\$|¥|￥|€|£|HKD|USD|元|MYR|RMB)", re.IGNORECASE)


class Amount(Struct, frozen=True, kw_only=True):
    """One amount on a receipt."""

    text: str
    """Digits and points as printed, without a currency."""
    value: Decimal
    piece: Piece
    row: int
    """Of its sheet."""
    before: str
    """What stands left of it in its line."""
    is_negative: bool
    has_currency: bool
    has_cents: bool


def amounts_of(sheet: Sheet) -> tuple[Amount, ...]:
    """Return every amount of a page, row by row, from left to right."""
    return tuple(amount for at, row in enumerate(sheet.rows) for amount in _amounts_in(at, row))


def _amounts_in(at: int, row: Row) -> Iterator[Amount]:
    for piece in row.pieces:
        text = piece.text
        for start, end, value, has_cents in sorted(_values(text)):
            yield Amount(
                text=piece.printed[start:end],
                value=value,
                piece=piece,
                row=at,
                before=text[:start],
                is_negative=_SIGN.search(text[:start]) is not None or text[end:].lstrip().startswith("-"),
                has_currency=_CURRENCY.search(text[max(start - 4, 0) : end + 2]) is not None,
                has_cents=has_cents,
            )


def _values(text: str) -> Iterator[tuple[int, int, Decimal, bool]]:
    """Yield where amounts begin and end, what they are, and whether they say cents."""
    for match in _CENTS.finditer(text):
        whole, cents = re.sub(r"\D", "", _readable(match[1])), _readable(match[2])
        yield match.start(), match.end(), Decimal(f"{whole}.{cents}"), True
    for match in _MARKED.finditer(text):
        group = 1 if match[1] else 2
        yield match.start(group), match.end(group), Decimal(_readable(match[group]).replace(",", "")), False


def _readable(figures: str) -> str:
    """Return figures to reckon with: what cannot be read counts as nothing."""
    return figures.replace(UNREADABLE, "0")
