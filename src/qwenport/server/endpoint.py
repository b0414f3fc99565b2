"""The one endpoint of all faces: identify, read the body, decode, serve or ask, encode."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import parse_qsl

from msgspec.structs import replace as with_changed

from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import Internal, MethodNotAllowed, PathNotFound, QwenportError
from qwenport.core.ids import Ids, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.queries import Desk, Query
from qwenport.core.stored_files import Upload
from qwenport.faces.face import (
    CallOperation,
    Exchange,
    Face,
    FileReply,
    LookupOperation,
    Operation,
    Pending,
    QueryOperation,
    Reply,
    Request,
    UploadOperation,
)
from qwenport.observability.metrics import Metrics
from qwenport.observability.traces import Traces
from qwenport.pipeline.serve import Parts
from qwenport.server.admissions import Admissions
from qwenport.server.asgi import Receive, Scope, Send, decode_headers
from qwenport.server.body import read_body
from qwenport.server.body_copy import BodyCopy, KeepBody
from qwenport.server.client_gone import ClientGone
from qwenport.server.client_watch import ClientWatch
from qwenport.server.exchange import ExchangeRun
from qwenport.server.idempotency import HEADER, Asked, IdempotentRequests, KeptAnswer
from qwenport.server.maintenance import Maintenance
from qwenport.server.recorded_answer import RecordedAnswer, never_leaves
from qwenport.server.request_record import RequestRecord
from qwenport.server.response import Patience, Response

log = logging.getLogger(__name__)

_STORES_NOTHING = "cache-control"


class ReceivedForm(Protocol):
    """A form with files that has arrived whole."""

    async def said(self) -> bytes:
        """Return what the form says, the same for every sending of it; raises `StorageUnavailable`."""
        ...

    async def keep(self, caller: Caller) -> Upload:
        """Store the files; raises `ParameterInvalid`, `StorageUnavailable`: nothing was kept then."""
        ...

    async def discard(self, caller: Caller, upload: Upload) -> None:
        """Remove what was stored."""
        ...


class Uploads(Protocol):
    """Takes in forms with files."""

    def __call__(self, request: Request, receive: Receive) -> AbstractAsyncContextManager[ReceivedForm]:
        """Give a form once all of it has arrived; what is not kept of it within the block is gone afterwards.

        Raises:
            BodyNotForm, BodyTooLarge, BodyTooSlow, StorageUnavailable: it has not arrived.
        """
        ...


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
    desk: Desk
    """Who answers the queries of the faces' operations."""
    uploads: Uploads
    """Takes in the files of forms."""
    in_flight: set[ClientWatch] = field(default_factory=set)
    """Calls that are being answered; shutdown breaks off those that take too long."""
    maintenance: Maintenance = field(default_factory=Maintenance)
    keep_body: KeepBody | None = None
    """Takes what calls say of keys that ask for it; None where nothing is kept of any."""
    idempotency: IdempotentRequests | None = None
    """Knows which requests were answered already; None where `Idempotency-Key` means nothing."""
    traces: Traces | None = None
    """Makes a span of every request; None where traces are off."""


class FaceEndpoint:
    """ASGI application of one address of a face; without operations, of an address that the face does not have."""

    def __init__(self, face: Face, operations: Mapping[str, Operation], parts: FaceParts) -> None:
        self._face = face
        self._operations = operations
        self._parts = parts
        self._admissions = Admissions(parts.pipeline.admit)
        self._pipeline = replace(parts.pipeline, admit=self._admissions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every error ends here, in the face's own shape."""
        parts = self._parts
        request_id = parts.ids.request_id()
        operation = self._operations.get(scope["method"])
        record = RequestRecord(scope, request_id, self._face.name, operation.name if operation else "")
        trace = None if parts.traces is None else parts.traces.begin_request(record.line, scope["headers"])
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
            if trace is not None:
                trace.end()
            if record.copy is not None and record.is_in_books and parts.keep_body is not None:
                parts.keep_body(record.copy.stored(request_id))
            if record.recorded is not None:
                await record.recorded.end(was_billed=record.was_billed)

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
        record.identify(caller)
        parts.maintenance.check()
        operation = self._operation(scope["method"])
        received_at = parts.clock.now()
        body = b""
        if not isinstance(operation, UploadOperation):
            body = await read_body(receive, headers, limit_bytes=parts.body_limit_bytes, seconds=parts.patience.body_s)
            response.body_is_read = True
            if caller.bodies is not None and isinstance(operation, CallOperation):
                record.copy = BodyCopy(caller, body, received_at)
                response.copy_to(record.copy)
        request = Request(
            id=request_id,
            received_at=received_at,
            headers=headers,
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))) if scope["query_string"] else {},
            path_parameters=scope.get("path_params", {}),
            body=body,
        )
        if _STORES_NOTHING in headers:
            caller = _without_cache(caller, headers[_STORES_NOTHING])
        if HEADER in headers and scope["method"] == "POST":
            record.asked = Asked(
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"],
                headers=headers,
                body=body,
                is_call=isinstance(operation, CallOperation),
            )
        await self._act(operation, caller, request, receive, response, record)

    async def _act(  # noqa: PLR0913, PLR0917 - what one request consists of
        self,
        operation: Operation,
        caller: Caller,
        request: Request,
        receive: Receive,
        response: Response,
        record: RequestRecord,
    ) -> None:
        if isinstance(operation, UploadOperation):
            async with self._parts.uploads(request, receive) as form:
                response.body_is_read = True
                if record.asked is not None:
                    record.asked = with_changed(record.asked, body=await form.said())
                if not await self._was_answered(caller, request, response, record):
                    await response.reply(await self._upload(operation, caller, request, form))
            return
        if await self._was_answered(caller, request, response, record):
            return
        match operation:
            case LookupOperation():
                await response.reply(operation.respond(request, self._parts.cards))
            case QueryOperation():
                reply = operation.encode(request, await self._ask(caller, operation.decode(request, self._parts.cards)))
                await (response.file(reply) if isinstance(reply, FileReply) else response.reply(reply))
            case CallOperation():
                receive = receive if record.recorded is None else never_leaves
                await self._run(caller, await self._exchange(operation, caller, request), receive, response, record)

    async def _was_answered(self, caller: Caller, request: Request, response: Response, record: RequestRecord) -> bool:
        """Give the answer that a request was given before, where there is one; else record the one that it gets."""
        parts, asked = self._parts, record.asked
        if asked is None or parts.idempotency is None:
            return False
        claimed = await parts.idempotency.claim(caller, asked, request.id)
        if isinstance(claimed, KeptAnswer):
            record.line.outcome = "replayed"
            await response.replay(claimed)
            return True
        stall_s = parts.patience.stall_s / 2
        record.recorded = RecordedAnswer(parts.idempotency, claimed, is_call=asked.is_call, stall_s=stall_s)
        response.record(record.recorded)
        return False

    async def _ask(self, caller: Caller, query: Query) -> object:
        return await self._parts.desk[type(query)](caller, query)

    async def _upload(self, operation: UploadOperation, caller: Caller, request: Request, form: ReceivedForm) -> Reply:
        """Keep the files of a form; what the face then refuses is not kept."""
        upload = await form.keep(caller)
        try:
            return operation.encode(request, upload)
        except QwenportError:
            await form.discard(caller, upload)
            raise

    async def _exchange(self, operation: CallOperation, caller: Caller, request: Request) -> Exchange:
        decoded = operation.decode(request, self._parts.cards)
        if isinstance(decoded, Pending):
            return decoded.resume(await self._ask(caller, decoded.query))
        return decoded

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
        record.line.model, record.line.streams = exchange.call.model, exchange.call.streams
        parts = self._parts
        run = ExchangeRun(
            caller=caller,
            exchange=exchange,
            pipeline=self._pipeline,
            admissions=self._admissions,
            limit_headers=self._face.limit_headers,
            ask=self._ask,
            response=response,
            record=record,
            now=parts.clock.now,
            recorded=record.recorded,
        )
        watch = ClientWatch(receive, response, call_s=parts.patience.call_s)
        parts.in_flight.add(watch)
        try:
            async with watch:
                await run(watch)
        finally:
            parts.in_flight.discard(watch)
            record.settle(self._admissions.take_out(exchange.call.id))
        if watch.gone:
            record.leave()
        elif watch.aborted is not None:
            raise watch.aborted


def _without_cache(caller: Caller, cache_control: str) -> Caller:
    """Return the caller as one who wants nothing of the response cache, where the request says so."""
    wanted = cache_control.lower()
    return with_changed(caller, cache_s=0) if "no-store" in wanted or "no-cache" in wanted else caller
