"""The stream of one answer: bytes to chunks, and what can go wrong on the way."""

from __future__ import annotations

import msgspec
from aiohttp import ClientError, ClientResponse

from qwenport.core.errors import EngineFailed, EngineTimedOut
from qwenport.engines.llama.silence import Silence
from qwenport.engines.llama.wire import Chunk, decode_chunk

_LONGEST_FRAME_BYTES = 1 << 20
"""A frame holds a token and its timings, some 600 bytes; what comes near this is no answer."""
_MARK = b"data:"
_LAST_FRAME = b"data: [DONE]"


class ChunkStream:
    """Reads the chunks of one response; closing it closes the connection, which stops the host's work."""

    def __init__(self, response: ClientResponse, target: str) -> None:
        self._response = response
        self._target = target
        self._pending = b""
        self._silence = Silence(on_end=response.close)

    async def read(self, limit_s: float) -> list[bytes]:
        """Return the next frames, at least one; none at the end of the stream.

        Raises:
            EngineTimedOut: nothing came for `limit_s` seconds.
            EngineFailed: the connection broke, or a frame has no end.
        """
        self._silence.begin(limit_s)
        try:
            while received := await self._response.content.readany():
                if frames := self._frames_of(received):
                    return frames
        except (ClientError, OSError) as error:
            if self._silence.has_ended:
                raise EngineTimedOut from error
            raise EngineFailed(f"the engine of `{self._target}` broke off in the middle of its answer") from error
        finally:
            self._silence.pause()
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

    def close(self) -> None:
        """Close the connection and stop watching it."""
        self._silence.close()
        self._response.close()

    def _frames_of(self, received: bytes) -> list[bytes]:
        pending = self._pending + received if self._pending else received
        *frames, self._pending = pending.split(b"\n\n")
        if len(self._pending) > _LONGEST_FRAME_BYTES:
            raise EngineFailed(f"the engine of `{self._target}` sent a chunk of more than {_LONGEST_FRAME_BYTES} bytes")
        return [frame for frame in frames if frame.startswith(_MARK) and frame != _LAST_FRAME]
