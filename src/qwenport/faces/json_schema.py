"""JSON Schemas that a caller hands in: bounded before anything looks inside them."""

from __future__ import annotations

from typing import Any

from msgspec import DecodeError
from msgspec.json import decode

from qwenport.core.errors import BodyNotJson, ParameterInvalid

_LARGEST_BYTES = 64 * 1024
_DEEPEST = 64


def check_schema(schema: bytes, *, parameter: str, path: str) -> dict[str, Any]:
    """Look inside a schema, which the decoder of the body only stepped over, and return it.

    Raises:
        ParameterInvalid: it is too large, too deep or no object.
        BodyNotJson: it holds something that is no JSON.
    """
    if len(schema) > _LARGEST_BYTES:
        words = f"The schema of {parameter} may hold at most {_LARGEST_BYTES} bytes."
        raise ParameterInvalid(words, parameter=parameter)
    try:
        value = decode(schema)
    except (DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BodyNotJson from exc
    if not isinstance(value, dict):
        raise ParameterInvalid(f"'{path}' must be Object", parameter=parameter)
    if _is_deeper_than(value, _DEEPEST):
        words = f"The schema of {parameter} may be nested at most {_DEEPEST} deep."
        raise ParameterInvalid(words, parameter=parameter)
    return value


def _is_deeper_than(value: object, bound: int) -> bool:
    level = [value]
    for _ in range(bound):
        level = [item for container in level for item in _items(container)]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
