"""The gateway's side of a reading host: one call in, events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

import msgspec

from qwenport.core.capabilities import Capabilities
from qwenport.core.errors import EngineFailed, EngineTimedOut, InputTooLong, ModelUnavailable, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.connections import CallFailed, Peer
from qwenport.engines.engine import Condition
from qwenport.engines.host_connections import HostConnections, failed_midway
from qwenport.engines.ocr.asked import Asked
from qwenport.engines.ocr.json_shape import shaped
from qwenport.engines.ocr.result_text import fenced, joined
from qwenport.engines.ocr.spoken import Spoken
from qwenport.engines.ocr.wire import PATH, Failure, PageAnswer, PageFailed, PageOrder, decode_reply, encode
from qwenport.settings.configuration_file import OcrTable

CAPABILITIES = Capabilities(
    tool_uses=(),
    vision=True,
    logprobs=False,
    several_choices=False,
    partial=False,
    implicit_cache=False,
    ocr_tasks=tuple(task for task in OcrTask if task is not OcrTask.FORMULA_RECOGNITION),
)
"""What reading lines and laying them out can do; formulae want a model that sees."""

IMAGE_ILLEGAL = "The image format is illegal and cannot be opened"
"""As the error messages page of Model Studio has it."""

_OK = 200
_UNAVAILABLE = 503
"""What the door of an engine on another machine says while nobody is behind it."""
_LONGEST_REPLY_BYTES = 64 << 20
_PAGES_AT_ONCE = 2
"""Of one call; the host's queue holds a page of every other call between them."""
_QUEUE_S = 300.0
"""How long a page may wait for a free process."""
_TABLE = OcrTable()
_encode_page = msgspec.msgpack.Encoder().encode


class OcrEngine:
    """Runs calls on one host, each page over a connection of its own that is closed when the call ends."""

    capabilities = CAPABILITIES

    def __init__(
        self, *, target: str, slots: int, peer: Peer, read_condition: Callable[[], Condition], table: OcrTable = _TABLE
    ) -> None:
        """Open nothing yet."""
        self.target = target
        self.slots = slots
        self._read_condition = read_condition
        self._silence_s = table.page_s + _QUEUE_S
        self._tells_page = bool(table.fields_model)
        self._connections = HostConnections(peer, target=target, read_condition=read_condition)

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; closing the generator closes the connections, at which the host stops."""
        asked = Asked(prepared.call)
        if asked.input_tokens > prepared.max_input_tokens:
            raise InputTooLong(prepared.max_input_tokens)
        spoken = Spoken(prepared.call.sampling)
        pages = _Pages([self._read(order, prepared) for order in asked.orders(tells_page=self._tells_page)])
        try:
            first = await pages.next()
            yield Started(served_by=self.target, input_tokens=asked.input_tokens, image_tokens=asked.image_tokens)
            answer: PageAnswer | None = first
            if first is not None and first.result:
                answer = joined([first, *[page async for page in pages]])
            text = "" if answer is None else _said(answer, asked)
            for delta in spoken.deltas(text):
                yield delta
            while not spoken.has_ended and (page := await pages.next()) is not None:
                for delta in spoken.deltas("\n\n" + _said(page, asked)):
                    yield delta
        finally:
            await pages.close()
        if answer is not None and answer.result and asked.is_task and spoken.reason is FinishReason.STOP:
            yield Recognized(result=answer.result, page=b"" if answer.page is None else _encode_page(answer.page))
        yield ChoiceFinished(reason=spoken.reason, tokens=0)
        yield Finished(usage=_usage(asked, spoken))

    def condition(self) -> Condition:
        """Tell what the engine can do now."""
        return self._read_condition()

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    async def _read(self, order: PageOrder, prepared: PreparedCall) -> PageAnswer:
        answer = await self._connections.post(PATH, encode(order), prepared.trace, status_s=self._silence_s)
        try:
            body = await answer.whole(limit_bytes=_LONGEST_REPLY_BYTES, limit_s=self._silence_s)
        except CallFailed as error:
            raise failed_midway(error, self.target) from error
        finally:
            answer.close()
        if answer.status == _UNAVAILABLE:
            raise ModelUnavailable(f"`{self.target.partition('/')[2]}` is loading")
        if answer.status != _OK:
            raise EngineFailed(f"the engine of `{self.target}` answered with status {answer.status}")
        try:
            reply = decode_reply(body)
        except msgspec.MsgspecError as error:
            raise EngineFailed(f"the engine of `{self.target}` sent what is no answer") from error
        if isinstance(reply, PageFailed):
            raise self._failure(reply)
        return reply

    def _failure(self, failed: PageFailed) -> ParameterInvalid | EngineFailed | EngineTimedOut:
        match failed.failure:
            case Failure.IMAGE_UNREADABLE:
                return ParameterInvalid(f"{IMAGE_ILLEGAL} ({failed.reason})", parameter="messages")
            case Failure.SCHEMA_INVALID:
                return ParameterInvalid(f"The result_schema cannot be used: {failed.reason}", parameter="ocr_options")
            case Failure.TOO_SLOW:
                return EngineTimedOut()
            case Failure.OUT_OF_MEMORY:
                return EngineFailed(f"`{self.target}` had too little memory for this page (`[ocr].memory_bytes`)")
            case Failure.CRASHED:
                return EngineFailed(f"the reading process of `{self.target}` ended: {failed.reason}")


class _Pages:
    """Pages that are read ahead, a few at a time, and given in order; cancelled when nobody wants them any more."""

    def __init__(self, readings: Sequence[Coroutine[None, None, PageAnswer]]) -> None:
        self._waiting = list(readings)
        self._running: list[asyncio.Task[PageAnswer]] = []

    def __aiter__(self) -> _Pages:
        return self

    async def __anext__(self) -> PageAnswer:
        page = await self.next()
        if page is None:
            raise StopAsyncIteration
        return page

    async def next(self) -> PageAnswer | None:
        """Return the next page, None after the last."""
        while self._waiting and len(self._running) < _PAGES_AT_ONCE:
            self._running.append(asyncio.create_task(self._waiting.pop(0)))
        if not self._running:
            return None
        page = await self._running[0]
        self._running.pop(0)
        return page

    async def close(self) -> None:
        """Give up what is not read yet."""
        for reading in self._waiting:
            reading.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _said(answer: PageAnswer, asked: Asked) -> str:
    if asked.json_schema and answer.result:
        return shaped(answer.result, asked.json_schema)
    return fenced(answer.text, answer.fence)


def _usage(asked: Asked, spoken: Spoken) -> Usage:
    return Usage(
        input_tokens=asked.input_tokens,
        output_tokens=spoken.tokens,
        image_tokens=asked.image_tokens,
        images=sum(picture.page == 0 for picture in asked.pictures),
        pages=len(asked.pictures),
    )
