"""What one currency costs in another, from a day on."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from msgspec import Struct

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)


class ExchangeRateInvalid(ValueError):
    """An exchange rate cannot be used; the message names the value and what would do."""


class ExchangeRate(Struct, frozen=True, kw_only=True):
    """One unit of `base` costs `rate` of `quote` from a day on, until the next rate of the two."""

    base: str
    quote: str
    since: date
    rate: Decimal


def exchange_rate(base: str, quote: str, since: str, rate: str) -> ExchangeRate:
    """Read a rate as it is stored, such as `USD`, `CNY`, `2026-01-31`, `7.12`; raises `ExchangeRateInvalid`."""
    for currency in (base, quote):
        if not _CURRENCY.fullmatch(currency):
            raise ExchangeRateInvalid(f"the currency is `{currency}`; it must be an ISO 4217 code, such as `CNY`")
    if base == quote:
        raise ExchangeRateInvalid(f"the rate is of `{base}` in itself; name two currencies")
    if not _RATE.fullmatch(rate) or Decimal(rate) == 0:
        raise ExchangeRateInvalid(
            f"the rate is `{rate}`; write a decimal number above 0 with up to 12 places, such as `7.12`"
        )
    return ExchangeRate(base=base, quote=quote, since=_day(since), rate=Decimal(rate))


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python 3.11 reads further spellings, such as weeks; stored days are compared as text.
    if day is None or day.isoformat() != text:
        raise ExchangeRateInvalid(f"the day is `{text}`; write it as `2026-01-31`")
    return day
