"""Which line of a receipt names who sold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from qwenport.documents.page import Line
from qwenport.documents.receipts.dates import dates_in
from qwenport.documents.receipts.receipt import FieldFound
from qwenport.documents.receipts.sheet import Piece, Row, Sheet, compact
from qwenport.documents.receipts.vocabulary import ADDRESS_MARKS, COMPANY_ENDS, COMPANY_MARKS, NO_ADDRESS
from qwenport.documents.receipts.weights import Features, shares, weigh

_HEAD_ROWS = 14
"""Rows from the top among which the name is sought."""
_WORD_GAP = 1.5
"""In heights of a line: up to this gap two pieces of a row are one name."""
_REGISTRATION = re.compile(
    r"\s*(?:(?:CO|COMPANY|REG|ROC|BRN?)[.\s]*(?:NO|REG(?:ISTRATION)?)?[.\s:]*)?"
    r"(?:[(\[{][^()\[\]{}]*\d[^()\[\]{}]*[)\]}]?"
    r"|[A-Z]{0,3}\d{4,}\s?[-\u2013—.]?\s?[A-Z]{1,2}|\d{5,}\s?[-\u2013—.]\s?[A-Z0-9]|[A-Z]{2}\d{6,}[-A-Z0-9]*|\d{12})\s*[)\]}]?\s*$",
    re.IGNORECASE,
)
"""The number at the end, in brackets or bare."""
_AFTER_END = re.compile(
    r"((?:SDN\.?\s?)?BHD\.?|\bS/B|\bSB(?=\s?\()|(?:PTE\.?\s?)?\bLTD\.?|LIMITED|有限公司)\s?[(\[]?(?=.*\d).*$",
    re.IGNORECASE,
)
"""Whatever else holds digits after the end of a company's name."""
_SHORT_END = re.compile(r"\bS\s?/\s?B\b|\bS\.?B\b(?=\.?\s*(?:\(|$))", re.IGNORECASE)
"""`Sdn Bhd` in two letters."""
_LEADING = re.compile(r"^(?:\d{5,}\s+(?=\D)|[\s*=#~\-_.:'])+|[\s*=#~\-_:,]+$")


class CompanyCandidate(Struct, frozen=True, kw_only=True):
    """One line, or two that follow each other, and what is seen of them."""

    parts: tuple[str, ...]
    """What of each line is the name: all but the registration number."""
    lines: tuple[Line, ...]
    features: Features

    @property
    def text(self) -> str:
        """The whole name."""
        return " ".join(self.parts)


def without_registration(text: str) -> str:
    """Return a name without the number by which a company is registered, and without ornaments."""
    return _LEADING.sub("", _REGISTRATION.sub("", _AFTER_END.sub(r"\1", text))).strip()


def company_candidates(sheet: Sheet) -> tuple[CompanyCandidate, ...]:
    """Return what may be the name of the seller in the head of a receipt."""
    found = [candidate for candidate in _candidates(sheet) if _letters(compact(candidate.text)) >= 2]
    return tuple(found)


def find_company(sheet: Sheet, weights: Mapping[str, float]) -> FieldFound:
    """Return the name of the seller, as printed."""
    candidates = company_candidates(sheet)
    chances = shares([weigh(candidate.features, weights) for candidate in candidates])
    if not candidates:
        return FieldFound()
    chance, best = max(zip(chances, candidates, strict=True), key=lambda pair: pair[0])
    return FieldFound(parts=best.parts, lines=best.lines, score=round(chance, 4))


def _candidates(sheet: Sheet) -> Iterator[CompanyCandidate]:
    ends_seen = 0
    for at, row in enumerate(sheet.rows[:_HEAD_ROWS]):
        for piece in row.pieces:
            features = _features(sheet, at, piece) | {"ends_before": float(min(ends_seen, 2))}
            if not features["ends_open"]:
                yield CompanyCandidate(parts=(_name_in(piece),), lines=(piece.line,), features=features)
            yield from _joined(sheet, at, piece, features)
        yield from _split(sheet, at, ends_seen)
        ends_seen += _has_end(row.text)


def _split(sheet: Sheet, at: int, ends_seen: int) -> Iterator[CompanyCandidate]:
    """Yield a row that was recognised in several pieces, where no more than a space is between them."""
    row = sheet.rows[at]
    gaps = [other.left - one.right for one, other in pairwise(row.pieces)]
    if not gaps or max(gaps) > _WORD_GAP * row.height:
        return
    named = [(piece.line, piece.printed.strip()) for piece in row.pieces[:-1]]
    named += [(piece.line, name) for piece in row.pieces[-1:] if (name := _name_in(piece))]
    line = Line(text=" ".join(name for _, name in named), quad=row.pieces[0].line.quad, score=0.0)
    whole = Piece(line, row.left, row.right, row.top, row.top + row.height)
    yield CompanyCandidate(
        parts=tuple(name for _, name in named),
        lines=tuple(line for line, _ in named),
        features=_features(sheet, at, whole) | {"ends_before": float(min(ends_seen, 2)), "is_split": 1.0},
    )


def _joined(sheet: Sheet, at: int, piece: Piece, features: Features) -> Iterator[CompanyCandidate]:
    """Yield a line with the one below it, as long names are set in two."""
    if at + 1 >= len(sheet.rows) or len(sheet.rows[at].pieces) > 1 or len(sheet.rows[at + 1].pieces) > 1:
        return
    below = sheet.rows[at + 1].pieces[0]
    first, second = without_registration(piece.text), without_registration(below.text)
    if not second or _stands_alone(first) or _is_no_name(piece.text) or _is_no_name(second):
        return
    joined = {f"first_{name}": features[name] for name in ("row_0", "row_1", "is_bracketed") if name in features}
    joined |= {f"second_{name}": value for name, value in _text_features(below.text).items()}
    joined |= {
        "joined": 1.0,
        "second_is_short": float(len(compact(second)) < 8),
        "same_height": float(abs(below.height - piece.height) < 0.2 * piece.height),
        "same_centre": float(abs(below.left + below.right - piece.left - piece.right) < 2 * piece.height),
        "first_trade": features.get("mark_trade", 0.0),
        "first_heading": features.get("mark_heading", 0.0),
        "first_ends_before": features.get("ends_before", 0.0),
        "first_is_large": features.get("is_large", 0.0),
    }
    yield CompanyCandidate(parts=(_name_in(piece), _name_in(below)), lines=(piece.line, below.line), features=joined)


def _name_in(piece: Piece) -> str:
    """Return the name in a line, as printed."""
    name = without_registration(piece.text)
    start = piece.text.find(name)
    return piece.printed[start : start + len(name)]


def _stands_alone(text: str) -> bool:
    """Whether a name is whole: nothing follows the end of a company's name."""
    return _has_end(text) or _is_no_name(text)


def _is_no_name(text: str) -> bool:
    key = compact(text)
    if NO_ADDRESS.search(key) or dates_in(text) or COMPANY_MARKS["registration"].search(key):
        return True
    return any(ADDRESS_MARKS[name].search(key) for name in ("street", "unit", "postcode"))


def _features(sheet: Sheet, at: int, piece: Piece) -> dict[str, float]:
    features = _text_features(piece.text)
    width = max(sheet.right - sheet.left, 1.0)
    below = sheet.rows[at + 1] if at + 1 < len(sheet.rows) else None
    features |= {
        f"row_{min(at, 6)}": 1.0,
        "row": at / _HEAD_ROWS,
        "is_large": min(max(piece.height / sheet.height - 1, -1.0), 2.0),
        "width": (piece.right - piece.left) / width,
        "off_centre": abs((piece.left + piece.right) / 2 - (sheet.left + sheet.right) / 2) / width,
        "is_alone": float(len(sheet.rows[at].pieces) == 1),
        "is_largest": float(all(piece.height >= 0.95 * o.height for r in sheet.rows[:6] for o in r.pieces)),
        "depth": sheet.depth(sheet.rows[at]),
    }
    features |= _below_features(below)
    if at:
        features["below_buyer"] = float(COMPANY_MARKS["buyer"].search(sheet.rows[at - 1].key) is not None)
        features["below_end"] = float(_has_end(sheet.rows[at - 1].text))
    return features


def _below_features(below: Row | None) -> dict[str, float]:
    if below is None:
        return {}
    bare = without_registration(below.text)
    return {
        "above_registration": float(not compact(bare) or COMPANY_MARKS["registration"].search(below.key) is not None),
        "above_address": float(any(pattern.search(below.key) for pattern in ADDRESS_MARKS.values())),
        "above_end": float(_has_end(below.text)),
        "above_trade": float(COMPANY_MARKS["trade"].search(below.key) is not None),
        "above_bracket": float(below.text.lstrip().startswith("(")),
    }


def _text_features(text: str) -> dict[str, float]:
    bare = without_registration(text)
    key = compact(bare)
    size = max(len(key), 1)
    features = {f"mark_{name}": 1.0 for name, pattern in COMPANY_MARKS.items() if pattern.search(key)}
    features |= {f"address_{name}": 1.0 for name, pattern in ADDRESS_MARKS.items() if pattern.search(key)}
    digits = sum(letter.isdigit() for letter in key)
    return features | {
        "has_end": float(_has_end(bare)),
        "is_registered": float(compact(text) != key),
        "is_rest": float(_is_rest(bare)),
        "ends_open": float(bare.endswith(("&", "-", " AND", " DAN"))),
        "is_bracketed": float(bare.startswith("(")),
        "digits": digits / size,
        "mostly_digits": float(digits > size / 2),
        "is_short": float(size <= 4),
        "size": min(size, 40) / 40,
        "has_comma": float("," in bare),
        "has_colon": float(":" in bare),
        "has_date": float(bool(dates_in(text))),
    }


def _has_end(text: str) -> bool:
    return COMPANY_ENDS.search(compact(text)) is not None or _SHORT_END.search(text) is not None


def _is_rest(text: str) -> bool:
    """Whether a line only ends a name that is set in two: the kind of company, with a place or a trade before it."""
    if text.startswith("&"):
        return True
    left = COMPANY_ENDS.sub("", compact(re.sub(r"^\([^()]*\)", "", text)))
    return _has_end(text) and _letters(COMPANY_MARKS["trade"].sub("", left)) <= 3


def _letters(key: str) -> int:
    return sum(letter.isalpha() for letter in key)
