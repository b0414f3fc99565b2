"""Requests with an `Idempotency-Key` are answered once; whoever asks again gets the very same bytes.

Nobody pays twice for one key. A request is claimed in the database before it is answered, and the answer to a call is
stored before the call is settled. What becomes of a call whose answer is not stored is decided by the books alone:
they are written from the journals, which outlive an outage of the database and the end of a process.

- They do not have the call: it runs, or a journal was not posted yet. It is not run beside; who asks comes again.
- It ended and cost nothing, or its worker died in the middle of it: it may be tried again.
- It was answered or billed, and its answer could not be stored: its worker stores it when the database is back. Where
  the worker died before, the answer is lost, and not made again under the same key.

An answer that broke off after some of it was billed is kept as it is, up to the error. One that is too large to be
kept, or gave way to newer ones, is not made again either. All of this is said in words that name the first request.
What no model runs for costs nothing: it may be tried again once the lease of its claim has run out (`LEASE_S`).

A client that leaves does not end such a call: it goes on, so that the client finds its answer when it asks again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from msgspec import Struct

from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import ParameterInvalid, RequestInProgress, StorageUnavailable
from qwenport.core.ids import KeyId, RequestId
from qwenport.faces.face import Headers
from qwenport.files.blocking import RunBlocking
from qwenport.metering.records import Outcome
from qwenport.storage import call_rows
from qwenport.storage import idempotency_rows as rows
from qwenport.storage.database import Database
from qwenport.storage.idempotency_rows import Claim, Kept
from qwenport.storage.records import CallRecord
from qwenport.storage.transaction import Transaction

log = logging.getLogger(__name__)

HEADER = "idempotency-key"
LONGEST_KEY = 255
LEASE_S = 60.0
"""How long a request counts as being answered without a word of whoever answers it."""
MOST_TO_RELEASE = 10_000
"""Claims that wait for the database to be given up; one that is too many stays until it expires."""

_DECIDING = ("x-dashscope-sse", "x-dashscope-async", "x-dashscope-ossresourceresolve", "x-dashscope-workspace")
"""Headers by which the same body asks for something else."""
_PASSING = (b"content-length", b"connection", b"retry-after", b"date")
_LIMITS = (b"x-ratelimit-", b"anthropic-ratelimit-")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyBounds:
    """How much is kept, and how long. Of an API key each worker may go a tenth beyond."""

    hours: int = 24
    most_bytes_of_an_answer: int = 4 << 20
    most_of_a_key: int = 100_000
    """Requests that are known; bytes are those of their answers."""
    most_bytes_of_a_key: int = 64 << 20
    most_bytes: int = 1 << 30


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """An answer as it went out."""

    request_id: RequestId
    """Of the request that it was made for."""
    status: int
    headers: Headers
    body: bytes


class Asked(Struct, frozen=True, kw_only=True):
    """What a request asks for, by which a repetition is told from another request."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    """Of a form with files what it says, since each sending of it draws other lines between its parts."""
    is_call: bool
    """Whether a model runs for it."""

    def digest(self) -> str:
        """Return a digest of it."""
        deciding = [(name, self.headers[name]) for name in _DECIDING if name in self.headers]
        return hashlib.sha256(
            msgspec.msgpack.encode((self.method, self.path, self.query, deciding, self.body))
        ).hexdigest()


class IdempotentRequests:
    """Claims and answers of one worker, in the database that all workers share."""

    def __init__(
        self, database: Database, clock: Clock, run: RunBlocking, bounds: IdempotencyBounds | None = None
    ) -> None:
        """Use the database through `run`, which takes blocking work to the one thread that may wait for it."""
        self._database = database
        self._clock = clock
        self._run = run
        self._bounds = bounds or IdempotencyBounds()
        self._open: dict[RequestId, Claim] = {}
        self._storing: set[asyncio.Task[None]] = set()
        self._late: dict[RequestId, KeptAnswer] = {}
        """Answers that could not be stored yet."""
        self._to_release: dict[RequestId, Claim] = {}
        """Claims that nobody answers and that may stand in the database."""
        self._added: dict[KeyId, tuple[int, int]] = {}
        """Answers and bytes that were added to a key's since they were counted."""

    async def claim(self, caller: Caller, asked: Asked, request_id: RequestId) -> Claim | KeptAnswer:
        """Return the right to answer a request, or the answer that it was given before.

        Raises:
            ParameterInvalid: the key is malformed, was used for another request, or its answer is not kept.
            RequestInProgress: the request is being answered, or what became of it is not known.
            StorageUnavailable: nobody can tell whether it was answered.
        """
        name = _checked(asked.headers[HEADER])
        new = Claim(
            key_id=caller.key_id,
            name=hashlib.sha256(name.encode()).hexdigest(),
            digest=asked.digest(),
            request_id=request_id,
            begun_at=self._now(),
        )
        try:
            kept = await self._run(lambda: self._claim(new, is_call=asked.is_call))
        except (StorageUnavailable, asyncio.CancelledError):
            self._release_later(new)  # it may have been written all the same
            raise
        if kept is None:
            self._open[request_id] = new
            return new
        if kept.digest != new.digest:
            raise _refused("was used before with another request; keys may only be used again with the same one")
        if kept.status == rows.NOT_KEPT:
            raise _refused(
                f"belongs to request {kept.request_id}, which was answered; the answer was too large to be kept, or "
                "gave way to newer ones. Use another key to ask again"
            )
        if kept.status == rows.IN_PROGRESS:
            if kept.request_id in self._late:
                return self._late[kept.request_id]
            raise RequestInProgress(None if kept.leased_until > self._now() else kept.request_id)
        headers = tuple(msgspec.msgpack.decode(kept.headers, type=list[tuple[bytes, bytes]]))
        return KeptAnswer(request_id=kept.request_id, status=kept.status, headers=headers, body=kept.body)

    async def keep(self, claimed: Claim, answer: KeptAnswer) -> None:
        """Store an answer; where that is impossible now it is tried again by `renew`.

        It is stored also where the call is broken off meanwhile, since it was billed.
        """
        storing = asyncio.get_running_loop().create_task(self._store(claimed, answer))
        self._storing.add(storing)
        storing.add_done_callback(self._storing.discard)
        await asyncio.shield(storing)

    async def _store(self, claimed: Claim, answer: KeptAnswer) -> None:
        answer = msgspec.structs.replace(answer, headers=_lasting(answer.headers))
        try:
            await self._run(lambda: self._keep(claimed, answer))
        except StorageUnavailable as error:
            log.error("the answer to request %s could not be kept yet: %s", claimed.request_id, error)  # noqa: TRY400
            self._late[claimed.request_id] = answer
        else:
            self._open.pop(claimed.request_id, None)

    async def release(self, claimed: Claim) -> None:
        """Forget a request that cost nothing and has no answer, so that it may be tried again."""
        self._open.pop(claimed.request_id, None)
        try:
            await self._run(lambda: self._release((claimed,)))
        except StorageUnavailable as error:
            log.warning("request %s counts as being answered for now: %s", claimed.request_id, error)
            self._release_later(claimed)

    async def renew(self) -> None:
        """Say what is still being answered, and write what could not be written; raises `StorageUnavailable`."""
        for request_id, answer in tuple(self._late.items()):
            claimed = self._open[request_id]
            await self._run(lambda claimed=claimed, answer=answer: self._keep(claimed, answer))  # type: ignore[misc] # bound now
            del self._late[request_id], self._open[request_id]
        if self._to_release:
            claims = tuple(self._to_release.values())
            await self._run(lambda: self._release(claims))
            for claimed in claims:
                del self._to_release[claimed.request_id]
        if self._open:
            await self._run(self._renew)

    async def close(self) -> None:
        """Wait for what is being stored, and try once more what could not be written."""
        while self._storing:
            await asyncio.wait(self._storing)
        try:
            await self.renew()
        except StorageUnavailable as error:
            lost = ", ".join(self._late) or "none"
            log.error("requests whose answers are lost, and are not made again under the same key: %s: %s", lost, error)  # noqa: TRY400

    async def purge_expired(self) -> int:
        """Remove what has expired; returns how many requests that were."""
        return await self._run(self._purge)

    def _release_later(self, claimed: Claim) -> None:
        if len(self._to_release) < MOST_TO_RELEASE:
            self._to_release[claimed.request_id] = claimed

    def _claim(self, new: Claim, *, is_call: bool) -> Kept | None:
        now = self._now()
        with self._database.write() as transaction:
            kept = rows.find(transaction, new, now)
            if kept is not None:
                is_same = kept.status == rows.IN_PROGRESS and kept.digest == new.digest
                if not is_same or not self._may_be_run_again(transaction, kept, now, is_call=is_call):
                    return kept
            rows.claim(transaction, new, now + round(LEASE_S * 1000), now + self._bounds.hours * 3_600_000)
            return None

    def _may_be_run_again(self, transaction: Transaction, kept: Kept, now: int, *, is_call: bool) -> bool:
        """Tell whether a request without an answer is over: of one that may be billed nothing but the books say so."""
        if is_call:
            return _came_to_nothing(call_rows.find(transaction, kept.request_id))
        return kept.leased_until <= now and kept.request_id not in self._open

    def _keep(self, claimed: Claim, answer: KeptAnswer) -> None:
        headers = msgspec.msgpack.encode(answer.headers)
        fits = len(answer.body) <= self._bounds.most_bytes_of_an_answer
        with self._database.write() as transaction:
            if not fits:
                rows.keep(transaction, claimed, rows.NOT_KEPT, b"", b"")
                return
            rows.keep(transaction, claimed, answer.status, headers, answer.body)
            self._make_room(transaction, claimed.key_id, len(headers) + len(answer.body))

    def _make_room(self, transaction: Transaction, key_id: KeyId, size_bytes: int) -> None:
        """Bound what is kept of an API key; to count it takes long for many, so only for each tenth that is added."""
        bounds = self._bounds
        count, total_bytes = self._added.get(key_id, (bounds.most_of_a_key, 0))
        count, total_bytes = count + 1, total_bytes + size_bytes
        if 10 * count > bounds.most_of_a_key or 10 * total_bytes > bounds.most_bytes_of_a_key:
            rows.keep_newest(transaction, key_id, bounds.most_of_a_key, bounds.most_bytes_of_a_key)
            count = total_bytes = 0
        self._added[key_id] = count, total_bytes

    def _release(self, claims: Sequence[Claim]) -> None:
        with self._database.write() as transaction:
            rows.release(transaction, claims)

    def _renew(self) -> None:
        until = self._now() + round(LEASE_S * 1000)
        with self._database.write() as transaction:
            rows.renew(transaction, tuple(self._open.values()), until)

    def _purge(self) -> int:
        with self._database.write() as transaction:
            purged = rows.purge(transaction, self._now())
            rows.keep_newest(transaction, None, 1 << 40, self._bounds.most_bytes)
            return purged

    def _now(self) -> int:
        return round(self._clock.timestamp() * 1000)


def _came_to_nothing(call: CallRecord | None) -> bool:
    """Tell whether the books have a call of which nothing was billed, and no answer can have gone out whole."""
    if call is None or call.outcome == Outcome.FINISHED:
        return False
    counted = call.input_tokens + call.output_tokens + call.images + call.pages
    return not counted and not call.items and not call.cost_nanos


def _checked(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= character <= "~" or character == " " for character in key):
        raise _refused(f"must have 1 to {LONGEST_KEY} printable characters of ASCII")
    return key


def _refused(what: str) -> ParameterInvalid:
    return ParameterInvalid(f"The header Idempotency-Key {what}.", parameter="Idempotency-Key")


def _lasting(headers: Headers) -> Headers:
    """Leave out what was true of one moment or one connection only."""
    return tuple(each for each in headers if each[0] not in _PASSING and not each[0].startswith(_LIMITS))
