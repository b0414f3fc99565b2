"""Reasoning that a server without a parser leaves in the text: what stands between `<think>` and `</think>`."""

from __future__ import annotations

_OPEN = "<think>"
_CLOSE = "</think>"


class ThinkTags:
    """Tells reasoning and text of one choice apart; reasoning is only what the answer begins with."""

    def __init__(self) -> None:
        self._pending = ""
        self._is_thinking = False
        self._is_leading = True
        """Whether white space is still left out before what comes."""
        self.is_done = False
        """Whether all that follows is text."""

    def feed(self, text: str) -> tuple[str, str]:
        """Return the reasoning and the text that a further piece makes sure."""
        self._pending += text
        if self._is_thinking:
            return self._read_reasoning()
        begun = self._pending.lstrip()
        if begun.startswith(_OPEN):
            self._is_thinking = True
            self._pending = begun[len(_OPEN) :]
            return self._read_reasoning()
        if _OPEN.startswith(begun):
            return "", ""
        self.is_done = True
        return "", self._take()

    def finish(self) -> tuple[str, str]:
        """Return what was held back, now that nothing follows."""
        rest = self._take()
        return (rest, "") if self._is_thinking else ("", rest)

    def _read_reasoning(self) -> tuple[str, str]:
        before, tag, after = self._pending.partition(_CLOSE)
        if self._is_leading:
            before = before.lstrip()
            self._is_leading = not before
        if not tag:
            held = next((size for size in range(len(_CLOSE) - 1, 0, -1) if before.endswith(_CLOSE[:size])), 0)
            self._pending = before[len(before) - held :]
            return before[: len(before) - held], ""
        self._pending = after.lstrip()
        if self._pending:
            self.is_done, self._is_thinking = True, False
            return before.rstrip(), self._take()
        # White space before the answer may go on in the next piece, which then is text by itself.
        self._is_thinking = False
        return before.rstrip(), ""

    def _take(self) -> str:
        taken, self._pending = self._pending, ""
        return taken
