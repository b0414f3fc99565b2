"""Fixtures that give tests a fresh database, on each of the two kinds; a plugin of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from qwenport.core.secret import Secret
from qwenport.storage.database import Database
from qwenport.testing.postgres import PostgresServer

_TEMPLATE = "qwenport_template"

OpenAgain = Callable[[], Database]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a server that all tests share; who stops or kills one starts a server of its own."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    """Return the name of a database with all tables and no rows, which copies are made of."""
    postgres.run_sql(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
    Database.open(postgres.url(_TEMPLATE)).close()
    return _TEMPLATE


@pytest.fixture(params=["sqlite", "postgresql"])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Secret:
    """Return where a fresh database lies, on each of the two kinds; a file is made by whoever opens it."""
    if request.param == "sqlite":
        return tmp_path / "qwenport.db"
    place: Secret = request.getfixturevalue("postgres_place")
    return place


@pytest.fixture
def any_database(any_place: Path | Secret) -> Iterator[Database]:
    """Return a fresh database with all tables, on each of the two kinds."""
    with Database.open(any_place) as database:
        yield database


@pytest.fixture
def open_again(any_place: Path | Secret) -> Iterator[OpenAgain]:
    """Return a function that opens the database of `any_database` once more, as another process would."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(Database.open(any_place))


@pytest.fixture
def postgres_place(postgres: PostgresServer, migrated_template: str) -> Iterator[Secret]:
    """Return the URL of a fresh database on PostgreSQL."""
    place = postgres.database(template=migrated_template)
    yield place
    postgres.remove(place)


@pytest.fixture
def postgres_database(postgres_place: Secret) -> Iterator[Database]:
    """Return a fresh database with all tables on PostgreSQL."""
    with Database.open(postgres_place) as database:
        yield database
