"""Made-up receipts in three languages, some with the marks that recognition leaves."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import msgspec
import pytest

from qwenport.documents.page import Line, Page, Quad
from qwenport.documents.receipts import FieldFound, Receipt, read_receipt, receipt_likelihood

Row = str | tuple[str, str]
"""A line in the middle, or one at the left and one at the right."""


def page(rows: Sequence[Row], *, height: float = 24, pitch: float = 36) -> Page:
    """Set rows on a page 600 pixels wide."""
    lines: list[Line] = []
    for at, row in enumerate(rows):
        top = 40 + pitch * at
        if isinstance(row, str):
            width = min(12 * len(row), 560)
            lines.append(line(row, 300 - width / 2, top, width, height))
        else:
            lines.append(line(row[0], 30, top, 11 * len(row[0]), height))
            lines.append(line(row[1], 570 - 11 * len(row[1]), top + 3, 11 * len(row[1]), height))
    return Page(width=600, height=int(80 + pitch * len(rows)), lines=tuple(lines))


def line(text: str, left: float, top: float, width: float, height: float) -> Line:
    quad = (left, top, left + width, top, left + width, top + height, left, top + height)
    return Line(text=text, quad=quad, score=0.99)


def texts(receipt: Receipt) -> tuple[str, str, str, str]:
    return receipt.company.text, receipt.date.text, receipt.address.text, receipt.total.text


MALAYSIAN: tuple[Row, ...] = (
    "KEDAI CONTOH MAJU SDN BHD",
    "(1234567-X)",
    "NO. 12, JALAN UJIAN 3/4,",
    "TAMAN CONTOH, 40000 SHAH ALAM,",
    "SELANGOR.",
    "TEL : 03-5555 0000",
    "GST ID : 000123456789",
    "TAX INVOICE",
    ("INVOICE NO : T-0017", "DATE : 14/02/2026 18:05:11"),
    ("CASHIER : AINA", "TERMINAL : 2"),
    ("KERTAS A4 80GSM", "11.90"),
    ("PEN BIRU 2 X 1.50", "3.00"),
    ("SUB TOTAL", "14.90"),
    ("GST @ 6%", "0.84"),
    ("ROUNDING ADJ", "0.01"),
    ("TOTAL (INCL GST) RM", "15.75"),
    ("CASH", "50.00"),
    ("CHANGE", "34.25"),
    "GST SUMMARY AMOUNT TAX",
    ("SR = 6%", "0.84"),
    "THANK YOU, PLEASE COME AGAIN",
)
HONG_KONG: tuple[Row, ...] = (
    "示例茶餐廳有限公司",
    "香港九龍測試街18號地下A舖",
    "電話:2555 0000",
    "收據",
    ("日期:2026年3月8日", "時間:19:42"),
    ("檯號 12", "收銀員:小明"),
    ("乾炒牛河", "$58.00"),
    ("凍檸茶", "$22.00"),
    ("小計", "$80.00"),
    ("加一服務費", "$8.00"),
    ("合計", "$88.00"),
    ("現金", "$100.00"),
    ("找續", "$12.00"),
    "多謝惠顧",
)
MAINLAND: tuple[Row, ...] = (
    "示例便利超市",
    "杭州市测试区样本路66号",
    "电话:0571-5550000",
    "购物小票",
    ("单号:20260001", "收银员:003"),
    "日期:2026-04-01 09:12:33",
    ("矿泉水", "2.00"),
    ("面包", "7.50"),
    ("数量:2", "优惠:0.50"),
    ("应付", "9.00"),
    ("实收", "10.00"),
    ("找零", "1.00"),
    "谢谢光临",
)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            MALAYSIAN,
            (
                "KEDAI CONTOH MAJU SDN BHD",
                "14/02/2026",
                "NO. 12, JALAN UJIAN 3/4, TAMAN CONTOH, 40000 SHAH ALAM, SELANGOR.",
                "15.75",
            ),
        ),
        (HONG_KONG, ("示例茶餐廳有限公司", "2026年3月8日", "香港九龍測試街18號地下A舖", "88.00")),
        (MAINLAND, ("示例便利超市", "2026-04-01", "杭州市测试区样本路66号", "9.00")),
    ],
    ids=["Malaysia", "Hong Kong", "mainland"],
)
def test_a_receipt_gives_company_date_address_and_total(rows: Sequence[Row], expected: tuple[str, ...]) -> None:
    receipt = read_receipt(page(rows))

    assert texts(receipt) == expected
    assert receipt_likelihood(page(rows)) >= 0.5


def test_the_order_of_the_lines_and_a_lean_of_the_page_do_not_matter() -> None:
    level = page(MALAYSIAN)
    leaning = [msgspec.structs.replace(each, quad=turned(each.quad, 2.5)) for each in level.lines]
    random.Random(1).shuffle(leaning)

    assert texts(read_receipt(msgspec.structs.replace(level, lines=tuple(leaning)))) == texts(read_receipt(level))


def turned(quad: Quad, degrees: float) -> Quad:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    points = zip(quad[0::2], quad[1::2], strict=True)
    values = [value for x, y in points for value in (x * cosine - y * sine, x * sine + y * cosine)]
    x0, y0, x1, y1, x2, y2, x3, y3 = values
    return (x0, y0, x1, y1, x2, y2, x3, y3)


def test_a_field_says_what_of_each_line_it_is() -> None:
    found = read_receipt(page(MALAYSIAN)).address

    assert [(each.text, part) for each, part in zip(found.lines, found.parts, strict=True)] == [
        ("NO. 12, JALAN UJIAN 3/4,", "NO. 12, JALAN UJIAN 3/4,"),
        ("TAMAN CONTOH, 40000 SHAH ALAM,", "TAMAN CONTOH, 40000 SHAH ALAM,"),
        ("SELANGOR.", "SELANGOR."),
    ]
    assert 0 < found.score <= 1


def test_every_part_stands_letter_by_letter_in_its_line() -> None:
    wide = tuple(
        tuple(cell.translate({ord("0") + n: 0xFF10 + n for n in range(10)}) for cell in row)
        if isinstance(row, tuple)
        else row
        for row in MALAYSIAN
    )
    receipt = read_receipt(page([row if isinstance(row, str) else (row[0], row[1]) for row in wide]))

    for field in (receipt.company, receipt.date, receipt.address, receipt.total):
        assert field.parts
        assert all(part in each.text for each, part in zip(field.lines, field.parts, strict=True))
    assert receipt.total.text == "\uff11\uff15.\uff17\uff15"


def with_rows(*changes: tuple[Row, Row]) -> tuple[Row, ...]:
    by_row = dict(changes)
    return tuple(by_row.get(row, row) for row in MALAYSIAN)


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("KEDAI CONTOH MAJU SDN BHD (1234567-X)", "KEDAI CONTOH MAJU SDN BHD"),
        ("KEDAI CONTOH MAJU SDN. BHD. 123456-U (KSB)", "KEDAI CONTOH MAJU SDN. BHD."),
        ("KEDAI CONTOH MAJU S/B (CO. NO 12345-A", "KEDAI CONTOH MAJU S/B"),
        ("*** KEDAI CONTOH MAJU SDNBHD ***", "KEDAI CONTOH MAJU SDNBHD"),
        ("KEDAI CONTOH (M) SDN BHD", "KEDAI CONTOH (M) SDN BHD"),
    ],
)
def test_a_company_is_named_without_its_registration(printed: str, name: str) -> None:
    assert read_receipt(page(with_rows(("KEDAI CONTOH MAJU SDN BHD", printed)))).company.text == name


def test_a_name_that_is_set_in_two_lines_is_joined() -> None:
    rows = ("CONTOH BOOK", "CO. (M) SDN BHD", *MALAYSIAN[1:])

    company = read_receipt(page(rows)).company

    assert company.parts == ("CONTOH BOOK", "CO. (M) SDN BHD")


def test_a_name_that_was_recognised_in_two_pieces_is_joined() -> None:
    rows = page(("CONTOH MAJU &", *MALAYSIAN[1:]))
    first = rows.lines[0]
    rest = line("COMPANY SDN BHD (1234567-X)", first.right + 12, first.top, 300, 24)

    company = read_receipt(msgspec.structs.replace(rows, lines=(*rows.lines, rest))).company

    assert company.parts == ("CONTOH MAJU &", "COMPANY SDN BHD")


@pytest.mark.parametrize(
    ("last", "part"),
    [
        ("40000 SHAH ALAM, SELANGOR (1234567-X)", "40000 SHAH ALAM, SELANGOR"),
        ("40000 SHAH ALAM, SELANGOR. GST ID : 000123456789", "40000 SHAH ALAM, SELANGOR."),
        ("40000 SHAH ALAM, SELANGOR. Te1:03-5555 0000", "40000 SHAH ALAM, SELANGOR."),
    ],
)
def test_numbers_of_registers_are_no_part_of_an_address(last: str, part: str) -> None:
    rows = ("CONTOH SDN BHD", "UNIT G-5, GROUND FLOOR,", "1 CONTOH SHOPPING CENTRE,", last, *MALAYSIAN[6:])

    assert read_receipt(page(rows)).address.parts == ("UNIT G-5, GROUND FLOOR,", "1 CONTOH SHOPPING CENTRE,", part)


def test_the_number_of_a_company_is_no_postcode() -> None:
    rows = ("CONTOH MAJU ENTERPRISE", "COMPANY NO(814198-X)", *MALAYSIAN[2:])

    assert read_receipt(page(rows)).address.parts[0] == "NO. 12, JALAN UJIAN 3/4,"


@pytest.mark.parametrize(
    "printed",
    [
        "14-02-26",
        "14.02.2026",
        "2026/02/14",
        "14 FEB 2026",
        "14FEB2026",
        "14-Feb-2026",
        "Feb 14, 2026",
        "20260214",
        "115年2月14日",
    ],
)
def test_a_date_is_given_as_printed(printed: str) -> None:
    rows = with_rows((("INVOICE NO : T-0017", "DATE : 14/02/2026 18:05:11"), f"DATE: {printed} 18:05"))

    assert read_receipt(page(rows)).date.text == printed


@pytest.mark.parametrize("printed", ["DATE : 14/02/202618:05:11", "Date:14/02/2026 6:05PM"])
def test_a_date_is_found_without_the_spaces_around_it(printed: str) -> None:
    rows = with_rows((("INVOICE NO : T-0017", "DATE : 14/02/2026 18:05:11"), printed))

    assert read_receipt(page(rows)).date.text == "14/02/2026"


def test_days_that_do_not_exist_and_dates_of_something_else_are_not_taken() -> None:
    rows = (*MALAYSIAN, "VALID UNTIL 31/12/2026", "99/99/2026")

    assert read_receipt(page(rows)).date.text == "14/02/2026"


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        (("TOTAL SALES INCL GST", "15.74"), "15.75"),
        (("TOTAL DISCOUNT", "25.00"), "15.75"),
        (("TOTAL QTY", "3.00"), "15.75"),
        (("TOTAL GST", "0.84"), "15.75"),
    ],
)
def test_other_totals_are_not_the_total(rows: tuple[str, str], total: str) -> None:
    changed = (*MALAYSIAN[:14], rows, *MALAYSIAN[14:])

    assert read_receipt(page(changed)).total.text == total


def test_an_amount_may_stand_in_the_line_of_its_word_or_in_the_row_below() -> None:
    joined = with_rows((("TOTAL (INCL GST) RM", "15.75"), "TOTAL (INCL GST): RM15.75"))
    below = (*MALAYSIAN[:15], "TOTAL AMOUNT DUE", ("", "RM 15.75"), *MALAYSIAN[16:])
    without_empty = page(below)
    lines = tuple(each for each in without_empty.lines if each.text)

    assert read_receipt(page(joined)).total.text == "15.75"
    assert read_receipt(msgspec.structs.replace(without_empty, lines=lines)).total.text == "15.75"


def test_thousands_are_kept_as_printed() -> None:
    rows = with_rows(
        (("TOTAL (INCL GST) RM", "15.75"), ("TOTAL (INCL GST) RM", "1,215.75")),
        (("CASH", "50.00"), ("CASH", "1,250.00")),
    )

    assert read_receipt(page(rows)).total.text == "1,215.75"


def test_an_amount_is_given_with_what_cannot_be_read_of_it() -> None:
    rows = with_rows((("TOTAL (INCL GST) RM", "15.75"), ("TOTAL (INCL GST) RM", "1?.75")))

    assert read_receipt(page(rows)).total.text == "1?.75"


@pytest.mark.parametrize("printed", ["14/02/202?", "1?4/02/2026", "2026/02/1?"])
def test_a_date_of_which_a_part_cannot_be_read_is_none(printed: str) -> None:
    rows = with_rows((("INVOICE NO : T-0017", "DATE : 14/02/2026 18:05:11"), f"DATE : {printed}"))

    assert read_receipt(page(rows)).date == FieldFound()


def test_telephone_numbers_are_no_part_of_an_address() -> None:
    rows = with_rows(("SELANGOR.", "SELANGOR. TEL NO: 03-5555 0000"), ("TEL : 03-5555 0000", "+603-5555 0000"))

    assert read_receipt(page(rows)).address.text.endswith("40000 SHAH ALAM, SELANGOR.")


def test_nothing_is_made_up() -> None:
    assert read_receipt(Page(width=100, height=100)) == Receipt()
    assert receipt_likelihood(Page(width=100, height=100)) == 0.0
    letter = page(("Dear Sir,", "thank you for your kind words.", "Yours, A. Tester"))
    receipt = read_receipt(letter)
    assert (receipt.date, receipt.total) == (FieldFound(), FieldFound())
    assert receipt_likelihood(letter) < 0.5


def test_a_page_of_blank_and_flat_lines_is_read_as_empty() -> None:
    blank = Page(width=100, height=100, lines=(line(" ", 0, 0, 50, 10), line("x", 0, 20, 50, 0)))

    assert read_receipt(blank) == Receipt()
