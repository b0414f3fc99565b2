"""Places of values: which of several pages gives them, and how they are told."""

from __future__ import annotations

from typing import Any

import pytest

from qwenport.documents.fields import Fields
from qwenport.documents.page import Quad
from qwenport.engines.ocr.value_places import ValuePath, ValuePlace, going_on, places_of, told_places, value_at

QUAD = (10.4, 10.6, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0)
ROUNDED = [10, 11, 90, 10, 90, 30, 10, 30]
VALUES = {"no": "A1", "who": {"name": "Li", "id": ""}, "items": [{"price": "5"}, {"price": "6"}], "days": ["1"]}


def place(*path: str | int, page: int = 0) -> ValuePlace:
    return ValuePlace(path=path, quads=(QUAD,), score=0.9, page=page)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("no",), "A1"),
        (("who", "name"), "Li"),
        (("items", 1, "price"), "6"),
        (("days", 0), "1"),
        (("items", 2, "price"), None),
        (("items", "price"), None),
        (("no", "name"), None),
        (("none", "name"), None),
    ],
)
def test_a_way_leads_to_its_value_or_nowhere(path: ValuePath, value: object) -> None:
    assert value_at(VALUES, path) == value


def test_a_value_that_says_nothing_has_no_place() -> None:
    places: dict[ValuePath, tuple[Quad, ...]] = {("who", "name"): (QUAD,), ("who", "id"): (QUAD,)}
    fields = Fields(values=VALUES, places=places, scores=dict.fromkeys(places, 0.9))

    assert places_of(fields) == (place("who", "name"),)


def test_a_further_page_gives_the_places_of_what_was_not_found_before_and_of_entries_behind_the_others() -> None:
    found = (place("no"), place("who", "name"), place("who", "id"), place("items", 0, "price"), place("days", 1))

    assert tuple(going_on(found, VALUES, 2)) == (
        place("who", "id", page=2),
        place("items", 2, "price", page=2),
        place("days", 2, page=2),
    )


@pytest.mark.parametrize(("page", "beside"), [(0, {}), (3, {"page": 3})])
def test_places_are_told_in_whole_pixels_with_the_page_of_several(page: int, beside: dict[str, Any]) -> None:
    assert told_places([place("items", 0, "price", page=page)]) == [
        {"path": ("items", 0, "price"), "locations": [ROUNDED], "score": 0.9, **beside}
    ]
