"""Maintenance: the faces answer 503, the operator's routes go on.

The key is looked at first, as ever: a stranger learns nothing of the house, and a holder of a key reads in its own
protocol why nothing is answered. The request's body is not read. Calls under way finish.
"""

from __future__ import annotations

from dataclasses import dataclass

from qwenport.core.errors import UnderMaintenance


@dataclass(slots=True)
class Maintenance:
    """The state of the house as this worker knows it; whoever follows the database's changes sets it."""

    is_on: bool = False
    words: str = ""
    """What the operator tells the callers; empty for nothing beyond that it is maintenance."""

    def check(self) -> None:
        """Raise `UnderMaintenance` while it is on."""
        if self.is_on:
            raise UnderMaintenance(self.words)
