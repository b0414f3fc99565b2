from __future__ import annotations

import pytest

from qwenport.documents.fields.kinds import Kind, find
from qwenport.documents.fields.numbers import is_broken, plain_number


def values(kind: Kind, text: str) -> list[str]:
    return [text[each.start : each.end] for each in find(kind, text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,56 EUR", "1.234,56 EUR"),
        ("€ 1 250,75", "€ 1 250,75"),
        ("CHF 1'250.75", "CHF 1'250.75"),
        ("Rp 1.250.000", "1.250.000"),
        ("1,23,456.00", "1,23,456.00"),
        ("12\u202f500,00 €", "12\u202f500,00"),
        ("5,00", "5,00"),
        (".50", ".50"),
        ("$.50", "$.50"),
        ("-120.50元", "-120.50元"),
        ("\u2212120.50", "\u2212120.50"),
        ("-$45.10", "-$45.10"),
        ("$-45.10", "$-45.10"),
        ("-1,250", "-1,250"),
        ("(1,250.00)", "(1,250.00)"),
        ("Total (RM 12.50)", "(RM 12.50)"),
        ("12.50-", "12.50-"),
        ("5?3.00", "5?3.00"),
        ("￥55?.50", "￥55?.50"),
        ("RM 1?,250.00", "RM 1?,250.00"),
        ("?51.5元", "?51.5元"),
        ("12.50?", "12.50?"),
    ],
)
def test_an_amount_is_found_whole(text: str, value: str) -> None:
    assert values(Kind.MONEY, text)[:1] == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [("20.05.2024", "20.05.2024"), ("12.50,13.60", "12.50,13.60"), ("905 .50", "905 .50"), ("1.2.3", "1.2.3")],
)
def test_digits_in_a_form_that_is_no_amount_are_told_whole(text: str, value: str) -> None:
    assert values(Kind.MONEY, text) == [value]


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        (Kind.MONEY, "5.00-10.00", ["5.00", "10.00"]),
        (Kind.MONEY, "Total-12.50", ["12.50"]),
        (Kind.MONEY, "TAX (8.25%) 5.65", ["5.65"]),
        (Kind.NUMBER, "1.234,5", ["1.234,5"]),
        (Kind.NUMBER, "-5", ["-5"]),
        (Kind.QUANTITY, "-5 pcs", ["-5 pcs"]),
        (Kind.PERCENT, "-1,5%", ["-1,5%"]),
        (Kind.DATE, "12024-05-06", []),
        (Kind.DATE, "2024-05-1?", ["2024-05-1?"]),
        (Kind.DATE, "2?24年05月06日", ["2?24年05月06日"]),
        (Kind.PERIOD, "?024.04.13-2044.04.13", ["?024.04.13-2044.04.13"]),
        (Kind.DATE, "25/05/201808:12", ["25/05/2018"]),
        (Kind.DIGITS, "3.141592", []),
        (Kind.PHONE, "2345678,3456789", ["2345678", "3456789"]),
        (Kind.PERSON, "4201991997?1018433", ["4201991997?1018433"]),
        (Kind.TRAIN, "G5?58", ["G5?58"]),
        (Kind.TRAIN, "G5 58", []),
        (Kind.SEAT, "13车17D?", ["13车17D?"]),
        (Kind.MONEY, "Total: 8B7.00", ["8B7.00"]),
        (Kind.MONEY, "Total 1O5.00", ["1O5.00"]),
        (Kind.MONEY, "Total: 87,Z24.00", ["87,Z24.00"]),
        (Kind.MONEY, "87.Z,24", ["87.Z,24"]),
        (Kind.MONEY, "8.O0", ["8.O0"]),
        (Kind.MONEY, "￥55人5元", ["￥55人5元"]),
        (Kind.MONEY, "金额 5人43.00元", ["5人43.00元"]),
        (Kind.MONEY, "￥5?人3.00", ["￥5?人3.00"]),
        (Kind.MONEY, "￥55▲.5元", ["￥55▲.5元"]),
        (Kind.MONEY, "￥55M5元", ["￥55M5元"]),
        (Kind.MONEY, "￥55m.5元", ["￥55m.5元"]),
        (Kind.MONEY, "￥55%.5元", ["￥55%.5元"]),
        (Kind.NUMBER, "8B7", ["8B7"]),
        (Kind.QUANTITY, "5人43", ["5人43"]),
        (Kind.PERCENT, "1B5%", []),
        (Kind.DATE, "2O24-05-06", []),
        (Kind.DATE, "2人24-05-06", []),
        (Kind.DIGITS, "7512351人741164", []),
        (Kind.PERSON, "4201991997人1018433", []),
        (Kind.TRAIN, "G5人58", []),
    ],
)
def test_no_value_is_a_piece_of_a_longer_run(kind: Kind, text: str, found: list[str]) -> None:
    assert values(kind, text) == found


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        (Kind.NUMBER, "5x3", ["5", "3"]),
        (Kind.QUANTITY, "3件5.00", ["3件", "5.00"]),
        (Kind.MONEY, "3件5.00元", ["5.00元", "3"]),
        (Kind.MONEY, "1L5.80", ["5.80"]),
        (Kind.DATE, "2024年5月6日", ["2024年5月6日"]),
        (Kind.DATETIME, "2024-05-06T10:00", ["2024-05-06T10:00"]),
        (Kind.DATE, "20240506T100000", ["20240506"]),
        (Kind.PERIOD, "2014.04.13至2024.04.13", ["2014.04.13至2024.04.13"]),
        (Kind.PHONE, "021-55551234转801", ["021-55551234"]),
        (Kind.SEAT, "13车17D", ["13车17D"]),
        (Kind.DIGITS, "INV2024A0015", ["INV2024A0015"]),
        (Kind.TAX, "91310000MA1FL2345X", ["91310000MA1FL2345X"]),
    ],
)
def test_units_and_what_joins_two_numbers_part_them(kind: Kind, text: str, found: list[str]) -> None:
    assert values(kind, text) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.234,56 EUR", "1234.56"),
        ("€ 1 250,75", "1250.75"),
        ("1'250.75", "1250.75"),
        ("1,23,456.00", "123456.00"),
        ("1.250.000", "1250000"),
        ("5,00", "5.00"),
        ("-120.50元", "-120.50"),
        ("-$45.10", "-45.10"),
        ("￥-5.0元", "-5.0"),
        (".50", ".50"),
        ("(1,250.00)", ""),
        ("12.50-", ""),
        ("5?3.00", ""),
        ("5 43.00", ""),
        ("2 x 5.00", ""),
        ("20.05.2024", ""),
        ("8B7.00", ""),
        ("none", ""),
    ],
)
def test_a_number_is_written_plainly_where_there_is_one_way_to_read_it(text: str, number: str) -> None:
    assert plain_number(text) == number


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("5 43.00", True),
        ("RM 5 43.00 ", True),
        ("12 50", True),
        ("1 250,75", False),
        ("43.00", False),
        ("5 x 3", False),
    ],
)
def test_digits_with_a_space_that_no_number_has_are_broken(text: str, broken: bool) -> None:
    assert is_broken(text) is broken
