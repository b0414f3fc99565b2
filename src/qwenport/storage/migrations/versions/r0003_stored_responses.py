"""Stored answers of the Responses API."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of stored answers."""
    op.create_table(
        "responses",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("previous_id", sa.Text, nullable=False),
        sa.Column("items", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_responses"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_responses_account_id"),
    )
    op.create_index(
        "ix_responses_account_id_created_at_id_size_bytes",
        "responses",
        ["account_id", "created_at", "id", "size_bytes"],
    )
    op.create_index("ix_responses_expires_at", "responses", ["expires_at"])
