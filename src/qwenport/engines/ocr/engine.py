"""The gateway's side of a reading host: one call in, events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

import msgspec

from qwenport.core.capabilities import Capabilities
from qwenport.core.errors import (
    EngineFailed,
    EngineTimedOut,
    InputTooLong,
    ModelUnavailable,
    ParameterInvalid,
    QwenportError,
)
from qwenport.core.events import ChoiceFinished, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrTask, page_sizes
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.connections import CallFailed, Peer
from qwenport.engines.engine import Condition
from qwenport.engines.host_connections import HostConnections, failed_by_status, failed_midway
from qwenport.engines.ocr.asked import Asked
from qwenport.engines.ocr.json_shape import shaped
from qwenport.engines.ocr.result_text import fenced, joined, with_pages, with_places
from qwenport.engines.ocr.spoken import Spoken
from qwenport.engines.ocr.value_places import encode_places
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
            yield _recognized(answer, asked)
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
        if answer.status != _OK:
            raise failed_by_status(answer.status, self.target)
        try:
            reply = decode_reply(body)
        except msgspec.MsgspecError as error:
            raise EngineFailed(f"the engine of `{self.target}` sent what is no answer") from error
        if isinstance(reply, PageFailed):
            raise self._failure(reply, order)
        return reply

    def _failure(self, failed: PageFailed, order: PageOrder) -> QwenportError:
        match failed.failure:
            case Failure.IMAGE_UNREADABLE:
                return ParameterInvalid(f"{IMAGE_ILLEGAL} ({failed.reason})", parameter="messages")
            case Failure.SCHEMA_INVALID:
                words = "The result_schema" if order.task else "The schema of response_format"
                parameter = "ocr_options" if order.task else "response_format"
                return ParameterInvalid(f"{words} cannot be used: {failed.reason}", parameter=parameter)
            case Failure.TOO_SLOW:
                # Reading takes the same steps each time: another try would only take as long again.
                return EngineTimedOut(f"reading this page: {failed.reason}, `[ocr].page_s`", passes=False)
            case Failure.OUT_OF_MEMORY:
                words = f"`{self.target}` had too little memory for this page (`[ocr].memory_bytes`)"
                return EngineFailed(words, passes=False)
            case Failure.CRASHED | Failure.NO_READER:
                # Two processes have ended on the page by then, and the second had read nothing else.
                is_the_page = failed.failure is Failure.CRASHED
                how = "ended on this page" if is_the_page else "could not be started"
                words = f"a reading process of `{self.target}` {how}: {failed.reason}"
                return EngineFailed(words, passes=not is_the_page)
            case Failure.TASK_UNAVAILABLE:
                return ModelUnavailable(f"`{self.target}` cannot do this task: {failed.reason}", passes=False)


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
    if asked.shape is not None and answer.result:
        return shaped(answer.result, asked.shape)
    return fenced(answer.text, answer.fence)


def _recognized(answer: PageAnswer, asked: Asked) -> Recognized:
    result = with_places(answer.result, answer.places) if asked.tells_places else answer.result
    result = with_pages(result, page_sizes(asked.pictures))
    if answer.page is None:
        return Recognized(result=result)
    return Recognized(result=result, page=_encode_page(answer.page), places=encode_places(answer.places))


def _usage(asked: Asked, spoken: Spoken) -> Usage:
    return Usage(
        input_tokens=asked.input_tokens,
        output_tokens=spoken.tokens,
        image_tokens=asked.image_tokens,
        images=sum(picture.page == 0 for picture in asked.pictures),
        pages=len(asked.pictures),
    )
