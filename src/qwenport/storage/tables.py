"""The tables. Times are milliseconds since 1970 in UTC, money is nano-units of a currency, both as 64-bit integers.

Integers compare, sum and index alike on SQLite and PostgreSQL; SQLite has neither a time nor a decimal type.
Calls and ledger entries refer to keys and accounts without a foreign key: what was consumed is recorded
even where the key is not known to this database.
"""

from __future__ import annotations

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
    UniqueConstraint("email"),
)

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
    Column("rotates_to", Text),
    Column("revision", BigInteger, nullable=False),
    UniqueConstraint("digest"),
    Index(None, "revision"),
)

CALLS = Table(
    "calls",
    METADATA,
    Column("request_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("face", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("streams", Boolean, nullable=False),
    Column("served_by", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("usage_source", Text, nullable=False),
    Column("cost_nanos", BigInteger),
    Column("currency", Text, nullable=False),
    Column("price_source", Text, nullable=False),
    Column("first_event_ms", BigInteger),
    Column("total_ms", BigInteger, nullable=False),
    Index(None, "at", "request_id"),
    Index(None, "key_id", "at", "request_id"),
)

LEDGER_ENTRIES = Table(
    "ledger_entries",
    METADATA,
    # SQLite numbers rows by itself only in a column declared as INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("request_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_nanos", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("request_id", "kind"),
)

USAGE_HOURS = Table(
    "usage_hours",
    METADATA,
    Column("hour", BigInteger, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("served_by", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("unpriced_requests", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("cost_nanos", BigInteger, nullable=False),
    PrimaryKeyConstraint("hour", "account_id", "key_id", "model", "served_by", "currency"),
)

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
