"""Which schemas an engine is spared, and which bodies it gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qwenport.core.errors import ParameterInvalid
from qwenport.engines.llama.schema_bounds import check_schema


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


GOOD = {
    "lists": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 1_000_000_000},
    "as deep as may be": nested(31),
    "a pattern": {"type": "string", "pattern": "^a+$"},
    "a property named pattern": {"type": "object", "properties": {"pattern": {"type": "string"}}},
    "as many values as may be": {"enum": [f"value{number}" for number in range(200)]},
    "recursion": {"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"},
}

BAD: dict[str, tuple[Any, str]] = {
    "too deep": (nested(32), "it is nested more than 32 levels deep"),
    "too many values in one place": (
        {"enum": list(range(201))},
        "it has more than 200 values or properties in one place",
    ),
    "too many properties": (
        {"properties": {f"p{number}": {} for number in range(201)}},
        "it has more than 200 values or properties in one place",
    ),
    "too many values": ({"anyOf": [{"enum": list(range(150))}] * 10}, "it has more than 1000 values"),
    "a list": ([1], "it must be an object"),
    "a truth": (True, "it must be an object"),
    "open at the front": ({"pattern": "a$"}, "a `pattern` must begin with `^` and end with `$`"),
    "open at the end": ({"pattern": "^a"}, "a `pattern` must begin with `^` and end with `$`"),
    "looking ahead": ({"pattern": "^(?=a)b$"}, "a `pattern` must not hold `(?`"),
    "a long pattern": ({"pattern": f"^{'a' * 200}$"}, "a `pattern` has more than 200 characters"),
}


@pytest.mark.parametrize("schema", GOOD.values(), ids=GOOD)
def test_a_schema_within_the_bounds_passes(schema: dict[str, Any]) -> None:
    check_schema(json.dumps(schema).encode())


@pytest.mark.parametrize(("schema", "reason"), BAD.values(), ids=BAD)
def test_a_schema_beyond_the_bounds_is_refused_by_name(schema: object, reason: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        check_schema(json.dumps(schema).encode())

    assert (caught.value.message, caught.value.parameter) == (
        f"The schema of response_format is invalid: {reason}.",
        "response_format",
    )


@pytest.mark.parametrize("schema", [b"{", b"\xff", b'{"items":' * 100_000], ids=["cut", "no text", "bottomless"])
def test_what_is_no_schema_at_all_is_refused(schema: bytes) -> None:
    with pytest.raises(ParameterInvalid, match="it is no JSON, or is nested too deeply"):
        check_schema(schema)
