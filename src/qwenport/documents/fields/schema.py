"""The fields that a caller asks for: a JSON object whose values are empty, descriptions, objects or lists of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

MOST_FIELDS = 200
MOST_LEVELS = 3
MOST_BYTES = 64 * 1024

Path = tuple[str | int, ...]
"""The way to a value: names of objects, numbers of entries of a list."""


class SchemaInvalid(ValueError):
    """The schema cannot be used; its words are for the caller."""


class Field(Struct, frozen=True):
    """One value that is asked for."""

    path: Path
    description: str = ""

    @property
    def name(self) -> str:
        """The last name on the way."""
        return next(str(step) for step in reversed(self.path) if isinstance(step, str))


class Group(Struct, frozen=True):
    """A list that is asked for: fields which repeat, such as the items of a receipt."""

    path: Path
    fields: tuple[Field, ...]
    """Their paths begin in the entry; empty path for a list of plain values."""


class Schema(Struct, frozen=True):
    """Everything that is asked for."""

    template: Mapping[str, Any]
    """The object as the caller wrote it."""
    fields: tuple[Field, ...]
    groups: tuple[Group, ...] = ()


def parse_schema(text: bytes) -> Schema:
    """Read a schema; raises SchemaInvalid."""
    if len(text) > MOST_BYTES:
        raise SchemaInvalid(f"the schema has {len(text)} bytes, at most {MOST_BYTES} are allowed")
    try:
        template = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise SchemaInvalid(f"the schema is no JSON: {error}") from error
    return schema_of(template)


def schema_of(template: object) -> Schema:
    """Take an object that was read from JSON as a schema; raises SchemaInvalid."""
    if not isinstance(template, dict):
        raise SchemaInvalid(f"the schema must be a JSON object, not {_kind(template)}")
    fields: list[Field] = []
    groups: list[Group] = []
    _collect(template, (), fields, groups)
    count = len(fields) + sum(len(group.fields) for group in groups)
    if count == 0:
        raise SchemaInvalid("the schema asks for no field")
    if count > MOST_FIELDS:
        raise SchemaInvalid(f"the schema asks for {count} fields, at most {MOST_FIELDS} are allowed")
    return Schema(template, tuple(fields), tuple(groups))


def _collect(template: Mapping[str, Any], path: Path, fields: list[Field], groups: list[Group]) -> None:
    if len(path) >= MOST_LEVELS:
        raise SchemaInvalid(f"the schema is nested deeper than {MOST_LEVELS} levels at `{_written(path)}`")
    for name, wanted in template.items():
        place = (*path, name)
        if isinstance(wanted, dict) and wanted:
            _collect(wanted, place, fields, groups)
        elif isinstance(wanted, list):
            groups.append(Group(place, _entry_fields(wanted, place)))
        elif wanted is None or isinstance(wanted, str) or wanted == {}:
            fields.append(Field(place, wanted or ""))
        else:
            raise SchemaInvalid(
                f"the value of `{_written(place)}` must be a description, an object or a list of one, "
                f"not {_kind(wanted)}"
            )


def _entry_fields(wanted: Sequence[Any], path: Path) -> tuple[Field, ...]:
    """Return the fields of one entry of a list."""
    if len(wanted) > 1:
        raise SchemaInvalid(f"the list at `{_written(path)}` must hold one example, not {len(wanted)}")
    entry = wanted[0] if wanted else ""
    if isinstance(entry, str) or entry is None:
        return (Field((), entry or ""),)
    if not isinstance(entry, dict):
        raise SchemaInvalid(f"the list at `{_written(path)}` must hold an object or a description, not {_kind(entry)}")
    fields: list[Field] = []
    groups: list[Group] = []
    _collect(entry, path, fields, groups)
    if groups:
        raise SchemaInvalid(f"the list at `{_written(path)}` holds another list at `{_written(groups[0].path)}`")
    return tuple(Field(field.path[len(path) :], field.description) for field in fields)


def _written(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
