"""Exchange rates as they are stored: read exactly, or refused in words."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from qwenport.core.exchange import ExchangeRate, ExchangeRateInvalid, exchange_rate


def test_a_rate_is_read_exactly() -> None:
    assert exchange_rate("USD", "CNY", "2026-01-31", "7.123456789012") == ExchangeRate(
        base="USD", quote="CNY", since=date(2026, 1, 31), rate=Decimal("7.123456789012")
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("usd", "CNY", "2026-01-31", "7"), "the currency is `usd`; it must be an ISO 4217 code"),
        (("USD", "YUAN", "2026-01-31", "7"), "the currency is `YUAN`"),
        (("USD", "USD", "2026-01-31", "1"), "the rate is of `USD` in itself; name two currencies"),
        (("USD", "CNY", "2026-01-31", "0"), "the rate is `0`; write a decimal number above 0"),
        (("USD", "CNY", "2026-01-31", "0.000"), "the rate is `0.000`"),
        (("USD", "CNY", "2026-01-31", "-7"), "the rate is `-7`"),
        (("USD", "CNY", "2026-01-31", "7e3"), "the rate is `7e3`"),
        (("USD", "CNY", "2026-01-31", "NaN"), "the rate is `NaN`"),
        (("USD", "CNY", "2026-01-31", "7.1234567890123"), "with up to 12 places"),
        (("USD", "CNY", "2026-01-31", "\u0667"), "the rate is `\u0667`"),
        (("USD", "CNY", "2026-02-30", "7"), "the day is `2026-02-30`; write it as `2026-01-31`"),
        (("USD", "CNY", "2026-W05-6", "7"), "the day is `2026-W05-6`"),
        (("USD", "CNY", "20260131", "7"), "the day is `20260131`"),
        (("USD", "CNY", "", "7"), "the day is ``"),
    ],
)
def test_what_is_no_rate_is_refused_in_words(fields: tuple[str, str, str, str], words: str) -> None:
    with pytest.raises(ExchangeRateInvalid, match=re.escape(words)):
        exchange_rate(*fields)
