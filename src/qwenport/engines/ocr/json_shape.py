"""Fields that were read as JSON of the types that a JSON Schema wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_TRUE = frozenset({"true", "yes", "是", "有", "√", "✓"})


def shaped(result: bytes, schema: bytes) -> str:
    """Return the fields of a `kv_result` as JSON; a number that is not printed is null, since none is invented."""
    values = msgspec.json.decode(result)["kv_result"]
    return msgspec.json.format(msgspec.json.encode(_typed(values, msgspec.json.decode(schema))), indent=4).decode()


def _typed(value: Any, schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, Mapping):
        properties = schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        return {name: _typed(each, known.get(name)) for name, each in value.items()}
    if isinstance(value, list):
        return [_typed(each, schema.get("items")) for each in value]
    kinds = schema.get("type")
    names = frozenset(kinds if isinstance(kinds, list) else [kinds])
    return _scalar(str(value), names)


def _scalar(text: str, kinds: frozenset[Any]) -> str | int | float | bool | None:
    if not text and "null" in kinds:
        return None
    if "string" in kinds or not kinds & {"number", "integer", "boolean"}:
        return text
    if "boolean" in kinds:
        return text.strip().lower() in _TRUE
    found = _NUMBER.search(text)
    if found is None:
        return None
    digits = found[0].replace(",", "")
    return int(float(digits)) if "integer" in kinds else float(digits)
