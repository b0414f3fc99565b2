"""What was found on a page as JSON of the types that a schema has."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from qwenport.engines.ocr.json_schema import read_schema
from qwenport.engines.ocr.json_shape import shaped

STRING, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}
ITEM = {"type": "object", "properties": {"name": STRING, "price": NUMBER}}


def answer(values: dict[str, Any], **properties: Any) -> str:
    schema = {"type": "object", "properties": properties}
    return shaped(msgspec.json.encode({"kv_result": values}), read_schema(msgspec.json.encode(schema)))


def value(text: str, schema: dict[str, Any]) -> Any:
    return json.loads(answer({"a": text}, a=schema))["a"]


@pytest.mark.parametrize(
    ("text", "schema", "wanted"),
    [
        ("420199199701018433", INTEGER, 420199199701018433),
        ("9" * 30, INTEGER, 999_999_999_999_999_999_999_999_999_999),
        ("552.00", INTEGER, 552),
        ("552.5", INTEGER, None),
        ("A-12", INTEGER, None),
        ("2024-05-06", NUMBER, None),
        ("5?3.00", NUMBER, None),
        ("(1,250.00)", NUMBER, -1250.0),
        ("", NUMBER, None),
        ("", STRING, ""),
        ("", {"type": ["string", "null"]}, None),
        ("12", {"type": ["integer", "string"]}, "12"),
        ("12", {}, "12"),
        ("9" * 400, INTEGER, None),
    ],
)
def test_a_value_has_its_type_or_is_null(text: str, schema: dict[str, Any], wanted: Any) -> None:
    assert value(text, schema) == wanted


def test_a_number_is_written_as_it_is_printed() -> None:
    assert answer({"a": "1,553.50", "b": "0.1"}, a=NUMBER, b=NUMBER) == '{\n    "a": 1553.50,\n    "b": 0.1\n}'


@pytest.mark.parametrize(
    ("text", "truth"), [("Yes", True), ("是", True), ("否", False), (" NO ", False), ("", None), ("N/A", None)]
)
def test_only_words_that_say_so_are_true_or_false(text: str, truth: bool | None) -> None:
    assert value(text, {"type": "boolean"}) is truth


@pytest.mark.parametrize(
    ("text", "schema", "wanted"),
    [
        ("first  CLASS", {"enum": ["First class", "Second class"]}, "First class"),
        ("third class", {"enum": ["First class", "Second class"]}, None),
        ("", {"enum": ["", "x"]}, ""),
        ("13%", {"enum": [6, 9, 13]}, 13),
        ("是", {"enum": [True, "unknown"]}, True),
        ("anything", {"const": "invoice"}, "invoice"),
        ("anything", {"type": "null"}, None),
        ("", {"enum": ["invoice", None]}, None),
    ],
)
def test_of_several_choices_the_one_that_is_printed_is_taken_as_the_schema_writes_it(
    text: str, schema: dict[str, Any], wanted: Any
) -> None:
    assert value(text, schema) == wanted


def test_objects_and_lists_have_their_members_whatever_was_found() -> None:
    optional = {"anyOf": [ITEM, {"type": "null"}]}
    schema = {"items": {"type": "array", "items": ITEM}, "buyer": ITEM, "seller": optional, "agent": optional}
    schema |= {"free": {"type": "object"}, "kind": {"const": "bill"}, "list": {"type": "array", "items": NUMBER}}
    values = {
        "items": [{"name": "Tea", "price": "5.00"}, {"name": "", "price": "?"}],
        "buyer": {"name": "", "price": ""},
        "seller": {"name": "", "price": ""},
        "agent": {"name": "Zhao", "price": ""},
        "list": ["1", "x"],
    }

    assert json.loads(answer(values, **schema)) == {
        "items": [{"name": "Tea", "price": 5.0}, {"name": "", "price": None}],
        "buyer": {"name": "", "price": None},
        "seller": None,
        "agent": {"name": "Zhao", "price": None},
        "free": {},
        "kind": "bill",
        "list": [1, None],
    }


def test_a_schema_without_members_takes_what_was_found() -> None:
    assert json.loads(answer({"No": "A1", "Total": "5"})) == {"No": "A1", "Total": "5"}
