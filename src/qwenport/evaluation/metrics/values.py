"""When two values of a field are the same, by the letter and by what they mean."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from qwenport.documents.receipts.dates import dates_in

_NO_WORD = re.compile(r"[^a-z0-9\u3400-\u9fff]")
_MONEY = re.compile(
    r"(?:RM|HK\$|HKD|US\$|USD|NT\$|CNY|RMB|MYR|[$¥€£])?\s*(-?\d{1,3}(?:,\d{3})+|-?\d+)\.(\d{1,2})\s*(?:元|圆|圓|HKD|CNY|USD|RMB|MYR)?",
    re.IGNORECASE,
)


def is_same(one: str, other: str) -> bool:
    """Whether two values are the same string but for blanks around them."""
    return one.strip() == other.strip()


def means_same(one: str, other: str) -> bool:
    """Whether two values mean the same: equal money to two decimals, equal days, or equal characters.

    Characters are A-Z without case, 0-9 and Chinese ones; blanks and points are left out. One value is money or a day
    where nothing else stands in it; a day is read day first where both are possible.
    """
    return _meaning(one) == _meaning(other)


def _meaning(value: str) -> str:
    text = unicodedata.normalize("NFKC", value).strip()
    if money := _MONEY.fullmatch(text):
        return f"money {Decimal(money[1].replace(',', '') + '.' + money[2]):.2f}"
    days = dates_in(text)
    if len(days) == 1 and days[0].start == 0 and days[0].end == len(text):
        return f"day {days[0].day.isoformat()}"
    return _NO_WORD.sub("", text.casefold())
