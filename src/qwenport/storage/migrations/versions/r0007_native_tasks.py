"""Asynchronous tasks of native services that are handed on, and what these report beyond tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from qwenport.storage.migrations import reshaping

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of tasks, and give every month's calls the column of what was reported."""
    op.create_table(
        "native_tasks",
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("hold", sa.LargeBinary, nullable=False),
        sa.Column("rate_ppm", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("next_look_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("usage", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("upstream", "task_id", name="pk_native_tasks"),
    )
    op.create_index("ix_native_tasks_account_id_made_at", "native_tasks", ["account_id", "made_at"])
    op.create_index("ix_native_tasks_state_next_look_at", "native_tasks", ["state", "next_look_at"])
    for statement in _columns():
        op.execute(statement)
    reshaping.compare_text_by_bytes()


def _columns() -> list[str]:
    """Return what gives calls their column, with a default, so that no month is written anew."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # Every month's table is a part of this one and gets the column with it; later ones take over no default.
        return [
            """ALTER TABLE calls ADD COLUMN items TEXT COLLATE "C" DEFAULT '' NOT NULL""",
            "ALTER TABLE calls ALTER COLUMN items DROP DEFAULT",
        ]
    names = connection.execute(
        sa.text(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'calls_[0-9][0-9][0-9][0-9][0-9][0-9]'"
        )
    ).scalars()
    return [f"ALTER TABLE {name} ADD COLUMN items TEXT DEFAULT '' NOT NULL" for name in sorted(names)]
