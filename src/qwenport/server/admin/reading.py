"""Query strings and bodies, read into the types of an operation; what is odd is refused in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct, inspect

from qwenport.server.admin.refusals import AdminRefused

S = TypeVar("S", bound=Struct)

LONGEST_VALUE = 2_000
"""Characters of one value of a query string."""

_WHERE = re.compile(r" - at `\$\.?([^`]*)`$")


def read_query(text: bytes, kind: type[S]) -> S:
    """Return the query string; empty values count as not given.

    Raises:
        AdminRefused: a name is unknown or given twice, or a value is not what it takes.
    """
    try:
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise AdminRefused(f"the query string cannot be read: {error}") from error
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise AdminRefused(f"`{name[:100]}` is given twice in the query; name it once")
        given[name] = value
    types = {each.encode_name: each.type for each in _described(kind).fields}
    if unknown := [name for name in given if name not in types]:
        raise AdminRefused(
            f"`{unknown[0][:100]}` is nothing that this address can be asked for; it takes {_listed(types)}"
        )
    read = {name: _value(name, value, types[name]) for name, value in given.items() if value}
    try:
        return msgspec.convert(read, kind, strict=False)
    except msgspec.ValidationError as error:
        raise AdminRefused(_in_words(error, given, kind)) from error


def read_body(content: bytes, kind: type[S]) -> S:
    """Return a body of JSON; an empty one is an empty object.

    Raises:
        AdminRefused: it is no JSON, or has fields that are unknown, missing or wrong.
    """
    try:
        return msgspec.json.decode(content or b"{}", type=kind)
    except msgspec.ValidationError as error:
        plain = _plain(content or b"{}")
        raise AdminRefused(f"the body is not what this address takes: {_in_words(error, plain, kind)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AdminRefused(f"the body is not what this address takes: {error}; send one JSON object") from error


def _described(kind: type[Struct]) -> inspect.StructType:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - what a struct is described as
    return described


def _value(name: str, text: str, kind: inspect.Type) -> object:
    """Return a value in the type that msgspec would read too generously, or not at all, from a text."""
    if len(text) > LONGEST_VALUE:
        raise AdminRefused(f"`{name}` has {len(text)} characters; it may have {LONGEST_VALUE}")
    if not text.isprintable():
        raise AdminRefused(f"`{name}` is {_shown(text)}, which holds characters that cannot be seen; leave them out")
    for each in _members(kind):
        if isinstance(each, inspect.IntType):
            return _number(name, text)
        if isinstance(each, inspect.DateTimeType):
            return _moment(name, text)
    return text


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        raise AdminRefused(f"`{name}` is {_shown(text)}; it must be a whole number")
    return int(text)


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise AdminRefused(f"`{name}` is {_shown(text)}; write it as ISO 8601, such as `2026-01-31`") from error
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise AdminRefused(f"`{name}` is {_shown(text)}, which lies outside of the calendar") from error


def _plain(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _in_words(error: msgspec.ValidationError, given: object, kind: type[Struct]) -> str:
    """Say which field is wrong, what it is, and what it could be."""
    words = str(error)
    where = _WHERE.search(words)
    if where is None:
        return words
    reason = words[: where.start()]
    steps = re.findall(r"[^.\[\]]+", where[1])
    value = _at(given, steps)
    known = _choices(kind, steps)
    advice = f"; it must be one of {', '.join(known)}" if known else ""
    return f"`{where[1].lstrip('.')}` is {_shown(value)}: {reason[:1].lower()}{reason[1:]}{advice}"


def _at(given: object, steps: Iterable[str]) -> object:
    for step in steps:
        if isinstance(given, Mapping):
            given = given.get(step, "not readable") if step != "..." else "a value among others"
        elif isinstance(given, list) and step.isdecimal() and int(step) < len(given):
            given = given[int(step)]
        else:
            return given
    return given


def _choices(kind: type[Struct], steps: list[str]) -> tuple[str, ...]:
    if len(steps) != 1:
        return ()
    found = next((each.type for each in _described(kind).fields if each.encode_name == steps[0]), None)
    for each in _members(found):
        if isinstance(each, inspect.EnumType):
            return tuple(str(value.value) for value in _enum(each.cls))
        if isinstance(each, inspect.LiteralType):
            return tuple(str(value) for value in each.values)
    return ()


def _members(kind: inspect.Type | None) -> tuple[inspect.Type | None, ...]:
    """Return the types that a value may have."""
    plain = kind.type if isinstance(kind, inspect.Metadata) else kind
    return plain.types if isinstance(plain, inspect.UnionType) else (plain,)


def _enum(kind: type[Enum]) -> tuple[Enum, ...]:
    return tuple(kind)


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "no query"
