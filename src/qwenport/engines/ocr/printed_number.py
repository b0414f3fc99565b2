"""Numbers as documents print them: a text that is one number and nothing else, exactly as it stands there."""

from __future__ import annotations

import re
from decimal import Decimal

_LONGEST = 300
"""Characters; beyond them no program that reads the answer has a number for it."""

# What is printed full-width, the signs that type has for a minus, and its apostrophe.
_FOLDED = {0xFF01 + offset: 0x21 + offset for offset in range(0x5E)}
_FOLDED |= {0x2212: 0x2D, 0x2013: 0x2D, 0x2014: 0x2D, 0x2019: 0x27}
_HELD_TOGETHER = re.compile("(?<=[0-9])[\u00a0\u2007\u2009\u202f](?=[0-9]{3})")
"""Spaces that part the thousands of one number."""

_MONEY = (
    r"(?:HK|US|NT|CN|SG|CA|AU|NZ|S|C|A)?\$|[¥\uffe5€£₩₹]|RM|Rp|人民[币幣]|港[币幣]|新?[台臺][币幣]|"
    r"(?:CNY|RMB|USD|EUR|GBP|JPY|HKD|MOP|TWD|NTD|SGD|MYR|AUD|CAD|NZD|CHF|KRW|INR|THB|IDR|PHP|VND|SEK|NOK|DKK|PLN)"
)
_BEFORE = re.compile(rf"(?:{_MONEY})\s*")
_MONEY_AFTER = re.compile(rf"\s*(?:{_MONEY}|[元圆圓][整正]?)$")
_UNIT_AFTER = re.compile(
    r"\s*(?:[%‰件个個张張份只隻台臺套箱包瓶支条條人位名次页頁天日月年岁歲℃℉㎡]|°\s?[CF]|公斤|千克|克|公里|厘米|毫米|米|平方米|立方米|小[时時]|"
    r"分[钟鐘]|k[Ww]h|kg|mg|g|km|cm|mm|m[²³]|m[Ll]|L|min|h|s|pcs?|"
    r"(?:day|night|week|month|year|hour|minute|person|adult|seat|room|item|unit|piece|page|set|bottle)s?|people)$"
)
"""Units behind which the number stays what it is; such as stand for thousands or millions are none of them."""

_GROUPED = r"[1-9][0-9]{0,2}(?:, ?[0-9]{3})+|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
"""By thousands, or as in India by hundreds above the thousands."""
_WITH_POINT = re.compile(rf"(?:{_GROUPED}|[1-9][0-9]{{0,2}}(?:'[0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+")
_WITH_COMMA = re.compile(
    r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]{1,4}|"
    r"[1-9][0-9]{0,2}(?:[ '][0-9]{3})+,[0-9]{1,2}|"
    r"0,[0-9]+|[0-9]+,[0-9]{1,2}|[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}"
)
"""As on the continent of Europe, where it cannot be anything else: `1,234` has thousands, `1.234` has a fraction."""


def printed_number(text: str) -> Decimal | None:
    """Return the number that a text is, to its last digit; None where it is none, more than one, or in part unread.

    Signs may stand before the number, before its currency or behind it; parentheses are a minus, as accounts have it.
    A currency or a unit beside it is left out.
    """
    rest = _HELD_TOGETHER.sub("'", text.translate(_FOLDED)).strip()
    if len(rest) > _LONGEST:
        return None
    signs, rest = _without_signs(rest)
    rest = _without_units(rest)
    inner, rest = _without_signs(rest)
    digits = _plain(rest)
    if digits is None or len(signs + inner) > 1:
        return None
    return Decimal(f"-{digits}" if "-" in signs + inner else digits)


def _without_signs(text: str) -> tuple[str, str]:
    """Return the signs around a text, and what stands between them."""
    if text.startswith("(") and text.endswith(")"):
        return "-", text[1:-1].strip()
    if text.endswith("-"):
        return "-", text[:-1].rstrip()
    return (text[0], text[1:].lstrip()) if text.startswith(("-", "+")) else ("", text)


def _without_units(text: str) -> str:
    """Return what stands beside a currency, or before a unit; not both, as `$5 m` means millions."""
    before = _BEFORE.match(text)
    if before is not None:
        text = text[before.end() :]
    rest = _MONEY_AFTER.sub("", text, count=1)
    return _UNIT_AFTER.sub("", text, count=1) if before is None and rest == text else rest


def _plain(digits: str) -> str | None:
    """Return a number with a point before its fraction and nothing between its thousands; None for no known form."""
    if _WITH_POINT.fullmatch(digits):
        return re.sub("[, ']", "", digits)
    if _WITH_COMMA.fullmatch(digits):
        return re.sub("[. ']", "", digits).replace(",", ".")
    return None
