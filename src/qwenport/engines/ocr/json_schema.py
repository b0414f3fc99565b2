"""What a JSON Schema asks for: values, lists and objects, with references followed and alternatives taken together.

As clients write them (https://json-schema.org/draft/2020-12; the `openai` client for models of pydantic): `$ref` into
`$defs`, `anyOf` with null for what may be missing, `enum` and `const` for what may be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import unquote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

_DEEPEST = 64
_MOST_VALUES = 2_000
"""References can make a small schema as large as they like."""
_ROOT = "#"
_ALTERNATIVES = ("anyOf", "oneOf")

_Object = Mapping[str, Any]


class SchemaUnusable(ValueError):
    """Nothing can be made of the schema; its words are for the caller."""


class ValueShape(Struct, frozen=True, kw_only=True):
    """One text, number or truth value."""

    kinds: frozenset[str] = frozenset()
    """JSON Schema's names of types, without `null`; empty for any."""
    choices: tuple[Any, ...] | None = None
    """What it may be, without null; None for anything of its kinds."""
    is_nullable: bool = False
    description: str = ""

    @property
    def is_fixed(self) -> bool:
        """Tell whether the schema itself says what the value is."""
        return self.choices is not None and len(self.choices) + self.is_nullable <= 1


class ListShape(Struct, frozen=True, kw_only=True):
    """Any number of entries of one shape."""

    entry: Shape
    is_nullable: bool = False


class ObjectShape(Struct, frozen=True, kw_only=True):
    """Members by name; none where the schema names none."""

    members: Mapping[str, Shape]
    is_nullable: bool = False


Shape = ValueShape | ListShape | ObjectShape


def read_schema(encoded: bytes) -> ObjectShape:
    """Return what the whole answer is.

    Raises:
        SchemaUnusable: it is no object, refers to itself or to nothing, or describes too much.
    """
    root = msgspec.json.decode(encoded)
    shape = _Reader(root).shape(root, (_ROOT,))
    if isinstance(shape, ObjectShape):
        return shape
    if shape == ValueShape():  # `{}`: anything
        return ObjectShape(members={})
    raise SchemaUnusable("it must describe an object")


class _Reader:
    """Reads one schema; what is followed to get somewhere is its trail, on which nothing may stand twice."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._left = _MOST_VALUES

    def shape(self, schema: object, trail: tuple[str, ...], depth: int = 0) -> Shape:
        """Return the shape of one value."""
        self._spend(depth)
        said, trail = self._followed(schema, trail)
        for word in _ALTERNATIVES:
            if word in said:
                return self._chosen(said, _listed(said[word], word), trail, depth)
        kinds = _kinds(said)
        is_nullable = "null" in kinds
        if "object" in kinds or (not kinds and "properties" in said):
            return ObjectShape(members=self._members(said, trail, depth), is_nullable=is_nullable)
        if "array" in kinds or (not kinds and "items" in said):
            items = said.get("items")
            entry = self.shape(items if isinstance(items, Mapping) else {}, trail, depth + 1)
            return ListShape(entry=entry, is_nullable=is_nullable)
        return _value(said, kinds)

    def _members(self, said: _Object, trail: tuple[str, ...], depth: int) -> dict[str, Shape]:
        properties = said.get("properties", {})
        if not isinstance(properties, Mapping):
            _refuse("`properties` must be an object")
        return {name: self.shape(value, trail, depth + 1) for name, value in properties.items()}

    def _chosen(self, said: _Object, options: Sequence[object], trail: tuple[str, ...], depth: int) -> Shape:
        """Return one shape for several: null is noted, plain values are joined, else the first is taken."""
        rest = {word: value for word, value in said.items() if word not in _ALTERNATIVES}
        shapes = [
            self.shape({**rest, **option} if isinstance(option, Mapping) else option, trail, depth + 1)
            for option in options
        ]
        left = [shape for shape in shapes if not _is_null(shape)] or shapes[:1]
        is_nullable = any(shape.is_nullable for shape in shapes)
        values = [shape for shape in left if isinstance(shape, ValueShape)]
        first = _joined(values) if len(values) == len(left) else left[0]
        return replace(first, is_nullable=is_nullable)

    def _followed(self, schema: object, trail: tuple[str, ...]) -> tuple[_Object, tuple[str, ...]]:
        """Return what a schema says with all that it refers to; what stands beside a reference goes before it."""
        self._spend(len(trail))
        said = _mapping(schema)
        if "$ref" not in said and "allOf" not in said:
            return said, trail
        parts = list(_listed(said.get("allOf", []), "allOf"))
        if "$ref" in said:
            reference = said["$ref"]
            if reference in trail:
                _refuse(f"`{reference}` holds itself, and no page is endless")
            trail = (*trail, reference)
            parts.append(self._at(reference))
        followed = [self._followed(part, trail) for part in parts]
        whole: _Object = {word: value for word, value in said.items() if word not in {"$ref", "allOf"}}
        for further, _ in followed:
            whole = _merged(whole, further)
        return whole, tuple(dict.fromkeys((*trail, *(step for _, steps in followed for step in steps))))

    def _spend(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0:
            _refuse(f"it describes more than {_MOST_VALUES} values")
        if depth > _DEEPEST:
            _refuse(f"it is nested deeper than {_DEEPEST} levels")

    def _at(self, reference: object) -> object:
        """Return what stands at a JSON Pointer within the schema (RFC 6901)."""
        if not isinstance(reference, str) or not reference.startswith(_ROOT):
            _refuse(f"`{reference}` leads out of it; only references within it (`#/…`) are followed")
        place = self._root
        for step in unquote(reference[1:]).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(place, list) and name.isdecimal() and int(name) < len(place):
                place = place[int(name)]
            elif isinstance(place, Mapping) and name in place:
                place = place[name]
            else:
                _refuse(f"`{reference}` leads to nothing")
        return place


def _refuse(words: str) -> NoReturn:
    raise SchemaUnusable(words)


def _mapping(schema: object) -> _Object:
    if schema is True:  # anything
        return {}
    if isinstance(schema, Mapping):
        return schema
    raise SchemaUnusable("every schema within it must be an object")


def _listed(said: object, word: str) -> list[object]:
    if isinstance(said, list) and (said or word == "allOf"):
        return said
    raise SchemaUnusable(f"`{word}` must be a list of schemas")


def _merged(mine: _Object, further: _Object) -> _Object:
    merged = {**further, **mine}
    if isinstance(mine.get("properties"), Mapping) and isinstance(further.get("properties"), Mapping):
        merged["properties"] = {**further["properties"], **mine["properties"]}
    return merged


def _kinds(said: _Object) -> frozenset[str]:
    kinds = said.get("type", ())
    return frozenset(each for each in ([kinds] if isinstance(kinds, str) else kinds) if isinstance(each, str))


def _value(said: _Object, kinds: frozenset[str]) -> ValueShape:
    choices = [said["const"]] if "const" in said else said.get("enum")
    if choices is None and kinds == {"null"}:
        choices = []
    if choices is not None and not isinstance(choices, list):
        _refuse("`enum` must be a list")
    has_null = choices is not None and None in choices
    description = said.get("description")
    return ValueShape(
        kinds=kinds - {"null"},
        choices=None if choices is None else tuple(each for each in choices if each is not None),
        is_nullable=has_null or "null" in kinds,
        description=description if isinstance(description, str) else "",
    )


def _is_null(shape: Shape) -> bool:
    return isinstance(shape, ValueShape) and shape.choices == () and shape.is_nullable


def _joined(values: Sequence[ValueShape]) -> ValueShape:
    """Return a value that may be what any of these may be."""
    kinds = [value.kinds for value in values]
    choices = [value.choices for value in values if value.choices is not None]
    return ValueShape(
        kinds=frozenset().union(*kinds) if all(kinds) else frozenset(),
        choices=tuple(each for some in choices for each in some) if len(choices) == len(values) else None,
        description=next((value.description for value in values if value.description), ""),
    )
