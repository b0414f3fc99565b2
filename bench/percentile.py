"""Percentiles of measured values."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share (0 to 1) of all values do not exceed; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = -int(-share * len(ordered) // 1) - 1  # rounded up, counted from 0
    return ordered[max(0, min(place, len(ordered) - 1))]
