"""Where one content block of an answer ends and the next begins."""

from __future__ import annotations

from typing import Final

from qwenport.core.errors import EngineFailed

TEXT: Final = -1
THINKING: Final = -2


class BlockOrder:
    """Follows an answer through its blocks: thinking, text, and one for each tool call, numbered as they come.

    What a block holds is `TEXT`, `THINKING`, or the index of a tool call.
    """

    __slots__ = ("_ended_calls", "open", "position")

    def __init__(self) -> None:
        self.open: int | None = None
        """What the open block holds; None while none is open."""
        self.position = -1
        """Number of the latest block; -1 before the first."""
        self._ended_calls: set[int] = set()

    def begins(self, holding: int, piece: str) -> bool:
        """Tell whether a piece begins a block: an empty piece of text does not, a call without arguments does."""
        return self.open != holding and (holding >= 0 or bool(piece))

    def turn_to(self, holding: int) -> None:
        """End the open block and begin the next.

        Raises:
            EngineFailed: the engine goes on with a tool call after it had begun something else; a block that has ended
            cannot be added to.
        """
        self.end()
        if holding in self._ended_calls:
            raise EngineFailed(f"the engine went back to tool call {holding} after it had begun something else")
        self.open = holding
        self.position += 1

    def end(self) -> None:
        """End the open block, if there is one."""
        if self.open is not None and self.open >= 0:
            self._ended_calls.add(self.open)
        self.open = None
