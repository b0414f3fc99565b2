"""Messages over a pipe: each behind its length in four bytes, big-endian."""

from __future__ import annotations

from typing import BinaryIO

LENGTH_BYTES = 4
MOST_BYTES = 512 << 20
"""Of one message; a longer one is a broken stream."""


def framed(message: bytes) -> bytes:
    """Return a message as it goes over a pipe."""
    return len(message).to_bytes(LENGTH_BYTES, "big") + message


def length_of(head: bytes) -> int:
    """Return how long the message behind these four bytes is.

    Raises:
        ValueError: no message is as long.
    """
    length = int.from_bytes(head, "big")
    if length > MOST_BYTES:
        raise ValueError(f"a message of {length} bytes is announced, and {MOST_BYTES} are possible")
    return length


def read_frame(pipe: BinaryIO) -> bytes | None:
    """Return the next message, None where the other end has closed; blocks."""
    head = pipe.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = length_of(head)
    message = pipe.read(length)
    return message if len(message) == length else None
