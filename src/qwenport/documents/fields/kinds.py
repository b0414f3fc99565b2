"""Kinds of values, and what values of each kind look like."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from qwenport.documents.fields.numbers import (
    AMOUNT,
    AMOUNT_WITH_CENTS,
    GROUPED,
    NUMBER,
    RUN,
    SIGN,
    WITHIN_CODE,
    WITHIN_DATE,
    WITHIN_NUMBER,
)
from qwenport.documents.unreadable import UNREADABLE, Pattern


class Kind(StrEnum):
    """What sort of value a field holds."""

    TEXT = "text"
    LONG = "long"
    NAME = "name"
    COMPANY = "company"
    ADDRESS = "address"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    MOMENT = "moment"
    """A date with a time, or the one that is printed."""
    PERIOD = "period"
    MONEY = "money"
    WORDS = "words"
    NUMBER = "number"
    QUANTITY = "quantity"
    CODE = "code"
    DIGITS = "digits"
    TAX = "tax"
    PERSON = "person"
    PHONE = "phone"
    PLATE = "plate"
    TRAIN = "train"
    FLIGHT = "flight"
    STATION = "station"
    SEAT = "seat"
    CLASS = "class"
    PERCENT = "percent"
    EMAIL = "email"
    WEB = "web"
    GENDER = "gender"
    NATION = "nation"
    CARD = "card"
    PASSPORT = "passport"


class Found(Struct, frozen=True):
    """A part of a text that looks like a value of a kind."""

    start: int
    end: int
    fit: float
    """From 0 to 1."""


_MONTH = r"(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[A-Za-z]*"
_CHINESE_DIGITS = "〇○零一二三四五六七八九十"
_DATES = "|".join(
    (
        r"(?:19|20)\d{2}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日?",
        r"(?:19|20)\d{2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?(?:\d{2}(?=\d\d:\d\d)|\d{1,2}(?!\d))",
        r"民[国國]\s*\d{2,3}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日?",
        rf"[{_CHINESE_DIGITS}]{{4}}年[{_CHINESE_DIGITS}]{{1,2}}月[{_CHINESE_DIGITS}]{{1,3}}日",
        r"(?<![\d.])\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?(?:(?:19|20)\d{2}(?=\d\d:\d\d)|(?:(?:19|20)\d{2}|\d{2})(?![\d.]))",
        rf"(?<!\d)\d{{1,2}}(?:st|nd|rd|th)?[\s\-/.,]*{_MONTH}[\s\-/.,]*(?:(?:19|20)\d{{2}}|\d{{2}}(?!:))(?!\d)",
        rf"{_MONTH}\.?\s*\d{{1,2}}(?:st|nd|rd|th)?\s*[,.]?\s*(?:19|20)\d{{2}}",
        r"(?<!\d)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)",
        r"(?<!\d)\d{1,2}\s+\d{1,2}\s*月?\s+(?:19|20)\d{2}(?!\d)",
        r"(?<!\d)\d{1,2}\s*日?\s*\d{1,2}\s*月\s*(?:19|20)\d{2}\s*年?",
        r"(?<!\d)(?:19|20)\d{2}\s+(?:0[1-9]|1[0-2])\s+(?:0[1-9]|[12]\d|3[01])(?!\d)",
    )
)
_PARTIAL_DATES = "|".join(
    (
        r"(?:19|20)\d{2}\s*年\s*\d{1,2}\s*月",
        r"\d{1,2}\s*月\s*\d{1,2}\s*日",
        rf"(?<!\d)\d{{1,2}}\s?{_MONTH}(?![a-z])",
        rf"{_MONTH}\.?\s*(?:19|20)\d{{2}}",
        r"(?<!\d)(?:19|20)\d{2}\s?[-/.]\s?\d{1,2}(?![\d/.-])",
    )
)
_TIME = (
    r"(?:(?<![\d:])|(?<=[/.-]\d\d)|(?<=[/.-]\d{4}))\d{1,2}\s?[:：]\s?\d{2}(?:\s?[:：]\s?\d{2})?(?:\s?[AaPp]\.?[Mm]\b\.?)?(?:\s*[开開])?"
    r"|\d{1,2}\s*[时時]\s*\d{1,2}\s*分"
)
_FOREVER = r"[长長]期(?:有效)?|永久"
_CURRENCY = (
    r"(?:(?:HK|US|NT|CN|SG|S|A|C|MOP)?\s?\$|[¥￥€£]|"
    r"(?:RMB|CNY|HKD|USD|MYR|RM|EUR|GBP|TWD|NTD|SGD|MOP|人民[币幣])(?![A-Za-z]))"
)
_UNIT = r"(?:\s?(?:元|圆|圓|港[币幣元]|HKD|RMB|CNY|USD|MYR|EUR|GBP|NTD|TWD|SGD)(?![整正]))"
_MEASURE = r"°\s?[CF]?|[℃℉㎡㎥㎏㎜㎝㎞㏄‰]|[cdkm]?m[23](?!\d)|[^\W\d_]{1,6}(?:[·/][^\W\d_]{1,4})?"
"""A unit behind a number; squares and cubes are read as figures or as small ones."""
_BELOW_ZERO = r"(?:-(?![\w-]))?"
"""A minus behind the amount, as cash registers print it."""
_CHINESE_AMOUNT = (
    r"(?:人民[币幣]|港[币幣]|[（(][^）)]{0,6}[）)])?[零〇壹贰貳叁參叄肆伍陆陸柒捌玖拾佰仟一二三四五六七八九十百千万萬亿億]"
    r"[零〇壹贰貳叁參叄肆伍陆陸柒捌玖拾佰仟一二三四五六七八九十百千万萬亿億元圆圓角分\s]*[元圆圓角分]\s?[整正]?"
)
_PROVINCES = "京津沪冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼渝使滬雲遼魯蘇贛晉陝閩貴粵寧瓊"
_CLASSES = (
    r"商[务務]座|特等座|优选一等座|[一二][等][座]|(?:新空调)?(?:高[级級])?[软軟硬](?:座|[卧臥])(?:代[软軟硬][座卧])?|(?:动|動|一等|二等|高级动)[卧臥]|"
    r"[无無]座|(?:超[级級])?[经經][济濟][舱艙]|(?:公[务務]|商[务務]|[头頭]等)[舱艙]|"
    r"(?:Premium\s)?Economy(?: Class)?|Business(?: Class)?|First(?: Class)?|Second(?: Class)?|"
    r"Standard(?: Class)?|经济|商务"
)

_PATTERNS: dict[Kind, tuple[tuple[str, float], ...]] = {
    Kind.DATE: ((_DATES, 1.0), (_PARTIAL_DATES, 0.6)),
    Kind.TIME: ((_TIME, 1.0),),
    Kind.DATETIME: (
        (rf"(?:{_DATES})\s*(?:[T,]|星期.|[(（]?周?.[)）])?\s*(?:{_TIME})", 1.0),
        (_DATES, 0.7),
        (_PARTIAL_DATES, 0.4),
    ),
    Kind.MOMENT: (
        (rf"(?:{_DATES})\s*(?:[T,]|星期.|[(（]?周?.[)）])?\s*(?:{_TIME})", 1.0),
        (_TIME, 0.95),
        (_DATES, 0.7),
    ),
    Kind.PERIOD: (
        (rf"(?:{_DATES})\s*(?:[-~—–至到]|to|自|起至)+\s*(?:{_DATES}|{_FOREVER})", 1.0),
        (rf"(?:{_DATES})\s*(?:[-~—–至到]|to)+\s*(?:{_PARTIAL_DATES})", 0.9),
        (_FOREVER, 0.9),
        (_DATES, 0.6),
        (_PARTIAL_DATES, 0.8),
        (rf"[\d{_CHINESE_DIGITS}两兩]+\s*(?:年|[个個]月|[Mm]onths?|[Yy]ears?)", 0.8),
    ),
    Kind.MONEY: (
        (
            rf"(?:^|(?<=[\s:：]))(?:{_CURRENCY}\s*)?[(（]\s?(?:{_CURRENCY}\s*{AMOUNT}|{AMOUNT_WITH_CENTS}|{GROUPED}){_UNIT}?\s?[)）]",
            1.0,
        ),
        (rf"(?:{SIGN})?{_CURRENCY}\s*[-－\u2212]?\s*{AMOUNT}{_UNIT}?{_BELOW_ZERO}", 1.0),
        (
            rf"(?:{SIGN})?(?<![A-Za-z0-9])(?!QTY|TAX|GST|VAT|FEE|TIP|MAX|MIN|NO|PV|PO|SST|KG)[A-Z]{{2,3}}\s?{AMOUNT}(?<=[.,]\d\d)(?!\d)",
            0.97,
        ),
        (rf"(?:{SIGN})?(?<![\d.A-Za-z]){AMOUNT}{_UNIT}", 0.97),
        (rf"(?:{SIGN})?(?<![\d.A-Za-z]){AMOUNT_WITH_CENTS}(?![\d%/]){_BELOW_ZERO}", 0.93),
        (rf"(?:{SIGN}|(?<![\d.A-Za-z/:-]))(?:{GROUPED}|\d{{1,7}})(?![\d%:/A-Za-z-]|\.\d)", 0.55),
        (rf"(?:{_CURRENCY}\s*)?(?:{SIGN})?{RUN}(?!\s?[\d%％/:]){_UNIT}?", 0.45),
    ),
    Kind.WORDS: (
        (_CHINESE_AMOUNT, 1.0),
        (r"(?:[A-Z][A-Za-z]*[\s-]+){2,}(?:ONLY|Only|only)\.?", 1.0),
        (r"(?:[A-Z][A-Za-z]*[\s-]+)+(?:DOLLARS?|Dollars?)[A-Za-z\s\d/]*", 0.9),
    ),
    Kind.NUMBER: ((rf"(?:{SIGN})?(?<![\d.]){NUMBER}(?![\d])", 1.0), (rf"(?:{SIGN})?{RUN}(?!\d)", 0.45)),
    Kind.QUANTITY: (
        (rf"(?:{SIGN})?(?<![\d.]){NUMBER}(?:\s?(?:{_MEASURE}))?", 1.0),
        (rf"(?:{SIGN})?{RUN}(?:\s?(?:{_MEASURE}))?", 0.45),
    ),
    Kind.DIGITS: (
        (r"(?<![\dA-Za-z])\d{6,}(?![\dA-Za-z])", 1.0),
        (r"(?<![\dA-Za-z])[A-Z]{0,4}[-]?\d{4,}[A-Z0-9-]*", 0.85),
        (r"(?<![\dA-Za-z])\d{2,}(?:[\s-]\d{2,})+(?![\dA-Za-z])", 0.7),
    ),
    Kind.TAX: (
        (r"(?<![0-9A-Za-z])[0-9A-Z]{2}\d{6}[0-9A-Z]{10}(?![0-9A-Za-z])", 1.0),
        (r"(?<![0-9A-Za-z])[0-9A-Z]{15,20}(?![0-9A-Za-z])", 0.9),
        (r"(?<![0-9A-Za-z])(?=[0-9A-Z ]{16,19}(?![0-9A-Za-z]))\d{4,}[0-9A-Z]* [0-9A-Z]+(?![0-9A-Za-z])", 0.85),
        (r"(?<![0-9A-Za-z])[A-Z0-9][A-Z0-9-]{6,20}[A-Z0-9](?![0-9A-Za-z])", 0.6),
        (r"(?<![0-9A-Za-z])[0-9A-Z]{4,8}(?: [0-9A-Z]{2,10}){1,4}(?![0-9A-Za-z])", 0.5),
    ),
    Kind.PERSON: (
        (r"(?<![\dA-Za-z])\d{6}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?![\dA-Za-z])", 1.0),
        (r"(?<![\dA-Za-z])\d{3,14}\s?[*＊×xX]{2,}\s?\d{1,4}[Xx]?(?![\dA-Za-z])", 1.0),
        (r"(?<![\dA-Za-z])[A-Z]{1,2}\s?\d{6}\s?[(（]\s?[0-9A]\s?[)）]", 1.0),
        (r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])", 0.95),
        (r"(?<![\dA-Za-z])\d{6}\s\d{4}\s?\d{4}\s\d{3}[\dXx]", 0.9),
        (r"(?<![\dA-Za-z])[A-Z]{1,4}[\d*]{5,17}[A-Z]?(?![\dA-Za-z])", 0.7),
        (r"^\s*(?=(?:-?\d){9})\d{1,6}(?:-\d{1,7}){1,4}\s*$", 0.65),
        (r"(?<![\dA-Za-z])[\d*]{8,18}[A-Z]?(?![\dA-Za-z])", 0.6),
    ),
    Kind.PHONE: (
        (r"(?<![\dA-Za-z])1[3-9]\d[\s-]?[\d*]{4}[\s-]?\d{4}(?!\d)", 1.0),
        (
            r"(?<![\dA-Za-z])[(（]?(?:\+|00)\s?\d{1,3}[)）]?[\s-]?(?:[(（]\d{1,4}[)）][\s-]?)?\d{2,4}(?:[\s-]?\d{3,4}){1,3}(?!\d)",
            1.0,
        ),
        (r"(?<![\dA-Za-z])[(（]?0\d{2,3}[)）]?[\s-]{0,2}\d{3,4}[\s-]?\d{4}(?:-\d{1,5})?(?!\d)", 1.0),
        (r"(?<![\dA-Za-z])[(（]?0\d{1,2}[)）]?[\s-]{0,2}\d{3,4}[\s-]?\d{3,4}(?!\d)", 0.95),
        (r"(?<![\dA-Za-z])[(（]\d{3}[)）]\s?\d{3}[\s-]\d{4}(?!\d)", 1.0),
        (r"(?<![\dA-Za-z])\d{3}[\s.-]\d{3}[\s.-]\d{4}(?!\d)", 0.95),
        (r"(?<![\dA-Za-z])[2-9]\d{3}[\s-]?\d{4}(?!\d)", 0.9),
        (r"(?<![\dA-Za-z])(?!\d{5}-\d{4}(?!\d))(?:400|800|95)[\d-]{3,9}(?!\d)", 0.9),
        (r"(?<![\dA-Za-z])\d{7,12}(?!\d)", 0.6),
        (r"(?<![\dA-Za-z])\d{5,6}(?!\d)", 0.4),
    ),
    Kind.PLATE: (
        (rf"[{_PROVINCES}]\s?[A-Z]\s?[·•.\-]?\s?[A-Z0-9]{{5,6}}(?![A-Z0-9])", 1.0),
        (r"[\u4e00-\u9fff]\s?[A-Z]\s?[·•.\-]?\s?[A-Z0-9]{5,6}(?![A-Z0-9])", 0.95),
        (r"(?<![A-Z])[A-Z]{2}\s?\d{2,4}(?!\d)", 0.8),
        (r"(?<![A-Z0-9])[A-Z]{1,3}[\s-]?[A-Z0-9]{3,6}(?![A-Z0-9])", 0.6),
    ),
    Kind.TRAIN: (
        (r"(?<![A-Z0-9])[GDCZTKYSLP]\s?\d{1,4}(?=次|[^\dA-Z]|$)(?!\s\d{1,3}$)", 1.0),
        (r"(?<![A-Z0-9.])\d{1,4}(?=次)", 0.9),
    ),
    Kind.FLIGHT: ((r"(?<![A-Z0-9])(?:[A-Z]{2}|[A-Z]\d|\d[A-Z])\s?\d{3,4}(?!\d)", 1.0),),
    Kind.SEAT: (
        (r"\d{1,2}\s?[车車][厢廂]?\s?(?:\d{1,3}\s?[A-F]?\s?[号號]?(?:[上中下][铺鋪])?|[无無]座)", 1.0),
        (r"(?<![\dA-Z])\d{1,3}[A-K](?![\dA-Z])", 0.9),
        (r"[无無]座", 0.8),
        (r"(?<![\dA-Z])\d{1,3}\s?[号號排]\S{0,5}", 0.5),
    ),
    Kind.CLASS: ((_CLASSES, 1.0), (r"(?<![A-Z0-9])[A-Z]\d?(?![A-Z0-9])", 0.5)),
    Kind.PERCENT: ((rf"(?:{SIGN})?{NUMBER}\s?[%％]", 1.0), (r"免税|不征税|\*{3}", 0.8)),
    Kind.EMAIL: ((r"[\w.+-]+\s?@\s?[\w-]+(?:\s?\.\s?[\w-]+)+", 1.0),),
    Kind.WEB: ((r"(?:https?://)?(?:www\.)?[\w-]+(?:\.[\w-]+)+(?:/[\w./-]*)?", 1.0),),
    Kind.GENDER: (
        (r"[男女](?:\s?[/／]?\s?[MF](?![A-Za-z]))?|\b(?:Male|Female|MALE|FEMALE|M|F)\b(?:\s?[/／]\s?[男女])?", 1.0),
    ),
    Kind.CARD: (
        (r"(?<!\d)[\d*]{4}(?:\s[\d*]{4}){2,3}(?:\s[\d*]{1,4})?(?!\d)", 1.0),
        (r"(?<!\d)\d{4,6}[*]{4,}\d{3,4}(?!\d)", 1.0),
        (r"(?<!\d)\d{12,19}(?!\d)", 1.0),
        (r"(?<!\d)\d{3,}(?:[\s-]\d{2,}){1,5}(?!\d)", 0.8),
        (r"(?<!\d)\d{7,11}(?!\d)", 0.5),
    ),
    Kind.PASSPORT: (
        (r"(?<![A-Z0-9])[A-Z]{1,2}\s?\d{7,8}(?!\d)", 1.0),
        (r"(?<![A-Z0-9])[A-Z0-9]{8,9}(?![A-Z0-9])", 0.6),
    ),
}
_COMPILED = {kind: tuple((Pattern(each), fit) for each, fit in patterns) for kind, patterns in _PATTERNS.items()}
_NUMBERS = frozenset({Kind.MONEY, Kind.NUMBER, Kind.QUANTITY, Kind.PERCENT})
_BOUNDED_BY_PATTERN = frozenset({Kind.TIME, Kind.EMAIL, Kind.WEB, Kind.GENDER, Kind.WORDS})
_MOMENTS = frozenset({Kind.DATE, Kind.DATETIME, Kind.MOMENT, Kind.PERIOD})
_WITHIN_NUMBER, _WITHIN_CODE, _WITHIN_DATE = map(re.compile, (WITHIN_NUMBER, WITHIN_CODE, WITHIN_DATE))
_TIME_RUN_ON = re.compile(r"[\d?]{2}:[\d?]{2}")


def has_pattern(kind: Kind) -> bool:
    """Whether values of a kind can be told by their looks alone."""
    return kind in _COMPILED


def find(kind: Kind, text: str) -> tuple[Found, ...]:
    """Return what in `text` looks like `kind`, the best first; parts that overlap a better one are left out.

    None begins or ends within a number: a piece of one is another value.
    """
    found: list[Found] = []
    for pattern, fit in _COMPILED.get(kind, ()):
        for match in pattern.finditer(text):
            start, end = _bare(text, match.start(), match.end())
            is_apart = all(end <= other.start or other.end <= start for other in found)
            if end > start and is_apart and is_whole(kind, text, start, end):
                found.append(Found(start, end, fit))
    return tuple(found)


def is_whole(kind: Kind, text: str, start: int, end: int) -> bool:
    """Whether a part of a text is no piece of a longer number, code or date."""
    if kind in _BOUNDED_BY_PATTERN:
        return True
    within = _WITHIN_NUMBER if kind in _NUMBERS else _WITHIN_DATE if kind in _MOMENTS else _WITHIN_CODE
    ends_inside = within.match(text, end) and not _TIME_RUN_ON.match(text, end)
    return not within.match(text, start) and not ends_inside


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the spaces at both ends, and take in what cannot be read beside them."""
    part = text[start:end]
    return with_unreadable(text, start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip()))


def with_unreadable(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a part of a text begins and ends with what cannot be read right beside it."""
    return len(text[:start].rstrip(UNREADABLE)), len(text) - len(text[end:].lstrip(UNREADABLE))
