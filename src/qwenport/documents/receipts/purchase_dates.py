"""Which date of a receipt is the day of the purchase."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from qwenport.documents.receipts.dates import DateFound, dates_in
from qwenport.documents.receipts.receipt import FieldFound
from qwenport.documents.receipts.sheet import Piece, Sheet, compact
from qwenport.documents.receipts.vocabulary import DATE_KEYS
from qwenport.documents.receipts.weights import Features, shares, weigh

_TIME = re.compile(r"\d{1,2}\s?[:.]\s?\d\d(?:\s?[:.]\s?\d\d)?\s?(?:[AP]M)?|\d\s?[时時]", re.IGNORECASE)


class DateCandidate(Struct, frozen=True, kw_only=True):
    """A date, and what is seen of it."""

    text: str
    found: DateFound
    piece: Piece
    features: Features


def date_candidates(sheet: Sheet) -> tuple[DateCandidate, ...]:
    """Return all dates of a page."""
    places = [
        (at, piece, one) for at, row in enumerate(sheet.rows) for piece in row.pieces for one in dates_in(piece.text)
    ]
    counts = Counter(one.day for _, _, one in places)
    return tuple(
        DateCandidate(
            text=piece.printed[one.start : one.end].strip(),
            found=one,
            piece=piece,
            features=_features(sheet, at, piece, one) | _order_features(order, len(places), counts[one.day]),
        )
        for order, (at, piece, one) in enumerate(places)
    )


def find_date(sheet: Sheet, weights: Mapping[str, float]) -> FieldFound:
    """Return the day of the purchase, as printed."""
    candidates = date_candidates(sheet)
    chances = shares([weigh(candidate.features, weights) for candidate in candidates])
    if not candidates:
        return FieldFound()
    likely: dict[object, float] = {}
    for candidate, chance in zip(candidates, chances, strict=True):
        likely[candidate.found.day] = likely.get(candidate.found.day, 0.0) + chance
    day = max(likely, key=lambda one: likely[one])
    pairs = [pair for pair in zip(chances, candidates, strict=True) if pair[1].found.day == day]
    best = max(pairs, key=lambda pair: pair[0])[1]
    return FieldFound(parts=(best.text,), lines=(best.piece.line,), score=round(likely[day], 4))


def _features(sheet: Sheet, at: int, piece: Piece, one: DateFound) -> dict[str, float]:
    row = sheet.rows[at]
    above = sheet.rows[at - 1].key if at else ""
    features = {f"key_{name}": 1.0 for name, pattern in DATE_KEYS.items() if pattern.search(row.key)}
    before = compact(piece.text[: one.start])
    features |= {f"before_{name}": 1.0 for name, pattern in DATE_KEYS.items() if pattern.search(before)}
    features["above_date"] = float(DATE_KEYS["date"].search(above) is not None)
    rest = piece.text[: one.start] + " " + piece.text[one.end :]
    features |= {
        f"form_{one.form}": 1.0,
        "has_time": float(_TIME.search(rest) is not None),
        "row_has_time": float(any(_TIME.search(other.text) for other in row.pieces if other is not piece)),
        "depth": sheet.depth(row),
        "is_whole_line": float(not compact(rest)),
        "is_inside_number": float(one.start > 0 and piece.text[one.start - 1].isalnum()),
        "is_this_century": float(2000 <= one.day.year <= 2040),
    }
    return features


def _order_features(order: int, count: int, repeats: int) -> dict[str, float]:
    return {
        "is_first": float(order == 0),
        "is_last": float(order == count - 1),
        "repeats": min(repeats - 1, 3) / 3,
    }
