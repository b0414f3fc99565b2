"""How many fields were found: precision, recall, F1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct


class FieldCounts(Struct, frozen=True, kw_only=True):
    """Counts over some fields of some documents."""

    right: int = 0
    """Given, wanted, and the same."""
    given: int = 0
    """Values in the answers that are not empty."""
    wanted: int = 0
    """Values in the truth that are not empty."""

    def __add__(self, other: FieldCounts) -> FieldCounts:
        return FieldCounts(
            right=self.right + other.right, given=self.given + other.given, wanted=self.wanted + other.wanted
        )

    @property
    def precision(self) -> float:
        """Share of the given values that are right; 1 where none is given."""
        return self.right / self.given if self.given else 1.0

    @property
    def recall(self) -> float:
        """Share of the wanted values that were found; 1 where none is wanted."""
        return self.right / self.wanted if self.wanted else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both, over all fields alike (micro F1); 1 where nothing is given and nothing wanted."""
        both = self.given + self.wanted
        return 2 * self.right / both if both else 1.0


def count_fields(truth: Mapping[str, str], answer: Mapping[str, str], same: Callable[[str, str], bool]) -> FieldCounts:
    """Count the fields of one document. A wrong value counts as given in vain and as missed."""
    names = truth.keys() | answer.keys()
    pairs = [(truth.get(name, "").strip(), answer.get(name, "").strip()) for name in names]
    return FieldCounts(
        right=sum(bool(wanted and given) and same(wanted, given) for wanted, given in pairs),
        given=sum(bool(given) for _, given in pairs),
        wanted=sum(bool(wanted) for wanted, _ in pairs),
    )


def all_counts(counts: Iterable[FieldCounts]) -> FieldCounts:
    """Add up counts."""
    return sum(counts, start=FieldCounts())
