"""The plainest call that every operation of every face understands, and the bytes that must come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from qwenport.core.call import Call
from qwenport.core.errors import QwenportError
from qwenport.core.events import Event, Finished
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.faces.face import CallOperation, Exchange, Face, Pending, Reply, Request, StreamedAnswer, WholeAnswer
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
        """Return the body."""
        return msgspec.json.encode(self.content)

    @property
    def content(self) -> dict[str, object]:
        """Return what the body says."""
        body = {"model": self.model, "stream": self.streams, "parameters": self.parameters, **self.parameters}
        return self._input() | body

    def _input(self) -> dict[str, object]:
        """Return what the operation works on; an operation that is not known takes a conversation as native ones do."""
        messages = [{"role": "user", "content": self.text}]
        ranked: dict[str, object] = {"query": self.text, "documents": [self.text]}
        inputs: dict[str, dict[str, object]] = {
            "chat.completions": {"messages": messages},
            "completions": {"prompt": self.text},
            "embeddings": {"input": self.text},
            "reranks": ranked,
            "responses": {"input": self.text},
            "messages": {"messages": messages, "max_tokens": 64},
            "text-embedding": {"input": {"texts": [self.text]}},
            "text-rerank": {"input": ranked},
        }
        return inputs.get(self.operation.name, {"messages": messages, "input": {"messages": messages}})

    @property
    def generates(self) -> bool:
        """Tell whether tokens come back, not vectors or a ranking."""
        return self.operation.streams

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
        decoded = self.operation.decode(request, {card.name: card})
        if isinstance(decoded, Pending):
            raise TypeError(f"{self.name}: the plainest call goes on from nothing that was stored")
        return decoded

    def call(self, card: ModelCard) -> Call:
        """Return the call that the request asks for."""
        return self.decoded(card).call

    def frames(self, card: ModelCard, steps: Sequence[Event | QwenportError]) -> bytes:
        """Return the body of a stream of these events; an error is its last frame, in the place of a kept back end."""
        answer: StreamedAnswer = self.decoded(card).answer  # type: ignore[assignment] # the call streams
        pieces: list[bytes] = []
        previous: Event | QwenportError | None = None
        for step in steps:
            if isinstance(step, QwenportError):
                if isinstance(previous, Finished):
                    pieces.pop()
                pieces.append(answer.failure(step))
            else:
                pieces.append(answer.frame(step))
            previous = step
        return b"".join(pieces)

    def reply(self, card: ModelCard, steps: Sequence[Event]) -> Reply:
        """Return the whole answer of these events."""
        answer: WholeAnswer = self.decoded(card).answer  # type: ignore[assignment] # the call does not stream
        for step in steps:
            answer.add(step)
        return answer.reply()

    def refusal(self, error: QwenportError, request_id: RequestId = FIRST_ID) -> Reply:
        """Return the answer that says an error before anything else was said."""
        return self.face.encode_error(error, request_id)


MODELS = {
    "completions": "qwen-coder-turbo",
    "embeddings": "text-embedding-v4",
    "text-embedding": "text-embedding-v4",
    "reranks": "qwen3-rerank",
    "text-rerank": "qwen3-rerank",
    "multimodal-generation": "qwen-vl-max",
}
"""Models for operations that are none for a chat model."""


def every_plain_call(faces: Sequence[Face]) -> list[PlainCall]:
    """Return each operation that runs a model, whole and, where it can be, as a stream.

    Not the address of services that are handed on: what comes back from there is nobody's here to say.
    """
    return [
        PlainCall(face=face, operation=operation, streams=streams, model=MODELS.get(operation.name, "qwen-plus"))
        for face in faces
        for operation in face.operations
        if isinstance(operation, CallOperation) and "{" not in operation.path
        for streams in ((False, True) if operation.streams else (False,))
    ]


def every_generating_call(faces: Sequence[Face]) -> list[PlainCall]:
    """Return those of them that tokens come back from."""
    return [call for call in every_plain_call(faces) if call.generates]
