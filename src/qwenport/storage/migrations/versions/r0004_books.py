"""Accounts with terms, workspaces, members, limits, rates, and books that are balanced in months."""

# ruff: noqa: S608 - names and expressions are constants of revisions; nothing comes from outside.

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from qwenport.storage.migrations import monthly_books, reshaping

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new tables, give the old ones their new columns, and move calls and postings into months."""
    _accounts()
    _workspaces()
    _api_keys()
    _members()
    _limits()
    _house()
    _money()
    _bodies()
    _usage()
    _counters()
    monthly_books.make()
    reshaping.compare_text_by_bytes()
    monthly_books.move()


def _accounts() -> None:
    reshaping.add_columns(
        "accounts",
        (
            (sa.Column("level", sa.Text, nullable=False), "''"),
            (sa.Column("deactivated_models", sa.JSON, nullable=False), "'[]'"),
            (sa.Column("deactivated_regions", sa.JSON, nullable=False), "'[]'"),
            (sa.Column("discounts", sa.JSON, nullable=False), "'{}'"),
            (sa.Column("free_grant", sa.Text, nullable=False), "''"),
            (sa.Column("free_tokens", sa.BigInteger, nullable=False), "0"),
            (sa.Column("free_until", sa.BigInteger), "NULL"),
            (sa.Column("free_tier_only", sa.Boolean, nullable=False), "false"),
            (sa.Column("revision", sa.BigInteger, nullable=False), "0"),
        ),
    )
    op.execute(
        "UPDATE accounts SET revision = (SELECT COUNT(*) FROM accounts AS earlier "
        "WHERE (earlier.created_at, earlier.id) <= (accounts.created_at, accounts.id))"
    )
    op.create_index("ix_accounts_revision", "accounts", ["revision"])


def _workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_workspaces_account_id"),
    )
    op.create_index("ix_workspaces_account_id", "workspaces", ["account_id"])
    op.execute(
        "INSERT INTO workspaces (id, account_id, name, created_at) "
        f"SELECT {reshaping.workspace_of('id')}, id, 'default', created_at FROM accounts"
    )


def _api_keys() -> None:
    reshaping.add_columns(
        "api_keys",
        (
            (sa.Column("workspace_id", sa.Text, nullable=False), reshaping.workspace_of("account_id")),
            (sa.Column("hours", sa.Text, nullable=False), "''"),
            (sa.Column("rotate_after_days", sa.Integer), "NULL"),
            (sa.Column("body_bytes", sa.BigInteger, nullable=False), "0"),
            (sa.Column("body_days", sa.Integer, nullable=False), "0"),
        ),
    )
    op.create_index("ix_api_keys_account_id", "api_keys", ["account_id"])


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_members_account_id"),
        sa.UniqueConstraint("digest", name="uq_members_digest"),
    )
    op.create_index("ix_members_account_id", "members", ["account_id"])
    op.create_index("ix_members_revision", "members", ["revision"])


def _limits() -> None:
    op.create_table(
        "levels",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_levels"),
    )
    op.create_table(
        "limits",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("window", sa.Text, nullable=False),
        sa.Column("cap", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("burst_ms", sa.BigInteger),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text),
        sa.Column("workspace_id", sa.Text),
        sa.Column("key_id", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("per", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_limits"),
    )
    op.create_index("ix_limits_key_id", "limits", ["key_id"])
    op.create_index("ix_limits_account_id", "limits", ["account_id"])


def _house() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("rate", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("base", "quote", "since", name="pk_exchange_rates"),
    )
    op.create_table(
        "house_state",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_house_state"),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_kind", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.create_index("ix_audit_log_account_id_at", "audit_log", ["account_id", "at"])
    op.create_index("ix_audit_log_object_id_at", "audit_log", ["object_id", "at"])


def _money() -> None:
    monthly_books.set_aside()
    op.create_table(
        "ledger_entries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("debit", sa.Text, nullable=False),
        sa.Column("credit", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("amount_nanos", sa.BigInteger, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ledger_entries"),
        sa.UniqueConstraint("id", name="uq_ledger_entries_id"),
    )
    op.create_index("ix_ledger_entries_account_id_at", "ledger_entries", ["account_id", "at"])
    op.create_index("ix_ledger_entries_request_id", "ledger_entries", ["request_id"])
    op.create_table(
        "balances",
        sa.Column("ledger_account", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("moved_nanos", sa.BigInteger, nullable=False),
        sa.Column("used_nanos", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("ledger_account", "currency", name="pk_balances"),
    )
    op.create_index("ix_balances_revision", "balances", ["revision"])
    op.create_table(
        "free_usage",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "grant_id", "model", name="pk_free_usage"),
    )


def _bodies() -> None:
    op.create_table(
        "call_bodies",
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("request_bytes", sa.BigInteger, nullable=False),
        sa.Column("answer_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_call_bodies"),
    )
    op.create_index("ix_call_bodies_expires_at", "call_bodies", ["expires_at"])


def _usage() -> None:
    new = ("reasoning_tokens", "image_tokens", "images", "pages")
    reshaping.add_columns("usage_hours", tuple((sa.Column(name, sa.BigInteger, nullable=False), "0") for name in new))
    dimensions = ("account_id", "key_id", "model", "served_by", "currency")
    counts = ("requests", "unpriced_requests", "input_tokens", "output_tokens", "cached_tokens", *new, "cost_nanos")
    op.create_table(
        "usage_days",
        sa.Column("day", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in dimensions),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("day", *dimensions, name="pk_usage_days"),
    )
    day = {
        "sqlite": "strftime('%Y-%m-%d', hour / 1000, 'unixepoch')",
        "postgresql": "to_char(to_timestamp(hour / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    }[op.get_bind().dialect.name]
    grouped = ", ".join(dimensions)
    sums = ", ".join(f"SUM({name})" for name in counts)
    op.execute(
        f"INSERT INTO usage_days (day, {grouped}, {', '.join(counts)}) "
        f"SELECT {day} AS of_day, {grouped}, {sums} FROM usage_hours GROUP BY of_day, {grouped}"
    )


def _counters() -> None:
    op.execute("INSERT INTO revisions (name, value) SELECT 'accounts', COUNT(*) FROM accounts")
    for name in ("members", "limits", "rates", "balances", "house_state"):
        op.execute(f"INSERT INTO revisions (name, value) VALUES ('{name}', 0)")
