"""What routing and the admission of a call know of one another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from qwenport.core.events import Event


class Observer(Protocol):
    """Who hears what a call consumes while it is tried."""

    def routed(self) -> None:
        """Note that an engine has taken the call; said again by a further try."""
        ...

    def observe(self, event: Event) -> None:
        """Count what an event adds."""
        ...

    def restart(self) -> None:
        """Forget what was observed: the engine failed before the client saw anything, and another try begins."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer after which nothing is tried again."""

    begun: Sequence[Event]
    """Events that were observed already: the first one of a call that streams, all of one that does not."""
    rest: AsyncIterator[Event]
    """The events that follow, each to be observed as it comes; closed when the route is left."""
