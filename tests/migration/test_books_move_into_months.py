"""What a database of revision 0003 holds is in the tables of 0004, as if it had been written there."""

# ruff: noqa: S608 - statements of the test's own.

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from qwenport.storage import months
from qwenport.storage.tables import METADATA

if TYPE_CHECKING:
    from tests.migration.conftest import Bare

NOVEMBER = 1_762_000_000_000
"""2025-11-01 12:26:40 UTC."""
JANUARY = 1_768_000_000_000
"""2026-01-09 23:06:40 UTC."""
LAST_OF_DECEMBER = 1_767_225_599_999
"""2025-12-31 23:59:59.999 UTC."""
FIRST_OF_JANUARY = LAST_OF_DECEMBER + 1
HOUR = 1_768_003_200_000
"""2026-01-10 00:00 UTC, and half past seven in Delhi."""

CALL = (
    "INSERT INTO calls (request_id, at, key_id, account_id, model, face, operation, streams, served_by, outcome, "
    "status, error, input_tokens, output_tokens, cached_tokens, usage_source, cost_nanos, currency, price_source, "
    "first_event_ms, total_ms) VALUES ('{id}', {at}, 'key-1', '{account}', 'qwen-plus', 'openai', 'chat', true, "
    "'llama:q', 'finished', {status}, '', 10, 5, 2, 'counted', {cost}, 'CNY', 'list', 7, 90)"
)
ENTRY = (
    "INSERT INTO ledger_entries (request_id, account_id, currency, amount_nanos, kind, at) "
    "VALUES ('{id}', '{account}', 'CNY', {amount}, '{kind}', {at})"
)
KEY = (
    "INSERT INTO api_keys VALUES ('key-{n}', '{account}', 'name', '', 'digest-{n}', 'sk-…', {n}, NULL, false, "
    "{deleted}, NULL, '[\"qwen-plus\"]', '[]', NULL, {n})"
)


def calls() -> list[tuple[str, int, str, str, int, str]]:
    """Return id, moment, account, cost, amount and kind of the calls."""
    return [
        ("a", NOVEMBER, "acc-1", "300", 300, "post"),
        ("b", LAST_OF_DECEMBER, "acc-1", "NULL", 0, "post"),
        ("c", FIRST_OF_JANUARY, "acc-2", "40", 40, "post"),
        ("d", JANUARY, "gone", "0", 0, "void"),
    ]


@pytest.fixture
def earlier(bare: Bare) -> Bare:
    """Return a database of revision 0003 with something of everything."""
    bare.at_revision("0003")
    binary = "BLOB" if bare.is_file else "bytea"
    bare.run(
        "INSERT INTO accounts VALUES ('acc-2', 'b@b', 'b', 'prepaid', 'CNY', 5, 'suspended')",
        "INSERT INTO accounts VALUES ('acc-1', 'a@a', 'a', 'metered', 'CNY', 9, 'active')",
        KEY.format(n=1, account="acc-1", deleted="NULL"),
        KEY.format(n=2, account="acc-2", deleted="77"),
        "UPDATE revisions SET value = 2",
        "INSERT INTO stored_files VALUES "
        "('file-1', 'acc-1', 'a.txt', '', 'file-extract', 1, 'c4ca', 1, NULL, NULL, '')",
        "INSERT INTO responses VALUES ('resp-1', 'acc-2', 'qwen-plus', 1, 2, '', "
        f"CAST('items' AS {binary}), CAST('body' AS {binary}), 9)",
        f"INSERT INTO usage_hours VALUES ({HOUR}, 'acc-1', 'key-1', 'qwen-plus', 'llama:q', 'CNY', "
        "1, 0, 10, 5, 2, 300)",
        f"INSERT INTO usage_hours VALUES ({HOUR + 23 * 3_600_000}, 'acc-1', 'key-1', 'qwen-plus', 'llama:q', 'CNY', "
        "2, 1, 20, 10, 4, 600)",
        *(
            CALL.format(id=id_, at=at, account=account, status=200, cost=cost)
            for id_, at, account, cost, _, _ in calls()
        ),
        *(
            ENTRY.format(id=id_, account=account, amount=amount, kind=kind, at=at + 1000)
            for id_, at, account, _, amount, kind in calls()
        ),
        # Books that an early fault left without the call.
        ENTRY.format(id="stray", account="acc-1", amount=7, kind="post", at=JANUARY),
    )
    return bare


def call(request_id: str, at: int, account: str, cost: int | None) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "at": at,
        "key_id": "key-1",
        "account_id": account,
        "workspace_id": {"acc-1": "ws-1", "acc-2": "ws-2", "gone": "ws-gone"}[account],
        "model": "qwen-plus",
        "face": "openai",
        "operation": "chat",
        "streams": True,
        "batch": False,
        "served_by": "llama:q",
        "outcome": "finished",
        "status": 200,
        "error": "",
        "input_tokens": 10,
        "output_tokens": 5,
        "cached_tokens": 2,
        "reasoning_tokens": 0,
        "image_tokens": 0,
        "cache_creation_tokens": 0,
        "explicitly_cached_tokens": 0,
        "images": 0,
        "pages": 0,
        "usage_source": "counted",
        "cost_nanos": cost,
        "currency": "CNY",
        "price_source": "list",
        "grant_id": "",
        "queue_ms": None,
        "first_event_ms": 7,
        "total_ms": 90,
        "items": "",
    }


def posting(
    request_id: str, call_at: int, account: str, amount: int, kind: str, *, after: int = 1000
) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "call_at": call_at,
        "at": call_at + after,
        "kind": kind,
        "account_id": account,
        "debit": f"customer:{account}",
        "credit": "house:revenue",
        "currency": "CNY",
        "hold_nanos": None,
        "amount_nanos": amount,
        "exchange": "",
    }


def account(account_id: str, email: str, terms: tuple[str, str], created_at: int, revision: int) -> dict[str, Any]:
    return {
        "id": account_id,
        "email": email,
        "name": email[0],
        "kind": terms[0],
        "currency": "CNY",
        "created_at": created_at,
        "state": terms[1],
        "level": "",
        "deactivated_models": [],
        "deactivated_regions": [],
        "discounts": {},
        "free_grant": "",
        "free_tokens": 0,
        "free_until": None,
        "free_tier_only": False,
        "revision": revision,
    }


def key(number: int, account_id: str, deleted_at: int | None) -> dict[str, Any]:
    return {
        "id": f"key-{number}",
        "account_id": account_id,
        "workspace_id": f"ws-{number}",
        "name": "name",
        "description": "",
        "digest": f"digest-{number}",
        "prefix": "sk-…",
        "created_at": number,
        "expires_at": None,
        "disabled": False,
        "deleted_at": deleted_at,
        "last_used_at": None,
        "models": ["qwen-plus"],
        "ip_ranges": [],
        "hours": "",
        "rotate_after_days": None,
        "body_bytes": 0,
        "body_days": 0,
        "rotates_to": None,
        "revision": number,
        "regions": [],
        "priority": 0,
        "cache_s": None,
    }


def usage(requests: int, unpriced: int) -> dict[str, Any]:
    return {
        "account_id": "acc-1",
        "key_id": "key-1",
        "model": "qwen-plus",
        "served_by": "llama:q",
        "currency": "CNY",
        "requests": requests,
        "unpriced_requests": unpriced,
        "input_tokens": 10 * requests,
        "output_tokens": 5 * requests,
        "cached_tokens": 2 * requests,
        "reasoning_tokens": 0,
        "image_tokens": 0,
        "images": 0,
        "pages": 0,
        "cost_nanos": 300 * requests,
    }


def balance(name: str, used: int) -> dict[str, Any]:
    return {"ledger_account": name, "currency": "CNY", "moved_nanos": 0, "used_nanos": used, "revision": 0}


def expected() -> dict[str, list[dict[str, Any]]]:
    """Return what a new database would hold."""
    return {
        "accounts": [
            account("acc-2", "b@b", ("prepaid", "suspended"), 5, 1),
            account("acc-1", "a@a", ("metered", "active"), 9, 2),
        ],
        "api_keys": [key(1, "acc-1", None), key(2, "acc-2", 77)],
        "balances": [
            balance("customer:acc-1", 307),
            balance("customer:acc-2", 40),
            balance("customer:gone", 0),
            balance("house:revenue", -347),
        ],
        "calls_202511": [call("a", NOVEMBER, "acc-1", 300)],
        "calls_202512": [call("b", LAST_OF_DECEMBER, "acc-1", None)],
        "calls_202601": [call("c", FIRST_OF_JANUARY, "acc-2", 40), call("d", JANUARY, "gone", 0)],
        "postings_202511": [posting("a", NOVEMBER, "acc-1", 300, "post")],
        "postings_202512": [posting("b", LAST_OF_DECEMBER, "acc-1", 0, "post")],
        "postings_202601": [
            posting("c", FIRST_OF_JANUARY, "acc-2", 40, "post"),
            posting("d", JANUARY, "gone", 0, "void"),
            posting("stray", JANUARY, "acc-1", 7, "post", after=0),
        ],
        "revisions": [
            {"name": "api_keys", "value": 2},
            {"name": "accounts", "value": 2},
            *({"name": name, "value": 0} for name in ("members", "limits", "rates", "balances", "house_state")),
        ],
        "stored_files": [
            {
                "id": "file-1",
                "account_id": "acc-1",
                "name": "a.txt",
                "description": "",
                "purpose": "file-extract",
                "size_bytes": 1,
                "md5": "c4ca",
                "created_at": 1,
                "expires_at": None,
                "upload_key": None,
                "upload_model": "",
            }
        ],
        "responses": [
            {
                "id": "resp-1",
                "account_id": "acc-2",
                "model": "qwen-plus",
                "created_at": 1,
                "expires_at": 2,
                "previous_id": "",
                "items": b"items",
                "body": b"body",
                "size_bytes": 9,
            }
        ],
        "usage_hours": [{"hour": HOUR, **usage(1, 0)}, {"hour": HOUR + 23 * 3_600_000, **usage(2, 1)}],
        "usage_days": [{"day": "2026-01-10", **usage(3, 1)}],
        "workspaces": [
            {"id": "ws-1", "account_id": "acc-1", "name": "default", "created_at": 9, "deleted_at": None},
            {"id": "ws-2", "account_id": "acc-2", "name": "default", "created_at": 5, "deleted_at": None},
        ],
    }


def test_everything_is_kept_and_lies_where_it_belongs(earlier: Bare) -> None:
    earlier.open().close()

    assert in_order(earlier.contents()) == in_order(expected())


def test_it_is_what_a_new_database_with_the_same_rows_holds(earlier: Bare, make_bare: Callable[[], Bare]) -> None:
    new = make_bare()
    earlier.open().close()
    with new.open() as database, database.write() as transaction:
        transaction.connection.execute(METADATA.tables["revisions"].delete())
        for month in ("202511", "202512", "202601"):
            months.ensure(transaction, month)
            for table in (months.calls_of(month), months.postings_of(month)):
                transaction.connection.execute(insert(table), expected()[table.name])
        for table in METADATA.sorted_tables:
            rows = expected().get(table.name)
            if rows:
                transaction.connection.execute(insert(table), rows)

    assert earlier.schema() == new.schema()
    assert in_order(earlier.contents()) == in_order(new.contents())


def in_order(contents: dict[str, list[dict[str, Any]]]) -> dict[str, list[list[tuple[str, Any]]]]:
    """Return rows as sorted pairs, in the order of their texts: neither columns nor rows have one of their own."""
    return {name: sorted((sorted(row.items()) for row in rows), key=str) for name, rows in sorted(contents.items())}
