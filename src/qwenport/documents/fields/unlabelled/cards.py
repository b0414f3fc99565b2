"""Cards and licences: values that are told by their looks and place."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from collections.abc import Sequence

from qwenport.documents.fields.folding import has_chinese
from qwenport.documents.fields.frame import Fragment
from qwenport.documents.fields.kinds import Kind, find
from qwenport.documents.fields.passages import whole
from qwenport.documents.fields.shapes import address_fit, company_fit, looks_like_name
from qwenport.documents.fields.unlabelled.places import Finds, add, matching, of_kind

_TITLES = (
    r"总监|经理|工程师|主任|总裁|董事|首席|顾问|主管|助理|专员|设计师|律师|会计|教授|医生|经纪|代表|店长|合伙人|讲师|架构师|分析师|"
    r"總監|經理|工程師|總裁|顧問|專員|設計師|律師|會計|經紀|店長|合夥人|架構師|分析師|"
    r"(?i:director|manager|engineer|officer|consultant|executive|founder|partner|president|designer|assistant|analyst|"
    r"architect|lawyer|counsel|lead\b|head of|specialist|accountant|professor|developer|"
    r"representative|advisor|surveyor|"
    r"\bCEO|\bCTO|\bCFO)"
)
_ADDRESS = (
    r"^(?P<it>\d{1,5}[A-Z]?\s+[A-Za-z][A-Za-z' .-]*\b"
    r"(?i:street|st|road|rd|avenue|ave|lane|drive|dr|boulevard|blvd|court|way|terrace|crescent|close)\b\.?(?:,.*|.*\d{4,}.*))$"
)
"""An American or British one that stands without a key, on one line."""
_HEADINGS = re.compile(
    r"身份[证證]|[护護]照|PASSPORT|IDENTITY|[驾駕][驶駛]|行[驶駛]|"
    r"[营營][业業][执執]照|居民|共和[国國]|[发發]票|LICEN|CARD|REPUBLIC|HONG KONG|香港|"
    r"[登][记記]|副本|正本|[银銀]行|BANK|INVOICE|VALID|THRU|DEBIT|CREDIT|MONTH|YEAR|UnionPay",
    re.IGNORECASE,
)


def identity(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of an identity card, passport or licence."""
    finds: Finds = {}
    for passage in of_kind(fragments, Kind.PERSON, 1.0):
        add(finds, "id_number", passage, 0.7)
    for passage in matching(fragments, r"^\W*(?P<it>\d{4}(?:\s+\d{4}){1,5})\W*$"):
        add(finds, "name_codes", passage, 0.75)
    for passage in matching(fragments, r"^(?P<it>[A-Z][A-Z-]+\s?,\s?[A-Z][A-Za-z-]*(?:[\s-][A-Z]?[A-Za-z-]+)*)$"):
        add(finds, "english_name", passage, 0.8)
        add(finds, "name", passage, 0.4)
    for passage in matching(
        fragments, r"(?<![A-Za-z\u4e00-\u9fff])(?P<it>[男女](?:\s?[/／]?\s?[MF])?|[MF])(?![A-Za-z\u4e00-\u9fff])"
    ):
        add(finds, "gender", passage, 0.6)
    _dates(fragments, finds)
    for passage in matching(fragments, _ADDRESS):
        add(finds, "address", passage, 0.55)
    for passage in matching(fragments, r"^[A-Z0-9<]{28,46}$"):
        if passage.text.count("<") >= 2:
            add(finds, "machine_zone", passage, 0.8)
    for passage in matching(fragments, r"(?<![A-Z0-9])[EGDSPHK][A-Z]?\d{7,8}(?!\d)"):
        add(finds, "passport_number", passage, 0.45)
    _chinese_name(fragments, finds)
    return finds


def _dates(fragments: Sequence[Fragment], finds: Finds) -> None:
    for passage in list(of_kind(fragments, Kind.DATE, 1.0))[:1]:
        add(finds, "birth", passage, 0.35)
    for passage in of_kind(fragments, Kind.PERIOD, 1.0):
        add(finds, "valid_period", passage, 0.6)
        add(finds, "period", passage, 0.6)
        ends = find(Kind.DATE, passage.text)
        if len(ends) == 2:
            first, last = sorted(ends, key=lambda each: each.start)
            add(finds, "valid_from", passage.part(first.start, first.end), 0.5)
            add(finds, "valid_to", passage.part(last.start, last.end), 0.5)


def _chinese_name(fragments: Sequence[Fragment], finds: Finds) -> None:
    for order, fragment in enumerate(fragments[:8]):
        text = fragment.text.strip()
        if has_chinese(text) and looks_like_name(text) and not _HEADINGS.search(text):
            add(finds, "name", whole(fragment).stripped(), 0.45 - 0.03 * order)


def vehicle(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a vehicle licence."""
    finds: Finds = {}
    for passage in of_kind(fragments, Kind.PLATE, 0.95):
        add(finds, "plate", passage, 0.6)
    for passage in matching(fragments, r"(?<![A-Z0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])"):
        add(finds, "vin", passage, 0.7)
    return finds


def bank_card(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a bank card."""
    finds: Finds = {}
    for passage in of_kind(fragments, Kind.CARD, 1.0):
        add(finds, "card_number", passage, 0.9)
    for order, passage in enumerate(matching(fragments, r"(?<![\d/])(?:0[1-9]|1[0-2])\s?/\s?\d{2}(?:\d{2})?(?![\d/])")):
        add(finds, "valid_to", passage, 0.8 + 0.02 * order)
    for order, passage in enumerate(matching(fragments, r"(?i)^.*(?:银\s?行|銀\s?行|\bbank\b|信用社|\bbanking\b).*$")):
        if not re.search(r"[:：。]|authori|issued by|signature|本卡|客服", passage.text, re.IGNORECASE):
            add(finds, "bank", passage, 0.85 - 0.08 * order)
    for passage in matching(
        fragments, r"(?i)^.*(?:借记卡|储蓄卡|信用卡|贷记卡|提款卡|信用卡|扣賬卡|debit|credit|platinum|金卡|白金卡).*$"
    ):
        add(finds, "card_kind", passage, 0.75)
    for passage in matching(fragments, r"(?i)银联|union\s?pay|visa|master\s?card|jcb|american express"):
        add(finds, "organisation", passage, 0.85)
    for passage in matching(fragments, r"^(?:(?:MR|MS|MRS|MISS)\.?\s)?[A-Z]{2,}(?:[\s,/.-]+[A-Z]+){1,3}$"):
        if not _HEADINGS.search(passage.text) and "BANK" not in passage.text:
            add(finds, "holder", passage, 0.7)
    return finds


def name_card(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a name card."""
    finds: Finds = {}
    tallest = max(each.height for each in fragments)
    for fragment in fragments:
        _line_of_name_card(fragment, fragment.height / tallest, finds)
    for name, kind in (("email", Kind.EMAIL), ("website", Kind.WEB)):
        for passage in of_kind(fragments, kind):
            line = passage.pieces[0].fragment.text
            if kind is Kind.EMAIL or ("@" not in line and re.search(r"[a-z]\.[a-z]", passage.text)):
                add(finds, name, passage, 0.8)
    for passage in matching(fragments, r"(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)"):
        add(finds, "mobile", passage, 0.75)
    for order, passage in enumerate(of_kind(fragments, Kind.PHONE, 0.9)):
        add(finds, "phone", passage, 0.5 - 0.05 * order)
    return finds


def _line_of_name_card(fragment: Fragment, share: float, finds: Finds) -> None:
    """Take title, name, company or address from a line that is as high as `share` of the tallest."""
    text = fragment.text.strip()
    passage = whole(fragment).stripped()
    if re.search(_TITLES, text) and len(text) < 48 and not re.search(r"[\d@]", text):
        add(finds, "title", passage, 0.8)
    elif looks_like_name(text) and company_fit(text) < 1.0 and address_fit(text) < 1.0:
        add(finds, "name" if has_chinese(text) else "english_name", passage, 0.4 + 0.35 * share)
        if not has_chinese(text):
            add(finds, "name", passage, 0.3 + 0.35 * share)
    if company_fit(text) == 1.0 and not re.search(r"[@:：]", text) and not re.search(_TITLES, text):
        by_place = 0.0 if re.search(r"\d", text) else 0.2
        add(finds, "company", passage, 0.5 + by_place + 0.1 * share)
    if address_fit(text) == 1.0 and re.search(r"\d", text) and len(text) > 10 and "@" not in text:
        add(finds, "address", passage, 0.6)
