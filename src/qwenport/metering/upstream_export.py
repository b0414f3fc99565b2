"""The usage export of an upstream: a CSV of unknown make, read into counts by request or by day and model."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from msgspec import Struct

from qwenport.core.money import NANOS
from qwenport.core.printable import printable

MOST_BAD_LINES = 100
"""How many lines that cannot be read are named."""

_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "request_id": ("requestid", "callid", "traceid", "请求id", "请求编号"),
    "day": (
        "date",
        "day",
        "time",
        "timestamp",
        "usagedate",
        "日期",
        "时间",
        "账期",
        "消费时间",
        "调用时间",
        "用量日期",
    ),
    "model": ("model", "modelname", "modelid", "模型", "模型名称"),
    "input_tokens": ("inputtokens", "prompttokens", "input", "输入tokens", "输入token", "输入token数"),
    "output_tokens": ("outputtokens", "completiontokens", "output", "输出tokens", "输出token", "输出token数"),
    "amount": ("amount", "cost", "price", "fee", "金额", "费用", "应付金额", "消费金额", "账单金额"),
    "currency": ("currency", "币种", "货币"),
}
"""Headings that are understood, in lower case and without spaces and signs."""

ROLES = tuple(_HEADINGS)
"""What a column can be."""

_SIGNS = re.compile(r"[\W_]+")
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?", re.ASCII)
_CURRENCIES = {"人民币": "CNY", "元": "CNY", "RMB": "CNY", "CNH": "CNY", "美元": "USD"}
_SYMBOLS = str.maketrans("", "", ",_ ¥￥$\N{NO-BREAK SPACE}")
_MOST_COUNT = 10**15


class ExportInvalid(ValueError):
    """The export as a whole cannot be read; the words are for the operator."""


class ExportLine(Struct, frozen=True, kw_only=True):
    """One line; None for what it does not say."""

    request_id: str
    day: str | None
    model: str
    input_tokens: int
    output_tokens: int
    amount_nanos: int | None
    currency: str


class Export(Struct, frozen=True, kw_only=True):
    """What could be read."""

    lines: tuple[ExportLine, ...]
    bad_lines: tuple[str, ...]
    """Lines that could not be, each with its number and why; the first of them."""
    bad: int
    """How many there are."""


def read_export(content: bytes, columns: Mapping[str, str], zone: tzinfo) -> Export:
    """Read a CSV in UTF-8, UTF-16 or GB18030, with commas, semicolons or tabs.

    Args:
        content: the file.
        columns: what a column is (one of `ROLES`) and its heading, where the heading is not understood by itself.
        zone: the zone of the days that the export names; moments with a zone of their own are taken into it.

    Raises:
        ExportInvalid: it is no such file, or lacks a column without which nothing can be compared.
    """
    text = _decoded(content)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        places = _places(next(reader, []), columns)
        return _export(reader, places, zone)
    except csv.Error as error:
        raise ExportInvalid(f"line {reader.line_num} is no CSV: {error}") from error


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ExportInvalid("the file is no text in UTF-8, UTF-16 or GB18030")


def _places(headings: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    unknown = sorted(columns.keys() - _HEADINGS.keys())
    if unknown:
        raise ExportInvalid(f"{unknown[0]!a} is nothing that a column can be; name one of {', '.join(ROLES)}")
    plain = [_SIGNS.sub("", heading.lower()) for heading in headings]
    places: dict[str, int] = {}
    for role, understood in _HEADINGS.items():
        wanted = (_SIGNS.sub("", columns[role].lower()),) if role in columns else understood
        found = next((plain.index(name) for name in wanted if name in plain), None)
        if found is not None:
            places[role] = found
        elif role in columns:
            raise ExportInvalid(f"no column has the heading {columns[role]!a}; there are {_listed(headings)}")
    if "request_id" not in places and not {"day", "model"} <= places.keys():
        raise ExportInvalid(
            "a column of request ids, or one of days and one of models is needed; "
            f"there are {_listed(headings)}; say which is which"
        )
    if not {"input_tokens", "output_tokens", "amount"} & places.keys():
        raise ExportInvalid(f"there is no column of tokens or amounts among {_listed(headings)}; say which is which")
    return places


def _listed(headings: Sequence[str]) -> str:
    return printable(", ".join(f"`{heading}`" for heading in headings))[:500] or "none"


def _export(reader: Iterator[list[str]], places: Mapping[str, int], zone: tzinfo) -> Export:
    lines: list[ExportLine] = []
    bad: list[str] = []
    count = 0
    for number, cells in enumerate(reader, 2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            lines.append(_line(cells, places, zone))
        except ValueError as error:
            count += 1
            if len(bad) < MOST_BAD_LINES:
                bad.append(f"line {number}: {error}")
    return Export(lines=tuple(lines), bad_lines=tuple(bad), bad=count)


def _line(cells: Sequence[str], places: Mapping[str, int], zone: tzinfo) -> ExportLine:
    if len(cells) <= max(places.values()):
        raise ValueError(f"it has {len(cells)} cells, too few")
    values = {role: cells[place].strip() for role, place in places.items()}
    request_id = values.get("request_id", "")
    day = _day(values["day"], zone) if values.get("day") else None
    if not request_id and (day is None or not values.get("model")):
        raise ValueError("it names neither a request nor a day and a model")
    currency = values.get("currency", "").upper()
    return ExportLine(
        request_id=request_id,
        day=day,
        model=values.get("model", ""),
        input_tokens=_count(values.get("input_tokens", "")),
        output_tokens=_count(values.get("output_tokens", "")),
        amount_nanos=_nanos(values.get("amount", "")),
        currency=_CURRENCIES.get(currency, currency),
    )


def _day(text: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        found = _DAY.match(text)
        if found is None:
            raise ValueError(f"{text[:40]!a} is no day") from None
        return date(*(int(part) for part in found.groups())).isoformat()
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).astimezone(zone)
    return moment.date().isoformat()


def _count(text: str) -> int:
    number = _decimal(text or "0")
    if number != int(number) or not 0 <= number <= _MOST_COUNT:
        raise ValueError(f"{text[:40]!a} is no count of tokens")
    return int(number)


def _nanos(text: str) -> int | None:
    return round(_decimal(text) * NANOS) if text else None


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text.translate(_SYMBOLS))
    except InvalidOperation:
        raise ValueError(f"{text[:40]!a} is no number") from None
    if not number.is_finite() or abs(number) > _MOST_COUNT:
        raise ValueError(f"{text[:40]!a} is no number that can be compared")
    return number
