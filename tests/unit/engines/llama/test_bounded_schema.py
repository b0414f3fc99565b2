"""Schemas of arguments, narrowed until nothing in them can run on for ever."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from qwenport.engines.llama.bounded_schema import bounded

ANY = {
    "anyOf": [{"type": "string", "maxLength": 200}, {"type": "number"}, {"type": "boolean"}, {"type": "null"}],
}
TEXT = {"type": "string", "maxLength": 200}
NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}

CASES: dict[str, tuple[Any, Any]] = {
    "anything": ({}, ANY),
    "true": (True, ANY),
    "words alone": ({"description": "A thing", "title": "T"}, ANY),
    "a text": ({"type": "string", "description": "A word"}, TEXT),
    "a text with a bound": ({"type": "string", "maxLength": 9}, {"type": "string", "maxLength": 9}),
    "a text that must be long": (
        {"type": "string", "minLength": 500},
        {"type": "string", "minLength": 500, "maxLength": 500},
    ),
    "a text without a type": ({"pattern": "^a$"}, {"pattern": "^a$", "type": "string", "maxLength": 200}),
    "a format": ({"type": "string", "format": "uri"}, {"type": "string", "format": "uri", "maxLength": 200}),
    "a text or nothing": ({"type": ["string", "null"]}, {"type": ["string", "null"], "maxLength": 200}),
    "a list": ({"type": "array", "items": {"type": "string"}}, {"type": "array", "items": TEXT, "maxItems": 8}),
    "a list of anything": ({"type": "array"}, {"type": "array", "items": ANY, "maxItems": 8}),
    "a list that must be long": (
        {"type": "array", "items": {"type": "null"}, "minItems": 20},
        {"type": "array", "items": {"type": "null"}, "minItems": 20, "maxItems": 20},
    ),
    "a list with a bound": (
        {"items": {"type": "null"}, "maxItems": 30},
        {"type": "array", "items": {"type": "null"}, "maxItems": 30},
    ),
    "unique items": (
        {"type": "array", "items": {"type": "null"}, "uniqueItems": True, "maxItems": 5},
        {"type": "array", "items": {"type": "null"}, "maxItems": 1},
    ),
    "no items at all": (
        {"type": "array", "items": {"type": "null"}, "uniqueItems": True, "maxItems": 0},
        {"type": "array", "items": {"type": "null"}, "maxItems": 0},
    ),
    "a pair": (
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}]},
        {"type": "array", "prefixItems": [TEXT, {"type": "null"}], "maxItems": 8},
    ),
    "an object of any shape": ({"type": "object"}, NOTHING),
    "a map": ({"type": "object", "additionalProperties": {"type": "string"}}, NOTHING),
    "an object": (
        {"type": "object", "properties": {"description": {"type": "string"}}, "required": ["description", "other"]},
        {
            "type": "object",
            "properties": {"description": TEXT, "other": ANY},
            "required": ["description", "other"],
            "additionalProperties": False,
        },
    ),
    "an object without a type": ({"properties": {"a": False}}, NOTHING),
    "alternatives": (
        {"type": "object", "anyOf": [{"type": "string"}, {"type": "object"}]},
        {"type": "object", "anyOf": [TEXT, NOTHING]},
    ),
    "fixed values": ({"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
    "a whole number": (
        {"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
        {"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
    ),
    "a number": ({"type": "number"}, {"type": "number"}),
    "a wide range": (
        {"type": "number", "minimum": -90.5, "exclusiveMaximum": 90},
        {"type": "integer", "minimum": -90, "maximum": 89},
    ),
    "a range without end": (
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "integer", "minimum": 1},
    ),
    "a narrow range": (
        {"minimum": 0, "exclusiveMaximum": 1},
        {"enum": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]},
    ),
    "an old way of saying it": (
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        {"type": "integer", "minimum": 0},
    ),
    "a broken schema": (
        {"type": "object", "properties": 5, "required": "a", "items": 7, "anyOf": 3},
        {"type": "object", "properties": {}, "required": "a", "items": 7, "additionalProperties": False},
    ),
    "a type that is none": ({"type": 7}, {"type": 7}),
}


@pytest.mark.parametrize(("schema", "narrow"), CASES.values(), ids=CASES)
def test_a_schema_is_narrowed(schema: object, narrow: object) -> None:
    before = copy.deepcopy(schema)

    assert bounded(schema) == narrow
    assert schema == before


def test_references_follow_the_schema_to_where_it_stands() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/text"},
            "b": {"$ref": "#"},
            "c": {"$ref": "https://example.org/schema"},
        },
        "$defs": {"text": {"type": "string"}},
        "definitions": {"old": {"items": {"$ref": "#/$defs/text"}}},
    }

    assert bounded(schema, "#/$defs/tool3") == {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/tool3/$defs/text"},
            "b": {"$ref": "#/$defs/tool3"},
            "c": {"$ref": "https://example.org/schema"},
        },
        "$defs": {"text": TEXT},
        "definitions": {"old": {"type": "array", "items": {"$ref": "#/$defs/tool3/$defs/text"}, "maxItems": 8}},
        "additionalProperties": False,
    }
