"""Which index a search for the newest calls goes by, in new tables of which SQLite knows nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from qwenport.core.caller import AccountKind, AccountTerms
from qwenport.core.ids import AccountId, KeyId, RequestId, WorkspaceId
from qwenport.storage import account_rows, call_rows, key_rows, months
from qwenport.storage.call_rows import CallFilter
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord, KeyRecord

MONTH = "202601"
MADE = datetime(2026, 1, 1, tzinfo=UTC)
KEY, ACCOUNT = {"key_id": KeyId("key-1")}, {"account_id": AccountId("acc-1")}
MODEL, FINISHED, FAILED = {"model": "qwen-max"}, {"status": 200}, {"status": 429}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "qwenport.db") as database:
        with database.write() as transaction:
            months.ensure(transaction, MONTH)
        yield database


def key_of(account_id: AccountId) -> KeyRecord:
    return KeyRecord(
        id=KeyId("key-1"),
        account_id=account_id,
        workspace_id=WorkspaceId("ws-1"),
        name="",
        description="",
        digest="digest",
        prefix="sk-",
        created_at=MADE,
        expires_at=None,
        disabled=False,
        deleted=False,
        last_used_at=None,
        models=(),
        ip_ranges=(),
        hours=None,
        rotate_after_days=None,
        bodies=None,
        rotates_to=None,
        revision=0,
    )


def plan_of(database: Database, wanted: CallFilter) -> list[str]:
    """Return what SQLite would do to find these calls; nothing where it is not asked."""
    asked: list[tuple[str, Any]] = []
    with database.read() as transaction:
        connection = transaction.connection
        event.listen(connection, "before_cursor_execute", lambda _c, _r, text, values, *_: asked.append((text, values)))
        call_rows.newest(transaction, wanted, 100)
        searches = [each for each in asked if "ORDER BY" in each[0]]
        if not searches:
            return []
        statement, values = searches[0]
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize(
    ("given", "index", "seeks"),
    [
        ({}, "at", ""),
        (FINISHED, "at", ""),
        (KEY, "key_id_at_model", "key_id=?"),
        (KEY | FINISHED, "key_id_at_model", "key_id=?"),
        (KEY | ACCOUNT, "key_id_at_model", "key_id=?"),
        (KEY | MODEL, "key_id_at_model", "key_id=?"),
        (KEY | ACCOUNT | MODEL | FINISHED, "key_id_at_model", "key_id=?"),
        (ACCOUNT, "account_id_at_model", "account_id=?"),
        (ACCOUNT | MODEL, "account_id_at_model", "account_id=?"),
        (MODEL | FINISHED, "model_at", "model=?"),
        (FAILED, "status_at", "status=?"),
        (KEY | ACCOUNT | MODEL | FAILED, "key_id_status_at", "key_id=? AND status=?"),
        (ACCOUNT | MODEL | FAILED, "account_id_status_at", "account_id=? AND status=?"),
        (MODEL | FAILED, "model_status_at", "model=? AND status=?"),
    ],
)
def test_a_search_goes_by_the_index_that_leads_past_the_fewest_calls(
    database: Database, given: dict[str, Any], index: str, seeks: str
) -> None:
    for since, until in product((None, 1_767_300_000_000), (None, 1_767_400_000_000)):
        plan = plan_of(database, CallFilter(**given, since=since, until=until))

        times = [text for text, bound in (("at>?", since), ("at<?", until)) if bound is not None]
        sought = " AND ".join(filter(None, (seeks, *times)))
        how = f"SEARCH calls_{MONTH} USING INDEX ix_calls_{MONTH}_{index} ({sought})" if sought else ""
        # Only calls of one and the same moment are sorted, by their ids.
        assert plan[0] == (how or f"SCAN calls_{MONTH} USING INDEX ix_calls_{MONTH}_{index}")
        assert plan[1:] == ["USE TEMP B-TREE FOR RIGHT PART OF ORDER BY"]


def test_the_page_after_a_call_goes_by_the_same_index(database: Database) -> None:
    before = (1_767_400_000_000, RequestId("request-1"))

    assert plan_of(database, CallFilter(key_id=KeyId("key-1"), before=before))[0] == (
        f"SEARCH calls_{MONTH} USING INDEX ix_calls_{MONTH}_key_id_at_model (key_id=? AND at<?)"
    )


def test_calls_of_a_key_are_not_searched_for_another_account_or_workspace(database: Database) -> None:
    account = AccountRecord(
        id=AccountId("acc-1"),
        email="one@example.com",
        name="",
        currency="CNY",
        created_at=MADE,
        terms=AccountTerms(kind=AccountKind.METERED),
    )
    with database.write() as transaction:
        account_rows.add(transaction, account)
        key_rows.add(transaction, key_of(account.id))

    assert plan_of(database, CallFilter(key_id=KeyId("key-1"), account_id=account.id)) != []
    assert plan_of(database, CallFilter(key_id=KeyId("key-1"), account_id=AccountId("acc-2"))) == []
    assert plan_of(database, CallFilter(key_id=KeyId("key-1"), workspace_id=WorkspaceId("ws-2"))) == []
    assert plan_of(database, CallFilter(key_id=KeyId("key-2"), account_id=AccountId("acc-2"))) != []
