"""Spans of requests and tries, by OpenTelemetry's conventions for HTTP servers and generative AI clients.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ in their state of version 1.41. No span holds a word of
a question or an answer, or a key. Tokens stand in `gen_ai.usage.*` of the tries alone, so that nobody adds them twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanKind, Status, StatusCode, set_span_in_context

from qwenport.core.call import ChatInput, EmbeddingInput, PromptInput, RerankInput
from qwenport.core.clock import Clock
from qwenport.core.errors import QwenportError
from qwenport.core.events import ChoiceFinished, Event, Finished, Started
from qwenport.core.prepared_call import PreparedCall
from qwenport.observability.log import RequestLine
from qwenport.observability.span_queue import SpanQueue
from qwenport.observability.trace_context import caller_context, next_headers
from qwenport.observability.traces import TracedTarget

CLOSE_S = 3.0
"""How long a shutdown waits for spans."""

_LONGEST_VALUE = 256
_SERVER_ERROR = 500
_OPERATIONS: Mapping[type, str] = {
    ChatInput: "chat",
    PromptInput: "text_completion",
    EmbeddingInput: "embeddings",
    RerankInput: "rerank",
}
_OTHER_OPERATION = "generate_content"

Attributes = dict[str, str | int | float | bool | tuple[str, ...]]


class OpenTelemetry:
    """The `Traces` of one worker."""

    def __init__(
        self, queue: SpanQueue, clock: Clock, *, service_name: str, sample_percent: float, instance: str
    ) -> None:
        """Sample this part of the requests whose callers have not decided; `instance` tells workers apart."""
        self._queue = queue
        self._clock = clock
        resource = {
            "service.name": service_name,
            "service.version": version("qwenport"),
            "service.instance.id": instance,
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.version": version("opentelemetry-sdk"),
        }
        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_percent / 100)),
            resource=Resource(resource),
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_span_attribute_length=_LONGEST_VALUE),
        )
        provider.add_span_processor(queue)
        self._tracer = provider.get_tracer("qwenport", resource["service.version"])
        self._open: dict[str, Context] = {}

    def begin_request(self, line: RequestLine, headers: Iterable[tuple[bytes, bytes]]) -> _Request:
        """Begin the span of a request."""
        caller = caller_context(headers)
        context = Context() if caller is None else set_span_in_context(NonRecordingSpan(caller), Context())
        name = f"{line.method} {line.operation}" if line.operation else line.method
        span = self._tracer.start_span(name, context, SpanKind.SERVER)
        self._open[line.request_id] = set_span_in_context(span, Context())
        return _Request(self._open, span, line)

    def begin_try(self, prepared: PreparedCall, to: TracedTarget) -> _Try | None:
        """Begin the span of a try."""
        context = self._open.get(prepared.call.id)
        if context is None:
            return None
        operation = _OPERATIONS.get(type(prepared.call.input), _OTHER_OPERATION)
        span = self._tracer.start_span(f"{operation} {to.model}", context, SpanKind.CLIENT)
        if span.is_recording():
            span.set_attributes(_asked(prepared, to, operation))
        return _Try(span, self._clock)

    async def close(self) -> None:
        """Send what is left, within `CLOSE_S`."""
        await asyncio.to_thread(self._queue.close, CLOSE_S)


class _Request:
    """A `RequestTrace`."""

    __slots__ = ("_line", "_open", "_span")

    def __init__(self, open_requests: dict[str, Context], span: Span, line: RequestLine) -> None:
        self._open = open_requests
        self._span = span
        self._line = line

    def end(self) -> None:
        """Take what the log line says."""
        line, span = self._line, self._span
        self._open.pop(line.request_id, None)
        if span.is_recording():
            span.set_attributes(_told(line))
            # A client's mistake is no error of the server; one that comes after the first byte has no status.
            if line.error and (line.status >= _SERVER_ERROR or line.status in {0, 200}):
                span.set_status(Status(StatusCode.ERROR))
            span.end()


class _Try:
    """A `TryTrace`."""

    __slots__ = ("_attributes", "_began", "_clock", "_reasons", "_span", "headers", "is_recorded")

    def __init__(self, span: Span, clock: Clock) -> None:
        self.headers = next_headers(span.get_span_context())
        self.is_recorded = span.is_recording()
        self._span = span
        self._clock = clock
        self._began = clock.monotonic()
        self._attributes: Attributes = {}
        self._reasons: list[str] = []

    def observe(self, event: Event) -> None:
        """Note who answers, why choices ended, and what was used."""
        if isinstance(event, Started):
            self._attributes["gen_ai.response.time_to_first_chunk"] = round(self._clock.monotonic() - self._began, 6)
            self._attributes["gen_ai.response.model"] = event.served_by.partition("/")[2]
        elif isinstance(event, ChoiceFinished):
            self._reasons.append(event.reason.value)
        elif isinstance(event, Finished):
            usage = event.usage
            self._attributes |= {
                "gen_ai.usage.input_tokens": usage.input_tokens,
                "gen_ai.usage.output_tokens": usage.output_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
                "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
            }

    def end(self, error: BaseException | None) -> None:
        """Let the span go; a try that was left because its client was is no error."""
        if self._reasons:
            self._attributes["gen_ai.response.finish_reasons"] = tuple(self._reasons)
        if isinstance(error, Exception):
            self._attributes["error.type"] = error.code if isinstance(error, QwenportError) else type(error).__name__
            self._span.set_status(Status(StatusCode.ERROR))
        elif error is not None:
            self._attributes["qwenport.outcome"] = "abandoned"
        self._span.set_attributes(self._attributes)
        self._span.end()


def _asked(prepared: PreparedCall, to: TracedTarget, operation: str) -> Attributes:
    call, sampling = prepared.call, prepared.call.sampling
    asked = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": to.provider,
        "gen_ai.request.model": to.model,
        "gen_ai.request.stream": call.streams or None,
        "gen_ai.request.choice.count": sampling.choices if sampling.choices != 1 else None,
        "gen_ai.request.max_tokens": sampling.max_completion_tokens or sampling.max_tokens,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.top_p": sampling.top_p,
        "gen_ai.request.seed": sampling.seed,
        "server.address": to.address or None,
        "server.port": to.port or None,
        "qwenport.target": to.target,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _told(line: RequestLine) -> Attributes:
    told: dict[str, str | int | float | None] = {
        "http.request.method": line.method,
        "http.response.status_code": line.status,
        "url.path": line.path,
        "error.type": line.error,
        "gen_ai.request.model": line.model,
        "qwenport.request.id": line.request_id,
        "qwenport.face": line.face,
        "qwenport.operation": line.operation,
        "qwenport.outcome": line.outcome,
        "qwenport.account.id": line.account_id,
        "qwenport.workspace.id": line.workspace_id,
        "qwenport.key.id": line.key_id,
        "qwenport.served_by": line.served_by,
        "qwenport.stream": line.streams,
        "qwenport.input_tokens": line.input_tokens,
        "qwenport.output_tokens": line.output_tokens,
        "qwenport.queue_ms": line.queue_ms,
        "qwenport.first_event_ms": line.first_event_ms,
    }
    return {name: value for name, value in told.items() if value}
