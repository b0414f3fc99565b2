"""`qwenport db` and what `qwenport doctor` says of databases."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwenport.app.data_dir import DataDirectory
from qwenport.cli import doctor_storage
from qwenport.cli.findings import note, ok, problem
from qwenport.settings.settings import load_settings
from qwenport.storage.database import Database
from qwenport.storage.schema import REVISIONS
from qwenport.testing.valkey import running_valkey

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Done, Run

    from qwenport.testing.postgres import PostgresServer


def set_back(path: Path, revision: str) -> None:
    """Let the tables of a database seem to be of another revision."""
    with Database.open(path) as database, database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))


def test_the_database_is_described_as_it_is(done: Done, tmp_path: Path) -> None:
    found = done("db", "status")

    assert (found["place"], found["dialect"]) == (str(tmp_path / "data" / "qwenport.db"), "sqlite")
    assert (found["revision"], found["newest_revision"], found["months"]) == (REVISIONS[-1], REVISIONS[-1], [])


def test_before_the_first_start_there_is_no_database_and_none_is_made(run: Run, tmp_path: Path) -> None:
    words = (
        f"qwenport: there is no database in {tmp_path / 'data'} yet: start `qwenport serve` once, "
        "or set QWENPORT_DATA_DIR\n"
    )
    for command in (("status",), ("backup", "a.zip"), ("reclaim",)):
        assert run("db", *command) == (1, "", words)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_restored_into_another_data_directory(
    run: Run, done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = done("keys", "list")
    backed_up = done("db", "backup", "a.zip")
    taken = run("db", "backup", "a.zip")
    monkeypatch.setenv("QWENPORT_DATA_DIR", str(tmp_path / "other"))
    unasked = run("db", "restore", "a.zip")
    restored = done("db", "restore", "a.zip", "--yes")
    again = run("db", "restore", "a.zip", "--yes")

    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600
    assert taken == (1, "", "qwenport: `a.zip` exists already; a backup replaces no file\n")
    assert "say `--yes` if you want it" in unasked[2]
    assert restored == backed_up
    assert done("keys", "list") == keys
    assert (again[0], again[1]) == (1, "")
    assert "the database is not empty" in again[2]


def test_a_damaged_backup_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no backup")
    code, out, err = run("db", "restore", "a.zip", "--yes")
    missing = run("db", "restore", "none.zip", "--yes")

    assert (code, out, err.count("\n")) == (1, "", 1)
    assert (missing[0], missing[1], missing[2].count("\n")) == (1, "", 1)


def test_nothing_is_restored_while_a_server_uses_the_data_directory(run: Run, done: Done, tmp_path: Path) -> None:
    done("db", "backup", "a.zip")
    server = DataDirectory(tmp_path / "data")
    server.lock()
    try:
        code, out, err = run("db", "restore", "a.zip", "--yes")
    finally:
        server.unlock()

    assert (code, out) == (1, "")
    assert "already uses the data directory" in err


def test_tables_of_another_revision_are_neither_migrated_nor_backed_up(run: Run, done: Done, tmp_path: Path) -> None:
    set_back(tmp_path / "data" / "qwenport.db", REVISIONS[-2])

    assert done("db", "status")["revision"] == REVISIONS[-2]
    code, out, err = run("db", "backup", "a.zip")
    assert (code, out) == (1, "")
    assert f"the tables of the database are at revision `{REVISIONS[-2]}`, not `{REVISIONS[-1]}`" in err
    assert done("db", "status")["revision"] == REVISIONS[-2]
    assert not (tmp_path / "a.zip").exists()


def test_room_is_given_back_to_the_disk(done: Done) -> None:
    report = done("db", "reclaim")

    assert report["after_bytes"] <= report["before_bytes"]


def test_an_installation_moves_from_sqlite_to_postgresql(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    keys = done("keys", "list")
    done("db", "backup", "a.zip")
    monkeypatch.setenv("QWENPORT_DATABASE_URL", postgres.database().reveal())
    done("db", "restore", "a.zip", "--yes")
    found = done("db", "status")

    assert (found["place"], found["dialect"], found["revision"]) == (
        "QWENPORT_DATABASE_URL",
        "postgresql",
        REVISIONS[-1],
    )
    assert done("keys", "list") == keys


def test_doctor_tells_how_the_database_is(done: Done, tmp_path: Path) -> None:
    path = tmp_path / "data" / "qwenport.db"
    chosen = load_settings({"QWENPORT_DATA_DIR": str(path.parent)}, tmp_path)
    elsewhere = load_settings({"QWENPORT_DATA_DIR": str(tmp_path / "none")}, tmp_path)
    assert list(doctor_storage.database(chosen)) == [ok("database", f"SQLite, {path}, revision {REVISIONS[-1]}")]
    assert list(doctor_storage.database(elsewhere)) == [
        note("database", f"none yet; `qwenport serve` makes {tmp_path / 'none' / 'qwenport.db'}")
    ]

    set_back(path, REVISIONS[-2])
    [old] = doctor_storage.database(chosen)
    assert (old.verdict, f"migrates it to {REVISIONS[-1]}" in old.words) == ("note", True)

    path.write_bytes(b"no database" * 1_000)
    [broken] = doctor_storage.database(chosen)
    assert (broken.verdict, broken.words.endswith("; mend the file or restore a backup")) == ("problem", True)


def unused_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_doctor_names_a_database_server_that_does_not_answer_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://me:secret@127.0.0.1:{unused_port()}/books"
    [finding] = doctor_storage.database(load_settings({"QWENPORT_DATABASE_URL": url}, tmp_path))

    assert (finding.verdict, finding.words.endswith("; mend QWENPORT_DATABASE_URL")) == ("problem", True)
    assert "secret" not in finding.words


def test_doctor_names_a_valkey_that_does_not_answer_without_its_password(tmp_path: Path) -> None:
    url = f"redis://:secret@127.0.0.1:{unused_port()}/0"
    [finding] = doctor_storage.valkey(load_settings({"QWENPORT_VALKEY_URL": url}, tmp_path))

    assert (finding.check, finding.verdict) == ("valkey", "problem")
    assert finding.words.endswith("; start it, or mend QWENPORT_VALKEY_URL: calls get a 503 meanwhile")
    assert "secret" not in finding.words
    assert list(doctor_storage.valkey(load_settings({}, tmp_path))) == []


def test_doctor_tells_that_valkey_answers(tmp_path: Path) -> None:
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="qp-") as folder, running_valkey(Path(folder)) as server:
        chosen = load_settings({"QWENPORT_VALKEY_URL": server.url}, tmp_path)
        assert list(doctor_storage.valkey(chosen)) == [ok("valkey", "answers")]


def test_doctor_tells_how_far_the_books_are_behind_the_journals() -> None:
    well = {"unposted": 3, "backlog_bytes": 1 << 20, "open_holds": 2, "stale_holds": 0}

    assert list(doctor_storage.journals(well)) == [
        ok("journal", "3 settlements and 1.0 MiB wait for the books, 2 calls are running")
    ]
    assert list(doctor_storage.journals({**well, "backlog_bytes": 65 << 20, "stale_holds": 4})) == [
        problem(
            "journal",
            "3 settlements and 65.0 MiB wait for the books; see that the database answers and has room",
        ),
        problem("holds", "4 were not settled in their time; restart the server"),
    ]
