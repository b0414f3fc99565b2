"""Placeholders in JSON become what they stand for: in one object, and in the pieces of a native service's stream.

Of a text that is spread over pieces nobody says whether each piece goes on with it or tells all of it anew. One that
tells it anew begins with what was said before, which goes on as no placeholder does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.events import Relayed
from qwenport.core.json_texts import JsonText, Path, json_texts
from qwenport.engines.masking.json_names import rename
from qwenport.engines.masking.memory import Memory

_DECODE = Decoder(dict[str, Any]).decode
_ENCODE = msgspec.json.Encoder().encode


def restored_json(content: bytes, memory: Memory) -> bytes:
    """Return a JSON object with everything put back; the very bytes where there is nothing to put back."""
    value = _decoded(content)
    if value is None:
        return content
    is_changed = rename(value, memory.unmask)
    for each in json_texts(value):
        text = memory.unmask(each.text)
        if text != each.text:
            each.say(text)
            is_changed = True
    return _ENCODE(value) if is_changed else content


class _Piece:
    """A piece on its way, and whether it has become another."""

    def __init__(self, event: Relayed, value: dict[str, Any]) -> None:
        self._event = event
        self.value = value
        self.is_changed = False

    def event(self) -> Relayed:
        """Return it as it is now."""
        return replace(self._event, piece=_ENCODE(self.value)) if self.is_changed else self._event


class _OpenEnd(Struct, eq=False):
    """The end of a text that may be the beginning of a placeholder."""

    piece: _Piece
    string: JsonText
    before: str
    """The text up to there, restored."""
    end: str
    """What may be one."""

    def say(self, end: str) -> None:
        """Say something else at the end."""
        self.string.say(self.before + end)
        self.piece.is_changed = True


class RestoredPieces:
    """Takes in pieces and gives out those that the caller sees, in their order.

    One that ends with what may be the beginning of a placeholder waits for what follows; a placeholder that goes over
    several pieces is put back in the first.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._waiting: list[_Piece] = []
        self._open: dict[Path, _OpenEnd] = {}

    def add(self, event: Relayed) -> Iterator[Relayed]:
        """Yield what can be said now."""
        value = _decoded(event.piece)
        piece = _Piece(event, {} if value is None else value)
        piece.is_changed = rename(piece.value, self._memory.unmask)
        before, self._open = self._open, {}
        for string in json_texts(piece.value):
            self._restore(piece, string, before.pop(string.path, None))
        # A piece without the text says nothing about it.
        self._open |= before
        self._waiting.append(piece)
        yield from self._decided()

    def end(self) -> Iterator[Relayed]:
        """Yield what waits still: nothing more comes."""
        self._open.clear()
        yield from self._decided()

    def _decided(self) -> Iterator[Relayed]:
        undecided = {id(each.piece) for each in self._open.values()}
        while self._waiting and id(self._waiting[0]) not in undecided:
            yield self._waiting.pop(0).event()

    def _restore(self, piece: _Piece, string: JsonText, before: _OpenEnd | None) -> None:
        """Put back what a text holds, after the end of the one before is decided by it."""
        text = string.text if before is None else self._rest(string, before)
        end = self._memory.open_end(text)
        said = self._memory.unmask(text[:end])
        if said + text[end:] != string.text:
            string.say(said + text[end:])
            piece.is_changed = True
        if end < len(text):
            self._open[string.path] = _OpenEnd(piece, string, said, text[end:])

    def _rest(self, string: JsonText, before: _OpenEnd) -> str:
        """Decide an open end by the text that follows in its place; return what is left of that."""
        both = before.end + string.text
        found = self._memory.first(both)
        if found is not None:
            value, rest = found
            before.say(value)
            return rest
        if self._memory.open_end(both) == 0:
            before.say(both)
            before.end = both
            self._open[string.path] = before
            return ""
        return string.text


def _decoded(content: bytes) -> dict[str, Any] | None:
    try:
        return _DECODE(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
