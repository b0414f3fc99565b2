"""The calls by which the wire layer is measured: every face in each of its forms, and each kind of chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
    TopToken,
)
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.faces.face import CallOperation, Cards, Exchange, Request
from qwenport.faces.registry import FACES

MODEL = "qwen-plus"
TARGET = "llama/smollm2-135m-instruct"
_PROMPT_TOKENS = 7
_TOP_TOKENS = 5
_MESSAGES = [{"role": "user", "content": "Tell a long story about a ship."}]
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Kind(StrEnum):
    """What the chunks of an answer hold."""

    TEXT = "text"
    REASONING = "reasoning"
    TOOL_CALL = "tool_call"
    LOGPROBS = "logprobs"
    """Text, each token with its log probability and those of five others."""


class Form(StrEnum):
    """A face, in one of the forms of its answers."""

    OPENAI = "openai"
    DASHSCOPE_INCREMENTAL = "dashscope_incremental"
    DASHSCOPE_CUMULATIVE = "dashscope_cumulative"
    """Every frame repeats the whole answer so far."""
    ANTHROPIC = "anthropic"


_OPERATIONS = {
    Form.OPENAI: ("openai", "/v1/chat/completions"),
    Form.DASHSCOPE_INCREMENTAL: ("dashscope", "/api/v1/services/aigc/text-generation/generation"),
    Form.DASHSCOPE_CUMULATIVE: ("dashscope", "/api/v1/services/aigc/text-generation/generation"),
    Form.ANTHROPIC: ("anthropic", "/apps/anthropic/v1/messages"),
}


def has(form: Form, kind: Kind) -> bool:
    """Tell whether a face can say this at all."""
    return form is not Form.ANTHROPIC or kind is not Kind.LOGPROBS


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request of one face."""

    operation: CallOperation
    request: Request

    def decode(self, cards: Cards) -> Exchange:
        """Return the call and the encoder of its answer.

        Raises:
            AssertionError: the face refuses the request, which then measures nothing.
        """
        exchange = self.operation.decode(self.request, cards)
        if not isinstance(exchange, Exchange) or exchange.call.refusal is not None:
            raise AssertionError(f"{self.operation.path} refuses the benchmark's request: {self.request.body!r}")
        return exchange


def case_of(form: Form, kind: Kind, *, streams: bool) -> Case:
    """Return the request by which a client of this face asks for such an answer."""
    name, path = _OPERATIONS[form]
    face = next(face for face in FACES if face.name == name)
    operation = next(each for each in face.operations if isinstance(each, CallOperation) and each.path == path)
    request = Request(
        id=RequestId("0b1c2d3e-4f50-9172-8394-a5b6c7d8e9f0"),
        received_at=datetime.now(UTC),
        headers={"content-type": "application/json"} | ({"x-dashscope-sse": "enable"} if streams else {}),
        query={},
        path_parameters={},
        body=msgspec.json.encode(_body(form, kind, streams=streams)),
    )
    return Case(operation=operation, request=request)


def events_of(kind: Kind, chunks: int) -> Sequence[Event]:
    """Return an answer of so many chunks."""
    reason = FinishReason.TOOL_CALLS if kind is Kind.TOOL_CALL else FinishReason.STOP
    usage = Usage(input_tokens=_PROMPT_TOKENS, output_tokens=chunks)
    return (
        Started(served_by=TARGET, input_tokens=_PROMPT_TOKENS),
        *(_piece(kind, number) for number in range(chunks)),
        ChoiceFinished(reason=reason),
        Finished(usage=usage),
    )


def _piece(kind: Kind, number: int) -> Event:
    text = f" word{number:04}"
    match kind:
        case Kind.TEXT:
            return Delta(text=text)
        case Kind.REASONING:
            return Reasoning(text=text)
        case Kind.TOOL_CALL if number == 0:
            return ToolCallDelta(index=0, id="call_0123456789abcdef012345", name="weather")
        case Kind.TOOL_CALL:
            return ToolCallDelta(index=0, arguments=text)
        case Kind.LOGPROBS:
            token = tuple(text.encode())
            top = tuple(TopToken(token=text, logprob=-0.5 - place, bytes=token) for place in range(_TOP_TOKENS))
            return Delta(text=text, logprobs=(TokenLogprob(token=text, logprob=-0.5, bytes=token, top=top),))


def _body(form: Form, kind: Kind, *, streams: bool) -> dict[str, Any]:
    if form is Form.ANTHROPIC:
        asked = {"model": MODEL, "max_tokens": 4096, "messages": _MESSAGES, "stream": streams}
        return asked | _asked_of_anthropic(kind)
    parameters = _asked(kind)
    if form is Form.OPENAI:
        options = {"stream_options": {"include_usage": True}} if streams else {}
        return {"model": MODEL, "messages": _MESSAGES, "max_tokens": 4096, "stream": streams} | options | parameters
    parameters |= {"max_tokens": 4096, "result_format": "message"}
    if form is Form.DASHSCOPE_INCREMENTAL:
        parameters["incremental_output"] = True
    return {"model": MODEL, "input": {"messages": _MESSAGES}, "parameters": parameters}


def _asked(kind: Kind) -> dict[str, Any]:
    match kind:
        case Kind.TEXT:
            return {}
        case Kind.REASONING:
            return {"enable_thinking": True}
        case Kind.TOOL_CALL:
            return {"tools": [{"type": "function", "function": {"name": "weather", "parameters": _SCHEMA}}]}
        case Kind.LOGPROBS:
            return {"logprobs": True, "top_logprobs": _TOP_TOKENS}


def _asked_of_anthropic(kind: Kind) -> dict[str, Any]:
    match kind:
        case Kind.REASONING:
            return {"thinking": {"type": "enabled", "budget_tokens": 1024}}
        case Kind.TOOL_CALL:
            return {"tools": [{"name": "weather", "input_schema": _SCHEMA}]}
        case _:
            return {}
