"""The gateway's side of a llama.cpp host: one call in, events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from qwenport.core.call import ChatInput, PromptInput
from qwenport.core.capabilities import Ability, Capabilities, misfit
from qwenport.core.errors import InputTooLong
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import ToolUse
from qwenport.engines.connections import CallFailed, HttpAnswer, Peer
from qwenport.engines.dialects import TaskAnswer, frames_of
from qwenport.engines.engine import Condition
from qwenport.engines.host_connections import HostConnections
from qwenport.engines.llama.answer import BLIND, Answer, Expected, Sight, new_call_id
from qwenport.engines.llama.pictures import Scaler, pictures_of, pictures_read
from qwenport.engines.llama.refusal import Refusal, error_of
from qwenport.engines.llama.request import COUNT_PATH, LlamaRequest, request_of
from qwenport.engines.llama.stream import ChunkStream
from qwenport.engines.llama.wire import decode_input_tokens, encode_request

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
    picture_s: float = 900.0
    """Before the first event of a prompt with pictures: while one is read there is no sign of life."""


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


class _Order(Struct, frozen=True, kw_only=True):
    """One call as it goes to the host."""

    prepared: PreparedCall
    request: LlamaRequest
    body: bytes
    first_event_s: float
    sight: Sight = BLIND


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
        self._scaler = Scaler()
        self._connections = HostConnections(peer, target=profile.target, read_condition=read_condition)

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; closing the generator closes the connection, at which the host stops."""
        _check_length(prepared, self._profile.context_tokens)
        asked = prepared.call.input
        if isinstance(asked, ChatInput) and asked.images:
            order = await self._order_to_see(prepared, asked)
        else:
            order = _order(prepared, self._request(prepared), self._deadlines.first_event_s)
        answer = Answer(self._expected(order), self._profile.new_call_id)
        task = self._task(asked) if isinstance(asked, ChatInput) else None
        limit_s = order.first_event_s
        async with self._opened(order) as stream:
            while frames := await stream.read(limit_s):
                for frame in frames:
                    for event in answer.events_of(stream.decode(frame)):
                        if task is not None and (recognized := task.before(event)) is not None:
                            yield recognized
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

    def _task(self, asked: ChatInput) -> TaskAnswer | None:
        if asked.ocr is None:
            return None
        return TaskAnswer(asked.ocr, frames_of(asked, self.capabilities.coordinates))

    def _request(self, prepared: PreparedCall) -> LlamaRequest:
        return request_of(prepared, self.capabilities, template_tools=self._profile.template_tools)

    async def _order_to_see(self, prepared: PreparedCall, asked: ChatInput) -> _Order:
        unfit = misfit(prepared.call, self.capabilities, self.target)
        if unfit is not None:
            raise unfit
        fitted = await self._scaler.fitted(asked)
        prepared = replace(prepared, call=replace(prepared.call, input=fitted))
        # Megabytes of pictures in base64 would hold up other calls.
        order = await asyncio.to_thread(lambda: _order(prepared, self._request(prepared), self._deadlines.picture_s))
        images, pages = pictures_read(asked)
        sight = Sight(
            images=images,
            pages=pages,
            tokens=sum(picture.tokens for picture in pictures_of(asked)),
            text_tokens=await self._text_tokens(order),
        )
        return replace(order, sight=sight)

    async def _text_tokens(self, order: _Order) -> int | None:
        """Count the prompt without its pictures; None for a host that does not count."""
        answer = await self._connections.post(
            COUNT_PATH,
            encode_request(order.request.counted_body),
            order.prepared.trace,
            status_s=self._deadlines.first_event_s,
        )
        try:
            body = await self._small_body(answer)
            return decode_input_tokens(body).input_tokens if answer.status == _OK else None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        finally:
            answer.close()

    def _expected(self, order: _Order) -> Expected:
        sampling = order.prepared.call.sampling
        return Expected(
            served_by=self.target,
            choices=sampling.choices,
            max_input_tokens=order.prepared.max_input_tokens,
            new_reader=order.request.new_reader,
            calls_once=order.request.calls_once,
            top_logprobs=sampling.logprobs or 0,
            sight=order.sight,
        )

    @asynccontextmanager
    async def _opened(self, order: _Order) -> AsyncIterator[ChunkStream]:
        """Send the call; the stream is closed whatever happens."""
        # The host answers with a status only after it found a slot and began to read the prompt.
        answer = await self._connections.post(
            order.request.path, order.body, order.prepared.trace, status_s=order.first_event_s
        )
        try:
            if answer.status != _OK:
                refused = Refusal(answer.status, await self._small_body(answer), self.target)
                raise error_of(refused, order.prepared, order.request.held_by)
            yield ChunkStream(answer, self.target)
        finally:
            answer.close()

    async def _small_body(self, answer: HttpAnswer) -> bytes:
        try:
            return await answer.whole(limit_bytes=_LONGEST_REFUSAL_BYTES, limit_s=self._deadlines.between_events_s)
        except CallFailed:
            # Half a reason is worth as much as none; the status is known.
            return b""


def _order(prepared: PreparedCall, request: LlamaRequest, first_event_s: float) -> _Order:
    body = encode_request(request.body)
    return _Order(prepared=prepared, request=request, body=body, first_event_s=first_event_s)


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
