"""The frames of one streamed answer, each waited for no longer than the call may last.

A comment, by which some servers and proxies show that the connection lives, is no event and moves no deadline: who
sends nothing else hangs.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from qwenport.engines.connections import AnswerInvalid, AnswerTimedOut, CallFailed, HttpAnswer
from qwenport.engines.connections.frames import FrameSplitter, FrameTooLong
from qwenport.engines.upstream.deadline import Deadline

_LAST_WORD_S = 0.25
"""How long the end of the answer is waited for in all, after the stream said that it is done."""
_AFTERTHOUGHT_S = 1.0
"""How long a further frame is waited for, once all that an answer holds has come without that word."""


class Frames:
    """Reads the frames of an answer, which whoever opened it closes."""

    def __init__(self, response: HttpAnswer, deadline: Deadline) -> None:
        self._response = response
        self._deadline = deadline
        self._splitter = FrameSplitter()

    async def next(self, *, has_begun: bool) -> list[bytes]:
        """Return the next whole frames, at least one; none at the end. `has_begun` tells whether an event was made.

        Raises:
            EngineTimedOut, CallFailed: there are none.
        """
        moment = self._deadline.of_event(has_begun=has_begun)
        try:
            while part := await self._response.read(self._deadline.left_until(moment)):
                if frames := self._splitter.split(part):
                    return frames
        except FrameTooLong as error:
            raise AnswerInvalid(str(error)) from error
        return self._splitter.rest()

    async def next_soon(self) -> list[bytes]:
        """Return what follows an answer that is complete, at least one frame; none where nothing comes soon.

        Raises:
            CallFailed: it breaks off, which no server does that has said everything.
        """
        time = asyncio.get_running_loop().time
        end = time() + _AFTERTHOUGHT_S
        self._response.on_fault = None
        with suppress(AnswerTimedOut, FrameTooLong):
            while (left_s := end - time()) > 0:
                part = await self._response.read(left_s)
                frames = self._splitter.split(part) if part else self._splitter.rest()
                if frames or not part:
                    return frames
        self._response.close()
        return []

    async def read_out(self) -> None:
        """Read to the end, so that the connection can be kept; what follows the last word says nothing."""
        time = asyncio.get_running_loop().time
        end = time() + _LAST_WORD_S
        self._response.on_fault = None
        with suppress(CallFailed):
            while (left_s := end - time()) > 0:
                if not await self._response.read(left_s):
                    return
        self._response.close()
