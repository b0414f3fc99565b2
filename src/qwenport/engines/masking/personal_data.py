"""Where a text holds personal data: identity and passport numbers, bank cards, phones, e-mail addresses.

A number counts only where its own rules hold (checksum, date, length, prefix) and where the words before it do not call
it something else, so that order numbers, moments, amounts and hashes pass as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from itertools import chain

from msgspec import Struct


class Kind(StrEnum):
    """What was found; the name is part of its placeholder."""

    IDENTITY = "ID"
    PASSPORT = "PASSPORT"
    CARD = "CARD"
    PHONE = "PHONE"
    EMAIL = "EMAIL"


class Found(Struct, frozen=True, gc=False):
    """A piece of personal data and where it stands."""

    begin: int
    end: int
    kind: Kind


_HALF_WIDTH = {0xFF10 + digit: ord("0") + digit for digit in range(10)} | {
    ord(wide): ord(narrow) for wide, narrow in zip("\uff0b\uff20\uff0d\uff38\uff58\u3000\u00a0", "+@-Xx  ", strict=True)
}
"""One character for one, so that places in the text stay what they are."""

# Digits on either side would make it a part of a longer number; so would a decimal point or comma with digits.
_BEFORE = r"(?<![0-9])(?<![0-9][.,])"
_AFTER = r"(?![0-9])(?![.,][0-9])"

_IDENTITY = re.compile(r"(?<![0-9])[1-8][0-9]{5}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx](?![0-9])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_PROVINCES = frozenset(
    chain(range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66), (71, 81, 82, 83))
)

_CARD = re.compile(
    rf"(?<![A-Za-z0-9+])(?<![0-9][.,])"
    rf"(?:[3-6][0-9]{{12,18}}|2[0-9]{{15}}"
    rf"|[2-6][0-9]{{3}}(?:([ -])[0-9]{{4}}(?:\1[0-9]{{4}}){{2,3}}(?:\1[0-9]{{1,3}})?)"
    rf"|3[47][0-9]{{2}}([ -])[0-9]{{6}}\2[0-9]{{5}}|6[0-9]{{5}}([ -])[0-9]{{10}}(?:[0-9]{{3}})?){_AFTER}(?![A-Za-z])"
)
_MAINLAND = re.compile(
    r"(?<![A-Za-z0-9+_#])(?<![0-9][.,:/-])(?:(\+|00)?86[ -]?)?"
    r"(?:13[0-9]|14[5-9]|15[0-35-9]|16[2567]|17[0-8]|18[0-9]|19[0-35-9])"
    rf"([ -]?)[0-9]{{4}}\2[0-9]{{4}}{_AFTER}(?![A-Za-z_])(?![-/:][0-9])"
)
_INTERNATIONAL = re.compile(
    r"(?<![A-Za-z0-9+.,)=_])\+[1-9][0-9]{0,2}[ -]?(?:\([0-9]{1,4}\)[ -]?)?"
    rf"(?:[0-9][ -]?){{6,12}}[0-9]{_AFTER}(?![%A-Za-z])"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
_PASSPORT = re.compile(
    r"(?:护照|passport)[^0-9\n]{0,16}?(?<![A-Za-z0-9])((?:[EGDSPHM][A-Z]?|1[45])[0-9]{7,8})(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "css", "js", "mjs", "ts", "html"})
"""Endings of files such as `logo@2x.png`, which are no domains."""

_OTHER_NUMBER = re.compile(
    r"(?:订单|单号|运单|流水|编号|编码|快递|批号|发票|交易|序列|合同|order|invoice|tracking|trace|serial|sku|batch|ticket"
    r"|transaction|timestamp|\bts\b|\bref|\bno[.:]|\bid\b)[^0-9\n]{0,12}$",
    re.IGNORECASE,
)
_IS_PERSONAL = re.compile(
    r"电话|手机|联系|致电|拨打|热线|卡|phone|mobile|tel|cell|call|card|whatsapp|sms", re.IGNORECASE
)
_CONTEXT = 24
"""Characters before a number in which it may be called something."""
_WINDOW = 1 << 14
_LONGEST_MATCH = 1 << 10
"""Characters; an e-mail address is at most some 600 of them, the others are shorter."""


def personal_data(text: str) -> list[Found]:
    """Return what was found, in the order of the text, nothing twice."""
    plain = text if text.isascii() else text.translate(_HALF_WIDTH)
    found: list[Found] = []
    taken = bytearray(len(plain)) if plain else bytearray()
    for each in chain(_identities(plain), _passports(plain), _emails(plain), _cards(plain), _phones(plain)):
        if not any(taken[each.begin : each.end]):
            taken[each.begin : each.end] = b"\1" * (each.end - each.begin)
            found.append(each)
    return sorted(found, key=lambda each: each.begin)


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield what `finditer` would: in windows, since no other thread runs while one of them is searched."""
    place = 0
    while place < len(text):
        end = place + _WINDOW
        for match in pattern.finditer(text, place, end + _LONGEST_MATCH):
            if match.start() >= end:
                break
            yield match
            place = match.end()
        place = max(place, end)


def _identities(text: str) -> Iterator[Found]:
    for match in _matches(_IDENTITY, text):
        if _is_identity(re.sub("[ -]", "", match[0])):
            yield Found(match.start(), match.end(), Kind.IDENTITY)


def _is_identity(number: str) -> bool:
    """Tell whether a number of 18 characters is one by GB 11643: province, day of birth, checksum (ISO 7064)."""
    if int(number[:2]) not in _PROVINCES:
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return 1850 <= born.year <= 2150 and _CHECK[total % 11] == number[17].upper()


def _passports(text: str) -> Iterator[Found]:
    for match in _matches(_PASSPORT, text):
        yield Found(match.start(1), match.end(1), Kind.PASSPORT)


def _emails(text: str) -> Iterator[Found]:
    for match in _matches(_EMAIL, text):
        is_clone_address = match[0].startswith("git@") and text[match.end() : match.end() + 1] == ":"
        if not is_clone_address and match[0].rpartition(".")[2].lower() not in _PICTURES and ".." not in match[0]:
            yield Found(match.start(), match.end(), Kind.EMAIL)


def _cards(text: str) -> Iterator[Found]:
    for match in _matches(_CARD, text):
        digits = re.sub("[ -]", "", match[0])
        if _is_card(digits) and not _is_called_otherwise(text, match.start()):
            yield Found(match.start(), match.end(), Kind.CARD)


def _is_card(digits: str) -> bool:
    """Tell whether the issuer's prefix fits the length and the last digit is right (ISO/IEC 7812)."""
    length, four = len(digits), int(digits[:4])
    fits = (
        (digits[0] == "4" and length in {13, 16, 19})
        or (length == 16 and (5100 <= four <= 5599 or 2221 <= four <= 2720 or 3528 <= four <= 3589))
        or (length == 15 and digits[:2] in {"34", "37"})
        or (length == 14 and digits[:2] in {"30", "36", "38", "39"})
        or (16 <= length <= 19 and digits[:2] in {"60", "62", "64", "65"})
        or (12 < length <= 19 and digits[:2] in {"50", "56", "57", "58", "63", "67"})
    )
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return fits and (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0 and len(set(digits)) > 1


def _phones(text: str) -> Iterator[Found]:
    for match in _matches(_MAINLAND, text):
        is_bare = match[0].isdigit() and len(match[0]) == 11
        if not (is_bare and _is_called_otherwise(text, match.start())):
            yield Found(match.start(), match.end(), Kind.PHONE)
    for match in _matches(_INTERNATIONAL, text):
        digits = sum(character.isdigit() for character in match[0])
        if 8 <= digits <= 15 and (digits >= 10 or " " in match[0] or "-" in match[0]):
            yield Found(match.start(), match.end(), Kind.PHONE)


def _is_called_otherwise(text: str, begin: int) -> bool:
    """Tell whether the words before a number say that it is no phone and no card."""
    before = text[max(0, begin - _CONTEXT) : begin]
    named = _OTHER_NUMBER.search(before)
    return named is not None and not _IS_PERSONAL.search(before, named.start())
