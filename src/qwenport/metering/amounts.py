"""Amounts of money as people write and read them: exact decimals, kept as whole nano-units."""

from __future__ import annotations

import re
from decimal import Decimal

from qwenport.core.money import NANOS

MOST_UNITS = 1_000_000_000
"""The greatest single amount, in units: with it, sums stay far from the bounds of 64 bits."""

_AMOUNT = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?", re.ASCII)
_LONGEST_SHOWN = 40


class AmountInvalid(ValueError):
    """What was given is no amount; the words are for the operator."""


def amount_nanos(amount: Decimal | str, *, zero: bool = False) -> int:
    """Return a decimal amount as nano-units, exactly; 0 is taken only where `zero` says so.

    Raises:
        AmountInvalid: it is no plain decimal number above 0, has more than 9 places, or is above `MOST_UNITS`.
    """
    # A Decimal that was computed may be written with an exponent, which `f` takes away.
    text = f"{amount:f}" if isinstance(amount, Decimal) else amount
    if not _AMOUNT.fullmatch(text):
        raise AmountInvalid(
            f"{text[:_LONGEST_SHOWN]!a} is no amount; write a positive decimal with at most 9 places, such as `10.50`"
        )
    units, _, places = text.partition(".")
    nanos = int(units) * NANOS + int(places.ljust(9, "0"))
    if nanos == 0 and not zero:
        raise AmountInvalid("an amount must be above 0")
    if nanos > MOST_UNITS * NANOS:
        raise AmountInvalid(f"`{text}` is above {MOST_UNITS}, the greatest amount that is moved at once")
    return nanos
