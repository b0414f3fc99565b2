"""Money is whole nano-units of a currency; people read it as exact decimals."""

from __future__ import annotations

NANOS = 1_000_000_000
"""Nano-units in one unit of a currency."""


def decimal_amount(nanos: int) -> str:
    """Return nano-units as an exact decimal amount with at least two places, such as `0.00012` or `3.50`."""
    units, rest = divmod(abs(nanos), NANOS)
    places = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanos < 0 else ''}{units}.{places}"
