"""What every answer must be, whatever was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.json import Decoder

from fuzz.asked import Answered, Asked
from qwenport.faces.face import Face, Operation

SLOWEST_S = 20.0
"""Time after which an answer has not come at all."""


class Judge:
    """Knows the shapes of one face."""

    def __init__(self, face: Face, was_failed: Callable[[str], bool]) -> None:
        """Judge answers; `was_failed` tells whether an engine was told to fail the call of this id."""
        self._was_failed = was_failed
        self._errors: list[Decoder[object]] = [Decoder(shape) for shape in face.errors]
        self._answers = {id(operation): _decoder(operation.description.answer) for operation in face.operations}
        self._pieces = {id(operation): _decoder(operation.description.piece) for operation in face.operations}

    def faults(self, asked: Asked, answered: Answered) -> Iterator[str]:
        """Give what is wrong with an answer, in words."""
        if asked.leaves != "never" and not answered.is_whole:
            return
        if not answered.is_whole or not answered.status:
            yield "there is no whole answer"
            return
        request_id = answered.headers.get("x-request-id", "")
        if not request_id:
            yield "the answer has no x-request-id"
        if answered.status >= 500 and not self._was_failed(request_id):
            yield f"status {answered.status}, though no engine was told to fail"
        if answered.status >= 400:
            yield from self._faults_of_error(answered, request_id)
        elif asked.operation is None:
            return  # another operation may well have this address and method
        elif answered.headers.get("content-type", "").startswith("text/event-stream"):
            yield from self._faults_of_stream(asked.operation, answered, has_failed=self._was_failed(request_id))
        else:
            yield from self._faults_of_whole(asked.operation, answered)

    def _faults_of_error(self, answered: Answered, request_id: str) -> Iterator[str]:
        if not _is_one_of(self._errors, bytes(answered.body)):
            yield "the error is not in the face's shape"
        elif msgspec.json.decode(answered.body)["request_id"] != request_id:
            yield "the error's request_id is not that of the header"

    def _faults_of_whole(self, operation: Operation, answered: Answered) -> Iterator[str]:
        if operation.description.answer is bytes:
            return
        decoder = self._answers[id(operation)]
        if decoder is None or not _is_one_of([decoder], bytes(answered.body)):
            yield "the answer is not of the described type"

    def _faults_of_stream(self, operation: Operation, answered: Answered, *, has_failed: bool) -> Iterator[str]:
        decoder = self._pieces[id(operation)]
        decoders = [*([decoder] if decoder else []), *(self._errors if has_failed else [])]
        events = bytes(answered.body).split(b"\n\n")
        if events[-1]:
            yield "the stream does not end with an empty line"
        for event in events[:-1]:
            lines = [line for line in event.split(b"\n") if line.startswith(b"data:")]
            content = b"\n".join(line[len(b"data:") :].removeprefix(b" ") for line in lines)
            if lines and content != b"[DONE]" and not _is_one_of(decoders, content):
                yield f"an event is not of the described type: {content[:300]!r}"
                return


def _decoder(shape: object) -> Decoder[object] | None:
    return None if shape is None or shape is bytes else Decoder(shape)


def _is_one_of(decoders: Sequence[Decoder[object]], content: bytes) -> bool:
    for decoder in decoders:
        try:
            decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        return True
    return False
