"""`response_format`, alike on both faces: the shape that an answer is constrained to."""

from __future__ import annotations

from msgspec import Raw, Struct

from qwenport.core.call import AnyJson, JsonSchema
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.json_schema import check_schema
from qwenport.faces.shown import shown

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
    raise _refusal(
        "Unknown format of response_format, response_format should be a dict, includes 'type' and an optional key "
        f"'json_schema'. The response_format type from user is {shown(wire.type)}."
    )


def _read_schema(wire: WireJsonSchema | None) -> JsonSchema:
    if wire is None:
        raise _refusal("'json_schema' is a required property - 'response_format'")
    schema = bytes(wire.schema)
    if not schema:
        raise _refusal("'schema' is a required property - 'response_format.json_schema'")
    check_schema(schema, parameter="response_format", path="response_format.json_schema.schema")
    return JsonSchema(name=wire.name or _UNNAMED, schema=schema, strict=bool(wire.strict))


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="response_format")
