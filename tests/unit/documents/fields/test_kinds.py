from __future__ import annotations

import pytest

from qwenport.documents.fields.kinds import Kind, find


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Temp 98.6℉ oral", "98.6℉"),
        ("体温 36.5 ℃", "36.5 ℃"),
        ("at 21.5 °C today", "21.5 °C"),
        ("turned by 90°", "90°"),
        ("面积89.5㎡", "89.5㎡"),
        ("89.5 m² net", "89.5 m²"),
        ("89.5m2 net", "89.5m2"),
        ("12 m3", "12 m3"),
        ("12m34", "12m"),
        ("60 km/h", "60 km/h"),
        ("1,250.5 kWh", "1,250.5 kWh"),
        ("共3件", "3件"),
        ("3 / 4", "3"),
    ],
)
def test_a_quantity_has_its_unit(text: str, value: str) -> None:
    found = find(Kind.QUANTITY, text)[0]

    assert text[found.start : found.end] == value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("784-1990-1234567-1", ["784-1990-1234567-1"]),
        ("123-45-6789", ["123-45-6789"]),
        ("Ref 12-345-67890 batch", []),
        ("10-04-1981", []),
        ("2024-05-20", []),
    ],
)
def test_a_number_of_a_person_may_have_hyphens_and_a_date_is_none(text: str, values: list[str]) -> None:
    assert [text[found.start : found.end] for found in find(Kind.PERSON, text)] == values


@pytest.mark.parametrize("text", ["女", "女 F", "男/M", "Female"])
def test_a_sex_is_given_in_both_languages(text: str) -> None:
    found = find(Kind.GENDER, text)[0]

    assert text[found.start : found.end] == text
