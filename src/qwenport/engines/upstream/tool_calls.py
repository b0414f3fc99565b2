"""Pieces of tool calls as servers send them, made whole.

Positions may be missing or -1, ids missing, empty or said again, names said again, arguments no text. Seen in
https://github.com/BerriAI/litellm/issues/11407 and
https://github.com/BerriAI/litellm/issues/15884;
Model Studio sends an id of "" with every further piece.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from qwenport.core.events import ToolCallDelta
from qwenport.core.printable import printable
from qwenport.engines.upstream.wire import WireFunction, WireToolCall

_LONGEST_ID = 128


class _Call:
    __slots__ = ("held", "id", "index", "name")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.held = ""
        """Arguments that came before the name."""


class ToolCalls:
    """The tool calls of one choice."""

    def __init__(self, new_id: Callable[[], str], *, once: bool) -> None:
        """Make ids where the upstream gives none; `once` leaves out calls after the first."""
        self._new_id = new_id
        self._once = once
        self._calls: list[_Call] = []
        self._at: dict[int, _Call] = {}
        """By the position that the upstream says."""

    @property
    def nameless(self) -> bool:
        """Tell whether a call has got no name."""
        return any(not call.name for call in self._calls)

    def __bool__(self) -> bool:
        """Tell whether anything was called."""
        return bool(self._calls)

    def add(self, piece: WireToolCall, choice: int) -> ToolCallDelta | None:
        """Return what a further piece adds, without its tokens; None where it adds nothing that can be told yet."""
        function = piece.function or WireFunction()
        call = self._find(piece, function.name or "")
        arguments = _text(function.arguments)
        if self._once and call.index > 0:
            return None
        if piece.id and not call.id:
            call.id = piece.id
        if call.name:
            return ToolCallDelta(index=call.index, arguments=arguments, choice=choice) if arguments else None
        call.held += arguments
        if not function.name:
            return None
        call.name = function.name
        arguments, call.held = call.held, ""
        return ToolCallDelta(
            index=call.index, id=self._shown_id(call), name=call.name, arguments=arguments, choice=choice
        )

    def _find(self, piece: WireToolCall, name: str) -> _Call:
        if piece.index is not None and piece.index >= 0:
            call = self._at.get(piece.index)
            # Some servers count every call of an answer as the first.
            if call is not None and not (piece.id and call.id and piece.id != call.id and name):
                return call
            call = self._at[piece.index] = self._new()
            return call
        if piece.id:
            known = next((call for call in self._calls if call.id == piece.id), None)
            last = self._calls[-1] if self._calls else None
            return known or (last if last is not None and not last.id and last.name == name else self._new())
        last = self._calls[-1] if self._calls else None
        return last if last is not None and (not name or not last.name or name == last.name) else self._new()

    def _new(self) -> _Call:
        call = _Call(len(self._calls))
        self._calls.append(call)
        return call

    def _shown_id(self, call: _Call) -> str:
        said = call.id
        is_taken = any(other.id == said for other in self._calls if other is not call)
        if said and not is_taken and len(said) <= _LONGEST_ID and printable(said) == said:
            return said
        return self._new_id()


def _text(arguments: object) -> str:
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()
