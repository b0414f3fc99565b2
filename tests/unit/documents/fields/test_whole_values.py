"""No field is given a piece of what is printed: not of a signed number, nor of what could not be read whole."""

# ruff: noqa: RUF001 - text as documents print it

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from qwenport.documents.fields import extract, parse_schema
from qwenport.documents.page import Page

PageOf = Callable[..., Page]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("Balance: -120.50", "Balance", "-120.50"),
        ("余额：-120.50元", "余额", "-120.50元"),
        ("温度：-5", "温度", "-5"),
        ("Net Loss: -1,250", "Net Loss", "-1,250"),
        ("Rounding Adj: .50", "Rounding Adj", ".50"),
        ("Refund: -$45.10", "refund", "-$45.10"),
        ("Total: - 12.50", "total", "- 12.50"),
        ("Total - 12.50", "total", "12.50"),
        ("Total-12.50", "total", "12.50"),
        ("Name: -John Smith", "Name", "John Smith"),
        ("Total -12.50", "total", "-12.50"),
        ("TOTAL (12.50)", "total", "(12.50)"),
        ("Total: 1.234,56 EUR", "Total", "1.234,56 EUR"),
        ("Total: 5 43.00", "Total", "5 43.00"),
        ("Total: 5?3.00", "Total", "5?3.00"),
        ("Total: 8B7.00", "total", "8B7.00"),
        ("Total 1O5.00", "total", "1O5.00"),
        ("Total: 87,Z24.00", "total", "87,Z24.00"),
        ("票价：¥55人5元", "票价", "¥55人5元"),
        ("金额：5人43.00元", "金额", "5人43.00元"),
        ("Invoice No: INV-20?4-001", "invoice number", "INV-20?4-001"),
        ("PO No: PO-?124", "PO number", "PO-?124"),
        ("身份证号码：4201991997 1018433", "身份证号码", "4201991997 1018433"),
        ("车次：G5?58", "车次", "G5?58"),
        ("起始站：北?南站", "起始站", "北?南站"),
    ],
)
def test_a_value_is_whole(page_of: PageOf, line: str, field: str, value: str) -> None:
    page = page_of([(line, 60, 40, 12 * len(line), 24)])

    assert extract(page, parse_schema(json.dumps({field: ""}).encode())).values == {field: value}


def test_what_stands_without_a_key_is_whole_as_well(page_of: PageOf) -> None:
    rows = ["7512351?741164", "白鹭南站 G5?58 金穗站", "￥?51.5元", "4201991997?1018433 王小明", "13车17D?"]
    page = page_of([(text, 60, 40 + 60 * at, 12 * len(text), 30) for at, text in enumerate(rows)])
    schema = {"发票号码": "", "车次": "", "票价": "", "身份证号码": "", "座位号": ""}

    assert extract(page, parse_schema(json.dumps(schema).encode())).values == {
        "发票号码": "7512351?741164",
        "车次": "G5?58",
        "票价": "￥?51.5元",
        "身份证号码": "4201991997?1018433",
        "座位号": "13车17D?",
    }
