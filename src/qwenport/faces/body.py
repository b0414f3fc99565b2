"""JSON bodies: reading one into a typed struct, with every fault in the caller's words."""

from __future__ import annotations

import re
from typing import TypeVar

from msgspec import DecodeError, Raw, ValidationError
from msgspec.json import Decoder

from qwenport.core.errors import BodyNotJson, ParameterInvalid, Refused
from qwenport.faces.face import Headers

JSON_HEADERS: Headers = ((b"content-type", b"application/json"),)

_Body = TypeVar("_Body")

_FAULT = re.compile(r"(?P<what>.*) - at `\$\.(?P<path>[^`]*)`", re.DOTALL)
_EXPECTED = re.compile(r"Expected `(?P<kinds>[^`]*)`")
_ENVELOPE = re.compile(r"^(?:input|parameters)\.")
_KINDS = {
    "int": "Integer",
    "float": "Float",
    "bool": "Boolean",
    "str": "String",
    "array": "Array",
    "object": "Object",
}


def read_body(decoder: Decoder[_Body], body: bytes) -> _Body:
    """Return the body as the decoder's type.

    Raises:
        BodyNotJson: not JSON, not an object, not UTF-8, or nested too deeply.
        ParameterInvalid: a field of a wrong type.
    """
    try:
        # The decoder steps over unknown fields without looking at their encoding.
        body.decode()
        return decoder.decode(body)
    except ValidationError as exc:
        raise _wrong_type(str(exc)) from exc
    except (DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BodyNotJson from exc


def given(value: Raw) -> bytes:
    """Return the JSON of a member that the decoder only stepped over; nothing where it is absent or null."""
    written = bytes(value)
    return b"" if written == b"null" else written


def _wrong_type(fault: str) -> Refused:
    """Turn msgspec's "Expected `int | null`, got `str` - at `$.seed`" into the service's "'seed' must be Integer"."""
    match = _FAULT.fullmatch(fault)
    if match is None:
        return BodyNotJson()
    path = _ENVELOPE.sub("", match["path"])
    parameter = re.split(r"[.\[]", path)[0]
    if path == "input":
        return ParameterInvalid("The input parameter requires json format.", parameter=parameter)
    if path.endswith(".content"):
        return ParameterInvalid("input content must be a string.", parameter=parameter)
    expected = _EXPECTED.match(match["what"])
    if expected is None:
        return ParameterInvalid(f"'{path}' is out of range", parameter=parameter)
    kinds = [_KINDS[kind] for kind in expected["kinds"].split(" | ") if kind in _KINDS]
    return ParameterInvalid(f"'{path}' must be {' or '.join(kinds)}", parameter=parameter)
