"""One exchange with a model: the call is served while its client is watched, and its events are sent as they come."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import cast

from msgspec import Struct

from qwenport.core.caller import Caller
from qwenport.core.errors import EngineFailed, QwenportError, StorageUnavailable
from qwenport.core.events import Event, Finished, Started
from qwenport.core.printable import printable
from qwenport.core.queries import Query
from qwenport.faces.face import Exchange, Headers, LimitHeaders, Reply, StreamedAnswer, WholeAnswer
from qwenport.pipeline.serve import Parts, serve
from qwenport.server.admissions import Admissions
from qwenport.server.client_watch import ClientWatch
from qwenport.server.recorded_answer import RecordedAnswer
from qwenport.server.request_record import RequestRecord
from qwenport.server.response import Response

log = logging.getLogger(__name__)

Ask = Callable[[Caller, Query], Awaitable[object]]
"""Puts a query to the part of the house that answers it."""


CACHE_HIT = (b"x-qwenport-cache", b"hit")
"""Says that an answer comes from the response cache."""


class ExchangeRun(Struct, frozen=True, kw_only=True):
    """Runs one exchange to its end."""

    caller: Caller
    exchange: Exchange
    pipeline: Parts
    admissions: Admissions
    limit_headers: LimitHeaders | None
    ask: Ask
    response: Response
    record: RequestRecord
    now: Callable[[], datetime]
    recorded: RecordedAnswer | None = None
    """Where the answer is kept before it is settled, of a request that is answered once."""

    async def __call__(self, watch: ClientWatch) -> None:
        """Serve the call and send its answer, whole or streamed."""
        if self.exchange.call.streams:
            await self._stream(watch)
        else:
            await self._whole()

    async def _whole(self) -> None:
        answer = cast("WholeAnswer", self.exchange.answer)
        call = self.exchange.call
        opening: Headers = ()
        reply: Reply | None = None
        async with aclosing(serve(self.caller, call, self.pipeline)) as events:
            async for event in events:
                self.record.observe(event)
                answer.add(event)
                if isinstance(event, Started):
                    opening = self._opening(event)
                if isinstance(event, Finished):
                    reply = answer.reply()
                    await self._keep(events)
                    if self.recorded is not None:
                        await self.recorded.promise(reply.body, status=reply.status, headers=(*reply.headers, *opening))
        if reply is None:
            raise EngineFailed("the engine ended without finishing its answer")
        await self.response.reply(reply, opening)

    async def _stream(self, watch: ClientWatch) -> None:
        answer = cast("StreamedAnswer", self.exchange.answer)
        call, response = self.exchange.call, self.response
        response.attend(answer, watch.give_up)
        last: bytes | None = None
        async with aclosing(serve(self.caller, call, self.pipeline)) as events:
            async for event in events:
                self.record.observe(event)
                piece = answer.frame(event)
                if isinstance(event, Finished):
                    last = piece  # kept back until the call is settled: what the client has seen whole is in the books
                    await self._keep(events)
                    if self.recorded is not None:
                        await self.recorded.promise(piece, status=200, headers=answer.headers)
                    continue
                if not response.status and isinstance(event, Started):
                    await response.open(self._opening(event))
                if piece:
                    await response.piece(piece)
        if last is None:
            raise EngineFailed("the engine ended without finishing its answer")
        await response.piece(last, last=True)

    def _opening(self, started: Started) -> Headers:
        """Return the header lines that are known once the engine has begun: who answers, and what the limits leave."""
        call = self.exchange.call
        served = served_by_header(started.served_by, call.model)
        if started.billed_percent is not None:
            served = (*served, CACHE_HIT)
        admission = self.admissions.find(call.id)
        if self.limit_headers is None or admission is None or not admission.standings:
            return served
        return (*served, *self.limit_headers(admission.standings, self.now()))

    async def _keep(self, events: AsyncGenerator[Event, None]) -> None:
        """Store what the answer promises to keep, before the call is settled and before the client can ask for it.

        What the store cannot take is given all the same: it was made, and a client that tried again would pay twice.
        What must not be given unless it is kept, such as a task that nobody could bill, fails the call.
        """
        try:
            query = self.exchange.keep() if self.exchange.keep is not None else None
            if query is not None:
                await self.ask(self.caller, query)
        except StorageUnavailable:
            log.exception("the answer to request %s was given and could not be kept", self.exchange.call.id)
        except QwenportError as error:
            await events.athrow(error)


def served_by_header(served_by: str, model: str) -> Headers:
    """Return the header that names engine and model, and says when the model is not the one that was asked for."""
    stands_in = served_by.partition("/")[2] != model
    value = f"{served_by}; stand-in" if stands_in else served_by
    # An engine's name for its model may hold anything; a header line may not.
    return ((b"x-qwenport-served-by", printable(value).encode("latin-1", "replace")),)
