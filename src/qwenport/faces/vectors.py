"""Vectors of texts, alike on both faces: collected from events, and written as JSON."""

from __future__ import annotations

import struct
from binascii import b2a_base64
from collections.abc import Iterator

from msgspec.json import Encoder

from qwenport.core.errors import ParameterInvalid
from qwenport.core.events import Embedded, Event, Finished
from qwenport.core.usage import Usage

_ENCODE = Encoder().encode
_FLOAT_BYTES = 4

Texts = str | list[str | int | list[int]]
"""What stands in the place of texts; token ids are known in order to be refused by name."""


class Vectors:
    """The vectors of one call and what they consumed."""

    def __init__(self) -> None:
        self._vectors: dict[int, bytes] = {}
        self.usage = Usage()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, Embedded):
            self._vectors[event.index] = event.vector
        elif isinstance(event, Finished):
            self.usage = event.usage

    def in_order(self) -> Iterator[tuple[int, bytes]]:
        """Return each text's place and its vector, in the order of the texts."""
        yield from sorted(self._vectors.items())


def read_texts(wire: Texts | None, parameter: str) -> tuple[str, ...]:
    """Return the texts as they are; how many a model takes is the gate's to check.

    Raises:
        ParameterInvalid: there are none, or token ids in their place.
    """
    if wire is None:
        raise ParameterInvalid(f"'{parameter}' is a required property", parameter=parameter)
    if isinstance(wire, str):
        return (wire,)
    if not wire:
        raise ParameterInvalid(f"[] is too short - '{parameter}'", parameter=parameter)
    texts = tuple(text for text in wire if isinstance(text, str))
    if len(texts) < len(wire):
        # Clients that cut texts by OpenAI's vocabulary send these; its ids mean nothing to any model here.
        raise ParameterInvalid(
            "<400> InternalError.Algo.InvalidParameter: Value error, contents is neither str nor list of str.: "
            f"input.contents (token ids are not served, send '{parameter}' as text)",
            parameter=parameter,
        )
    return texts


def encode_numbers(vector: bytes) -> bytes:
    """Return 32-bit little-endian floats as a JSON array of numbers."""
    return _ENCODE(struct.unpack(f"<{len(vector) // _FLOAT_BYTES}f", vector))


def encode_base64(vector: bytes) -> bytes:
    """Return the bytes themselves as a JSON string in base64."""
    return b'"%b"' % b2a_base64(vector, newline=False)
