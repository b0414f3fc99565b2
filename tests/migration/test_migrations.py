"""Every revision leads to the tables that the code expects, from every earlier one, on both databases."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId
from qwenport.core.secret import Secret
from qwenport.core.stored_files import FilePurpose, StoredFile
from qwenport.storage import file_rows
from qwenport.storage.database import Database
from qwenport.storage.schema import REVISIONS, SCRIPTS
from qwenport.storage.tables import METADATA

if TYPE_CHECKING:
    from tests.migration.conftest import Bare

MakeBare = Callable[[], "Bare"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "qwenport.db"


def test_the_listed_revisions_are_those_in_the_folder_in_their_order() -> None:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    scripts = ScriptDirectory.from_config(config)

    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == REVISIONS
    assert scripts.get_heads() == [REVISIONS[-1]]


def test_a_new_database_has_the_tables_of_the_metadata(bare: Bare) -> None:
    bare.open().close()

    def is_ours(_found: object, name: str | None, kind: str, _reflected: object, _other: object) -> bool:
        # What months are parts of on PostgreSQL; no statement of ours names it.
        return not (kind == "table" and name in {"calls", "postings"})

    options: dict[str, Any] = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
    with bare.transaction() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []


def test_names_and_keys_of_a_new_database_are_those_of_the_metadata(path: Path, tmp_path: Path) -> None:
    """Autogenerate does not compare primary keys, constraint names or NOT NULL of keys; the text of the tables does."""
    Database.open(path).close()
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    METADATA.create_all(fresh)
    fresh.dispose()

    def words(file: Path) -> dict[str, list[str]]:
        connection = sqlite3.connect(file)
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        connection.close()
        found = {name: sorted(sql.replace(",", " ").split()) for name, sql in rows}
        found.pop("alembic_version", None)
        return found

    assert words(path) == words(tmp_path / "fresh.db")


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_an_earlier_revision_is_brought_up_to_date(make_bare: MakeBare, revision: str) -> None:
    earlier, new = make_bare(), make_bare()
    earlier.at_revision(revision)
    earlier.open().close()
    new.open().close()

    assert earlier.schema() == new.schema()


def test_what_a_database_of_the_first_revision_holds_is_kept_and_can_have_files(bare: Bare) -> None:
    bare.at_revision(REVISIONS[0])
    bare.run("INSERT INTO accounts VALUES ('acc-1', 'a@a', 'a', 'metered', 'CNY', 1, 'active')")
    file = StoredFile(
        id="file-fe-1",
        name="a.txt",
        purpose=FilePurpose.EXTRACT,
        size_bytes=1,
        md5="c4ca4238a0b923820dcc509a6f75849b",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    with bare.open() as database:
        with database.write() as transaction:
            file_rows.add(transaction, AccountId("acc-1"), file, file_rows.UploadOrigin())
        with database.read() as transaction:
            assert file_rows.find(transaction, AccountId("acc-1"), "file-fe-1", file.created_at) == file
    assert [account["email"] for account in bare.contents()["accounts"]] == ["a@a"]


def test_a_database_that_is_up_to_date_is_not_written_to(path: Path) -> None:
    Database.open(path).close()
    before = path.read_bytes()

    Database.open(path).close()

    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_refused_in_words_and_left_alone(bare: Bare) -> None:
    bare.open().close()
    bare.run("UPDATE alembic_version SET version_num = '9999'")
    before = bare.schema()

    with pytest.raises(StorageUnavailable) as refusal:
        bare.open()

    assert (
        "the database was made by a newer version of qwenport: its tables are at revision `9999`, "
        f"this version knows `{REVISIONS[-1]}`; start the newer version or restore a backup"
    ) in str(refusal.value)
    assert bare.schema() == before


def test_a_migration_that_fails_leaves_nothing_behind(bare: Bare) -> None:
    """The foreign table has the name of one that comes late in the first revision."""
    bare.run("CREATE TABLE usage_hours (a integer)")
    before = bare.schema()

    with pytest.raises(StorageUnavailable):
        bare.open()

    assert bare.schema() == before


def test_a_migration_that_fails_among_rows_leaves_them_as_they_were(bare: Bare) -> None:
    """The foreign table has the name of one that is made after calls were moved aside."""
    bare.at_revision("0003")
    bare.run(
        "INSERT INTO accounts VALUES ('acc-1', 'a@a', 'a', 'metered', 'CNY', 1, 'active')",
        "INSERT INTO usage_hours VALUES (0, 'acc-1', 'key-1', 'm', 's', 'CNY', 1, 0, 1, 1, 0, 5)",
        "CREATE TABLE usage_days (a integer)",
    )
    before = (bare.schema(), bare.contents())

    with pytest.raises(StorageUnavailable):
        bare.open()

    assert (bare.schema(), bare.contents()) == before


def open_at_once(places: list[Path | Secret]) -> list[BaseException]:
    """Open each place in a thread of its own; return what went wrong."""
    barrier = threading.Barrier(len(places))
    failures: list[BaseException] = []

    def start(place: Path | Secret) -> None:
        barrier.wait()
        try:
            Database.open(place).close()
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=start, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_starts_at_the_same_time_migrate_once(make_bare: MakeBare) -> None:
    started, alone = make_bare(), make_bare()

    assert open_at_once([started.place] * 4) == []
    alone.open().close()
    assert (started.schema(), started.contents()) == (alone.schema(), alone.contents())


OPEN = """
import sys
from pathlib import Path
from qwenport.core.secret import Secret
from qwenport.storage.database import Database
Database.open({"path": Path, "url": Secret}[sys.argv[1]](sys.argv[2])).close()
"""


def test_processes_that_start_at_the_same_time_migrate_once(bare: Bare) -> None:
    bare.at_revision("0003")
    bare.run("INSERT INTO accounts VALUES ('acc-1', 'a@a', 'a', 'metered', 'CNY', 1, 'active')")
    words = ["path", str(bare.place)] if isinstance(bare.place, Path) else ["url", bare.place.reveal()]

    processes = [subprocess.Popen([sys.executable, "-c", OPEN, *words]) for _ in range(2)]

    assert [process.wait() for process in processes] == [0, 0]
    assert [row["id"] for row in bare.contents()["workspaces"]] == ["ws-1"]


def test_different_files_may_be_migrated_at_the_same_time(tmp_path: Path) -> None:
    paths: list[Path | Secret] = [tmp_path / f"{number}.db" for number in range(6)]

    assert open_at_once(paths) == []


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
