"""Which amount of a receipt was to be paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from qwenport.documents.receipts.amounts import Amount, amounts_of
from qwenport.documents.receipts.receipt import FieldFound
from qwenport.documents.receipts.sheet import Row, Sheet, compact
from qwenport.documents.receipts.vocabulary import SUMMARY, TOTAL_KEYS
from qwenport.documents.receipts.weights import Features, shares, weigh

_ROUNDING = Decimal("0.05")
"""Most by which a total is rounded to coins."""


class TotalCandidate(Struct, frozen=True, kw_only=True):
    """An amount, and what is seen of it."""

    amount: Amount
    features: Features


class _Scene(Struct, frozen=True, kw_only=True):
    """What is the same for all amounts of a page."""

    sheet: Sheet
    counts: Mapping[Decimal, int]
    largest: Decimal
    largest_unpaid: Decimal
    settled: frozenset[Decimal]
    """Paid less change, for every pair of such."""
    summed: frozenset[Decimal]
    """Sums of two amounts that are named as parts."""
    summary_row: int
    """Where a table of taxes begins; past the end if nowhere."""
    key_marks: Mapping[int, frozenset[str]]
    """What the words beside the amounts of a row say."""
    per_row: Mapping[int, int]
    has_cents: bool
    """Whether any amount of the page says cents."""


def total_candidates(sheet: Sheet) -> tuple[TotalCandidate, ...]:
    """Return the amounts of a page that may be the total."""
    found = [amount for amount in amounts_of(sheet) if not amount.is_negative]
    if not found:
        return ()
    scene = _scene(sheet, found)
    return tuple(TotalCandidate(amount=amount, features=_features(scene, amount)) for amount in found)


def find_total(sheet: Sheet, weights: Mapping[str, float]) -> FieldFound:
    """Return what was to be paid: the amount for which most speaks, wherever it is repeated."""
    candidates = total_candidates(sheet)
    likely: Counter[Decimal] = Counter()
    chances = shares([weigh(candidate.features, weights) for candidate in candidates])
    for candidate, chance in zip(candidates, chances, strict=True):
        likely[candidate.amount.value] += chance  # type: ignore[assignment]  # counters add fractions as well
    if not likely:
        return FieldFound()
    value, chance = likely.most_common(1)[0]
    best = max(
        (pair for pair in zip(chances, candidates, strict=True) if pair[1].amount.value == value),
        key=lambda pair: pair[0],
    )[1]
    return FieldFound(parts=(best.amount.text,), lines=(best.amount.piece.line,), score=round(float(chance), 4))


def _scene(sheet: Sheet, found: Sequence[Amount]) -> _Scene:
    marks = {amount.row: _key_marks(sheet, amount.row) for amount in found}
    paid = {amount.value for amount in found if "paid" in marks[amount.row]}
    change = {amount.value for amount in found if "change" in marks[amount.row]}
    subs = {amount.value for amount in found if marks[amount.row] & {"sub", "without_tax"}}
    parts = {amount.value for amount in found if marks[amount.row] & {"tax", "rounding"}}
    unpaid = [amount.value for amount in found if not marks[amount.row] & {"paid", "change"}]
    summary = next((at for at, row in enumerate(sheet.rows) if SUMMARY.search(row.key)), len(sheet.rows))
    return _Scene(
        sheet=sheet,
        counts=Counter(amount.value for amount in found),
        largest=max(amount.value for amount in found),
        largest_unpaid=max(unpaid, default=Decimal(0)),
        settled=frozenset(one - other for one in paid for other in change),
        summed=frozenset(one + other for one in subs for other in parts if other > 0),
        summary_row=summary,
        key_marks=marks,
        per_row=Counter(amount.row for amount in found),
        has_cents=any(amount.has_cents for amount in found),
    )


def _key_marks(sheet: Sheet, at: int) -> frozenset[str]:
    """Return what the words of a row say; a row without words belongs to the words just above it."""
    words = _words(sheet.rows[at])
    marks = {name for name, pattern in TOTAL_KEYS.items() if pattern.search(words)}
    if len(words) >= 2 or at == 0:
        return frozenset(marks)
    above = sheet.rows[at - 1]
    is_near = sheet.rows[at].top - above.bottom < sheet.height
    words = _words(above) if is_near else ""
    return frozenset({"bare"} | {f"above_{name}" for name, pattern in TOTAL_KEYS.items() if pattern.search(words)})


def _words(row: Row) -> str:
    return "".join(letter for letter in row.key if not letter.isdigit())


def _features(scene: _Scene, amount: Amount) -> Features:
    row = scene.sheet.rows[amount.row]
    features = {f"key_{name}": 1.0 for name in scene.key_marks[amount.row]}
    features |= _value_features(scene, amount)
    is_last = row.pieces[-1] is amount.piece
    features |= {
        "depth": scene.sheet.depth(row),
        "across": scene.sheet.across(amount.piece.right),
        "is_last": float(is_last),
        "is_large": min(max(amount.piece.height / scene.sheet.height - 1, -1.0), 2.0),
        "is_alone": float(scene.per_row[amount.row] == 1),
        "has_currency": float(amount.has_currency),
        "lacks_cents": float(scene.has_cents and not amount.has_cents),
        "in_summary": float(amount.row >= scene.summary_row),
        "after_words": float(bool(compact(amount.before))),
    }
    for name in ("paid", "change", "sub", "tax", "without_tax", "saving", "count", "rounding"):
        if f"key_{name}" in features and "key_total" in features:
            features[f"total_and_{name}"] = 1.0
    return features


def _value_features(scene: _Scene, amount: Amount) -> dict[str, float]:
    return {
        "is_zero": float(amount.value == 0),
        "is_largest": float(amount.value == scene.largest),
        "is_largest_unpaid": float(amount.value == scene.largest_unpaid),
        "repeats": min(scene.counts[amount.value] - 1, 4) / 4,
        "is_once": float(scene.counts[amount.value] == 1),
        "is_settled": float(amount.value in scene.settled),
        "is_summed": float(any(abs(amount.value - one) <= _ROUNDING for one in scene.summed)),
        "part_of_largest": float(amount.value / scene.largest_unpaid) if scene.largest_unpaid else 0.0,
    }
