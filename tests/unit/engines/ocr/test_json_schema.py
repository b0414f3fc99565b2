"""JSON Schemas as clients write them: what is asked of a page, and what is refused in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from qwenport.engines.ocr.json_schema import ListShape, ObjectShape, SchemaUnusable, ValueShape, read_schema
from qwenport.engines.ocr.json_shape import template

TEXT = ValueShape(kinds=frozenset({"string"}))
NUMBER = ValueShape(kinds=frozenset({"number"}))
STRING = {"type": "string"}


def shape(**members: Any) -> ObjectShape:
    """Return what a schema with these properties asks."""
    definitions = members.pop("defs", {})
    return read_schema(msgspec.json.encode({"$defs": definitions, "type": "object", "properties": members}))


def refusal(schema: object) -> str:
    with pytest.raises(SchemaUnusable) as caught:
        read_schema(msgspec.json.encode(schema))
    return str(caught.value)


def test_members_may_be_values_objects_and_lists_of_either() -> None:
    party = {"type": "object", "properties": {"name": {"type": "string", "description": "as registered"}}}
    found = shape(
        total={"type": "number"}, buyer=party, items={"type": "array", "items": party}, tags={"type": "array"}
    )

    name = ValueShape(kinds=frozenset({"string"}), description="as registered")
    assert found == ObjectShape(
        members={
            "total": NUMBER,
            "buyer": ObjectShape(members={"name": name}),
            "items": ListShape(entry=ObjectShape(members={"name": name})),
            "tags": ListShape(entry=ValueShape()),
        }
    )
    assert template(found) == {
        "total": "",
        "buyer": {"name": "as registered"},
        "items": [{"name": "as registered"}],
        "tags": [""],
    }


@pytest.mark.parametrize(
    "written",
    [
        {"$ref": "#/$defs/Item"},
        {"$ref": "#/$defs/Item", "description": "of the shop"},
        {"allOf": [{"$ref": "#/$defs/Item"}]},
        {"anyOf": [{"$ref": "#/$defs/Item"}]},
        {"$ref": "#/$defs/Same"},
        {"$ref": "#/properties/x~1y/anyOf/1"},
        {"$ref": "#/%24defs/Item"},
    ],
)
def test_references_within_the_schema_are_followed(written: dict[str, Any]) -> None:
    item = {"type": "object", "properties": {"name": STRING}}
    found = shape(
        defs={"Item": item, "Same": {"$ref": "#/$defs/Item"}}, item=written, **{"x/y": {"anyOf": [STRING, item]}}
    )

    assert found.members["item"] == ObjectShape(members={"name": TEXT})


@pytest.mark.parametrize(
    "written",
    [
        {"type": ["number", "null"]},
        {"anyOf": [{"type": "number"}, {"type": "null"}]},
        {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/Price"}]},
        {"anyOf": [{"type": "number"}, {"const": None}]},
        {"anyOf": [{"type": "number"}, {"enum": [None]}]},
    ],
)
def test_null_among_the_alternatives_is_noted(written: dict[str, Any]) -> None:
    found = shape(defs={"Price": {"type": "number"}}, price=written)

    assert found.members["price"] == ValueShape(kinds=frozenset({"number"}), is_nullable=True)


def test_an_optional_object_is_one() -> None:
    item = {"type": "object", "properties": {"name": STRING}}
    found = shape(item={"anyOf": [item, {"type": "null"}]}, list={"type": ["array", "null"], "items": STRING})

    assert found.members == {
        "item": ObjectShape(members={"name": TEXT}, is_nullable=True),
        "list": ListShape(entry=TEXT, is_nullable=True),
    }


def test_alternatives_of_plain_values_are_taken_together_and_of_others_the_first() -> None:
    found = shape(
        plain={"anyOf": [{"type": "integer"}, STRING]},
        some={"anyOf": [{"const": "a"}, {"enum": ["b", "c"]}]},
        other={"anyOf": [{"type": "array", "items": STRING}, STRING]},
        bare={"type": "object", "properties": {"a": STRING}, "anyOf": [{"required": ["a"]}, {"required": []}]},
    )

    assert found.members == {
        "plain": ValueShape(kinds=frozenset({"integer", "string"})),
        "some": ValueShape(choices=("a", "b", "c")),
        "other": ListShape(entry=TEXT),
        "bare": ObjectShape(members={"a": TEXT}),
    }


def test_what_the_schema_says_itself_is_not_asked_of_the_page() -> None:
    found = shape(
        kind={"const": "invoice"},
        nothing={"type": "null"},
        maybe={"enum": ["paid", None]},
        free={"type": "object"},
        frees={"type": "array", "items": {"type": "object"}},
        way={"enum": ["cash", "card"]},
    )

    assert template(found) == {"maybe": "", "way": ""}


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": "object", "properties": {}}])
def test_a_schema_without_members_asks_nothing_by_name(schema: object) -> None:
    assert read_schema(msgspec.json.encode(schema)) == ObjectShape(members={})


@pytest.mark.parametrize("schema", [{"type": "array", "items": STRING}, STRING, {"enum": ["a"]}])
def test_an_answer_must_be_an_object(schema: object) -> None:
    assert refusal(schema) == "it must describe an object"


def test_a_schema_that_holds_itself_is_refused() -> None:
    node = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}

    words = "`#/$defs/Node` holds itself, and no page is endless"
    assert refusal({"$ref": "#/$defs/Node", "$defs": {"Node": node}}) == words
    assert refusal({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}).startswith("`#/$defs/A` holds itself")
    assert refusal({"properties": {"a": {"$ref": "#"}}}).startswith("`#` holds itself")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {"a": {"$ref": "#/$defs/B"}}}, "`#/$defs/B` leads to nothing"),
        (
            {"properties": {"a": {"$ref": "https://example.com/b"}}},
            "`https://example.com/b` leads out of it; only references within it (`#/…`) are followed",
        ),
        ({"properties": {"a": {"$ref": 1}}}, "`1` leads out of it; only references within it (`#/…`) are followed"),
        ({"properties": {"a": {"anyOf": []}}}, "`anyOf` must be a list of schemas"),
        ({"properties": {"a": {"allOf": {}}}}, "`allOf` must be a list of schemas"),
        ({"properties": {"a": {"enum": 1}}}, "`enum` must be a list"),
        ({"properties": {"a": False}}, "every schema within it must be an object"),
        ({"properties": []}, "`properties` must be an object"),
    ],
)
def test_what_is_no_schema_is_refused_in_words(schema: object, words: str) -> None:
    assert refusal(schema) == words


def doubling(word: str) -> dict[str, Any]:
    """Return a schema of a few hundred bytes that describes a million values."""
    definitions: dict[str, Any] = {"L20": STRING}
    for level in range(20):
        both = {"$ref": f"#/$defs/L{level + 1}"}
        wide = [both, both] if word != "properties" else {"a": both, "b": both}
        definitions[f"L{level}"] = {word: wide}
    return {"$defs": definitions, "properties": {"a": {"$ref": "#/$defs/L0"}}}


@pytest.mark.parametrize("word", ["properties", "anyOf", "allOf"])
def test_a_schema_that_unfolds_without_end_is_refused(word: str) -> None:
    assert refusal(doubling(word)) == "it describes more than 2000 values"


def test_a_chain_of_references_has_an_end() -> None:
    chain = {f"L{level}": {"$ref": f"#/$defs/L{level + 1}"} for level in range(2_000)}

    assert (
        refusal({"$defs": chain, "properties": {"a": {"$ref": "#/$defs/L0"}}}) == "it is nested deeper than 64 levels"
    )
