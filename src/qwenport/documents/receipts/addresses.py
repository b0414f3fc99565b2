"""Which lines of a receipt say where the shop is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from qwenport.documents.page import Line
from qwenport.documents.receipts.address_rows import ADDRESS_SIGNS, row_features
from qwenport.documents.receipts.receipt import FieldFound
from qwenport.documents.receipts.sheet import Piece, Row, Sheet
from qwenport.documents.receipts.weights import Features, shares, weigh

_HEAD_ROWS = 18
_MOST_ROWS = 7
_LABEL = re.compile(r"^\W*(?:HQ\s*)?(?:ADD(?:RESS|R)?\s*[:.]|地址\s*[::]?|店址\s*[::]?)\s*", re.IGNORECASE)
_NO_PART = re.compile(
    r"[\s,;]*(?:\b(?:TE[L1I]|FAX|PHONE)\b|电话|電話|\+60\s?\d|\(?\bGST\s?(?:ID|REG|NO)\b"
    r"|\(\s?(?:CO(?:MPANY)?\b[.\s]*(?:REG\b)?[.\s]*(?:NO\b)?[.:\s]*)?\d{4,}\s?-?\s?[A-Z]\s?\)\s*$).*$",
    re.IGNORECASE | re.DOTALL,
)
"""What follows an address in its last line: a telephone, or a number of a register."""


class AddressBlock(Struct, frozen=True, kw_only=True):
    """Rows that follow each other, and what is seen of them."""

    lines: tuple[Line, ...]
    parts: tuple[str, ...]
    """What of each line is the address."""
    features: Features

    @property
    def text(self) -> str:
        """The whole address."""
        return " ".join(self.parts)


def address_blocks(sheet: Sheet) -> tuple[AddressBlock, ...]:
    """Return the blocks among which the address is sought: in the head, with a sign of an address in one row."""
    rows = sheet.rows[:_HEAD_ROWS]
    seen = [row_features(sheet, at) for at in range(len(rows))]
    return tuple(
        _block(sheet, seen, start, end)
        for start in range(len(rows))
        for end in range(start + 1, min(start + _MOST_ROWS, len(rows)) + 1)
        if any(seen[at].get(name) for at in range(start, end) for name in ADDRESS_SIGNS)
    )


def find_address(sheet: Sheet, weights: Mapping[str, float]) -> FieldFound:
    """Return the address: the block for which most speaks, where more speaks for than against it."""
    blocks = address_blocks(sheet)
    scores = [weigh(block.features, weights) for block in blocks]
    if not blocks or max(scores) <= 0:
        return FieldFound()
    chance, best = max(zip(shares(scores), blocks, strict=True), key=lambda pair: pair[0])
    return FieldFound(lines=best.lines, parts=best.parts, score=round(chance, 4))


def _block(sheet: Sheet, seen: Sequence[Features], start: int, end: int) -> AddressBlock:
    shown = [(piece.line, part) for row in sheet.rows[start:end] for piece in row.pieces if (part := _part(piece))]
    return AddressBlock(
        lines=tuple(line for line, _ in shown),
        parts=tuple(part for _, part in shown),
        features=_summed(seen[start:end]) | _edges(seen, start, end) | _shape(sheet, seen, start, end),
    )


def _part(piece: Piece) -> str:
    """Return what of a line is the address, as printed: not the word `address`, no telephone number behind it."""
    label, end = _LABEL.match(piece.text), _NO_PART.search(piece.text)
    start = label.end() if label else 0
    return piece.printed[start : end.start() if end else None].strip(" ;:")


def _summed(rows: Sequence[Features]) -> dict[str, float]:
    whole: dict[str, float] = {}
    for row in rows:
        for name, value in row.items():
            whole[name] = whole.get(name, 0.0) + value
    return whole


_AT_EDGES = (
    "has_street", "has_area", "has_unit", "has_postcode", "has_region", "has_town", "has_end", "ends_address", "commas",
    "ends_with_comma", "ends_with_stop", "is_registration", "mark_registration", "mark_contact", "mark_heading",
    "mark_trade", "mark_owned", "no_digits", "mark_buyer", "is_bracketed", "begins_with_digit", "is_short", "size",
    "has_label",
)  # fmt: skip


def _edges(seen: Sequence[Features], start: int, end: int) -> dict[str, float]:
    """Return what is seen of the first row and the last, and of those just outside."""
    edges: dict[str, float] = {}
    for side, at in (("first", start), ("last", end - 1), ("before", start - 1), ("after", end)):
        if 0 <= at < len(seen):
            edges |= {f"{side}_{name}": seen[at][name] for name in _AT_EDGES if seen[at].get(name)}
    return edges


def _shape(sheet: Sheet, seen: Sequence[Features], start: int, end: int) -> dict[str, float]:
    rows = sheet.rows[start:end]
    postcodes = [at for at in range(start, end) if seen[at].get("has_postcode")]
    heights = [row.height for row in rows]
    return {
        f"rows_{min(end - start, 6)}": 1.0,
        "is_first_row": float(start == 0),
        "is_second_row": float(start == 1),
        "row": start / _HEAD_ROWS,
        "without_postcode": float(not postcodes),
        "postcodes": float(max(len(postcodes) - 1, 0)),
        "past_postcode": float(min(end - 1 - postcodes[-1], 3)) if postcodes else 0.0,
        "signs": len({name for at in range(start, end) for name in ADDRESS_SIGNS if seen[at].get(name)}) / 5,
        "past_end": float(any(row.get("ends_address") for row in seen[:start])),
        "below_name": float(any(row.get("has_end") for row in seen[:start])),
        "next_to_name": float(start > 0 and seen[start - 1].get("has_end", 0.0) > 0),
        "heights": min(max(heights) / max(min(heights), 1.0) - 1, 1.0),
        "widest_gap": max((_gap(sheet, one, other) for one, other in pairwise(rows)), default=0.0),
        "gap_before": _gap(sheet, sheet.rows[start - 1], rows[0]) if start else 1.0,
        "gap_after": _gap(sheet, rows[-1], sheet.rows[end]) if end < len(sheet.rows) else 1.0,
    }


def _gap(sheet: Sheet, above: Row, below: Row) -> float:
    """Return how much white is between two rows, in heights of a line."""
    return min(max((below.top - above.bottom) / sheet.height, -0.5), 2.0)
