"""Reading tool calls out of the text of an answer while it comes, in pieces that may be cut anywhere.

A call is `{"name": …, "arguments": {…}}`. Its name is told as soon as it is whole, its arguments as they come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import msgspec
from msgspec import Raw, Struct

from qwenport.engines.llama.hermes import CLOSE, OPEN

_HEAD = re.compile(r'[\s,\[\]}]*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{)')
_LONGEST_HEAD = 1000
"""Characters before the arguments of a call; what is longer is no call."""
_decode_name = msgspec.json.Decoder(str).decode


class CallPiece(Struct, frozen=True, kw_only=True, gc=False):
    """A further piece of one call: a name, or some of its arguments."""

    index: int
    name: str = ""
    arguments: str = ""


class WholeCall(Struct, frozen=True, gc=False):
    """A call that is there at once."""

    name: str
    arguments: Raw = Raw(b"{}")


_decode_call = msgspec.json.Decoder(WholeCall).decode

Said = str | CallPiece
"""Text of the answer, or a piece of a call."""


class TextReader(Protocol):
    """Tells calls and text of one choice apart."""

    calls: int
    """How many calls were found so far."""

    def feed(self, text: str) -> Sequence[Said]:
        """Return what a further piece of text makes sure."""
        ...

    def finish(self) -> Sequence[Said]:
        """Return what was held back, now that nothing follows."""
        ...


class ObjectEnd:
    """Finds where a JSON object ends that comes in pieces; it must begin with the first of them."""

    def __init__(self) -> None:
        self._depth = 0
        self._is_in_text = False
        self._is_escaped = False

    def find(self, piece: str) -> int:
        """Return how much of the piece belongs to the object; -1 while the object goes on after all of it."""
        for position, character in enumerate(piece, start=1):
            if self._is_escaped:
                self._is_escaped = False
            elif self._is_in_text:
                self._is_escaped = character == "\\"
                self._is_in_text = character != '"'
            elif character == '"':
                self._is_in_text = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth == 0:
                    return position
        return -1


class ConstrainedReader:
    """Reads an answer that is held to one call or a list of calls; `begun` is what the prompt already said of it."""

    def __init__(self, begun: str = "") -> None:
        self.calls = 0
        self._pending = begun
        self._end: ObjectEnd | None = None

    def feed(self, text: str) -> Sequence[Said]:
        """Return the pieces of calls in a further piece of text."""
        said: list[Said] = []
        while text:
            if self._end is None:
                self._pending += text
                head = _HEAD.match(self._pending)
                if head is None:
                    break
                text, self._pending, self._end = self._pending[head.end() :], "", ObjectEnd()
                said.append(CallPiece(index=self.calls, name=_decode_name(head[1])))
                self.calls += 1
            size = self._end.find(text)
            arguments = text if size < 0 else text[:size]
            said.append(CallPiece(index=self.calls - 1, arguments=arguments))
            text = text[len(arguments) :]
            if size >= 0:
                self._end = None
        return said

    def finish(self) -> Sequence[Said]:
        """Return nothing: what was held back is no whole name."""
        return ()


class HermesReader:
    """Reads `<tool_call>` in free text; what is no call of a tool that was offered stays text.

    Text is held back only while it may be a tag. Once a call is named, its arguments are told as they come, be they
    valid or not.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.calls = 0
        self._names = names
        self._pending = ""
        self._end: ObjectEnd | None = None
        self._step: Callable[[], Sequence[Said] | None] = self._read_text

    def feed(self, text: str) -> Sequence[Said]:
        """Return what a further piece of text makes sure."""
        self._pending += text
        said: list[Said] = []
        while self._pending and (more := self._step()) is not None:
            said += more
        return said

    def finish(self) -> Sequence[Said]:
        """Return what was held back; a call whose closing tag is missing is a call."""
        rest, self._pending = self._pending, ""
        if self._step == self._read_head:
            return self._whole_call(rest) or (f"{OPEN}{rest}",)
        return (rest,) if rest and self._step == self._read_text else ()

    def _read_text(self) -> Sequence[Said] | None:
        before, tag, after = self._pending.partition(OPEN)
        if tag:
            self._pending, self._step = after, self._read_head
            return (before,) if before else ()
        held = _held_back(before)
        self._pending = before[len(before) - held :]
        return (before[: len(before) - held],) if len(before) > held else None

    def _read_head(self) -> Sequence[Said] | None:
        head = _HEAD.match(self._pending)
        if head is not None and (name := _decode_name(head[1])) in self._names:
            self._pending, self._end, self._step = self._pending[head.end() :], ObjectEnd(), self._read_arguments
            self.calls += 1
            return (CallPiece(index=self.calls - 1, name=name),)
        inside, tag, after = self._pending.partition(CLOSE)
        if not tag and len(inside) <= _LONGEST_HEAD and inside.lstrip()[:1] in {"", "{"}:
            return None
        self._pending, self._step = after, self._read_text
        if tag and (call := self._whole_call(inside)):
            self._step = self._read_gap
            return call
        return (f"{OPEN}{inside}{tag}",)

    def _read_arguments(self) -> Sequence[Said] | None:
        if self._end is None:
            raise RuntimeError("arguments are read only after the head of a call")
        size = self._end.find(self._pending)
        arguments = self._pending if size < 0 else self._pending[:size]
        self._pending = self._pending[len(arguments) :]
        if size >= 0:
            self._end, self._step = None, self._read_close
        return (CallPiece(index=self.calls - 1, arguments=arguments),)

    def _read_close(self) -> Sequence[Said] | None:
        _, tag, after = self._pending.partition(CLOSE)
        if not tag:
            return None
        self._pending, self._step = after, self._read_gap
        return ()

    def _read_gap(self) -> Sequence[Said] | None:
        """Leave out the white space behind a call."""
        self._pending = self._pending.lstrip()
        if not self._pending:
            return None
        self._step = self._read_text
        return ()

    def _whole_call(self, text: str) -> Sequence[Said]:
        """Return a call that is said in another order, nothing where it is none."""
        try:
            call = _decode_call(text)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return ()
        arguments = bytes(call.arguments)
        if call.name not in self._names or not arguments.startswith(b"{"):
            return ()
        self.calls += 1
        index = self.calls - 1
        return (CallPiece(index=index, name=call.name), CallPiece(index=index, arguments=arguments.decode()))


def _held_back(text: str) -> int:
    """Return how many characters at the end may be the beginning of a tag."""
    if "<" not in text[1 - len(OPEN) :]:
        return 0
    return next((size for size in range(min(len(OPEN) - 1, len(text)), 0, -1) if text.endswith(OPEN[:size])), 0)
