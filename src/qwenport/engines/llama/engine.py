"""The gateway's side of a llama.cpp host: one call in, events out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from qwenport.core.call import ChatInput, PromptInput
from qwenport.core.capabilities import Ability, Capabilities
from qwenport.core.errors import InputTooLong
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import ToolUse
from qwenport.engines.connections import CallFailed, HttpAnswer, Peer
from qwenport.engines.engine import Condition
from qwenport.engines.host_connections import HostConnections
from qwenport.engines.llama.answer import Answer, Expected, new_call_id
from qwenport.engines.llama.refusal import Refusal, error_of
from qwenport.engines.llama.request import LlamaRequest, request_of
from qwenport.engines.llama.stream import ChunkStream
from qwenport.engines.llama.wire import encode_request

_OK = 200
_LONGEST_REFUSAL_BYTES = 1 << 16
_LONGEST_TOKEN = 128
"""Characters of the longest token in the vocabulary of any Qwen model, all of them spaces."""

TEXT_CAPABILITIES = Capabilities(abilities=(Ability.CHAT, Ability.COMPLETION), tool_uses=tuple(ToolUse))
"""What every model of text can do here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long the host is waited for."""

    first_event_s: float = 120.0
    """Between signs of life before the first event; progress through the prompt is one."""
    between_events_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of the model that a host holds."""

    target: str
    """`kind/model`, as routes name it."""
    slots: int
    """How many choices it works on at the same time."""
    capabilities: Capabilities = TEXT_CAPABILITIES
    context_tokens: int | None = None
    """Context of one slot; None where it is not known."""
    template_tools: bool = False
    """Whether its chat template tells tools."""
    new_call_id: Callable[[], str] = new_call_id
    """Where identifiers of tool calls come from."""


class LlamaEngine:
    """Runs calls on one host, each over a connection of its own that is closed when the call ends."""

    def __init__(
        self,
        profile: Profile,
        *,
        peer: Peer,
        read_condition: Callable[[], Condition],
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        """Open nothing yet; `read_condition` tells why nobody answers when nobody does."""
        self.target = profile.target
        self.slots = profile.slots
        self.capabilities = profile.capabilities
        self._profile = profile
        self._read_condition = read_condition
        self._deadlines = deadlines
        self._connections = HostConnections(peer, target=profile.target, read_condition=read_condition)

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; closing the generator closes the connection, at which the host stops."""
        _check_length(prepared, self._profile.context_tokens)
        request = request_of(prepared, self.capabilities, template_tools=self._profile.template_tools)
        answer = Answer(self._expected(prepared, request), self._profile.new_call_id)
        limit_s = self._deadlines.first_event_s
        async with self._opened(prepared, request) as stream:
            while frames := await stream.read(limit_s):
                for frame in frames:
                    for event in answer.events_of(stream.decode(frame)):
                        yield event
                if answer.has_begun:
                    limit_s = self._deadlines.between_events_s
        yield answer.finish()

    def condition(self) -> Condition:
        """Tell what the engine can do now."""
        return self._read_condition()

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    def _expected(self, prepared: PreparedCall, request: LlamaRequest) -> Expected:
        sampling = prepared.call.sampling
        return Expected(
            served_by=self.target,
            choices=sampling.choices,
            max_input_tokens=prepared.max_input_tokens,
            new_reader=request.new_reader,
            calls_once=request.calls_once,
            top_logprobs=sampling.logprobs or 0,
        )

    @asynccontextmanager
    async def _opened(self, prepared: PreparedCall, request: LlamaRequest) -> AsyncIterator[ChunkStream]:
        """Send the call; the stream is closed whatever happens."""
        # The host answers with a status only after it found a slot and began to read the prompt.
        answer = await self._connections.post(
            request.path, encode_request(request.body), prepared.trace, status_s=self._deadlines.first_event_s
        )
        try:
            if answer.status != _OK:
                refused = Refusal(answer.status, await self._refusal_body(answer), self.target)
                raise error_of(refused, prepared, request.held_by)
            yield ChunkStream(answer, self.target)
        finally:
            answer.close()

    async def _refusal_body(self, answer: HttpAnswer) -> bytes:
        try:
            return await answer.whole(limit_bytes=_LONGEST_REFUSAL_BYTES, limit_s=self._deadlines.between_events_s)
        except CallFailed:
            # Half a reason is worth as much as none; the status is known.
            return b""


def _check_length(prepared: PreparedCall, context_tokens: int | None) -> None:
    """Refuse what is too long whatever its tokens are: the host would count them all, for up to half a minute."""
    most = prepared.max_input_tokens if context_tokens is None else min(prepared.max_input_tokens, context_tokens - 1)
    match prepared.call.input:
        case ChatInput(messages=messages):
            length = sum(len(message.text) for message in messages)
        case PromptInput(prompt=prompt, suffix=suffix):
            length = len(prompt) + len(suffix)
        case _:
            return
    if length > most * _LONGEST_TOKEN:
        raise InputTooLong(most)
