"""What the server drops by itself, by its configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from qwenport.app.upkeep import Upkeep
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.flush import Books
from qwenport.observability.metrics import Metrics
from qwenport.settings.configuration_file import BooksTable
from qwenport.storage import audit_log_rows, body_rows, months
from qwenport.storage.body_rows import StoredBody
from qwenport.storage.database import Database
from qwenport.testing.clock import FakeClock
from qwenport.testing.settlements import books_prices, settlement, table_rows

pytestmark = pytest.mark.anyio


async def at_once(work: Callable[[], Any]) -> Any:
    return work()


def filled(database: Database) -> Database:
    """Put into the books a call, a change and an expired body of November 2025; the clock says January 2026."""
    then = datetime(2025, 11, 3, tzinfo=UTC)
    Books(database, books_prices()).post([settlement(1, at=then.timestamp())])
    at = round(then.timestamp() * 1000)
    body = StoredBody(
        request_id=RequestId("request-00001"),
        account_id=AccountId("acc-1"),
        key_id=KeyId("key-1"),
        at=at,
        expires_at=at + 1,
        request=b"{}",
        answer=b"",
        request_bytes=2,
        answer_bytes=0,
    )
    with database.write() as transaction:
        body_rows.add(transaction, [body])
        audit_log_rows.note(
            transaction,
            at=then,
            actor="operator",
            action="key.disable",
            object_kind="key",
            object_id="key-1",
            account_id="acc-1",
            before=None,
            after=None,
        )
    return database


def kept(database: Database) -> tuple[int, int, int]:
    """Return how many months of calls, changes and bodies are left."""
    with database.read() as transaction:
        left = len(months.months(transaction))
    return left, len(table_rows(database, "audit_log")), len(table_rows(database, "call_bodies"))


@pytest.mark.parametrize(
    ("books", "left"),
    [
        (BooksTable(), (1, 1, 0)),
        (BooksTable(keep_months=1), (0, 1, 0)),
        (BooksTable(keep_audit_months=1), (1, 0, 0)),
        (BooksTable(keep_months=1, keep_audit_months=1), (0, 0, 0)),
    ],
)
async def test_calls_and_changes_go_only_where_their_own_bound_is_set_and_bodies_always(
    books: BooksTable, left: tuple[int, int, int], tmp_path: Path
) -> None:
    with Database.open(tmp_path / "qwenport.db") as database:
        upkeep = Upkeep(filled(database), at_once, FakeClock(), Metrics(), books)
        assert kept(database) == (1, 1, 1)

        await upkeep.retain()

        assert kept(database) == left
