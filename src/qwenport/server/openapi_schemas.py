"""JSON Schemas of the types that an API reads and writes, each struct under a name of its own.

msgspec's own writer of schemas cannot say the default of a field of raw JSON, and names what stands in two modules by
the whole path of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import inspect

Schema = dict[str, Any]

_OF_FACES = "qwenport.faces."
_PLAIN: dict[type[inspect.Type], Schema] = {
    inspect.AnyType: {},
    inspect.RawType: {},
    inspect.NoneType: {"type": "null"},
    inspect.BoolType: {"type": "boolean"},
    inspect.IntType: {"type": "integer"},
    inspect.FloatType: {"type": "number"},
    inspect.StrType: {"type": "string"},
    inspect.BytesType: {"type": "string", "format": "binary"},
    inspect.DateTimeType: {"type": "string", "format": "date-time"},
    inspect.DateType: {"type": "string", "format": "date"},
}
_BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}


class Schemas:
    """Schemas of a set of types and of all structs in them."""

    def __init__(self, types: Iterable[Any], *, by_face: bool = True) -> None:
        """Name structs by their face, or, where what they belong to is no face, by their class alone."""
        structs: dict[type, inspect.StructType] = {}
        for described in inspect.multi_type_info([*types]):
            _collect(described, structs)
        self._names = _names(structs, by_face=by_face)
        self.components: dict[str, Schema] = {
            self._names[kind]: self._struct(described) for kind, described in structs.items()
        }
        """The schema of each struct by its name."""

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type, which refers to the components."""
        return self.written(inspect.type_info(kind))

    def written(self, described: inspect.Type) -> Schema:
        """Return the schema of a type that msgspec has described."""
        match described:
            case inspect.StructType():
                return {"$ref": f"#/components/schemas/{self._names[described.cls]}"}
            case inspect.UnionType():
                return self._union(described)
            case inspect.ListType() | inspect.VarTupleType() | inspect.CollectionType():
                return {"type": "array", "items": self.written(described.item_type)}
            case inspect.DictType():
                return {"type": "object", "additionalProperties": self.written(described.value_type)}
            case inspect.Metadata():
                return {**self.written(described.type), **(described.extra_json_schema or {})}
        return _leaf(described)

    def _union(self, described: inspect.UnionType) -> Schema:
        tags = {each.tag_field: None for each in described.types if isinstance(each, inspect.StructType) and each.tag}
        schema: Schema = {"anyOf": [self.written(each) for each in described.types]}
        if tags and all(isinstance(each, inspect.StructType) for each in described.types):
            schema["discriminator"] = {"propertyName": next(iter(tags))}
        return schema

    def _struct(self, described: inspect.StructType) -> Schema:
        properties = {each.encode_name: self.written(each.type) for each in described.fields}
        required = [each.encode_name for each in described.fields if each.required]
        if described.tag_field is not None:
            properties = {described.tag_field: {"const": described.tag}, **properties}
            required = [described.tag_field, *required]
        schema: Schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        words = described.cls.__doc__
        return {"description": " ".join(words.split()), **schema} if words else schema


def _leaf(described: inspect.Type) -> Schema:
    match described:
        case inspect.LiteralType():
            return {"enum": sorted(described.values)}
        case inspect.EnumType():
            return {"enum": [each.value for each in described.cls]}
    if type(described) not in _PLAIN:
        raise TypeError(f"no schema is known for `{described}`; add it to `openapi_schemas`")
    return {**_PLAIN[type(described)], **_bounds(described)}


def _bounds(described: inspect.Type) -> Schema:
    found = {word: getattr(described, name, None) for name, word in _BOUNDS.items()}
    return {word: value for word, value in found.items() if value is not None}


def _collect(described: inspect.Type, structs: dict[type, inspect.StructType]) -> None:
    match described:
        case inspect.StructType():
            if described.cls not in structs:
                structs[described.cls] = described
                for each in described.fields:
                    _collect(each.type, structs)
        case inspect.UnionType():
            for kind in described.types:
                _collect(kind, structs)
        case inspect.ListType() | inspect.VarTupleType() | inspect.CollectionType():
            _collect(described.item_type, structs)
        case inspect.DictType():
            _collect(described.value_type, structs)
        case inspect.Metadata():
            _collect(described.type, structs)


def _names(structs: Iterable[type], *, by_face: bool) -> dict[type, str]:
    """Name each struct by its face and its class; where several would be alike, by their modules too."""
    kinds = [*structs]
    short = {kind: _name(kind, with_module=False) if by_face else kind.__name__ for kind in kinds}
    times = Counter(short.values())
    return {kind: short[kind] if times[short[kind]] == 1 else _name(kind, with_module=True) for kind in kinds}


def _name(kind: type, *, with_module: bool) -> str:
    place = kind.__module__.removeprefix(_OF_FACES).split(".")
    # Of the folders that a module lies in, the first is the face.
    kept = place if with_module else place[:-1][:1]
    return ".".join([*kept, kind.__name__.removeprefix("_")])
