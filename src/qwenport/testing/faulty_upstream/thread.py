"""The faulty upstream in a thread with a loop of its own, for tests whose own loop is busy or is none."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

import uvloop

from qwenport.testing.faulty_upstream.server import FaultyUpstream


class FaultyUpstreamThread:
    """Listens while the block lasts; `port` tells where, `upstream` is what may be looked at and switched."""

    def __init__(self, upstream: FaultyUpstream, *, port: int = 0) -> None:
        """Listen nowhere yet; port 0 takes a free one."""
        self.upstream = upstream
        self.port = port
        self._listening = threading.Event()
        self._loop = uvloop.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="faulty-upstream")

    @property
    def url(self) -> str:
        """Base URL of the OpenAI-compatible face."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        async def listen() -> None:
            async with self.upstream.listening(port=self.port) as self.port:
                self._listening.set()
                await self._end.wait()

        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(listen())
        finally:
            # A port that is taken must not let the test wait for ever.
            self._listening.set()
