"""The gateway's side of an embedding host: one call in, events out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from qwenport.core.call import Call, EmbeddingInput, RerankInput
from qwenport.core.capabilities import Ability, Capabilities
from qwenport.core.errors import EngineFailed, ParameterInvalid
from qwenport.core.events import Event, Finished, Started
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.connections import CallFailed, HttpAnswer, Peer
from qwenport.engines.embed.answer import Answer
from qwenport.engines.embed.wire import MOST_TOKENS, PATH, TOO_LONG, VECTOR_SIZE, decode_too_long, encode
from qwenport.engines.embed.work import Embedding, Reranking, Work
from qwenport.engines.engine import Condition
from qwenport.engines.host_connections import HostConnections, failed_by_status

CAPABILITIES = Capabilities(
    abilities=(Ability.EMBEDDING, Ability.RERANK),
    tool_uses=(),
    json_object=False,
    json_schema=False,
    logprobs=False,
    several_choices=False,
    partial=False,
    implicit_cache=False,
    dimensions=(VECTOR_SIZE,),
    max_texts=500,
)
"""What multilingual-e5-small can do; it was not trained so that a part of a vector is one too."""

_OK = 200
_LONGEST_REFUSAL_BYTES = 1 << 16


class EmbedEngine:
    """Runs calls on one host, each over a connection of its own that is closed when the call ends."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        *,
        target: str,
        slots: int,
        peer: Peer,
        read_condition: Callable[[], Condition],
        silence_s: float = 60.0,
    ) -> None:
        """Open nothing yet; `silence_s` is how long the host is waited for while it says nothing."""
        self.target = target
        self.slots = slots
        self._read_condition = read_condition
        self._silence_s = silence_s
        self._connections = HostConnections(peer, target=target, read_condition=read_condition)

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; closing the generator closes the connection, at which the host stops."""
        work = self._work(prepared.call)
        async with self._opened(work, prepared) as answer:
            tokens = work.input_tokens(await answer.counts())
            if tokens > MOST_TOKENS:
                words = f"Range of input length should be [1, {MOST_TOKENS}]: all texts together have more tokens"
                raise ParameterInvalid(words, parameter="input")
            yield Started(served_by=self.target, input_tokens=tokens)
            while vectors := await answer.vectors():
                for vector in vectors:
                    event = work.event(vector)
                    if event is not None:
                        yield event
        yield Finished(usage=Usage(input_tokens=tokens))

    def condition(self) -> Condition:
        """Tell what the engine can do now."""
        return self._read_condition()

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    def _work(self, call: Call) -> Work:
        asked = call.input
        if isinstance(asked, RerankInput):
            return Reranking(asked)
        if not isinstance(asked, EmbeddingInput):
            raise ParameterInvalid(
                f"`{self.target}` embeds and reranks texts, and does nothing else", parameter="model"
            )
        if asked.dimension is not None and asked.dimension not in self.capabilities.dimensions:
            sizes = ", ".join(str(size) for size in self.capabilities.dimensions)
            words = (
                f"The dimension {asked.dimension} cannot be had here: `{self.target}`, which answers for "
                f"`{call.model}`, makes vectors of {sizes} values. Leave the dimension out, or ask for {sizes}."
            )
            raise ParameterInvalid(words, parameter="dimension", value=asked.dimension)
        return Embedding(asked)

    @asynccontextmanager
    async def _opened(self, work: Work, prepared: PreparedCall) -> AsyncIterator[Answer]:
        """Send the call; the connection is closed whatever happens."""
        # The host answers with a status after it has counted the tokens.
        encoded = _encoded(work, prepared)
        answer = await self._connections.post(PATH, encoded, prepared.trace, status_s=self._silence_s)
        try:
            if answer.status != _OK:
                await self._refuse(answer, prepared)
            yield Answer(answer, target=self.target, silence_s=self._silence_s)
        finally:
            answer.close()

    async def _refuse(self, answer: HttpAnswer, prepared: PreparedCall) -> None:
        try:
            body = await answer.whole(limit_bytes=_LONGEST_REFUSAL_BYTES, limit_s=self._silence_s)
            if answer.status == TOO_LONG:
                raise _too_long(decode_too_long(body).index, prepared.max_input_tokens)
        except (CallFailed, msgspec.MsgspecError) as error:
            raise EngineFailed(f"the engine of `{self.target}` refused a call without a reason") from error
        raise failed_by_status(answer.status, self.target)


def _encoded(work: Work, prepared: PreparedCall) -> bytes:
    try:
        return encode(work.request(prepared.max_input_tokens))
    except UnicodeEncodeError as error:
        words = "a text holds half of a surrogate pair, which is no character: remove it"
        raise ParameterInvalid(words, parameter="input") from error


def _too_long(index: int, most: int) -> ParameterInvalid:
    words = f"Range of input length should be [1, {most}]: text {index} has more tokens than that"
    return ParameterInvalid(words, parameter="input")
