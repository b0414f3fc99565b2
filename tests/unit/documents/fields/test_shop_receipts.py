"""What a caller gets of a shop receipt is what the part for receipts reads."""

from __future__ import annotations

from qwenport.documents.fields import extract, parse_schema
from qwenport.documents.page import Line, Page

SCHEMA = b'{"company": "", "date": "", "address": "", "total": ""}'
ROWS = (
    "CONTOH BAKERIES (KL) SDN BHD (123456 X)",
    "LOT 3, JALAN UJIAN 23/1,",
    "40300 SHAH ALAM, SELANGOR. TEL : 03-5555 0000",
    "TAX INVOICE",
    "INVOICE NO : T-0017",
    "DATE : 14/02/2026",
    "ROTI PUTIH 11.90",
    "SUB TOTAL 11.90",
    "GST 0.71",
    "TOTAL RM 12.61",
    "CASH 20.00",
    "CHANGE 7.39",
)


def page(rows: tuple[str, ...]) -> Page:
    lines = tuple(
        Line(text=row, quad=(30, top, 30 + 12 * len(row), top, 30 + 12 * len(row), top + 24, 30, top + 24), score=1.0)
        for row, top in zip(rows, range(40, 40 + 36 * len(rows), 36), strict=True)
    )
    return Page(width=600, height=80 + 36 * len(rows), lines=lines)


def test_all_lines_of_an_address_are_given_without_what_is_no_part_of_it() -> None:
    values = extract(page(ROWS), parse_schema(SCHEMA)).values

    assert values == {
        "company": "CONTOH BAKERIES (KL) SDN BHD",
        "date": "14/02/2026",
        "address": "LOT 3, JALAN UJIAN 23/1, 40300 SHAH ALAM, SELANGOR.",
        "total": "RM 12.61",
    }


def test_each_line_of_an_address_has_its_place() -> None:
    found = extract(page(ROWS), parse_schema(SCHEMA))

    assert [(quad[0], quad[1]) for quad in found.places["address",]] == [(30.0, 76.0), (30.0, 112.0)]


def test_a_receipt_that_is_headed_like_an_invoice_is_read_as_a_receipt() -> None:
    rows = (
        *ROWS[:3],
        "TAX INVOICE / ADJUSTMENT NOTE",
        "INV NO : T-17",
        "BILL TO: CASH",
        "PAYMENT TERMS: CASH",
        *ROWS[5:],
    )

    values = extract(page(rows), parse_schema(SCHEMA)).values

    assert values["company"] == "CONTOH BAKERIES (KL) SDN BHD"
    assert values["address"] == "LOT 3, JALAN UJIAN 23/1, 40300 SHAH ALAM, SELANGOR."
