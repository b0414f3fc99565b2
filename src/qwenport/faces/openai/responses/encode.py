"""From events to a whole response."""

from __future__ import annotations

from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Reasoning, ToolCallDelta
from qwenport.core.responses import KeepResponse
from qwenport.core.usage import Usage
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.face import Reply
from qwenport.faces.openai.responses.object import INCOMPLETE, ResponseObject
from qwenport.faces.openai.responses.output import COMPLETED, Output


class Progress:
    """A response as far as it was made, which becomes an answer and what is kept of it."""

    def __init__(self, response: ResponseObject) -> None:
        self.response = response
        self.output = Output(response.request_id)
        self.status = COMPLETED
        self._encoded_output = b""
        self._body = b""

    def finish(self, reason: FinishReason) -> None:
        """Take in why the answer ended."""
        self.status = INCOMPLETE if reason is FinishReason.LENGTH else COMPLETED

    def end(self, usage: Usage) -> bytes:
        """Return the response, which is complete now."""
        self._encoded_output = self.output.encode(self.status)
        self._body = self.response.ended(self.status, self._encoded_output, usage)
        return self._body

    def keep(self) -> KeepResponse | None:
        """Return what is to be stored; nothing of an answer that did not come to its end."""
        return None if not self._body else self.response.keep(self._encoded_output, self._body)


class WholeResponse:
    """A `response` object that is sent at once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._body = b""

    def add(self, event: Event) -> None:
        """Take in the next event."""
        output = self._progress.output
        match event:
            case Delta() if event.text or event.logprobs:
                message, _ = output.message()
                message.pieces.append(event.text)
                message.logprobs += event.logprobs
            case Reasoning() if event.text:
                reasoning, _ = output.reasoning()
                reasoning.pieces.append(event.text)
            case ToolCallDelta():
                call, _ = output.call(event)
                call.pieces.append(event.arguments)
            case ChoiceFinished():
                if output.is_empty:
                    output.message()
                self._progress.finish(event.reason)
            case Finished():
                self._body = self._progress.end(event.usage)
            case _:
                # That the engine started and what says nothing are of no interest; a chat neither embeds nor ranks.
                pass

    def reply(self) -> Reply:
        """Return the response."""
        return Reply(status=200, headers=JSON_HEADERS, body=self._body)
