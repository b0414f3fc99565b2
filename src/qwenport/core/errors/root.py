"""The root of the tree and its two great branches."""

from __future__ import annotations

from typing import ClassVar


class QwenportError(Exception):
    """Root of the tree; `str(error)` is safe to show to the caller."""

    code: ClassVar[str] = "error"
    words: ClassVar[str] = ""
    """What is said where the place that raises it says nothing of its own."""
    message: str

    def __init__(self, message: str | None = None, *, retry_after_s: int | None = None) -> None:
        """Keep the words for the caller and, where known, how long to wait."""
        self.message = self.words if message is None else message
        super().__init__(self.message)
        self.retry_after_s = retry_after_s
        self.told_s: int | None = None
        """How long whoever was asked said to wait, in its own words: for another try, not for the caller."""


class Refused(QwenportError):
    """The caller asked for something that cannot be done; nothing ran."""

    code = "refused"


class Failed(QwenportError):
    """The gateway or an engine could not do what was rightly asked."""

    code = "failed"
