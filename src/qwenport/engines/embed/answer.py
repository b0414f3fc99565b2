"""The answer of an embedding host: a line of counts, then vectors, and what can go wrong on the way."""

from __future__ import annotations

import msgspec

from qwenport.core.errors import EngineFailed
from qwenport.engines.connections import CallFailed, HttpAnswer
from qwenport.engines.embed.wire import VECTOR_SIZE, decode_counts
from qwenport.engines.host_connections import failed_midway

_VECTOR_BYTES = 4 * VECTOR_SIZE


class Answer:
    """Reads one response."""

    def __init__(self, answer: HttpAnswer, *, target: str, silence_s: float) -> None:
        self._answer = answer
        self._target = target
        self._silence_s = silence_s
        self._pending = b""
        self._missing = 0
        """Vectors that have yet to come."""

    async def counts(self) -> tuple[int, ...]:
        """Return how many tokens each text has; the first thing to ask for.

        Raises:
            EngineFailed: the host broke off, or what came is no line of counts.
            EngineTimedOut: nothing came in time.
        """
        while b"\n" not in self._pending:
            self._pending += await self._more()
        line, _, self._pending = self._pending.partition(b"\n")
        try:
            tokens = decode_counts(line).tokens
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise EngineFailed(f"the engine of `{self._target}` sent what is no count of tokens") from error
        self._missing = len(tokens)
        return tokens

    async def vectors(self) -> list[bytes]:
        """Return the next vectors, at least one; none when all have come.

        Raises:
            EngineFailed: the host broke off.
            EngineTimedOut: nothing came in time.
        """
        if self._missing == 0:
            return []
        while len(self._pending) < _VECTOR_BYTES:
            self._pending += await self._more()
        whole = min(len(self._pending) // _VECTOR_BYTES, self._missing)
        vectors = [self._pending[_VECTOR_BYTES * index : _VECTOR_BYTES * (index + 1)] for index in range(whole)]
        self._pending = self._pending[_VECTOR_BYTES * whole :]
        self._missing -= whole
        return vectors

    async def _more(self) -> bytes:
        try:
            received = await self._answer.read(self._silence_s)
        except CallFailed as error:
            raise failed_midway(error, self._target) from error
        if not received:
            raise EngineFailed(f"the engine of `{self._target}` broke off in the middle of its answer")
        return received
