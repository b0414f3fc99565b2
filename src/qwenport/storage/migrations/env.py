"""Runs revisions on the connection that `storage.schema` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from qwenport.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite cannot alter most of a table in place; a batch copies it.
    render_as_batch=True,
)
context.run_migrations()
