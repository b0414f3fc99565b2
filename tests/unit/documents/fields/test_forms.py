from __future__ import annotations

import pytest

from qwenport.documents.fields.dates import read_date
from qwenport.documents.fields.forms import as_asked
from qwenport.documents.fields.kinds import Kind


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024年05月20日 08:00开", (2024, 5, 20)),
        ("2024-5-2", (2024, 5, 2)),
        ("20240520", (2024, 5, 20)),
        ("25/05/2024 08:12", (2024, 5, 25)),
        ("05/25/2024", (2024, 5, 25)),
        ("03/04/2024", None),
        ("民國113年5月20日", (2024, 5, 20)),
        ("20 May 2024", (2024, 5, 20)),
        ("MAY 20th, 2024", (2024, 5, 20)),
        ("2024-13-40", None),
        ("04/31/2024", None),
        ("2023-02-29", None),
        ("2024-05-1?", None),
        ("12024-05-06", None),
        ("120 May 2024", None),
        ("25/05/20245", None),
        ("25/05/202408:12", (2024, 5, 25)),
        ("no date", None),
    ],
)
def test_dates_are_read_where_there_is_one_way_to_read_them(text: str, date: tuple[int, int, int] | None) -> None:
    assert read_date(text) == date


@pytest.mark.parametrize(
    ("text", "kind", "description", "form"),
    [
        ("2024年05月20日", Kind.DATE, "", "2024年05月20日"),
        ("2024年05月20日", Kind.DATE, "格式 YYYY-MM-DD", "2024-05-20"),
        ("May 2, 2024", Kind.DATE, "as DD/MM/YYYY", "02/05/2024"),
        ("03/04/2024", Kind.DATE, "YYYY-MM-DD", "03/04/2024"),
        ("¥1,553.00元", Kind.MONEY, "只要数字", "1553.00"),
        ("HK$ 88.5", Kind.MONEY, "number only", "88.5"),
        ("89.5 m2", Kind.QUANTITY, "number only", "89.5"),
        ("98.6℉", Kind.QUANTITY, "number only", "98.6"),
        ("2 x 5.00", Kind.MONEY, "number only", "2 x 5.00"),
        ("04/31/2024", Kind.DATE, "YYYY-MM-DD", "04/31/2024"),
        ("-$1,250.00", Kind.MONEY, "number only", "-1250.00"),
        ("(1,250.00)", Kind.MONEY, "number only", "(1,250.00)"),
        ("1.234,56 EUR", Kind.MONEY, "number only", "1234.56"),
        ("5?3.00", Kind.MONEY, "number only", "5?3.00"),
        ("2025.06.0112:29", Kind.DATETIME, "", "2025.06.01 12:29"),
        ("M541936 (6)", Kind.PERSON, "", "M541936(6)"),
        ("HT -2024-6627", Kind.CODE, "", "HT-2024-6627"),
    ],
)
def test_values_are_as_printed_unless_the_description_asks(text: str, kind: Kind, description: str, form: str) -> None:
    assert as_asked(text, kind, description) == form
