"""Answers to requests with an `Idempotency-Key`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from qwenport.storage.migrations import reshaping

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of requests that are answered once."""
    op.create_table(
        "idempotent_requests",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "name", name="pk_idempotent_requests"),
    )
    op.create_index("ix_idempotent_requests_expires_at", "idempotent_requests", ["expires_at"])
    op.create_index(
        "ix_idempotent_requests_key_id_begun_at_name_size_bytes",
        "idempotent_requests",
        ["key_id", "begun_at", "name", "size_bytes"],
    )
    reshaping.compare_text_by_bytes()
