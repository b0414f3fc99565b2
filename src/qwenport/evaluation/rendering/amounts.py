"""Amounts in the ways in which documents print them."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_UNITS: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿")


def grouped(cents: int) -> str:
    """`1,234.50`."""
    return f"{cents // 100:,}.{cents % 100:02d}"


def plain(cents: int) -> str:
    """`1234.50`."""
    return f"{cents // 100}.{cents % 100:02d}"


def in_words(cents: int) -> str:
    """An amount in the capital characters of cheques and invoices: `壹仟贰佰叁拾肆元伍角整`."""
    whole, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    text = f"{_whole(whole)}元" if whole else ""
    if not jiao and not fen:
        return f"{text}整"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif whole:
        text += "零"
    return f"{text}{_DIGITS[fen]}分" if fen else f"{text}整"


def traditional(words: str) -> str:
    """The same in Traditional characters."""
    return words.translate(str.maketrans("贰叁陆万亿", "貳叄陸萬億"))


def _whole(number: int) -> str:
    text, needs_zero = "", False
    for group in range((len(str(number)) - 1) // 4, -1, -1):
        part = number // 10_000**group % 10_000
        if not part:
            needs_zero = bool(text)
            continue
        text += ("零" if needs_zero or (text and part < 1000) else "") + _group(part) + _GROUPS[group]
        needs_zero = False
    return text


def _group(part: int) -> str:
    text, needs_zero = "", False
    for place in range(3, -1, -1):
        digit = part // 10**place % 10
        if digit:
            text += ("零" if needs_zero else "") + _DIGITS[digit] + _UNITS[place]
        needs_zero = bool(text) and not digit if digit == 0 else False
    return text
