"""From events to a whole chat completion.

A whole answer with tool calls has an empty string for its content, as the sample answers of Model Studio's guide to
function calling have; only chunks say null there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.json import Encoder

from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    TokenLogprob,
    ToolCallDelta,
)
from qwenport.core.usage import Usage
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.face import Reply
from qwenport.faces.logprobs import encode_logprobs
from qwenport.faces.openai.completion import Completion

_ENCODE = Encoder().encode
REASONS = {reason: _ENCODE(reason) for reason in FinishReason}
"""Why a choice ended, as JSON."""
_CHOICE = b'{"message":{"content":%b%b,"role":"assistant"%b},"finish_reason":%b,"index":%d,"logprobs":%b}'
_REASONING = b',"reasoning_content":%b'
_TOOL_CALLS = b',"tool_calls":[%b]'
_TOOL_CALL = b'{"function":{"arguments":%b,"name":%b},"id":%b,"index":%d,"type":"function"}'
_WHOLE = b'{"choices":[%b],"object":"chat.completion","usage":%b,%b}'


@dataclass(slots=True)
class _Call:
    """One tool call as far as it is known."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Choice:
    """One choice as far as it is known."""

    pieces: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    reason: FinishReason = FinishReason.STOP


class WholeCompletion:
    """A `chat.completion` object."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self._choices: dict[int, _Choice] = {}
        self._usage = Usage()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Delta():
                choice = self._choice(event.choice)
                choice.pieces.append(event.text)
                choice.logprobs += event.logprobs
            case Reasoning():
                self._choice(event.choice).reasoning.append(event.text)
            case ToolCallDelta():
                self._add_to_call(event)
            case ChoiceFinished():
                self._choice(event.choice).reason = event.reason
            case Finished():
                self._usage = event.usage
            case _:
                # That the engine started is of no interest here, and a chat neither embeds nor ranks.
                pass

    def reply(self) -> Reply:
        """Return the completion."""
        choices = b",".join(self._encode(index, choice) for index, choice in sorted(self._choices.items()))
        body = _WHOLE % (choices, self._completion.usage(self._usage), self._completion.identity)
        return Reply(status=200, headers=JSON_HEADERS, body=body)

    def _choice(self, index: int) -> _Choice:
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        return choice

    def _add_to_call(self, event: ToolCallDelta) -> None:
        call = self._choice(event.choice).calls.setdefault(event.index, _Call())
        call.id = call.id or event.id
        call.name = call.name or event.name
        call.arguments.append(event.arguments)

    def _encode(self, index: int, choice: _Choice) -> bytes:
        tells_reasoning = self._completion.tells_reasoning or bool(choice.reasoning)
        return _CHOICE % (
            _ENCODE("".join(choice.pieces)),
            _REASONING % _ENCODE("".join(choice.reasoning)) if tells_reasoning else b"",
            _encode_calls(choice.calls) if choice.calls else b"",
            REASONS[choice.reason],
            index,
            encode_logprobs(choice.logprobs) if self._completion.tells_logprobs else b"null",
        )


def _encode_calls(calls: dict[int, _Call]) -> bytes:
    return _TOOL_CALLS % b",".join(
        _TOOL_CALL % (_ENCODE("".join(call.arguments)), _ENCODE(call.name), _ENCODE(call.id), index)
        for index, call in sorted(calls.items())
    )
