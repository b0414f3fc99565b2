"""From the schema of a tool's arguments to a narrower one, in which nothing can run on for ever.

A small model stays in a text or a list until the context is full. So every text, list and object gets an end where its
schema names none, and what llama.cpp would pass over (a range of fractions, unique items, properties that are required
but not described) is narrowed to what it can hold. Whatever fits the narrower schema fits the caller's, except for
keywords that a grammar cannot hold at all: `not`, `if`, `multipleOf`, `minProperties` and the like.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

LONGEST_TEXT = 200
MOST_ITEMS = 8
_WIDEST = 10
"""How wide a range of fractions may be whose points are listed; a wider one becomes its whole numbers."""
_STEPS = 10

_Schema = dict[str, Any]

_LOW = ("minimum", "exclusiveMinimum")
_HIGH = ("maximum", "exclusiveMaximum")
_EDGES = (*_LOW, *_HIGH)
_SIZES = ("minLength", "maxLength", "minItems", "maxItems")
_COPIED = ("type", "enum", "const", "pattern", "format", "required", *_SIZES, *_EDGES)
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_TABLES = ("properties", "$defs", "definitions")
_ELSEWHERE = frozenset({"$ref", "anyOf", "oneOf", "allOf", "enum", "const"})
"""Keywords beside which llama.cpp would pass over what is said here."""
_TYPE_OF = MappingProxyType(
    {
        "properties": "object",
        "required": "object",
        "items": "array",
        "prefixItems": "array",
        "minItems": "array",
        "maxItems": "array",
        "pattern": "string",
        "minLength": "string",
        "maxLength": "string",
        "format": "string",
        "minimum": "number",
        "maximum": "number",
        "exclusiveMinimum": "number",
        "exclusiveMaximum": "number",
    }
)
"""The type that a schema without one is narrowed to, by the first of these keywords that it has."""


def bounded(schema: object, root: str = "#") -> Any:
    """Return the narrower schema; `root` is where it will stand, for references within it."""
    if schema is True or schema == {}:
        return _any_value()
    if not isinstance(schema, dict):
        return schema
    narrow = _reduced(schema, root)
    if not narrow:
        return _any_value()
    if not _ELSEWHERE.intersection(narrow):
        _set_type(narrow)
        for name in _types(narrow):
            _BOUNDS.get(name, _leave)(narrow, schema)
    return narrow


def _any_value() -> _Schema:
    alternatives = [
        {"type": "string", "maxLength": LONGEST_TEXT},
        *({"type": t} for t in ("number", "boolean", "null")),
    ]
    return {"anyOf": alternatives}


def _reduced(schema: Mapping[str, Any], root: str) -> _Schema:
    """Return the keywords that llama.cpp follows, without descriptions and the like."""
    narrow: _Schema = {key: schema[key] for key in _COPIED if key in schema}
    if isinstance(reference := schema.get("$ref"), str):
        narrow["$ref"] = f"{root}{reference[1:]}" if reference.startswith("#") else reference
    for key in _LISTS:
        if isinstance(schemas := schema.get(key), list):
            narrow[key] = [bounded(each, root) for each in schemas]
    for key in _TABLES:
        if isinstance(table := schema.get(key), dict):
            narrow[key] = {name: bounded(each, root) for name, each in table.items() if each is not False}
    if "items" in schema:
        narrow["items"] = bounded(schema["items"], root)
    return narrow


def _types(narrow: _Schema) -> tuple[str, ...]:
    named = narrow.get("type")
    if isinstance(named, str):
        return (named,)
    return tuple(each for each in named if isinstance(each, str)) if isinstance(named, list) else ()


def _set_type(narrow: _Schema) -> None:
    if "type" not in narrow:
        implied = next((implied for keyword, implied in _TYPE_OF.items() if keyword in narrow), None)
        if implied is not None:
            narrow["type"] = implied


def _bound_text(narrow: _Schema, _: Mapping[str, Any]) -> None:
    narrow.setdefault("maxLength", max(LONGEST_TEXT, _whole(narrow.get("minLength"))))


def _bound_list(narrow: _Schema, schema: Mapping[str, Any]) -> None:
    if "items" not in narrow and "prefixItems" not in narrow:
        narrow["items"] = _any_value()
    least = _whole(narrow.get("minItems"))
    if schema.get("uniqueItems") is True:
        # Nothing keeps two items apart; one alone is unique.
        narrow["maxItems"] = max(least, min(1, _whole(narrow.get("maxItems", 1))))
    else:
        narrow.setdefault("maxItems", max(least, MOST_ITEMS))


def _bound_object(narrow: _Schema, _: Mapping[str, Any]) -> None:
    properties = narrow.setdefault("properties", {})
    required = narrow.get("required")
    if isinstance(properties, dict) and isinstance(required, list):
        for name in required:
            if isinstance(name, str):
                properties.setdefault(name, _any_value())
    narrow["additionalProperties"] = False


def _bound_number(narrow: _Schema, _: Mapping[str, Any]) -> None:
    """Replace a range of fractions, which llama.cpp does not hold, by whole numbers or by points within it."""
    if narrow["type"] != "number" or not any(key in narrow for key in _EDGES):
        return
    edges = {key: narrow.pop(key) for key in _EDGES if key in narrow}
    low = max((value for key in _LOW if _is_number(value := edges.get(key))), default=None)
    high = min((value for key in _HIGH if _is_number(value := edges.get(key))), default=None)
    if low is not None and high is not None and high - low <= _WIDEST:
        points = (round(low + (high - low) * step / _STEPS, 9) for step in range(_STEPS + 1))
        del narrow["type"]
        narrow["enum"] = [point for point in points if _is_within(point, edges)]
        return
    narrow["type"] = "integer"
    if low is not None:
        narrow["minimum"] = next(n for n in (math.ceil(low), math.floor(low) + 1) if _is_within(n, edges))
    if high is not None:
        narrow["maximum"] = next(n for n in (math.floor(high), math.ceil(high) - 1) if _is_within(n, edges))


_WITHIN: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "minimum": operator.ge,
        "exclusiveMinimum": operator.gt,
        "maximum": operator.le,
        "exclusiveMaximum": operator.lt,
    }
)


def _is_within(value: float, edges: Mapping[str, Any]) -> bool:
    return all(_WITHIN[key](value, edge) for key, edge in edges.items() if _is_number(edge))


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _leave(_narrow: _Schema, _schema: Mapping[str, Any]) -> None:
    """Need no bound: the type has one."""


_BOUNDS: Mapping[str, Callable[[_Schema, Mapping[str, Any]], None]] = MappingProxyType(
    {"string": _bound_text, "array": _bound_list, "object": _bound_object, "number": _bound_number}
)
