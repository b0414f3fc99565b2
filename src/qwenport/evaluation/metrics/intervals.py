"""How sure a figure is that was measured on a few documents."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

_Document = TypeVar("_Document")
_RESAMPLES = 1000


class Interval(Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval."""

    figure: float
    low: float
    high: float
    documents: int


def bootstrap(
    documents: Sequence[_Document], figure_of: Callable[[Sequence[_Document]], float], *, seed: int = 2026
) -> Interval:
    """Return a figure and how it varies over documents drawn anew with replacement (percentile bootstrap)."""
    drawing = random.Random(seed)
    figures = sorted(figure_of(drawing.choices(documents, k=len(documents))) for _ in range(_RESAMPLES))
    low, high = figures[round(0.025 * (_RESAMPLES - 1))], figures[round(0.975 * (_RESAMPLES - 1))]
    return Interval(figure=figure_of(documents), low=low, high=high, documents=len(documents))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies, the nearest one there is; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
