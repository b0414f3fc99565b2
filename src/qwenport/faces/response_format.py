"""`response_format`, alike on both faces: the shape that an answer is constrained to."""

from __future__ import annotations

from msgspec import DecodeError, Raw, Struct
from msgspec.json import decode

from qwenport.core.call import AnyJson, JsonSchema
from qwenport.core.errors import BodyNotJson, ParameterInvalid

_LARGEST_SCHEMA_BYTES = 64 * 1024
_DEEPEST_SCHEMA = 64
_SHOWN_CHARACTERS = 64
_UNNAMED = "schema"


class WireJsonSchema(Struct, frozen=True, kw_only=True):
    """What `json_schema` holds."""

    name: str | None = None
    schema: Raw = Raw()
    strict: bool | None = None


class WireResponseFormat(Struct, frozen=True, kw_only=True):
    """What `response_format` holds."""

    type: str | None = None
    json_schema: WireJsonSchema | None = None


def read_response_format(wire: WireResponseFormat | None) -> AnyJson | JsonSchema | None:
    """Return the shape of the answer, None for free text.

    Raises:
        ParameterInvalid: an unknown type, or a schema that is missing, no object, too large or too deep.
    """
    if wire is None or wire.type == "text":
        return None
    if wire.type == "json_object":
        return AnyJson()
    if wire.type == "json_schema":
        return _read_schema(wire.json_schema)
    if wire.type is None:
        raise _refusal("'type' is a required property - 'response_format'")
    shown = wire.type[:_SHOWN_CHARACTERS]
    raise _refusal(f"'{shown}' is not one of ['text', 'json_object', 'json_schema'] - 'response_format.type'")


def _read_schema(wire: WireJsonSchema | None) -> JsonSchema:
    if wire is None:
        raise _refusal("'json_schema' is a required property - 'response_format'")
    schema = bytes(wire.schema)
    if not schema:
        raise _refusal("'schema' is a required property - 'response_format.json_schema'")
    if len(schema) > _LARGEST_SCHEMA_BYTES:
        raise _refusal(f"The schema of response_format may hold at most {_LARGEST_SCHEMA_BYTES} bytes.")
    _check_schema(schema)
    return JsonSchema(name=wire.name or _UNNAMED, schema=schema, strict=bool(wire.strict))


def _check_schema(schema: bytes) -> None:
    """Look inside: until here the decoder only stepped over the schema."""
    try:
        value = decode(schema)
    except (DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BodyNotJson from exc
    if not isinstance(value, dict):
        raise _refusal("'response_format.json_schema.schema' must be Object")
    if _is_deeper_than(value, _DEEPEST_SCHEMA):
        raise _refusal(f"The schema of response_format may be nested at most {_DEEPEST_SCHEMA} deep.")


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


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="response_format")
