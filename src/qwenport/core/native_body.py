"""The body of a request to a native service that the gateway hands on: a model, an input and parameters."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct
from msgspec.json import Decoder

_MEMBERS = Decoder(dict[str, Raw])


class NativeBody(Struct, frozen=True, kw_only=True):
    """What is read of such a body."""

    input: object = None
    parameters: object = None


_BODY = Decoder(NativeBody)


def read_native(body: bytes) -> NativeBody:
    """Return what a body asks; nothing where it is no such object."""
    try:
        return _BODY.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return NativeBody()


def with_member(body: bytes, name: str, value: str) -> bytes:
    """Return a JSON object with one member set, all others left as they were written.

    Raises:
        MsgspecError: it is no object.
    """
    return msgspec.json.encode(_MEMBERS.decode(body) | {name: Raw(msgspec.json.encode(value))})
