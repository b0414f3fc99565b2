"""The one endpoint of all faces: identify, read the body, decode, serve, encode."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl

from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import EngineFailed, Internal, MethodNotAllowed, PathNotFound, QwenportError
from qwenport.core.events import Finished, Started
from qwenport.core.ids import Ids, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.faces.face import (
    Exchange,
    Face,
    Headers,
    LookupOperation,
    Operation,
    Request,
    StreamedAnswer,
    WholeAnswer,
)
from qwenport.observability.metrics import Metrics
from qwenport.pipeline.serve import Parts, serve
from qwenport.server.asgi import Receive, Scope, Send, decode_headers
from qwenport.server.body import read_body
from qwenport.server.client_gone import ClientGone
from qwenport.server.client_watch import ClientWatch
from qwenport.server.request_record import RequestRecord
from qwenport.server.response import Patience, Response

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceParts:
    """What the endpoint needs of the house."""

    identify: Callable[[Mapping[str, str], str | None], Caller]
    client_address: Callable[[Scope], str | None]
    pipeline: Parts
    cards: Mapping[str, ModelCard]
    clock: Clock
    ids: Ids
    metrics: Metrics
    patience: Patience
    body_limit_bytes: int
    in_flight: set[ClientWatch] = field(default_factory=set)
    """Calls that are being answered; shutdown breaks off those that take too long."""


class FaceEndpoint:
    """ASGI application of one address of a face; without operations, of an address that the face does not have."""

    def __init__(self, face: Face, operations: Mapping[str, Operation], parts: FaceParts) -> None:
        self._face = face
        self._operations = operations
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every error ends here, in the face's own shape."""
        parts = self._parts
        request_id = parts.ids.request_id()
        operation = self._operations.get(scope["method"])
        record = RequestRecord(scope, request_id, self._face.name, operation.name if operation else "")
        response = Response(send, self._face, request_id, parts.patience)
        try:
            error = await self._error_of(self._answer(scope, receive, response, record, request_id), request_id)
            if error is not None:
                record.fail(error)
                await response.fail(error)
        except ClientGone:
            record.leave()
        finally:
            response.release()
            record.line.status = response.status
            record.close(parts.metrics)

    async def _error_of(self, answering: Awaitable[None], request_id: RequestId) -> QwenportError | None:
        """Return the error that an answer ended in; a defect is logged here and becomes `Internal`."""
        try:
            await answering
        except ClientGone:
            raise
        except QwenportError as error:
            return error
        except Exception:
            log.exception("request %s met a defect", request_id)
            return Internal()
        return None

    async def _answer(
        self, scope: Scope, receive: Receive, response: Response, record: RequestRecord, request_id: RequestId
    ) -> None:
        parts = self._parts
        headers = decode_headers(scope)
        caller = parts.identify(headers, parts.client_address(scope))
        record.line.key_id = caller.key_id
        operation = self._operation(scope["method"])
        body = await read_body(receive, headers, limit_bytes=parts.body_limit_bytes, seconds=parts.patience.body_s)
        request = Request(
            id=request_id,
            received_at=parts.clock.now(),
            headers=headers,
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))) if scope["query_string"] else {},
            path_parameters=scope.get("path_params", {}),
            body=body,
        )
        if isinstance(operation, LookupOperation):
            await response.reply(operation.respond(request, parts.cards))
            return
        exchange = operation.decode(request, parts.cards)
        record.line.model, record.line.streams = exchange.call.model, exchange.call.streams
        await self._run(caller, exchange, receive, response, record)

    def _operation(self, method: str) -> Operation:
        operation = self._operations.get(method)
        if operation is not None:
            return operation
        if self._operations:
            raise MethodNotAllowed(method, tuple(sorted(self._operations)))
        raise PathNotFound

    async def _run(
        self, caller: Caller, exchange: Exchange, receive: Receive, response: Response, record: RequestRecord
    ) -> None:
        """Serve a call to a client that is watched."""
        watch = ClientWatch(receive, response, call_s=self._parts.patience.call_s)
        self._parts.in_flight.add(watch)
        try:
            async with watch:
                if exchange.call.streams:
                    await self._stream(caller, exchange, response, record, watch)
                else:
                    await self._whole(caller, exchange, response, record)
        finally:
            self._parts.in_flight.discard(watch)
        if watch.gone:
            record.leave()
        elif watch.aborted is not None:
            raise watch.aborted

    async def _whole(self, caller: Caller, exchange: Exchange, response: Response, record: RequestRecord) -> None:
        answer = cast("WholeAnswer", exchange.answer)
        served: Headers = ()
        finished = False
        async with aclosing(serve(caller, exchange.call, self._parts.pipeline)) as events:
            async for event in events:
                record.observe(event)
                answer.add(event)
                if isinstance(event, Started):
                    served = served_by_header(event.served_by, exchange.call.model)
                finished = isinstance(event, Finished)
        if not finished:
            raise EngineFailed("the engine ended without finishing its answer")
        await response.reply(answer.reply(), served)

    async def _stream(
        self, caller: Caller, exchange: Exchange, response: Response, record: RequestRecord, watch: ClientWatch
    ) -> None:
        answer = cast("StreamedAnswer", exchange.answer)
        response.attend(answer, watch.give_up)
        last: bytes | None = None
        async with aclosing(serve(caller, exchange.call, self._parts.pipeline)) as events:
            async for event in events:
                record.observe(event)
                piece = answer.frame(event)
                if isinstance(event, Finished):
                    last = piece  # kept back until the call is settled: what the client has seen whole is in the books
                    continue
                if not response.status and isinstance(event, Started):
                    await response.open(served_by_header(event.served_by, exchange.call.model))
                if piece:
                    await response.piece(piece)
        if last is None:
            raise EngineFailed("the engine ended without finishing its answer")
        await response.piece(last, last=True)


def served_by_header(served_by: str, model: str) -> Headers:
    """Return the header that names engine and model, and says when the model is not the one that was asked for."""
    stands_in = served_by.partition("/")[2] != model
    value = f"{served_by}; stand-in" if stands_in else served_by
    # An engine's name for its model may hold anything; a header line may not.
    printable = value if value.isprintable() else "".join(each if each.isprintable() else "?" for each in value)
    return ((b"x-qwenport-served-by", printable.encode("latin-1", "replace")),)
