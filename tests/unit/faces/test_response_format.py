from __future__ import annotations

import pytest
from msgspec.json import decode

from qwenport.core.call import AnyJson, JsonSchema
from qwenport.core.errors import BodyNotJson, ParameterInvalid
from qwenport.faces.response_format import WireResponseFormat, read_response_format


def read(body: bytes) -> AnyJson | JsonSchema | None:
    return read_response_format(decode(body, type=WireResponseFormat | None))


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def with_schema(schema: bytes) -> bytes:
    return b'{"type":"json_schema","json_schema":{"name":"row","schema":%b}}' % schema


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"null", None),
        (b'{"type":"text"}', None),
        (b'{"type":"json_object"}', AnyJson()),
        (
            b'{"type":"json_schema","json_schema":{"name":"row","strict":true,"schema":{"type": "object"}}}',
            JsonSchema(name="row", schema=b'{"type": "object"}', strict=True),
        ),
        (b'{"type":"json_schema","json_schema":{"schema":{}}}', JsonSchema(name="schema", schema=b"{}")),
        (with_schema(nested(64)), JsonSchema(name="row", schema=nested(64))),
    ],
)
def test_the_shape_of_the_answer_is_read(body: bytes, expected: AnyJson | JsonSchema | None) -> None:
    assert read(body) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "'type' is a required property - 'response_format'"),
        (
            b'{"type":"xml"}',
            (
                "Unknown format of response_format, response_format should be a dict, includes 'type' and an optional "
                "key 'json_schema'. The response_format type from user is xml."
            ),
        ),
        (b'{"type":"json_schema"}', "'json_schema' is a required property - 'response_format'"),
        (
            b'{"type":"json_schema","json_schema":{}}',
            "'schema' is a required property - 'response_format.json_schema'",
        ),
        (with_schema(b"[]"), "'response_format.json_schema.schema' must be Object"),
        (with_schema(b"null"), "'response_format.json_schema.schema' must be Object"),
        (with_schema(nested(65)), "The schema of response_format may be nested at most 64 deep."),
        (
            with_schema(b'{"a":' + b"[" * 64 + b"]" * 64 + b"}"),
            "The schema of response_format may be nested at most 64 deep.",
        ),
        (with_schema(b'{"a":"' + b"x" * 65_536 + b'"}'), "The schema of response_format may hold at most 65536 bytes."),
    ],
)
def test_a_format_that_cannot_be_kept_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(body)

    assert (caught.value.parameter, caught.value.message) == ("response_format", message)


@pytest.mark.parametrize("value", [b'"\xff"', b"1e999", b"9" * 5000])
def test_a_schema_with_a_value_that_cannot_be_read_is_no_json(value: bytes) -> None:
    with pytest.raises(BodyNotJson):
        read(with_schema(b'{"const":%b}' % value))
