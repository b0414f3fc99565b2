"""Is the client still there? Cancels the answering task when it is not.

An ASGI server tells of a departure only to those who wait in `receive`, so a task waits there while a call runs.
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Self

from qwenport.core.errors import EngineTimedOut, QwenportError
from qwenport.server.asgi import Receive
from qwenport.server.response import Response

log = logging.getLogger(__name__)


class ClientWatch:
    """A block that is left early when the client leaves, or when the server breaks the exchange off, late ones too.

    Either arrives in the block as one cancellation, which ends here; afterwards `gone` or `aborted` tells.
    """

    def __init__(self, receive: Receive, response: Response, *, call_s: float) -> None:
        self._receive = receive
        self._call_s = call_s
        self._deadline: asyncio.TimerHandle | None = None
        self._response = response
        self._owner: asyncio.Task[object] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._has_cancelled = False
        self.gone = False
        """Whether the client left, or took no bytes for so long that it was given up."""
        self.aborted: QwenportError | None = None
        """The error by which the server broke the exchange off."""

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._call_s, self._time_out)
        self._listener = loop.create_task(self._listen())
        self._listener.add_done_callback(self._heard)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        owner, self._owner = self._owner, None
        # The listener's cancellation holds its frames, and these hold this watch: with the listener in it, every call
        # would leave a circle behind, which only the garbage collector could take away.
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.cancel()
        if self._deadline is not None:
            self._deadline.cancel()
        if not self._has_cancelled or owner is None:
            return False
        # Our own cancellation ends here; where somebody else cancelled as well, theirs goes on.
        return owner.uncancel() == 0 and kind is asyncio.CancelledError

    def abort(self, error: QwenportError) -> None:
        """Break the exchange off; whoever answers says `error` to the client."""
        if self._may_end():
            self.aborted = error
            self._cancel(error)

    def give_up(self) -> None:
        """Leave a client that takes no bytes, even when only the last are still to go."""
        if self._owner is not None and not self._has_cancelled:
            self.gone = True
            self._cancel()

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        # At once, not by a callback: the answering task may be the next to run, and with nothing more to wait for.
        self._depart()

    def _heard(self, listener: asyncio.Task[None]) -> None:
        """Take a server that cannot tell for a departure."""
        if not listener.cancelled() and (error := listener.exception()) is not None:
            log.error("the server cannot tell whether the client is there; it counts as gone", exc_info=error)
            self._depart()

    def _depart(self) -> None:
        """Take a disconnect for a departure, unless the response is complete: a server says it then as well."""
        if self._may_end():
            self.gone = True
            self._cancel()

    def _time_out(self) -> None:
        self.abort(EngineTimedOut())

    def _may_end(self) -> bool:
        return self._owner is not None and not self._has_cancelled and not self._response.closing

    def _cancel(self, cause: QwenportError | None = None) -> None:
        """Cancel the answering task; with the cause, by which the books tell a break-off from a departure."""
        if self._owner is not None:
            self._has_cancelled = True
            self._owner.cancel(cause)
