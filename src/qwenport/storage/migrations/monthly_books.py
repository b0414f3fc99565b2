"""How revision 0004 moves calls and postings from one table of each into one for every month."""

# ruff: noqa: S608 - names and expressions are constants of this revision; nothing comes from outside.

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from qwenport.storage.migrations.reshaping import SET_ASIDE, workspace_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OLD_CALLS = f"calls{SET_ASIDE}"
_OLD_ENTRIES = f"ledger_entries{SET_ASIDE}"
_STRAYS = "entries_without_call"

_FILTERS = ("key_id", "account_id", "model")

_CALL_VALUES = {
    "request_id": "request_id",
    "at": "at",
    "key_id": "key_id",
    "account_id": "account_id",
    "workspace_id": workspace_of("account_id"),
    "model": "model",
    "face": "face",
    "operation": "operation",
    "streams": "streams",
    "batch": "false",
    "served_by": "served_by",
    "outcome": "outcome",
    "status": "status",
    "error": "error",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_tokens": "cached_tokens",
    "reasoning_tokens": "0",
    "image_tokens": "0",
    "cache_creation_tokens": "0",
    "explicitly_cached_tokens": "0",
    "images": "0",
    "pages": "0",
    "usage_source": "usage_source",
    "cost_nanos": "cost_nanos",
    "currency": "currency",
    "price_source": "price_source",
    "grant_id": "''",
    "queue_ms": "NULL",
    "first_event_ms": "first_event_ms",
    "total_ms": "total_ms",
}
"""Columns of a month's calls, and where each comes from."""

_POSTING_VALUES = {
    "request_id": "entry.request_id",
    "call_at": "COALESCE(call.at, entry.at)",
    "at": "entry.at",
    "kind": "entry.kind",
    "account_id": "entry.account_id",
    "debit": "'customer:' || entry.account_id",
    "credit": "'house:revenue'",
    "currency": "entry.currency",
    "hold_nanos": "NULL",
    "amount_nanos": "entry.amount_nanos",
    "exchange": "''",
}


def set_aside() -> None:
    """Take the old tables out of the way of the new ones' names."""
    op.rename_table("calls", _OLD_CALLS)
    op.rename_table("ledger_entries", _OLD_ENTRIES)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {_OLD_ENTRIES} RENAME CONSTRAINT pk_ledger_entries TO pk_{_OLD_ENTRIES}")


def make() -> None:
    """Make the tables that months are parts of, which SQLite has not."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_table("calls", *_calls_columns(), postgresql_partition_by="RANGE (at)")
        op.create_table("postings", *_postings_columns(), postgresql_partition_by="RANGE (call_at)")


def move() -> None:
    """Move every call and posting into its month, and sum up the balances."""
    op.execute(
        "INSERT INTO balances (ledger_account, currency, moved_nanos, used_nanos, revision) "
        f"SELECT 'customer:' || account_id, currency, 0, SUM(amount_nanos), 0 FROM {_OLD_ENTRIES} "
        "GROUP BY account_id, currency "
        f"UNION ALL SELECT 'house:revenue', currency, 0, -SUM(amount_nanos), 0 FROM {_OLD_ENTRIES} GROUP BY currency"
    )
    op.execute(
        f"CREATE TEMPORARY TABLE {_STRAYS} AS SELECT * FROM {_OLD_ENTRIES} AS entry "
        f"WHERE NOT EXISTS (SELECT 1 FROM {_OLD_CALLS} AS call WHERE call.request_id = entry.request_id)"
    )
    for first, after in _months_with_calls():
        _move_month(first, after)
    op.drop_table(_STRAYS)
    op.drop_table(_OLD_ENTRIES)
    op.drop_table(_OLD_CALLS)


def _months_with_calls() -> Iterator[tuple[datetime, datetime]]:
    """Give the beginning of each month in which a call or an entry without a call lies, and that of the next."""
    look = sa.text(
        f"SELECT MIN(moment) FROM (SELECT MIN(at) AS moment FROM {_OLD_CALLS} WHERE at >= :since "
        f"UNION ALL SELECT MIN(at) FROM {_STRAYS} WHERE at >= :since) AS found"
    )
    since = -(2**63)
    while (found := op.get_bind().execute(look, {"since": since}).scalar()) is not None:
        moment = _EPOCH + timedelta(milliseconds=found)
        first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        after = (first + timedelta(days=32)).replace(day=1)
        yield first, after
        since = _milliseconds(after)


def _move_month(first: datetime, after: datetime) -> None:
    month = first.strftime("%Y%m")
    bounds = (_milliseconds(first), _milliseconds(after))
    calls, postings = f"calls_{month}", f"postings_{month}"
    within = "at >= {} AND at < {}".format(*bounds)
    _make_month("calls", calls, _calls_columns(), bounds)
    _make_month("postings", postings, _postings_columns(), bounds)
    # In the order of time, so that the new table lies as one that was written day by day.
    op.execute(
        f"INSERT INTO {calls} ({', '.join(_CALL_VALUES)}) "
        f"SELECT {', '.join(_CALL_VALUES.values())} FROM {_OLD_CALLS} WHERE {within} ORDER BY at, request_id"
    )
    filled, values = ", ".join(_POSTING_VALUES), ", ".join(_POSTING_VALUES.values())
    op.execute(
        f"INSERT INTO {postings} ({filled}) SELECT {values} FROM {calls} AS call "
        f"JOIN {_OLD_ENTRIES} AS entry ON entry.request_id = call.request_id ORDER BY call.at, call.request_id"
    )
    op.execute(
        f"INSERT INTO {postings} ({filled}) SELECT {values.replace('COALESCE(call.at, entry.at)', 'entry.at')} "
        f"FROM {_STRAYS} AS entry WHERE {within}"
    )
    _index_month(calls)


def _make_month(parent: str, name: str, columns: list[sa.Column[Any]], bounds: tuple[int, int]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.create_table(name, *columns, sa.PrimaryKeyConstraint("request_id", name=f"pk_{name}"))
        return
    op.execute(f"CREATE TABLE {name} (LIKE {parent})")
    op.execute(f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY (request_id)")
    op.execute(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({bounds[0]}) TO ({bounds[1]})")


def _index_month(calls: str) -> None:
    for columns in (["at"], ["key_id", "at", "model"], ["account_id", "at", "model"], ["model", "at"]):
        op.create_index(f"ix_{calls}_{'_'.join(columns)}", calls, columns)
    failed = sa.text("status != 200")
    for columns in (["status", "at"], *([one, "status", "at"] for one in _FILTERS)):
        name = f"ix_{calls}_{'_'.join(columns)}"
        op.create_index(name, calls, columns, sqlite_where=failed, postgresql_where=failed)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _calls_columns() -> list[sa.Column[Any]]:
    booleans = ("streams", "batch")
    texts = (
        *("request_id", "key_id", "account_id", "workspace_id", "model", "face", "operation", "served_by", "outcome"),
        *("error", "usage_source", "currency", "price_source", "grant_id"),
    )
    optional = ("cost_nanos", "queue_ms", "first_event_ms")
    kinds: dict[str, type[sa.types.TypeEngine[Any]]] = {
        **dict.fromkeys(_CALL_VALUES, sa.BigInteger),
        **dict.fromkeys(texts, sa.Text),
        **dict.fromkeys(booleans, sa.Boolean),
        "status": sa.Integer,
    }
    return [sa.Column(name, kind, nullable=name in optional) for name, kind in kinds.items()]


def _postings_columns() -> list[sa.Column[Any]]:
    numbers = ("call_at", "at", "hold_nanos", "amount_nanos")
    return [
        sa.Column(name, sa.BigInteger if name in numbers else sa.Text, nullable=name == "hold_nanos")
        for name in _POSTING_VALUES
    ]
