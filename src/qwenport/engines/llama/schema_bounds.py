"""What a caller's JSON Schema may hold before llama.cpp sees it.

llama.cpp compiles the grammar in the thread that generates for every slot: an `enum` of 5,000 values stopped all of
them for 20 seconds, and 1,000 properties for 5. It prints a pattern that it cannot follow to its log and ignores it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from qwenport.core.errors import ParameterInvalid

_MOST_VALUES = 1000
"""Keys, items and values of the whole schema."""
_MOST_ALTERNATIVES = 200
"""Values of one `enum`, schemas of one `anyOf` and the like, properties of one object."""
_DEEPEST = 32
_LONGEST_PATTERN = 200


class SchemaRefused(ValueError):
    """A schema passes a bound; its words say which."""


def check_schema(schema: bytes) -> None:
    """Refuse a schema of `response_format` that would hold up the engine or be followed only in part.

    Raises:
        ParameterInvalid: with the bound that is passed.
    """
    try:
        check_values(decode_schema(schema))
    except SchemaRefused as refused:
        raise ParameterInvalid(
            f"The schema of response_format is invalid: {refused}.", parameter="response_format"
        ) from refused


def decode_schema(schema: bytes) -> dict[str, Any]:
    """Return a schema that is not nested too deeply to be walked through.

    Raises:
        SchemaRefused: it is no JSON object, or nested too deeply.
    """
    try:
        root = msgspec.json.decode(schema)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaRefused("it is no JSON, or is nested too deeply") from error
    if not isinstance(root, dict):
        raise SchemaRefused("it must be an object")
    for _ in _values(root, 0):
        pass
    return root


def check_values(root: dict[str, Any]) -> None:
    """Look at how much a decoded schema holds.

    Raises:
        SchemaRefused: with the bound that is passed.
    """
    for count, value in enumerate(_values(root, 0)):
        if count > _MOST_VALUES:
            raise SchemaRefused(f"it has more than {_MOST_VALUES} values")
        _check_value(value)


def _values(value: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise SchemaRefused(f"it is nested more than {_DEEPEST} levels deep")
    yield value
    if isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, depth + 1)


def _check_value(value: Any) -> None:
    if isinstance(value, dict | list) and len(value) > _MOST_ALTERNATIVES:
        raise SchemaRefused(f"it has more than {_MOST_ALTERNATIVES} values or properties in one place")
    pattern = value.get("pattern") if isinstance(value, dict) else None
    if isinstance(pattern, str):
        _check_pattern(pattern)


def _check_pattern(pattern: str) -> None:
    if len(pattern) > _LONGEST_PATTERN:
        raise SchemaRefused(f"a `pattern` has more than {_LONGEST_PATTERN} characters")
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise SchemaRefused("a `pattern` must begin with `^` and end with `$`")
    if "(?" in pattern:
        raise SchemaRefused("a `pattern` must not hold `(?`")
