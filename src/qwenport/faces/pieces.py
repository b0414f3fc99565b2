"""How many pieces a conversation may be in, alike on all faces: while one is read, no other call goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qwenport.core.errors import ParameterInvalid

MOST_PIECES = 10_000
"""Messages, parts within them and calls of tools together: a thirtieth of a second's work; the longest context that a
model has holds a hundred tokens for each."""


def check_pieces(said: Sequence[object], parameter: str) -> None:
    """Refuse a conversation in too many pieces before any of them is looked at.

    Raises:
        ParameterInvalid: naming the parameter that holds the conversation.
    """
    count = 0
    while said:
        count += len(said)
        if count > MOST_PIECES:
            words = f"'{parameter}' may hold at most {MOST_PIECES} messages, parts of messages and tool calls together"
            raise ParameterInvalid(words, parameter=parameter)
        said = [piece for each in said for piece in _within(each)]


def _within(piece: object) -> Iterator[object]:
    for name in ("content", "tool_calls"):
        pieces = getattr(piece, name, None)
        if isinstance(pieces, list):
            yield from pieces
