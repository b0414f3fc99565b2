"""Stored files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of stored files."""
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("md5", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("upload_key", sa.Text),
        sa.Column("upload_model", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stored_files"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_stored_files_account_id"),
        sa.UniqueConstraint("upload_key", name="uq_stored_files_upload_key"),
    )
    op.create_index("ix_stored_files_account_id_created_at_id", "stored_files", ["account_id", "created_at", "id"])
    op.create_index("ix_stored_files_expires_at", "stored_files", ["expires_at"])
