"""The one walk through JSON for its texts."""

from __future__ import annotations

import pytest

from qwenport.core.json_texts import json_texts

DEPTH = 100_000


def test_texts_come_in_their_order_each_with_what_leads_to_it() -> None:
    value = {"a": "one", "b": [1, {"c": "two", "d": {}}, [["three"]], None, True], "e": "", "f": []}

    assert [(each.path, each.text) for each in json_texts(value)] == [
        (("a",), "one"),
        (("b", 1, "c"), "two"),
        (("b", 2, 0, 0), "three"),
        (("e",), ""),
    ]


def test_texts_are_found_however_deep_they_lie() -> None:
    deep: object = "deepest"
    for _ in range(DEPTH):
        deep = {"x": deep}
    [found] = json_texts([deep])

    assert found.text == "deepest"
    assert found.path == (0, *("x",) * DEPTH)


@pytest.mark.parametrize("value", ["alone", ""])
def test_a_value_that_is_nothing_but_a_text_is_one(value: str) -> None:
    assert [(each.path, each.text) for each in json_texts(value)] == [((), value)]


@pytest.mark.parametrize("value", [None, True, 1, 1.5, [], {}, [1, {"a": None}]])
def test_a_value_without_texts_has_none(value: object) -> None:
    assert list(json_texts(value)) == []


def test_texts_are_changed_in_their_places_while_they_come() -> None:
    value = {"a": "one", "b": ["two", {"c": "three"}]}
    for each in json_texts(value):
        each.say(each.text.upper())

    assert value == {"a": "ONE", "b": ["TWO", {"c": "THREE"}]}
