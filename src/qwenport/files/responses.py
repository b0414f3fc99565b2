"""Answers that are kept for an account, so that a conversation can go on from them: bounded, and gone after a week.

The database is used through `run`, which takes blocking work to the one thread that may wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import ParameterInvalid, ResponseNotFound
from qwenport.core.ids import AccountId
from qwenport.core.queries import Desk
from qwenport.core.responses import (
    KEPT_FOR,
    CancelResponse,
    DeleteResponse,
    FindResponse,
    KeepResponse,
    StoredResponse,
)
from qwenport.files.blocking import RunBlocking
from qwenport.storage import response_rows
from qwenport.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseBounds:
    """How much is kept of one account."""

    most: int = 10_000
    most_bytes: int = 256 << 20


class ResponseStore:
    """Stored answers of all accounts; every method raises `StorageUnavailable` when the database fails."""

    def __init__(
        self, database: Database, clock: Clock, run: RunBlocking, bounds: ResponseBounds | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._run = run
        self._bounds = bounds or ResponseBounds()

    def desk(self) -> Desk:
        """Return the queries that are answered here."""
        return {
            FindResponse: self.find,
            KeepResponse: self.keep,
            DeleteResponse: self.delete,
            CancelResponse: self.cancel,
        }

    async def find(self, caller: Caller, query: FindResponse) -> StoredResponse:
        """Return an answer; raises `ResponseNotFound`."""
        found = await self._run(lambda: self._find(caller.account_id, query.id))
        if found is None:
            raise ResponseNotFound(query.id)
        return found

    async def keep(self, caller: Caller, query: KeepResponse) -> None:
        """Store an answer; where that is one too many, the account's oldest tenth goes."""
        await self._run(lambda: self._keep(caller.account_id, query.response))

    async def delete(self, caller: Caller, query: DeleteResponse) -> None:
        """Remove an answer; raises `ResponseNotFound`."""
        if not await self._run(lambda: self._delete(caller.account_id, query.id)):
            raise ResponseNotFound(query.id)

    async def cancel(self, caller: Caller, query: CancelResponse) -> None:
        """Raise `ResponseNotFound` or `ParameterInvalid`: what is stored is complete."""
        if not await self._run(lambda: self._exists(caller.account_id, query.id)):
            raise ResponseNotFound(query.id)
        raise ParameterInvalid(
            "Cannot cancel a synchronous response; only one with `background` true can be cancelled.",
            parameter="response_id",
        )

    async def purge_expired(self) -> int:
        """Remove what has expired; returns how many answers that were."""
        return await self._run(self._purge)

    def _find(self, account_id: AccountId, response_id: str) -> StoredResponse | None:
        with self._database.read() as transaction:
            return response_rows.find(transaction, account_id, response_id, self._clock.now())

    def _keep(self, account_id: AccountId, response: StoredResponse) -> None:
        bounds = self._bounds
        with self._database.write() as transaction:
            response_rows.add(transaction, account_id, response, self._clock.now() + KEPT_FOR)
            count, size_bytes = response_rows.holdings(transaction, account_id)
            if count > bounds.most or size_bytes > bounds.most_bytes:
                # A tenth at once: else an account at its bound would have every row looked at for every answer.
                response_rows.keep_newest(transaction, account_id, bounds.most * 9 // 10, bounds.most_bytes * 9 // 10)

    def _delete(self, account_id: AccountId, response_id: str) -> bool:
        with self._database.write() as transaction:
            return response_rows.remove(transaction, account_id, response_id, self._clock.now())

    def _exists(self, account_id: AccountId, response_id: str) -> bool:
        with self._database.read() as transaction:
            return response_rows.exists(transaction, account_id, response_id, self._clock.now())

    def _purge(self) -> int:
        with self._database.write() as transaction:
            return response_rows.purge(transaction, self._clock.now())
