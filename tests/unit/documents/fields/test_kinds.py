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
