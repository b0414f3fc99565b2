"""Exact decimals: the amounts that limits name, as whole nano-units, and rates."""

from __future__ import annotations

import re
from decimal import Decimal

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.texts import shown
from qwenport.core.money import NANOS, decimal_amount


def plain_decimal(text: str, places: int) -> Decimal | None:
    """Return a decimal that is written out, with at most so many places and 12 digits before them; None for others.

    Python's own reader would also take exponents, underscores, digits of other scripts and more than it computes with.
    """
    return Decimal(text) if re.fullmatch(rf"[0-9]{{1,12}}(\.[0-9]{{1,{places}}})?", text) else None


def cap_nanos(amount: str, most: int) -> int:
    """Return a decimal amount as nano-units, exactly; raises `SettingInvalid` below 0 or above `most` nano-units."""
    value = plain_decimal(amount, 9)
    if value is None or value * NANOS > most:
        raise SettingInvalid(
            f"{shown(amount)} is no amount that a limit can have; write a decimal from 0 to {most // NANOS} "
            "with at most 9 places, such as `10.50`"
        )
    return int(value * NANOS)


def amount_in_words(nanos: int, currency: str) -> str:
    """Return an exact amount with its currency, such as `-3.50 CNY`."""
    return f"{decimal_amount(nanos)} {currency}"
