"""Where a key's calls may be answered, how long they wait, and how old a cached answer may be."""

from __future__ import annotations

import sqlalchemy as sa

from qwenport.storage.migrations import reshaping

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give the table of keys its new columns."""
    reshaping.add_columns(
        "api_keys",
        (
            (sa.Column("regions", sa.JSON, nullable=False), "'[]'"),
            (sa.Column("priority", sa.Integer, nullable=False), "0"),
            (sa.Column("cache_s", sa.BigInteger), "NULL"),
        ),
    )
