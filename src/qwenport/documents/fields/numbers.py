"""Numbers and amounts as documents print them: whole, with their sign, their brackets and their groups of digits."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re

from qwenport.documents.unreadable import UNREADABLE

_THIN = "\u00a0\u2007\u2009\u202f"
"""Spaces that hold the groups of one number together."""
_MINUS = "-－\u2212–—"
SIGN = rf"(?:(?<![\w.)）%{_MINUS}])[{_MINUS}]|(?:^|(?<=[:：])|(?<=[:：]\s))[{_MINUS}]\s)"
"""Before a number or its currency. A dash that follows a word joins, and one with spaces around it parts."""
_GROUPED = (
    r"\d{1,3}(?:\.\d{3}){2,}(?!\d)",
    r"\d{1,3}(?:['’]\d{3})+(?!\d)",
    rf"\d{{1,3}}(?:[{_THIN}]\d{{3}})+(?!\d)",
    r"\d{1,2}(?:,\d{2})+,\d{3}(?!\d)",
    r"\d{1,3}(?:[,，]\s?\d{3})+(?!\d)",
)
_COMMA_BEFORE_CENTS = (r"\d{1,3}(?:\.\d{3})+", rf"\d{{1,3}}(?:[ {_THIN}]\d{{3}})+", r"\d{1,3}(?:['’]\d{3})+", r"\d+")
_CONTINENTAL = rf"(?:{'|'.join(_COMMA_BEFORE_CENTS)}),\d{{1,2}}(?![\d,])"
GROUPED = rf"(?:{'|'.join(_GROUPED)})"
"""A whole number in groups: of thousands, or as in India."""
NUMBER = rf"(?:{_CONTINENTAL}|{GROUPED}(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\w.])\.\d+)"
"""Without a sign."""
AMOUNT = rf"(?:{_CONTINENTAL}|{GROUPED}(?:\.\s?\d{{1,4}})?|\d+(?:\.\s?\d{{1,4}})?|(?<![\w.])\.\d{{1,4}})"
"""Of money, without sign and currency."""
AMOUNT_WITH_CENTS = rf"(?:{_CONTINENTAL}(?<=,\d\d)|(?:{GROUPED}|\d+)\.\s?\d{{1,2}}|(?<![\w.])\.\d{{1,2}})"
_UNITS = (
    "元圆圓角分仙毛块塊万萬千百十亿億年月日天周週时時点點秒号號期第至到和与與或及共转轉乘比折加减減"
    "车車厢廂次座排层層楼樓室栋棟幢弄巷张張件个個只隻支枝条條本份套台臺瓶盒包袋箱桶罐把双雙对對组組笔筆"
    "位名间間晚页頁级級岁歲倍度米克斤升吨噸磅寸尺码碼"
)
"""Chinese characters that stand between two numbers: units, counters and words that join."""
_MISREAD_CHINESE = rf"(?:(?![{_UNITS}])[\u3400-\u9fff])"
_MISREAD_MARK = r"(?:(?![xXkmhL](?![.,])|T\d\d:?\d\d)[A-Za-z]|[#&\u2190-\u27bf]|%(?=[.,]\d))"
"""A letter or a symbol. What joins two sizes (`5x3`), a unit that no digit looks like, and the `T` before a time part
two numbers, but no unit stands before a point."""
_MISREAD = rf"(?:{_MISREAD_CHINESE}|{_MISREAD_MARK})"
RUN = rf"\d+(?:(?:[.,'’{_THIN}]|\s\.|[.,]?{_MISREAD}[.,]?)\d+)+"
"""Digits and separators in a form that is none of these: told as printed, since any part of it is another number."""


def _around(misread: str) -> str:
    """Return the places right before and behind a character that was misread, and between it and a separator."""
    return (
        rf"(?<=[\d?])(?=[.,]?{misread}[.,]?[\d?])|(?<=[\d?][.,])(?={misread}[.,]?[\d?])|"
        rf"(?<=[\d?]{misread})(?=[.,]?[\d?])|(?<=[\d?][.,]{misread})(?=[.,]?[\d?])|"
        rf"(?<=[\d?]{misread}[.,])(?=[\d?])|(?<=[\d?][.,]{misread}[.,])(?=[\d?])"
    )


WITHIN_DIGITS = rf"(?<=[\d?])(?=[\d?])|{_around(_MISREAD_CHINESE)}"
"""A place between digits, some of which cannot be read, or were taken for a Chinese character."""
WITHIN_DATE = rf"{WITHIN_DIGITS}|{_around(_MISREAD_MARK)}"
"""A place between the digits of a date, of which one may have been taken for a letter or a symbol; codes have both."""
WITHIN_CODE = rf"{WITHIN_DIGITS}|(?<=[\d?])(?=[.'’{_THIN}][\d?])|(?<=[\d?][.'’{_THIN}])(?=[\d?])"
"""A place inside a run of digits; codes are also listed with commas between them."""
WITHIN_NUMBER = (
    rf"{WITHIN_CODE}|{_around(_MISREAD_MARK)}|(?<=[\d?])(?=,[\d?])|(?<=[\d?],)(?=[\d?])|"
    r"(?<=\d)(?=\s\.\d)|(?<=\d\s)(?=\.\d)|(?<=^\.)(?=\d)|(?<=[^\w.]\.)(?=\d)"
)
"""A place inside a number, at which no value begins or ends."""

_CURRENCY = r"(?:[A-Z]{0,3}[$¥￥€£]\s?|[A-Z]{2,3}\s?)?"
_SIGNED_START = re.compile(rf"(?:{SIGN})?{_CURRENCY}(?:[\d?]|(?<![\w.])\.\d)")
_BROKEN = re.compile(rf"\s*{_CURRENCY}(?:[\d?]{{1,4}} )+[\d?]*(?:[.,][\d?]{{1,2}})?\s*")
_SIGNED = re.compile(rf"(?P<sign>{SIGN})?{_CURRENCY}[{_MINUS}]?(?P<number>{NUMBER})")
BEHIND_SIGN = (
    rf"(?<=[^\w.)）%{_MINUS}][{_MINUS}])(?=[$¥￥€£.]?\d)|(?<=^[{_MINUS}])(?=[$¥￥€£.]?\d)|"
    rf"(?<=[{_MINUS}][$¥￥€£])(?=\d)|(?<=[(（])(?=[$¥￥€£]?[\d.,]+\d[)）])|(?<=[(（][$¥￥€£])(?=[\d.,]+\d[)）])"
)
"""A place between a number and the sign or the bracket that is a part of it."""

_WITHIN = re.compile(WITHIN_NUMBER)
_WRITTEN_AFTER = re.compile(r"\s?(?:-(?!\w)|[)）])")
_CENTS_BEHIND_COMMA = re.compile(r",(?=\d{1,2}$)")


def is_signed_start(text: str, at: int) -> bool:
    """Whether a number begins at a place with its sign or its point, rather than a mark that parts key and value."""
    return text[at] in f".{_MINUS}" and _SIGNED_START.match(text, at) is not None


def is_broken(text: str) -> bool:
    """Whether a text is nothing but digits with spaces where no number has them: what stood there was not read."""
    return _BROKEN.fullmatch(text) is not None and re.fullmatch(rf"\s*{_CURRENCY}{AMOUNT}\s*", text) is None


def plain_number(text: str) -> str:
    """Return the one number of a text with a point and no groups; empty where there are several, or it is unsure.

    `(1,250.00)` and `12.50-` are amounts below zero in accounts and else are not: they are left as they are printed.
    """
    found = [match for match in _SIGNED.finditer(text) if not _is_piece(match, text)]
    if len(found) != 1 or UNREADABLE in text:
        return ""
    match = found[0]
    rest = text[: match.start()] + text[match.end() :]
    if any(map(str.isdigit, rest)) or _WRITTEN_AFTER.match(text, match.end()):
        return ""
    number = _CENTS_BEHIND_COMMA.sub("#", match["number"])
    groups = rf"[,，'’\s{_THIN}]" + (r"|\." if "#" in number or number.count(".") > 1 else "")
    is_negative = any(mark in _MINUS for mark in text[match.start() : match.start("number")])
    return ("-" if is_negative else "") + re.sub(groups, "", number).replace("#", ".")


def _is_piece(match: re.Match[str], text: str) -> bool:
    return any(_WITHIN.match(text, at) for at in (match.start(), match.end()))
