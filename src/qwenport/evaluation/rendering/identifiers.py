"""Numbers with right check digits, of nobody and nothing."""

from __future__ import annotations

from random import Random
from typing import Final

_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ZONE_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def resident_check_digit(body: str) -> str:
    """The last character for the first 17 of a resident's number (GB 11643)."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _RESIDENT_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def credit_check_character(body: str) -> str:
    """The last character for the first 17 of a unified social credit code (GB 32100)."""
    total = sum(_CREDIT_CHARACTERS.index(mark) * pow(3, place, 31) for place, mark in enumerate(body))
    return _CREDIT_CHARACTERS[-total % 31]


def hong_kong_check_digit(body: str) -> str:
    """The character in brackets for a letter and six digits of a Hong Kong identity card."""
    total = 9 * 36 + 8 * _ZONE_CHARACTERS.index(body[0])
    total += sum(int(digit) * weight for digit, weight in zip(body[1:], (7, 6, 5, 4, 3, 2), strict=True))
    return "0123456789A"[-total % 11]


def resident_number(birth: str, chance: Random) -> str:
    """An 18-character number of a resident of China, of a district that does not exist; birth: YYYYMMDD."""
    district = chance.choice(("310199", "440396", "330198", "110197", "510196", "420199"))
    body = f"{district}{birth}{chance.randrange(1, 999):03d}"
    return body + resident_check_digit(body)


def masked_resident_number(birth: str, chance: Random) -> str:
    """The same with the last four digits of the birth as asterisks, as on train tickets."""
    number = resident_number(birth, chance)
    return f"{number[:10]}****{number[14:]}"


def credit_code(chance: Random, kind: str = "91") -> str:
    """A unified social credit code of a district that does not exist; kind: two characters, `91` for companies."""
    district = chance.choice(("310199", "440396", "330198", "110197"))
    body = kind + district + "MA" + "".join(chance.choice(_CREDIT_CHARACTERS) for _ in range(7))
    return body + credit_check_character(body)


def hong_kong_identity(chance: Random) -> str:
    """A number of a Hong Kong identity card, such as `A123456(3)`."""
    body = f"{chance.choice('ABCDEFGHKMPRSVYZ')}{chance.randrange(10**5, 10**6)}"
    return f"{body}({hong_kong_check_digit(body)})"


def card_number(chance: Random, prefix: str = "6299") -> str:
    """A 16-digit number of a bank card with the right last digit (ISO/IEC 7812), in groups of four."""
    body = prefix + "".join(str(chance.randrange(10)) for _ in range(15 - len(prefix)))
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(body)]
    check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
    number = f"{body}{check}"
    return " ".join(number[start : start + 4] for start in range(0, 16, 4))


def zone_check_digit(text: str) -> str:
    """The check digit of a field in a machine-readable zone (ICAO Doc 9303)."""
    values = (0 if mark == "<" else _ZONE_CHARACTERS.index(mark) for mark in text)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)
