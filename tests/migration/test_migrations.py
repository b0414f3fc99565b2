"""Every revision leads to the tables that the code expects, from every earlier one."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId
from qwenport.core.stored_files import FilePurpose, StoredFile
from qwenport.storage import account_rows, file_rows
from qwenport.storage.database import Database
from qwenport.storage.schema import REVISIONS, SCRIPTS, upgrade
from qwenport.storage.tables import METADATA
from qwenport.storage.transaction import Transaction


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "qwenport.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    """Return an engine on the file that knows nothing of ours."""
    made = create_engine(f"sqlite:///{path}")
    yield made
    made.dispose()


def schema(path: Path) -> list[tuple[str, str]]:
    """Return the statements that would make the tables and indexes of a file."""
    connection = sqlite3.connect(path)
    try:
        return sorted(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    finally:
        connection.close()


def test_the_listed_revisions_are_those_in_the_folder_in_their_order() -> None:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    scripts = ScriptDirectory.from_config(config)

    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == REVISIONS
    assert scripts.get_heads() == [REVISIONS[-1]]


def test_a_new_database_has_the_tables_of_the_metadata(path: Path, engine: Engine) -> None:
    Database.open(path).close()

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_names_and_keys_of_a_new_database_are_those_of_the_metadata(path: Path, tmp_path: Path) -> None:
    """Autogenerate does not compare primary keys, constraint names or NOT NULL of keys; the text of the tables does."""
    Database.open(path).close()
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    METADATA.create_all(fresh)
    fresh.dispose()

    def words(file: Path) -> dict[str, list[str]]:
        found = {name: sorted(sql.replace(",", " ").split()) for name, sql in schema(file)}
        found.pop("alembic_version", None)
        return found

    assert words(path) == words(tmp_path / "fresh.db")


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_an_earlier_revision_is_brought_up_to_date(
    path: Path, tmp_path: Path, engine: Engine, revision: str
) -> None:
    with engine.begin() as connection:
        upgrade(Transaction(connection), revision)
    Database.open(path).close()
    Database.open(tmp_path / "new.db").close()

    assert schema(path) == schema(tmp_path / "new.db")


def test_what_a_database_of_the_first_revision_holds_is_kept_and_can_have_files(path: Path, engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(Transaction(connection), REVISIONS[0])
    plain = sqlite3.connect(path)
    plain.execute("INSERT INTO accounts VALUES ('acc-1', 'a@a', 'a', 'metered', 'CNY', 1, 'active')")
    plain.commit()
    plain.close()
    file = StoredFile(
        id="file-fe-1",
        name="a.txt",
        purpose=FilePurpose.EXTRACT,
        size_bytes=1,
        md5="c4ca4238a0b923820dcc509a6f75849b",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    with Database.open(path) as database:
        with database.write() as transaction:
            file_rows.add(transaction, AccountId("acc-1"), file, file_rows.UploadOrigin())
        with database.read() as transaction:
            assert [account.email for account in account_rows.every(transaction)] == ["a@a"]
            assert file_rows.find(transaction, AccountId("acc-1"), "file-fe-1", file.created_at) == file


def test_a_database_that_is_up_to_date_is_not_written_to(path: Path) -> None:
    Database.open(path).close()
    before = path.read_bytes()

    Database.open(path).close()

    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_refused_in_words_and_left_alone(path: Path) -> None:
    Database.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StorageUnavailable) as refusal:
        Database.open(path)

    assert (
        "the database was made by a newer version of qwenport: its tables are at revision `9999`, "
        f"this version knows `{REVISIONS[-1]}`; start the newer version or restore a backup"
    ) in str(refusal.value)
    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_nothing_behind(path: Path) -> None:
    """The foreign table has the name of one that comes late in the first revision."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE usage_hours (a)")
    connection.commit()
    connection.close()

    with pytest.raises(StorageUnavailable):
        Database.open(path)

    assert schema(path) == [("usage_hours", "CREATE TABLE usage_hours (a)")]


def open_at_once(paths: list[Path]) -> list[BaseException]:
    """Open each path in a thread of its own; return what went wrong."""
    barrier = threading.Barrier(len(paths))
    failures: list[BaseException] = []

    def start(path: Path) -> None:
        barrier.wait()
        try:
            Database.open(path).close()
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=start, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_starts_at_the_same_time_migrate_once(path: Path) -> None:
    assert open_at_once([path] * 4) == []
    assert [name for name, _ in schema(path)].count("calls") == 1


def test_different_files_may_be_migrated_at_the_same_time(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(6)]

    assert open_at_once(paths) == []
    assert [schema(path) == schema(paths[0]) for path in paths] == [True] * 6


def test_a_folder_with_odd_characters_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / "100% of ? and # é"
    folder.mkdir()

    Database.open(folder / "qwen port.db").close()

    assert [path.name for path in folder.iterdir()] == ["qwen port.db"]


def test_opening_leaves_the_operators_logging_as_it_is(path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("qwenport").disabled)

    Database.open(path).close()

    assert (root.level, list(root.handlers), logging.getLogger("qwenport").disabled) == before
