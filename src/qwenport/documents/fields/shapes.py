"""What text, names, companies and addresses look like: kinds that no single pattern tells."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re

from qwenport.documents.fields.folding import has_chinese, is_chinese
from qwenport.documents.fields.kinds import Found, Kind, find, has_pattern, is_whole
from qwenport.documents.unreadable import Pattern

_NATIONS = re.compile(
    r"汉|满|回|壮|蒙古|藏|维吾尔|苗|彝|布依|朝鲜|侗|瑶|白|土家|哈尼|哈萨克|傣|"
    r"黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|柯尔克孜|土|达斡尔|仫佬|羌|布朗|"
    r"撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|"
    r"京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺"
)
_COMPANY = re.compile(
    r"公司|商行|酒店|医院|學校|学校|超市|餐[厅廳]|银行|銀行|企[业業]|集[团團]|事[务務]所|中心|[厂廠]$|店$|[Ll]imited|\bLTD\b|\bLtd\b|"
    r"\bInc\b|\bINC\b|LLC|\bCo\b|\bCO\b|Corp|GmbH|SDN|Bhd|BHD|PLC|Group|Hospital|Bank|Store|Clinic|局$|院$|部$|行$|社$"
)
_ADDRESS = re.compile(
    r"省|市|[县縣]|[区區]|[镇鎮]|[乡鄉]|[街路道巷弄]|[号號]|[楼樓]|室|[栋棟]|大[厦廈]|"
    r"\b(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Floor|Room|Rm|Flat|Unit|Suite|Jalan|Building|Blvd|Court|Place|City)\b",
    re.IGNORECASE,
)
_RUNNING_TEXT = re.compile(r"[a-z]\w*(?:\W+\w+){3}")
"""The middle of a sentence."""
_LEGAL_FORM = re.compile(r"(?:ltd|limited|llc|inc|gmbh|bhd|plc|corp|co|b\.?v|n\.?v|公司)\W*$", re.IGNORECASE)
_CODE_WHOLE = Pattern(r"^[A-Za-z0-9][A-Za-z0-9 \-/_.#*()（）]{0,36}$")
_CODE = Pattern(r"(?<![A-Za-z0-9])[A-Za-z0-9*][A-Za-z0-9*\-/_.#()（）]*[A-Za-z0-9)*]|\d+")
_DIGIT_GROUPS = Pattern(r"^\s*([A-Z]{0,3}\d{2,}(?:[ -]\d{2,}){1,5})\s*$")
_STATION = Pattern(r"[\u4e00-\u9fff]{1,7}\s?站|[\u4e00-\u9fff](?:\s?[\u4e00-\u9fff]){1,6}|[A-Z][A-Za-z'. ]{2,24}")
_NAME_CHINESE = Pattern(r"[\u3400-\u9fff](?:\s{0,3}[\u3400-\u9fff]){1,3}|[\u4e00-\u9fff]+·[\u4e00-\u9fff]+")
_NAME_LATIN = Pattern(r"[A-Z][A-Za-z'.-]*(?:[\s,]+[A-Z][A-Za-z'.-]*){0,5}")
_FIT_OF_GROUPS = {Kind.DIGITS: 1.0, Kind.CARD: 1.0, Kind.PERSON: 0.6, Kind.TAX: 0.6}
_LEAST_OF_PHONE = 8
"""Digits; what has fewer is as often a postcode."""
_UNGROUPED = frozenset({Kind.PERSON, Kind.TAX})


def found_in(kind: Kind, text: str) -> tuple[Found, ...]:
    """Return the parts of `text` that may be a value of `kind`, the best first."""
    if has_pattern(kind):
        return _in_groups(kind, text) or find(kind, text)
    if not any(character.isalnum() for character in text):
        return ()
    if kind is Kind.CODE:
        return _codes(text)
    if kind is Kind.STATION:
        return tuple(Found(match.start(), match.end(), 1.0) for match in _STATION.finditer(text))
    return (Found(0, len(text), _fit(kind, text.strip())),)


def _in_groups(kind: Kind, text: str) -> tuple[Found, ...]:
    """Return a number in groups of digits, whole; where it is a kind that has none, something there was not read."""
    match = _DIGIT_GROUPS.match(text) if kind in _FIT_OF_GROUPS else None
    if match is None or (kind in _UNGROUPED and any(_holds(each, match) for each in find(kind, text))):
        return ()
    return (Found(match.start(1), match.end(1), _FIT_OF_GROUPS[kind]),)


def _holds(found: Found, match: re.Match[str]) -> bool:
    return found.start <= match.start(1) and match.end(1) <= found.end


def _fit(kind: Kind, text: str) -> float:
    """Return how well a whole text suits a kind, from 0 to 1."""
    match kind:
        case Kind.NAME:
            return name_fit(text)
        case Kind.COMPANY:
            return company_fit(text)
        case Kind.ADDRESS:
            return address_fit(text)
        case Kind.NATION:
            return 1.0 if _NATIONS.fullmatch(text.removesuffix("族")) else 0.6 if text.isalpha() else 0.3
        case _:
            return 0.9


def name_fit(text: str) -> float:
    """Return how much a text looks like the name of a person."""
    if _NAME_CHINESE.fullmatch(text):
        return 1.0
    if _NAME_LATIN.fullmatch(text):
        return 0.97
    if any(character.isdigit() for character in text):
        return 0.3
    return 0.75 if len(text) <= 40 else 0.4


def company_fit(text: str) -> float:
    """Return how much a text looks like the name of a company."""
    letters = sum(character.isalpha() for character in text)
    if letters < max(2, len(text.replace(" ", "")) * 0.5):
        return 0.2
    if _RUNNING_TEXT.match(text) and not _LEGAL_FORM.search(text):
        return 0.4
    return 1.0 if _COMPANY.search(text) else 0.85


def address_fit(text: str) -> float:
    """Return how much a text looks like an address."""
    letters = sum(character.isalpha() for character in text)
    if letters < 2 or len(text) < 4:
        return 0.25
    return 1.0 if _ADDRESS.search(text) else 0.75


def is_phone_line(text: str) -> bool:
    """Whether a line says a telephone number, with no more beside it than whose it is."""
    for each in find(Kind.PHONE, text):
        if each.fit >= 0.9 and sum(map(str.isdigit, text[each.start : each.end])) >= _LEAST_OF_PHONE:
            beside = text[: each.start] + text[each.end :]
            return address_fit(beside) < 1.0 and not any(map(str.isdigit, beside))
    return False


def _codes(text: str) -> tuple[Found, ...]:
    trimmed = text.strip()
    offset = len(text) - len(text.lstrip())
    is_date = any(each.end - each.start > 0.8 * len(trimmed) and each.fit == 1.0 for each in find(Kind.DATE, trimmed))
    fit = 0.35 if is_date else 1.0
    if _CODE_WHOLE.match(trimmed) and any(mark.isdigit() for mark in trimmed) and len(trimmed.split()) <= 5:
        return (Found(offset, offset + len(trimmed), fit),)
    found = []
    for match in _CODE.finditer(text):
        if not is_whole(Kind.CODE, text, match.start(), match.end()):
            continue
        digits = sum(mark.isdigit() for mark in match.group())
        found.append(Found(match.start(), match.end(), min(fit, 0.85 if digits >= 3 else 0.6 if digits else 0.3)))
    if not found and len(trimmed) <= 24:
        return (Found(offset, offset + len(trimmed), 0.4),)
    return tuple(sorted(found, key=lambda each: -each.fit))


def looks_like_name(text: str) -> bool:
    """Whether a text can hardly be anything but a person's name."""
    bare = text.strip()
    return bool(_NAME_CHINESE.fullmatch(bare)) or (len(bare.split()) >= 2 and bool(_NAME_LATIN.fullmatch(bare)))


def is_chinese_text(text: str) -> bool:
    """Whether every character but spaces is Chinese."""
    return has_chinese(text) and all(is_chinese(character) for character in text if not character.isspace())
