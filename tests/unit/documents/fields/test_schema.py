from __future__ import annotations

import pytest

from qwenport.documents.fields import SchemaInvalid, parse_schema
from qwenport.documents.fields.schema import Field, Group


def test_objects_lists_and_descriptions_become_fields_with_their_ways() -> None:
    schema = parse_schema(b'{"a": "", "b": {"c": {"d": "a date"}}, "e": [{"f": ""}], "g": [""], "h": null, "i": {}}')

    assert schema.fields == (Field(("a",)), Field(("b", "c", "d"), "a date"), Field(("h",)), Field(("i",)))
    assert schema.groups == (Group(("e",), (Field(("f",)),)), Group(("g",), (Field(()),)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'["a"]', "the schema must be a JSON object, not a list"),
        (b"1", "the schema must be a JSON object, not a number"),
        (b"{}", "the schema asks for no field"),
        (b'{"a": 1}', "the value of `a` must be a description, an object or a list of one, not a number"),
        (b'{"a": true}', "the value of `a` must be a description, an object or a list of one, not a truth value"),
        (b'{"a": {"b": {"c": {"d": ""}}}}', "the schema is nested deeper than 3 levels at `a.b.c`"),
        (b'{"a": ["", ""]}', "the list at `a` must hold one example, not 2"),
        (b'{"a": [1]}', "the list at `a` must hold an object or a description, not a number"),
        (b'{"a": [{"b": [""]}]}', "the list at `a` holds another list at `a.b`"),
    ],
)
def test_everything_else_is_refused_in_words(text: bytes, words: str) -> None:
    with pytest.raises(SchemaInvalid) as refused:
        parse_schema(text)

    assert str(refused.value) == words


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(SchemaInvalid, match=r"^the schema is no JSON: "):
        parse_schema(b"{a}")


def test_too_many_fields_are_refused() -> None:
    fields = b",".join(b'"f%d":""' % number for number in range(201))

    with pytest.raises(SchemaInvalid) as refused:
        parse_schema(b"{" + fields + b"}")

    assert str(refused.value) == "the schema asks for 201 fields, at most 200 are allowed"


def test_a_schema_beyond_its_size_is_refused_unread() -> None:
    with pytest.raises(SchemaInvalid) as refused:
        parse_schema(b" " * 65_537)

    assert str(refused.value) == "the schema has 65537 bytes, at most 65536 are allowed"


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(SchemaInvalid):
        parse_schema(b'{"a":' * 20_000)
