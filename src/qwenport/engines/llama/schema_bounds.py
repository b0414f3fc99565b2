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


def check_schema(schema: bytes) -> None:
    """Refuse a schema that would hold up the engine or be followed only in part.

    Raises:
        ParameterInvalid: with the bound that is passed.
    """
    try:
        root = msgspec.json.decode(schema)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refused("it is no JSON, or is nested too deeply") from error
    if not isinstance(root, dict):
        raise _refused("it must be an object")
    for count, value in enumerate(_values(root, 0)):
        if count > _MOST_VALUES:
            raise _refused(f"it has more than {_MOST_VALUES} values")
        _check_value(value)


def _values(value: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise _refused(f"it is nested more than {_DEEPEST} levels deep")
    yield value
    if isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, depth + 1)


def _check_value(value: Any) -> None:
    if isinstance(value, dict | list) and len(value) > _MOST_ALTERNATIVES:
        raise _refused(f"it has more than {_MOST_ALTERNATIVES} values or properties in one place")
    pattern = value.get("pattern") if isinstance(value, dict) else None
    if isinstance(pattern, str):
        _check_pattern(pattern)


def _check_pattern(pattern: str) -> None:
    if len(pattern) > _LONGEST_PATTERN:
        raise _refused(f"a `pattern` has more than {_LONGEST_PATTERN} characters")
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise _refused("a `pattern` must begin with `^` and end with `$`")
    if "(?" in pattern:
        raise _refused("a `pattern` must not hold `(?`")


def _refused(reason: str) -> ParameterInvalid:
    return ParameterInvalid(f"The schema of response_format is invalid: {reason}.", parameter="response_format")
