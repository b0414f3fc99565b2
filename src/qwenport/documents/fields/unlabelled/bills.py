"""Invoices, receipts, bills and orders: values that are told by their looks and place."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from collections.abc import Sequence

from qwenport.documents.fields.frame import Fragment
from qwenport.documents.fields.kinds import Kind, find
from qwenport.documents.fields.passages import Passage, whole
from qwenport.documents.fields.shapes import address_fit, company_fit, looks_like_name
from qwenport.documents.fields.unlabelled.places import Finds, add, beside, extent, matching, of_kind

_NO_COMPANY = re.compile(
    r"[:：]|invoice|receipt|^tel\b|[订訂][单單]|收[据據]|小票|[账賬帳][单單]|bill\b|order\b|note\b|[送][货貨]|[采採][购購][单單]|[欢歡]迎|statement",
    re.IGNORECASE,
)


_NAMES = (
    r"^(?P<it>[A-Z][\w&'., ()-]{3,70}\b(?i:limited|ltd|llc|inc|corp(?:oration)?|plc))\.?$",
    # Keys that are printed with wide gaps (`名　　称`) are lost sooner than the values beside them.
    r"^[\u4e00-\u9fff（）()·]{3,36}(?:公司|合作社|事务所|事務所|经营部|餐饮部|商行|厂|店|合伙[）)])$",
)
"""What can hardly be anything but the name of a company."""
_FORM_ALONE = re.compile(
    r"(?:其他)?(?:有限责任|股份有限|有限責任)公司|(?:exempt )?(?:private|public) company limited", re.IGNORECASE
)
"""What kind of company it is, not which."""


def fapiao(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a VAT invoice."""
    finds: Finds = {}
    for passage in matching(fragments, r"^.{0,30}发\s?票.{0,12}$"):
        if len(passage.text) >= 6 and not re.search(r"号码|代码|[:：]|监制", passage.text):
            add(finds, "invoice_title", passage, 0.6)
    for passage in of_kind(fragments, Kind.WORDS, 1.0):
        if len(passage.text) >= 4:
            add(finds, "total_words", passage, 0.75)
    for passage in matching(fragments, r"^\W?\*[^*]{2,20}\*.+$|^\*[^*]{2,20}\*$"):
        add(finds, "item", passage, 0.85)
    taxes = [each for each in of_kind(fragments, Kind.TAX, 0.9) if any(map(str.isdigit, each.text))]
    if len(taxes) >= 2:
        add(finds, "buyer_tax_id", taxes[0], 0.4)
        add(finds, "seller_tax_id", taxes[-1], 0.4)
    _sums(fragments, finds)
    _numbers_on_top(fragments, finds)
    return finds


def _sums(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take the row of `合计` (amount, then tax) and that of `价税合计`."""
    for fragment in fragments:
        row = [fragment, *beside(fragment, fragments)[1]]
        head = "".join(each.folded.text for each in row[: 2 if len(fragment.folded.text) == 1 else 1])
        amounts = list(of_kind(row, Kind.MONEY, 0.93))
        if head.startswith("合计") and not head.startswith("合计大写") and amounts:
            is_single = len(amounts) == 1
            add(finds, "amount", amounts[0], 0.7 if is_single else 1.0)
            if not is_single:
                add(finds, "tax", amounts[-1], 1.0)
        elif head.startswith("价税合计"):
            for amount in amounts:
                add(finds, "total", amount, 1.0)
    for passage in matching(fragments, r"[（(]\s?小\s?写\s?[)）]\s*(?P<it>[¥￥]?\s?[\d,，]+\.\d\d)"):
        add(finds, "total", passage, 1.0)


def _numbers_on_top(fragments: Sequence[Fragment], finds: Finds) -> None:
    _, top, _, bottom = extent(fragments)
    for fragment in fragments:
        height = (fragment.middle - top) / max(1.0, bottom - top)
        if height > 0.3:
            continue
        for passage in matching((fragment,), r"(?<!\d)(?:\d{10}|\d{12})(?!\d)"):
            add(finds, "invoice_code", passage, 0.5)
        for passage in matching((fragment,), r"(?<!\d)(?:\d{8}|\d{20})(?!\d)|(?<![A-Z])[A-Z]{2}-?\d{8}(?!\d)"):
            add(finds, "invoice_number", passage, 0.5)


def quota(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a quota invoice."""
    finds: Finds = {}
    for passage in of_kind(fragments, Kind.WORDS, 1.0):
        add(finds, "amount_words", passage, 0.75)
        add(finds, "amount", passage, 0.5)
    for passage in of_kind(fragments, Kind.MONEY, 0.97):
        add(finds, "amount", passage, 0.7)
    _numbers_on_top(fragments, finds)
    return finds


def business(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a business licence or registration."""
    finds: Finds = {}
    for passage in of_kind(fragments, Kind.TAX, 1.0):
        add(finds, "credit_code", passage, 0.7)
    for passage in matching(fragments, r"(?<!\d)\d{8}-\d{3}-\d{2}-\d{2}-\w{1,2}(?!\d)"):
        add(finds, "registration_number", passage, 0.7)
    for passage in matching(fragments, r"^.{2,20}(?:市场监督管理局|工商行政管理局|行政审批局|市场监管局).{0,4}$"):
        add(finds, "registrar", passage, 0.75)
    dates = list(of_kind(fragments, Kind.DATE, 1.0))
    if dates:
        add(finds, "issue_date", dates[-1], 0.45)
    names = {passage.text: passage for pattern in _NAMES for passage in matching(fragments, pattern)}
    found = [passage for text, passage in names.items() if not _FORM_ALONE.fullmatch(text)]
    if len(found) == 1:
        add(finds, "name", found[0], 0.55)
    for passage in matching(fragments, r"^[\u4e00-\u9fff]{2,8}[省市].{4,50}(?:[号號室]|[楼樓]|幢|层)$"):
        if re.search(r"\d", passage.text):
            add(finds, "address", passage, 0.5)
    return finds


def medical(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a medical bill."""
    finds: Finds = {}
    for order, passage in enumerate(
        matching(
            fragments,
            r"^.{2,30}(?:医院|醫院|诊所|診所|门诊部|卫生院|医务所|醫務所|醫療中心|"
            r"Hospital|Clinic|Medical Centre).{0,8}$",
        )
    ):
        add(finds, "hospital", passage, 0.7 - 0.08 * order)
    for passage in of_kind(fragments, Kind.WORDS, 1.0):
        add(finds, "total_words", passage, 0.7)
    return finds


def letterhead(fragments: Sequence[Fragment]) -> Finds:
    """Find the company and the like at the head of a receipt, bill, invoice or order."""
    finds: Finds = {}
    _, top, _, bottom = extent(fragments)
    for order, fragment in enumerate(fragments[:7]):
        text = fragment.text.strip()
        height = (fragment.middle - top) / max(1.0, bottom - top)
        letters = sum(character.isalpha() for character in text)
        if height < 0.25 and letters >= 3 and not _NO_COMPANY.search(text):
            is_company = company_fit(text) == 1.0
            for name in ("company", "seller_name", "buyer", "supplier", "sender", "payee"):
                if is_company or name in {"company", "seller_name"}:
                    add(finds, name, whole(fragment).stripped(), 0.55 - 0.05 * order + (0.15 if is_company else 0.0))
    _addresses(fragments, finds)
    _addressee(fragments, finds)
    _sum_row(fragments, finds)
    _taiwanese(fragments, finds)
    _moments(fragments, finds)
    for passage in of_kind(fragments, Kind.WORDS, 1.0):
        if len(passage.text) >= 4:
            for name in ("total_words", "amount_words"):
                add(finds, name, passage, 0.6)
    return finds


def _moments(fragments: Sequence[Fragment], finds: Finds) -> None:
    for order, passage in enumerate(of_kind(fragments, Kind.DATE, 1.0)):
        for name in ("date", "invoice_date"):
            add(finds, name, passage, 0.5 - 0.06 * order)
    for order, passage in enumerate(of_kind(fragments, Kind.DATETIME, 1.0)):
        add(finds, "datetime", passage, 0.6 - 0.06 * order)
    for order, passage in enumerate(of_kind(fragments, Kind.TIME, 1.0)):
        add(finds, "time", passage, 0.5 - 0.06 * order)


def _addressee(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take a name with an address right below it, as in the window of an envelope."""
    for fragment in fragments[:14]:
        below = [
            each
            for each in fragments
            if 0 <= each.top - fragment.bottom < 1.6 * fragment.height
            and abs(each.left - fragment.left) < fragment.height
        ]
        if (
            beside(fragment, fragments)[0]
            or not below
            or not looks_like_name(fragment.text)
            or company_fit(fragment.text) == 1.0
        ):
            continue
        if address_fit(below[0].text) == 1.0 and re.search(r"\d", below[0].text):
            add(finds, "customer", whole(fragment).stripped(), 0.7)
            add(finds, "buyer_name", whole(fragment).stripped(), 0.5)
            add(finds, "address", whole(below[0]).stripped(), 0.7)


def _sum_row(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take an amount with its currency beside a sum in words: `合计(大写): … ¥33,373.24`."""
    for fragment in fragments:
        if re.match(r"(?:合计|总计|共计|金额|总额)", fragment.folded.text) and find(Kind.WORDS, fragment.text):
            for amount in of_kind(beside(fragment, fragments)[1], Kind.MONEY, 0.93):
                add(finds, "total", amount, 0.95)
    for amount in of_kind(fragments, Kind.MONEY, 1.0):
        add(finds, "amount", amount, 0.4)


def _taiwanese(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take period and number of a uniform invoice."""
    for passage in matching(fragments, r"^\W*(?P<it>1\d\d\s?年\s?\d{1,2}(?:\s?[-~]\s?\d{1,2})?\s?月)\W*$"):
        add(finds, "invoice_period", passage, 0.8)
    for passage in matching(fragments, r"^\W*(?P<it>[A-Z]{2}\s?-\s?\d{8})\W*$"):
        add(finds, "receipt_number", passage, 0.7)


def _addresses(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take lines near the top that look like an address, run together."""
    lines: list[Fragment] = []
    for fragment in fragments[1:8]:
        is_line = address_fit(fragment.text) == 1.0 and not re.search(
            r"[:：@]|tel|电话|電話", fragment.text, re.IGNORECASE
        )
        if is_line and (lines or (re.search(r"\d", fragment.text) and len(fragment.text) > 6)):
            lines.append(fragment)
        elif lines:
            break
    if lines:
        joined = Passage([piece for line in lines for piece in whole(line).stripped().pieces])
        add(finds, "address", joined, 0.5)
        add(finds, "seller_address", joined, 0.45)
