"""What the gateway tells a tracer: a request and its end, a try at a target and what came of it.

Nothing here needs OpenTelemetry, which is imported only where traces are switched on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.observability.log import RequestLine


class TracesInvalid(ValueError):
    """Traces cannot be sent as the configuration asks; the message says what to do."""


class TracedTarget(Struct, frozen=True, kw_only=True):
    """What a try at one target says about where it goes."""

    target: str
    """`engine/model` or `upstream/model`."""
    provider: str
    """Value of `gen_ai.provider.name`."""
    address: str = ""
    """Host that is called; empty for an engine of the house."""
    port: int = 0

    @property
    def model(self) -> str:
        """Return the model's name at the target."""
        return self.target.partition("/")[2]


class RequestTrace(Protocol):
    """One request while it is answered."""

    def end(self) -> None:
        """Take what its log line says, and let the span go."""
        ...


class TryTrace(Protocol):
    """One try at a target while it lasts."""

    headers: tuple[tuple[str, str], ...]
    """What the target is shown: `traceparent`, and `tracestate` where there is one."""
    is_recorded: bool
    """Whether anybody will see it; the other methods are for one that is."""

    def observe(self, event: Event) -> None:
        """Note what an event tells."""
        ...

    def end(self, error: BaseException | None) -> None:
        """Note how it ended, and let the span go."""
        ...


class Traces(Protocol):
    """Makes the spans of one worker."""

    def begin_request(self, line: RequestLine, headers: Iterable[tuple[bytes, bytes]]) -> RequestTrace:
        """Begin the span of a request, as a part of its caller's trace where its headers name one."""
        ...

    def begin_try(self, prepared: PreparedCall, to: TracedTarget) -> TryTrace | None:
        """Begin the span of a try; None for a call that came with no request."""
        ...

    async def close(self) -> None:
        """Send what is left, within a bounded time."""
        ...
