"""The plainest call that every operation of every face understands, and the bytes that must come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from qwenport.core.call import Call
from qwenport.core.errors import QwenportError
from qwenport.core.events import Event
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.faces.face import CallOperation, Exchange, Face, Reply, Request, StreamedAnswer, WholeAnswer
from qwenport.testing.raw_client import request_bytes

FIRST_ID = RequestId("00000000-0000-9000-8000-000000000001")
"""What `CountingIds` calls the first request."""

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where `FakeClock` stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCall:
    """One way to ask: an operation, whole or as a stream."""

    face: Face
    operation: CallOperation
    streams: bool
    model: str = "qwen-plus"
    text: str = "Hi"
    parameters: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the words by which a test names it."""
        return f"{self.operation.path}{' streamed' if self.streams else ''}"

    @property
    def body(self) -> bytes:
        """Return a body that any envelope can be read from: unknown fields are ignored on every face."""
        messages = [{"role": "user", "content": self.text}]
        return msgspec.json.encode(
            {
                "model": self.model,
                "messages": messages,
                "input": {"messages": messages},
                "stream": self.streams,
                "parameters": self.parameters,
                **self.parameters,
            }
        )

    def headers(self, key: str) -> dict[str, str]:
        """Return the headers, with the one by which the native face streams."""
        streams = {"x-dashscope-sse": "enable"} if self.streams else {}
        return {"authorization": f"Bearer {key}", "content-type": "application/json", **streams}

    def request(self, key: str) -> bytes:
        """Return the bytes of the request."""
        return request_bytes(self.operation.method, self.operation.path, self.headers(key), self.body)

    def decoded(self, card: ModelCard, request_id: RequestId = FIRST_ID) -> Exchange:
        """Return what the face makes of the request."""
        request = Request(
            id=request_id,
            received_at=START,
            headers=self.headers(""),
            query={},
            path_parameters={},
            body=self.body,
        )
        return self.operation.decode(request, {card.name: card})

    def call(self, card: ModelCard) -> Call:
        """Return the call that the request asks for."""
        return self.decoded(card).call

    def frames(self, card: ModelCard, steps: Sequence[Event | QwenportError]) -> bytes:
        """Return the body of a stream of these events; an error is its last frame."""
        answer: StreamedAnswer = self.decoded(card).answer  # type: ignore[assignment] # the call streams
        return b"".join(
            answer.failure(step) if isinstance(step, QwenportError) else answer.frame(step) for step in steps
        )

    def reply(self, card: ModelCard, steps: Sequence[Event]) -> Reply:
        """Return the whole answer of these events."""
        answer: WholeAnswer = self.decoded(card).answer  # type: ignore[assignment] # the call does not stream
        for step in steps:
            answer.add(step)
        return answer.reply()

    def refusal(self, error: QwenportError, request_id: RequestId = FIRST_ID) -> Reply:
        """Return the answer that says an error before anything else was said."""
        return self.face.encode_error(error, request_id)


def every_plain_call(faces: Sequence[Face]) -> list[PlainCall]:
    """Return each operation that runs a model, whole and as a stream."""
    return [
        PlainCall(face=face, operation=operation, streams=streams)
        for face in faces
        for operation in face.operations
        if isinstance(operation, CallOperation)
        for streams in (False, True)
    ]
