"""The stream of one answer: frames to chunks, and what can go wrong on the way."""

from __future__ import annotations

import msgspec

from qwenport.core.errors import EngineFailed
from qwenport.engines.connections import CallFailed, HttpAnswer
from qwenport.engines.host_connections import failed_midway
from qwenport.engines.llama.wire import Chunk, decode_chunk

_MARK = b"data:"
_LAST_FRAME = b"data: [DONE]"


class ChunkStream:
    """Reads the chunks of one answer, which whoever opened it closes."""

    def __init__(self, answer: HttpAnswer, target: str) -> None:
        self._answer = answer
        self._target = target

    async def read(self, limit_s: float) -> list[bytes]:
        """Return the next frames, at least one; none at the end of the stream.

        Raises:
            EngineTimedOut: nothing came for `limit_s` seconds.
            EngineFailed: the connection broke, or a frame has no end.
        """
        try:
            while received := await self._answer.frames(limit_s):
                if frames := [frame for frame in received if frame.startswith(_MARK) and frame != _LAST_FRAME]:
                    return frames
        except CallFailed as error:
            raise failed_midway(error, self._target) from error
        return []

    def decode(self, frame: bytes) -> Chunk:
        """Return what a frame says; apart from `read`, so that frames before a bad one still count.

        Raises:
            EngineFailed: it is no chunk.
        """
        try:
            return decode_chunk(frame[5:])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise EngineFailed(f"the engine of `{self._target}` sent what is no chunk") from error
