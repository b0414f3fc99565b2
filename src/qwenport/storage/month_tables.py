"""The tables of one month: its calls, and how the hold of each became an amount."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text

CALL_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "image_tokens",
    "cache_creation_tokens",
    "explicitly_cached_tokens",
    "images",
    "pages",
)


def calls_table(name: str, metadata: MetaData) -> Table:
    """Return the table of one month's calls."""
    return Table(
        name,
        metadata,
        Column("request_id", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("key_id", Text, nullable=False),
        Column("account_id", Text, nullable=False),
        Column("workspace_id", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("face", Text, nullable=False),
        Column("operation", Text, nullable=False),
        Column("streams", Boolean, nullable=False),
        Column("batch", Boolean, nullable=False),
        Column("served_by", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("status", Integer, nullable=False),
        Column("error", Text, nullable=False),
        *(Column(count, BigInteger, nullable=False) for count in CALL_COUNTS),
        Column("usage_source", Text, nullable=False),
        Column("cost_nanos", BigInteger),
        Column("currency", Text, nullable=False),
        Column("price_source", Text, nullable=False),
        Column("grant_id", Text, nullable=False),
        Column("queue_ms", BigInteger),
        Column("first_event_ms", BigInteger),
        Column("total_ms", BigInteger, nullable=False),
        # With a default, so that the tables of earlier months get the column where they stand, however many calls lie
        # in them.
        Column("items", Text, nullable=False, server_default=""),
    )


def postings_table(name: str, metadata: MetaData) -> Table:
    """Return the table of one month's postings: how the hold of each call became an amount, or nothing."""
    return Table(
        name,
        metadata,
        Column("request_id", Text, nullable=False),
        Column("call_at", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("kind", Text, nullable=False),
        Column("account_id", Text, nullable=False),
        Column("debit", Text, nullable=False),
        Column("credit", Text, nullable=False),
        Column("currency", Text, nullable=False),
        Column("hold_nanos", BigInteger),
        Column("amount_nanos", BigInteger, nullable=False),
        Column("exchange", Text, nullable=False),
    )
