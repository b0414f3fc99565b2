"""The tables. Times are milliseconds since 1970 in UTC, money is nano-units of a currency, both as 64-bit integers.

Integers compare, sum and index alike on SQLite and PostgreSQL; SQLite has neither a time nor a decimal type.
Calls, postings and entries refer to keys and accounts without a foreign key: what was consumed is recorded
even where the key is not known to this database.

Calls and their postings lie in one table a month (`storage/months.py`), so that old months are dropped whole.
What a running gateway keeps a copy of has a revision; the counters of `revisions` tell it what has changed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

# Names that both databases give to constraints differ, and a migration can only drop what has a known name.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("deactivated_models", JSON, nullable=False),
    Column("deactivated_regions", JSON, nullable=False),
    Column("discounts", JSON, nullable=False),
    Column("free_grant", Text, nullable=False),
    Column("free_tokens", BigInteger, nullable=False),
    Column("free_until", BigInteger),
    Column("free_tier_only", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    UniqueConstraint("email"),
    Index(None, "revision"),
)

WORKSPACES = Table(
    "workspaces",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Index(None, "account_id"),
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("disabled", Boolean, nullable=False),
    Column("deleted_at", BigInteger),
    Column("revision", BigInteger, nullable=False),
    UniqueConstraint("digest"),
    Index(None, "account_id"),
    Index(None, "revision"),
)
"""People who manage an account through the admin API, each with a token of their own; an empty workspace is all."""

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Counters of changes, one row for each kind of thing that a running gateway keeps a copy of."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("disabled", Boolean, nullable=False),
    Column("deleted_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("models", JSON, nullable=False),
    Column("ip_ranges", JSON, nullable=False),
    Column("hours", Text, nullable=False),
    Column("rotate_after_days", Integer),
    Column("body_bytes", BigInteger, nullable=False),
    Column("body_days", Integer, nullable=False),
    Column("rotates_to", Text),
    Column("revision", BigInteger, nullable=False),
    Column("regions", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("cache_s", BigInteger),
    UniqueConstraint("digest"),
    Index(None, "revision"),
    Index(None, "account_id"),
)

LEVELS = Table(
    "levels",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

LIMITS = Table(
    "limits",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("cap", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("burst_ms", BigInteger),
    Column("mode", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("account_id", Text),
    Column("workspace_id", Text),
    Column("key_id", Text),
    Column("model", Text, nullable=False),
    Column("per", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(None, "key_id"),
    Index(None, "account_id"),
)

EXCHANGE_RATES = Table(
    "exchange_rates",
    METADATA,
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("rate", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("base", "quote", "since"),
)
"""One unit of the base costs `rate` (an exact decimal) of the quote from a day on."""

HOUSE_STATE = Table(
    "house_state",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What holds for the whole house: maintenance, the time zone in which days were cut. Values are JSON."""

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Index(None, "at"),
    Index(None, "account_id", "at"),
    Index(None, "object_id", "at"),
)
"""Every change that somebody made: who, what, and what it was before and after, as JSON without secrets."""

LEDGER_ENTRIES = Table(
    "ledger_entries",
    METADATA,
    # SQLite numbers rows by itself only in a column declared as INTEGER.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_nanos", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    UniqueConstraint("id"),
    Index(None, "account_id", "at"),
    Index(None, "request_id"),
)
"""Movements of money that are no calls: credits, debits, refunds, corrections, and sums of months that were dropped.

Each moves a positive amount from the ledger account that is debited to the one that is credited.
"""

BALANCES = Table(
    "balances",
    METADATA,
    Column("ledger_account", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("moved_nanos", BigInteger, nullable=False),
    Column("used_nanos", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("ledger_account", "currency"),
    Index(None, "revision"),
)
"""Sums of the ledger, kept in the transaction that writes it: `moved` by entries, `used` by postings of calls.

A customer's balance is `moved - used`; over all ledger accounts of a currency it adds up to nothing.
"""

FREE_USAGE = Table(
    "free_usage",
    METADATA,
    Column("account_id", Text, nullable=False),
    Column("grant_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "grant_id", "model"),
)

_USAGE_COUNTS = (
    "requests",
    "unpriced_requests",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "image_tokens",
    "images",
    "pages",
    "cost_nanos",
)


def _usage_columns() -> tuple[Column[Any], ...]:
    dimensions = ("account_id", "key_id", "model", "served_by", "currency")
    return (
        *(Column(name, Text, nullable=False) for name in dimensions),
        *(Column(name, BigInteger, nullable=False) for name in _USAGE_COUNTS),
    )


USAGE_HOURS = Table(
    "usage_hours",
    METADATA,
    Column("hour", BigInteger, nullable=False),
    *_usage_columns(),
    PrimaryKeyConstraint("hour", "account_id", "key_id", "model", "served_by", "currency"),
)

USAGE_DAYS = Table(
    "usage_days",
    METADATA,
    Column("day", Text, nullable=False),
    *_usage_columns(),
    PrimaryKeyConstraint("day", "account_id", "key_id", "model", "served_by", "currency"),
)
"""The same by days of the server's time zone, as `2026-01-31`."""

CALL_BODIES = Table(
    "call_bodies",
    METADATA,
    Column("request_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("request_bytes", BigInteger, nullable=False),
    Column("answer_bytes", BigInteger, nullable=False),
    Index(None, "expires_at"),
)
"""What calls said, of keys that ask for it; the sizes are those before the content was cut."""


STORED_FILES = Table(
    "stored_files",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("md5", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("upload_key", Text),
    Column("upload_model", Text, nullable=False),
    UniqueConstraint("upload_key"),
    Index(None, "account_id", "created_at", "id"),
    Index(None, "expires_at"),
)
"""Files of accounts; the bytes lie in the data directory. Only what was posted to the upload host has an upload key."""

RESPONSES = Table(
    "responses",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("model", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("previous_id", Text, nullable=False),
    Column("items", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Index(None, "account_id", "created_at", "id", "size_bytes"),
    Index(None, "expires_at"),
)
"""Answers that conversations go on from. The size stands in an index, so that adding up reads no content."""

IDEMPOTENT_REQUESTS = Table(
    "idempotent_requests",
    METADATA,
    Column("key_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("key_id", "name"),
    Index(None, "expires_at"),
    Index(None, "key_id", "begun_at", "name", "size_bytes"),
)
"""Requests with an `Idempotency-Key`, by API key and the SHA-256 of theirs; status 0 while one is being answered, and
-1 where its answer had no room. The size stands in an index, so that adding up reads no content."""

NATIVE_TASKS = Table(
    "native_tasks",
    METADATA,
    Column("upstream", Text, nullable=False),
    Column("task_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("hold", LargeBinary, nullable=False),
    Column("rate_ppm", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("next_look_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("usage", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("upstream", "task_id"),
    Index(None, "account_id", "made_at"),
    Index(None, "state", "next_look_at"),
)
"""Asynchronous tasks that upstreams made for callers, until their results are forgotten; `storage/task_rows.py`."""
