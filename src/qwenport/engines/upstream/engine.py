"""The gateway's side of one model at an upstream: one call in, events out.

A built-in OCR task goes to Model Studio's native service, which alone knows it; to all others it goes as a prompt.

Calls to Model Studio always stream inside, because its models that think answer in no other way. Elsewhere a caller who
wants a whole answer gets one from the upstream too, which costs the gateway far less than a stream, if the server stops
its work when the connection closes (vLLM, SGLang); from all others the answer streams, so that a departed caller stops
it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from qwenport.core.call import ChatInput, EmbeddingInput, PromptInput, RerankInput
from qwenport.core.capabilities import Capabilities, Thinking, misfit
from qwenport.core.errors import ParameterInvalid, QwenportError
from qwenport.core.events import Event, Recognized
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.connections import CallFailed, HttpAnswer
from qwenport.engines.dialects import (
    MODEL_STUDIO,
    MULTIMODAL_SERVICE,
    Dialect,
    TaskAnswer,
    asked_for_task,
    call_headers,
    chat_body,
    frames_of,
    prompt_body,
    task_body,
    task_headers,
)
from qwenport.engines.engine import Condition
from qwenport.engines.upstream.answer import Answer, Expected
from qwenport.engines.upstream.counting import image_tokens, input_tokens, most_output_tokens
from qwenport.engines.upstream.deadline import Deadline, generating_s
from qwenport.engines.upstream.errors import Asked, RoomTooSmall
from qwenport.engines.upstream.frames import Frames
from qwenport.engines.upstream.home import LONGEST_ANSWER_BYTES, OK, Home, failed, lost, read_refusal, slots_at
from qwenport.engines.upstream.native_ocr import NativeOcrAnswer
from qwenport.engines.upstream.vectors import embedding_request, rerank_request, vector_events
from qwenport.engines.upstream.wire import WireAnswer, decode_answer, encode_request

_DONE = b"[DONE]"
_LONGEST_DONE = 16
_BOUNDS = ("max_tokens", "max_completion_tokens")


class _Task(Protocol):
    """Reads along with the answer to a task."""

    def before(self, event: Event) -> Recognized | None:
        """Take in the next event; returns what is to be told before it, if anything."""
        ...


class _Request(Struct, frozen=True, kw_only=True):
    path: str
    body: dict[str, object]
    headers: dict[str, str]
    streams: bool
    decode: Callable[[bytes], WireAnswer] = decode_answer
    task: _Task | None = None


class UpstreamEngine:
    """Runs calls of one model at one upstream, whose connections it shares with the others there."""

    def __init__(self, home: Home, model: str, able: Capabilities) -> None:
        """Open nothing; `able` is what the card of the model promises."""
        self.target = f"{home.name}/{model}"
        self.slots = slots_at(home.place)
        self._home = home
        self._model = model
        self._promised = replace(able, ocr_tasks=tuple(OcrTask)) if able.vision else able
        self._spoken: Dialect | None = None
        self.capabilities = self._promised
        if home.dialect is not None:
            self._learn(home.dialect)

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; closing the generator closes the connection.

        Raises:
            Refused, Failed: see `errors.error_of`; at any time.
        """
        asked = prepared.call.input
        if isinstance(asked, EmbeddingInput | RerankInput):
            for event in await self._vectors(prepared, asked):
                yield event
            return
        deadline = Deadline(self._home.place)
        self._learn(await self._home.spoken())
        unfit = misfit(prepared.call, self.capabilities, self.target)
        if unfit is not None:
            raise unfit
        dialect = self._spoken or await self._home.spoken()
        request = self._request(prepared, dialect)
        async with (
            self._opened(request, prepared, dialect, deadline) as (response, answer),
            aclosing(self._read(response, answer, deadline, streams=request.streams)) as reads,
        ):
            async for events in reads:
                for event in events:
                    if request.task is not None and (found := request.task.before(event)) is not None:
                        yield found
                    yield event
        self._home.note_well()

    def condition(self) -> Condition:
        """Tell what the upstream can do now."""
        return self._home.condition()

    async def close(self) -> None:
        """Do nothing: the connections are the upstream's."""

    def _learn(self, dialect: Dialect) -> None:
        if dialect is self._spoken:
            return
        self._spoken = dialect
        able = self._promised
        if self._home.place.kind != "alibaba":
            able = replace(able, video=able.video and dialect.sees_videos, partial=able.partial and dialect.goes_on)
        self.capabilities = able

    def _request(self, prepared: PreparedCall, dialect: Dialect) -> _Request:
        asked, task = prepared.call.input, None
        if isinstance(asked, ChatInput) and asked.ocr is not None:
            if self._home.addresses.native:
                return self._task_request(prepared, asked.ocr)
            coordinates = self._promised.coordinates
            task = TaskAnswer(asked.ocr, frames_of(asked, coordinates))
            prepared = replace(prepared, call=replace(prepared.call, input=asked_for_task(asked, coordinates)))
        streams = prepared.call.streams or not dialect.stops_whole_answers
        if isinstance(asked, PromptInput):
            path, body = "/completions", prompt_body(prepared, dialect, self._model, streams=streams)
        else:
            path, body = "/chat/completions", chat_body(prepared, dialect, self._model, streams=streams)
        headers = call_headers(prepared, dialect)
        return _Request(path=self._home.addresses.base + path, body=body, headers=headers, streams=streams, task=task)

    def _task_request(self, prepared: PreparedCall, options: OcrOptions) -> _Request:
        native = NativeOcrAnswer()
        return _Request(
            path=f"{self._home.addresses.native}/services/{MULTIMODAL_SERVICE}",
            body=task_body(prepared, options, self._model),
            headers=task_headers(prepared),
            streams=True,
            decode=native.decode,
            task=native,
        )

    def _asked(self, prepared: PreparedCall) -> Asked:
        return Asked(
            target=self.target,
            upstream=self._home.name,
            max_input_tokens=prepared.max_input_tokens,
            is_model_studio=self._spoken is MODEL_STUDIO or self._home.place.kind == "alibaba",
            key=self._home.key,
        )

    def _expected(self, prepared: PreparedCall, dialect: Dialect, who: Asked) -> Expected:
        asked, sampling = prepared.call.input, prepared.call.sampling
        is_chat = isinstance(asked, ChatInput)
        return Expected(
            asked=who,
            input_tokens=input_tokens(prepared),
            image_tokens=image_tokens(prepared),
            most_tokens=most_output_tokens(prepared),
            choices=sampling.choices,
            top_logprobs=sampling.logprobs or 0,
            calls_once=isinstance(asked, ChatInput) and not asked.parallel_tool_calls,
            reads_think_tags=is_chat and self._promised.thinking is not Thinking.NONE and dialect is not MODEL_STUDIO,
            counts_each_choice=dialect.counts_each_choice,
            ends_each_choice=dialect.ends_each_choice,
        )

    @asynccontextmanager
    async def _opened(
        self, request: _Request, prepared: PreparedCall, dialect: Dialect, deadline: Deadline
    ) -> AsyncIterator[tuple[HttpAnswer, Answer]]:
        """Send the call; the answer is closed whatever happens."""
        if not request.streams:
            deadline.allow_more(generating_s(prepared))
        asked = self._asked(prepared)
        response = await self._send(request.path, request.body, request.headers, deadline)
        try:
            if response.status != OK:
                error = await self._refusal(response, asked)
                if not isinstance(error, RoomTooSmall):
                    raise error
                response.close()
                response = await self._with_less(request, error, deadline)
                if response.status != OK:
                    again = await self._refusal(response, asked)
                    raise failed(self.target, "has no room for an answer") if isinstance(again, RoomTooSmall) else again
            yield response, Answer(self._expected(prepared, dialect, asked), request.decode)
        finally:
            response.close()

    async def _with_less(self, request: _Request, room: RoomTooSmall, deadline: Deadline) -> HttpAnswer:
        """Ask again for no more than what fits beside the prompt: the bound that was said may be the card's alone."""
        return await self._send(request.path, _bounded(request.body, room.tokens), request.headers, deadline)

    async def _send(
        self, path: str, body: dict[str, object], headers: dict[str, str], deadline: Deadline
    ) -> HttpAnswer:
        try:
            encoded = encode_request(body)
        except UnicodeEncodeError as error:
            words = "a text holds half of a surrogate pair, which is no character: remove it"
            raise ParameterInvalid(words, parameter="messages") from error
        try:
            return await self._home.connections.post(path, encoded, headers, status_s=deadline.left())
        except CallFailed as error:
            raise lost(self._home, self.target, error) from error

    async def _refusal(self, response: HttpAnswer, asked: Asked) -> QwenportError | RoomTooSmall:
        return self._home.refused(await read_refusal(self._home, response, asked), asked)

    async def _read(
        self, response: HttpAnswer, answer: Answer, deadline: Deadline, *, streams: bool
    ) -> AsyncGenerator[list[Event], None]:
        kind = response.headers.get("content-type", "")
        if "html" in kind:
            raise failed(self.target, "answered with a web page")
        try:
            # What has neither type is what was asked for.
            if "json" in kind or not (streams or "event-stream" in kind):
                limit_s = deadline.left()
                body = await response.whole(limit_bytes=LONGEST_ANSWER_BYTES, limit_s=limit_s)
                events = answer.events_of(body, is_whole=True)
                yield [*events, *answer.finish()]
                return
            async with aclosing(self._read_frames(Frames(response, deadline), answer)) as reads:
                async for read in reads:
                    yield read
        except CallFailed as error:
            raise lost(self._home, self.target, error) from error
        yield list(answer.finish())

    async def _read_frames(self, stream: Frames, answer: Answer) -> AsyncGenerator[list[Event], None]:
        while frames := (
            await stream.next_soon() if answer.is_complete else await stream.next(has_begun=answer.has_begun)
        ):
            for frame in frames:
                encoded = frame[5:] if frame.startswith(b"data:") and b"\n" not in frame else _payload(frame)
                if len(encoded) < _LONGEST_DONE and encoded.strip() == _DONE:
                    await stream.read_out()
                    return
                if encoded and (events := answer.events_of(encoded)):
                    yield list(events)

    async def _vectors(self, prepared: PreparedCall, asked: EmbeddingInput | RerankInput) -> list[Event]:
        at = self._home.addresses
        if isinstance(asked, EmbeddingInput):
            request = embedding_request(asked, self._model, at)
        else:
            request = rerank_request(asked, self._model, at)
        deadline = Deadline(self._home.place)
        who = self._asked(prepared)
        response = await self._send(request.url, dict(request.body), dict(prepared.trace), deadline)
        try:
            if response.status != OK:
                error = await self._refusal(response, who)
                raise (
                    failed(self.target, "refused texts for their length") if isinstance(error, RoomTooSmall) else error
                )
            body = await response.whole(limit_bytes=LONGEST_ANSWER_BYTES, limit_s=deadline.left())
        except CallFailed as error:
            raise lost(self._home, self.target, error) from error
        finally:
            response.close()
        self._home.note_well()
        return list(vector_events(asked, body, self.target, input_tokens(prepared)))


def _bounded(body: dict[str, object], tokens: int) -> dict[str, object]:
    """Return a body with no greater bound on its answer; that of a native service stands below `parameters`."""
    bounded = dict(body)
    for name, value in body.items():
        if name in _BOUNDS and isinstance(value, int):
            bounded[name] = min(value, tokens)
        elif name == "parameters" and isinstance(value, dict):
            bounded[name] = _bounded(value, tokens)
    return bounded


def _payload(frame: bytes) -> bytes:
    """Return what the `data` lines of a frame say."""
    return b"\n".join(line[5:] for line in frame.split(b"\n") if line.startswith(b"data:"))
