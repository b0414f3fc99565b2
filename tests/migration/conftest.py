"""Databases of earlier revisions, on each of the two kinds, looked at without our own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, MetaData, create_engine, inspect, select, text

from qwenport.core.secret import Secret
from qwenport.storage.database import Database
from qwenport.storage.schema import upgrade
from qwenport.storage.transaction import Transaction
from qwenport.testing.postgres import PostgresServer

_POSTGRESQL_SCHEMA = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name""",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    """SELECT relname, pg_get_expr(relpartbound, oid), pg_get_partkeydef(oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace ORDER BY 1""",
    "SELECT sequencename, data_type::text FROM pg_sequences ORDER BY 1",
)


class Bare:
    """A database that knows nothing of the present tables until it is opened."""

    def __init__(self, place: Path | Secret) -> None:
        self.place = place
        self.is_file = isinstance(place, Path)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a transaction over an engine that knows nothing of ours."""
        place = self.place
        if isinstance(place, Path):
            engine = create_engine(f"sqlite:///{place}")
        else:
            engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(place.reveal()))
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def at_revision(self, revision: str) -> None:
        """Make the tables of an earlier revision."""
        with self.transaction() as connection:
            upgrade(Transaction(connection), revision)

    def run(self, *statements: str) -> None:
        """Run statements of the test's own."""
        with self.transaction() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def open(self) -> Database:
        """Open it as the server does, which brings it up to date."""
        return Database.open(self.place)

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        """Return all rows of all tables that have any, sorted by their text; partitions under their own names."""
        with self.transaction() as connection:
            names = set(inspect(connection).get_table_names()) - {"calls", "postings", "alembic_version"}
            metadata = MetaData()
            metadata.reflect(connection, only=sorted(names), resolve_fks=False)
            rows = {
                name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=str)
                for name, table in metadata.tables.items()
            }
        return {name: found for name, found in sorted(rows.items()) if found}

    def schema(self) -> list[tuple[Any, ...]]:
        """Return all that the database says of its tables, columns, indexes and constraints."""
        with self.transaction() as connection:
            if isinstance(self.place, Path):
                query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
                # A column that was added later stands in the text without the line that others have.
                return [(name, sql.replace(",", " ").split()) for name, sql in connection.execute(text(query))]
            return [tuple(row) for query in _POSTGRESQL_SCHEMA for row in connection.execute(text(query))]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Bare]]:
    """Return a function that makes an empty database, of the one kind or the other."""
    if request.param == "sqlite":
        numbers = count()
        yield lambda: Bare(tmp_path / f"qwenport-{next(numbers)}.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with ExitStack() as made:

        def make() -> Bare:
            place = server.database()
            made.callback(server.remove, place)
            return Bare(place)

        yield make


@pytest.fixture
def bare(make_bare: Callable[[], Bare]) -> Bare:
    """Return an empty database, on each of the two kinds."""
    return make_bare()
