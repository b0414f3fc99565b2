"""Native services that the gateway does not serve itself and hands on: image and video synthesis, speech, and others.

The request goes on as it came and the answer comes back as it is, but for the model's name and the request id. Shapes
as in `dashscope/aigc/image_synthesis.py` and `dashscope/client/base_api.py` of the official client.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.json import Decoder

from qwenport.core.call import Call, NativeInput
from qwenport.core.capabilities import Ability
from qwenport.core.errors import EngineFailed, InputMissing, ModelMissing, QwenportError
from qwenport.core.events import Event, Relayed, Started
from qwenport.core.ids import RequestId
from qwenport.core.native_body import with_member
from qwenport.core.native_tasks import KeepTask
from qwenport.faces.body import JSON_HEADERS, read_body
from qwenport.faces.dashscope.envelope import STREAM_SWITCH, asks_for_stream
from qwenport.faces.dashscope.errors import encode_error
from qwenport.faces.description import RESOLVES_UPLOADS, Description
from qwenport.faces.face import CallOperation, Cards, Exchange, Headers, Operation, Reply, Request
from qwenport.faces.sse import STREAM_HEADERS
from qwenport.faces.switches import is_enabled, resolves_uploads

_ASYNC = "x-dashscope-async"
_FRAME = b"id:%d\nevent:result\n:HTTP_STATUS/200\ndata:%b\n\n"
_ERROR_FRAME = b"id:%d\nevent:error\n:HTTP_STATUS/%d\ndata:%b\n\n"
_TASK_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}", re.ASCII)


class NativeRequest(Struct, frozen=True, kw_only=True):
    """What is looked at in the body; everything in it is handed on."""

    model: str | None = None
    input: Any = None
    parameters: Any = None


class NativeResult(Struct, frozen=True, kw_only=True):
    """What every answer has; the rest is the service's own."""

    request_id: RequestId
    output: dict[str, Any]
    usage: dict[str, Any] | None = None


class _Task(Struct, frozen=True):
    task_id: str = ""
    task_status: str = ""


class _Made(Struct, frozen=True):
    output: _Task = _Task()


_DECODER = Decoder(NativeRequest)
_MADE = Decoder(_Made)


def is_handed_on(request: Request, cards: Cards) -> bool:
    """Tell whether a request names a model that is handed on, at an address that others are served at."""
    try:
        body = _DECODER.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    card = cards.get(body.model or "")
    return card is not None and Ability.NATIVE in card.capabilities.abilities


def decode_native(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every decoder gets the cards
    """Return the call and what hands its answer back.

    Raises:
        BodyNotJson, ModelMissing, InputMissing: it is nothing that a service takes.
    """
    return native_exchange(request, "/".join(request.path_parameters[name] for name in ("group", "task", "function")))


def native_exchange(request: Request, service: str) -> Exchange:
    """Return the same for a service that is known; raises as `decode_native` does."""
    body = read_body(_DECODER, request.body)
    if not body.model:
        raise ModelMissing
    if body.input is None:
        raise InputMissing
    is_asynchronous = is_enabled(request, _ASYNC)
    call = Call(
        id=request.id,
        face="dashscope",
        operation="native-service",
        model=body.model,
        input=NativeInput(service=service, body=request.body, is_asynchronous=is_asynchronous),
        streams=not is_asynchronous and asks_for_stream(request),
        resolves_uploads=resolves_uploads(request),
    )
    if call.streams:
        return Exchange(call=call, answer=StreamedNative(call.id))
    answer = WholeNative(call)
    return Exchange(call=call, answer=answer, keep=answer.keep if is_asynchronous else None)


class WholeNative:
    """An answer that is sent at once."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._body = b""
        self._served_by = ""

    def add(self, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, Relayed):
            self._body = event.piece
        elif isinstance(event, Started):
            self._served_by = event.served_by

    def reply(self) -> Reply:
        """Return the answer under the id of this request."""
        return Reply(status=200, headers=JSON_HEADERS, body=with_member(self._body, "request_id", self._call.id))

    def keep(self) -> KeepTask:
        """Return what is written down of the task that was made.

        Raises:
            EngineFailed: it has no name that could be asked for.
        """
        try:
            made = _MADE.decode(self._body).output
        except msgspec.MsgspecError as error:
            raise EngineFailed("the upstream made a task and did not name it") from error
        if not _TASK_ID.fullmatch(made.task_id):
            raise EngineFailed("the upstream made a task and gave it a name that cannot be asked for")
        status = made.task_status or "PENDING"
        return KeepTask(call=self._call, served_by=self._served_by, task_id=made.task_id, status=status)


class StreamedNative:
    """An answer that is sent while it is made."""

    headers: Headers = STREAM_HEADERS

    def __init__(self, request_id: RequestId) -> None:
        self._request_id = request_id
        self._frames = 0

    def frame(self, event: Event) -> bytes:
        """Return the frame that says this event."""
        if not isinstance(event, Relayed):
            return b""
        self._frames += 1
        return _FRAME % (self._frames, with_member(event.piece, "request_id", self._request_id))

    def failure(self, error: QwenportError) -> bytes:
        """Return the error frame."""
        reply = encode_error(error, self._request_id)
        self._frames += 1
        return _ERROR_FRAME % (self._frames, reply.status, reply.body)


NATIVE_OPERATIONS: tuple[Operation, ...] = (
    CallOperation(
        name="native-service",
        method="POST",
        path="/api/v1/services/{group}/{task}/{function}",
        decode=decode_native,
        description=Description(
            summary="Call a service that is handed on to Model Studio, such as image synthesis",
            body=NativeRequest,
            required=("model", "input"),
            headers=(RESOLVES_UPLOADS, STREAM_SWITCH),
            example={"model": "wanx2.1-t2i-turbo", "input": {"prompt": "A cat on a roof"}, "parameters": {"n": 1}},
            answer=NativeResult,
            piece=NativeResult,
        ),
    ),
)
