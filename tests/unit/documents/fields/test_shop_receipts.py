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


def test_what_cannot_be_read_of_a_date_or_a_total_is_marked_and_no_other_is_taken() -> None:
    rows = [row.replace("14/02/2026", "1?/02/2026").replace("12.61", "1?.61") for row in ROWS]
    values = extract(page((*rows, "THANK YOU 01/01/2020")), parse_schema(SCHEMA)).values

    assert (values["date"], values["total"]) == ("1?/02/2026", "RM 1?.61")


def test_a_total_within_which_something_is_missing_is_whole() -> None:
    rows = [row.replace("TOTAL RM 12.61", "TOTAL: 3 12.61") for row in ROWS]

    assert extract(page(tuple(rows)), parse_schema(SCHEMA)).values["total"] == "3 12.61"


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
