"""What a long transfer tells whoever waits for it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Shows one phase after another; what it raises (such as `KeyboardInterrupt`) stops the transfer cleanly."""

    def begin(self, label: str, total_bytes: int | None) -> None:
        """Start a phase; None where its length is not known beforehand."""
        ...

    def advance(self, count_bytes: int) -> None:
        """Add so many bytes to the phase."""
        ...

    def say(self, text: str) -> None:
        """Show one line of words."""
        ...

    def end(self) -> None:
        """End the phase, whether it was completed or not."""
        ...
