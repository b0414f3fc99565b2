"""What revisions do to tables that hold rows already, on each of the two databases in its way."""

# ruff: noqa: S608 - names and expressions are constants of revisions; nothing comes from outside.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

SET_ASIDE = "_set_aside"
"""End of the name of a table whose rows are about to be moved."""

NewColumn = tuple[sa.Column[Any], str]
"""A column and the SQL expression that old rows get as its value."""


def workspace_of(column: str) -> str:
    """Return the expression of an account's own workspace, as `core.ids.workspace_of` makes its id."""
    return f"'ws-' || CASE WHEN substr({column}, 1, 4) = 'acc-' THEN substr({column}, 5) ELSE {column} END"


def add_columns(table: str, columns: Sequence[NewColumn]) -> None:
    """Add columns at the end, with a value in each old row and without a default for new ones."""
    if op.get_bind().dialect.name == "postgresql":
        _add_in_place(table, columns)
    else:
        _make_anew(table, columns)


def compare_text_by_bytes() -> None:
    """Give every text column of PostgreSQL the order of SQLite, which no locale or its next version changes.

    Not those of tables that were set aside: they go soon.
    """
    if op.get_bind().dialect.name != "postgresql":
        return
    found = (
        op.get_bind()
        .execute(
            sa.text(
                "SELECT columns.table_name, columns.column_name FROM information_schema.columns "
                "JOIN information_schema.tables USING (table_schema, table_name) "
                "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND data_type = 'text' "
                "AND collation_name IS NULL ORDER BY table_name, ordinal_position"
            )
        )
        .all()
    )
    changes: dict[str, list[str]] = {}
    for table, column in found:
        if table.endswith(SET_ASIDE):
            continue
        changes.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE text COLLATE "C"')
    for table, alterations in changes.items():
        op.execute(f'ALTER TABLE "{table}" {", ".join(alterations)}')


def _add_in_place(table: str, columns: Sequence[NewColumn]) -> None:
    for column, _ in columns:
        op.add_column(table, sa.Column(column.name, column.type))
    values = ", ".join(f'"{column.name}" = {value}' for column, value in columns)
    op.execute(f"UPDATE {table} SET {values}")
    for column, _ in columns:
        if not column.nullable:
            op.alter_column(table, str(column.name), nullable=False)


def _make_anew(table: str, columns: Sequence[NewColumn]) -> None:
    """Make the table once more: SQLite adds no column that must have a value and has no default.

    Rows of other tables may refer to it. They look for their row only at the commit (which is what the first
    statement is for), and find it under the old name, <https://www.sqlite.org/foreignkeys.html#fk_schemacommands>.
    """
    connection = op.get_bind()
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    old = sa.Table(table, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    names = [f'"{column.name}"' for column in old.columns]
    kept = f"{table}_kept"
    connection.exec_driver_sql(f"CREATE TABLE {kept} AS SELECT * FROM {table}")
    shape = sa.Table(table, sa.MetaData(), autoload_with=connection)
    for column, _ in columns:
        shape.append_column(column)
    old.drop(connection)
    shape.create(connection)
    filled = ", ".join([*names, *(f'"{column.name}"' for column, _ in columns)])
    values = ", ".join([*names, *(value for _, value in columns)])
    connection.exec_driver_sql(f"INSERT INTO {table} ({filled}) SELECT {values} FROM {kept}")
    connection.exec_driver_sql(f"DROP TABLE {kept}")
