"""From events to the events of a streamed response.

They are framed as Model Studio frames them: numbered, `event:` without a space, and a line with the status.
"""

from __future__ import annotations

from msgspec.json import Encoder

from qwenport.core.errors import QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, Reasoning, Started, ToolCallDelta
from qwenport.faces.face import Headers
from qwenport.faces.logprobs import encode_tokens
from qwenport.faces.openai.errors import encode_error, error_envelope
from qwenport.faces.openai.responses.encode import Progress
from qwenport.faces.openai.responses.object import IN_PROGRESS
from qwenport.faces.openai.responses.output import COMPLETED, CallItem, Item, MessageItem, ReasoningItem
from qwenport.faces.sse import STREAM_HEADERS

_ENCODE = Encoder().encode
_EVENT = b'id:%d\nevent:%b\n:HTTP_STATUS/200\ndata:{%b,"sequence_number":%d,"type":"%b"}\n\n'
_ERROR = (
    b'id:%d\nevent:error\n:HTTP_STATUS/%d\ndata:{"message":%b,"param":null,"sequence_number":%d,"type":"error",%b\n\n'
)
_RESPONSE = b'"response":%b'
_ITEM = b'"item":%b,"output_index":%d'
_TEXT_PART = b'"content_index":0,"part":%b,%b'
_TEXT_DELTA = b'"content_index":0,"delta":%b,"logprobs":%b,%b'
_TEXT_DONE = b'"content_index":0,"logprobs":%b,"text":%b,%b'
_THOUGHT_PART = b'"part":%b,"summary_index":0,%b'
_THOUGHT_DELTA = b'"delta":%b,"summary_index":0,%b'
_THOUGHT_DONE = b'"summary_index":0,"text":%b,%b'
_ARGUMENTS_DELTA = b'"delta":%b,%b'
_ARGUMENTS_DONE = b'"arguments":%b,"name":%b,%b'
_NO_LOGPROBS = b"[]"


class StreamedResponse:
    """The events of the Responses API; the stream just ends, its last event says that it is complete."""

    headers: Headers = STREAM_HEADERS

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._output = progress.output
        self._number = 0

    def frame(self, event: Event) -> bytes:
        """Return the events of the protocol that say this event."""
        match event:
            case Delta():
                frames = self._text(event)
            case Reasoning():
                frames = self._thought(event)
            case ToolCallDelta():
                frames = self._call(event)
            case Started():
                frames = self._begin()
            case ChoiceFinished():
                frames = self._close(event)
            case Finished():
                response = self._progress.end(event.usage)
                frames = self._event(b"response." + self._progress.status, _RESPONSE % response)
            case _:
                # A chat neither embeds nor ranks.
                frames = b""
        return frames

    def failure(self, error: QwenportError) -> bytes:
        """Return the failed response, and the error in the shape that openai raises."""
        # The client's helper takes nothing before the event that creates the response.
        opening = b"" if self._number else self._begin()
        output = self._output.encode(b"incomplete")
        failed = self._event(b"response.failed", _RESPONSE % self._progress.response.failed(error.message, output))
        request_id = self._progress.response.request_id
        number = self._number
        self._number += 1
        status = encode_error(error, request_id).status
        envelope = error_envelope(error, request_id)[1:]
        return opening + failed + _ERROR % (number + 1, status, _ENCODE(error.message), number, envelope)

    def _begin(self) -> bytes:
        response = _RESPONSE % self._progress.response.begun()
        return self._event(b"response.created", response) + self._event(b"response.in_progress", response)

    def _text(self, event: Delta) -> bytes:
        # A token may be a part of a character; it counts, but there is nothing to show yet.
        if not event.text and not event.logprobs:
            return b""
        before = self._output.open
        message, is_new = self._output.message()
        opening = self._close_text(before) + self._open_message(message) if is_new else b""
        message.pieces.append(event.text)
        logprobs = _NO_LOGPROBS
        if event.logprobs:
            message.logprobs += event.logprobs
            logprobs = encode_tokens(event.logprobs)
        delta = _TEXT_DELTA % (_ENCODE(event.text), logprobs, message.place)
        return opening + self._event(b"response.output_text.delta", delta)

    def _thought(self, event: Reasoning) -> bytes:
        if not event.text:
            return b""
        before = self._output.open
        reasoning, is_new = self._output.reasoning()
        opening = self._close_text(before) + self._open_reasoning(reasoning) if is_new else b""
        reasoning.pieces.append(event.text)
        delta = _THOUGHT_DELTA % (_ENCODE(event.text), reasoning.place)
        return opening + self._event(b"response.reasoning_summary_text.delta", delta)

    def _call(self, event: ToolCallDelta) -> bytes:
        before = self._output.open
        call, is_new = self._output.call(event)
        opening = b""
        if is_new:
            opening = self._close_text(before)
            opening += self._item(b"response.output_item.added", call, call.encode(IN_PROGRESS))
        if not event.arguments:
            return opening
        call.pieces.append(event.arguments)
        delta = _ARGUMENTS_DELTA % (_ENCODE(event.arguments), call.place)
        return opening + self._event(b"response.function_call_arguments.delta", delta)

    def _close(self, event: ChoiceFinished) -> bytes:
        self._progress.finish(event.reason)
        frames = b""
        if self._output.is_empty:
            message, _ = self._output.message()
            frames = self._open_message(message)
        frames += self._close_text(self._output.open, self._progress.status)
        self._output.open = None
        return frames + b"".join([self._close_call(call) for call in self._output.calls])

    def _open_message(self, message: MessageItem) -> bytes:
        added = self._item(b"response.output_item.added", message, message.encode(IN_PROGRESS, is_new=True))
        return added + self._event(b"response.content_part.added", _TEXT_PART % (message.part(), message.place))

    def _open_reasoning(self, item: ReasoningItem) -> bytes:
        added = self._item(b"response.output_item.added", item, item.encode(IN_PROGRESS, is_new=True))
        return added + self._event(b"response.reasoning_summary_part.added", _THOUGHT_PART % (item.part(), item.place))

    def _close_text(self, item: MessageItem | ReasoningItem | None, status: bytes = COMPLETED) -> bytes:
        if item is None:
            return b""
        place, part = item.place, item.part()
        if isinstance(item, MessageItem):
            text = _TEXT_DONE % (encode_tokens(item.logprobs), item.text, place)
            done = self._event(b"response.output_text.done", text)
            done += self._event(b"response.content_part.done", _TEXT_PART % (part, place))
        else:
            done = self._event(b"response.reasoning_summary_text.done", _THOUGHT_DONE % (item.text, place))
            done += self._event(b"response.reasoning_summary_part.done", _THOUGHT_PART % (part, place))
        return done + self._item(b"response.output_item.done", item, item.encode(status))

    def _close_call(self, call: CallItem) -> bytes:
        arguments = _ARGUMENTS_DONE % (call.text, _ENCODE(call.name), call.place)
        done = self._event(b"response.function_call_arguments.done", arguments)
        status = self._output.status_of(call, self._progress.status)
        return done + self._item(b"response.output_item.done", call, call.encode(status))

    def _item(self, kind: bytes, item: Item, encoded: bytes) -> bytes:
        return self._event(kind, _ITEM % (encoded, item.index))

    def _event(self, kind: bytes, members: bytes) -> bytes:
        number = self._number
        self._number = number + 1
        return _EVENT % (number + 1, kind, members, number, kind)
