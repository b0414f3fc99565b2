"""Backups of either database while it is used, and what becomes of damaged ones."""

from __future__ import annotations

import json
import resource
import signal
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from qwenport.storage import months
from qwenport.storage.backup import BackupReport, back_up, restore
from qwenport.storage.backup_file import BackupRefused
from qwenport.storage.database import Database
from qwenport.storage.status import read_status
from qwenport.storage.tables import ACCOUNTS, API_KEYS, AUDIT_LOG, CALL_BODIES, HOUSE_STATE, METADATA, REVISIONS
from qwenport.testing.postgres import PostgresServer

AT = 1_767_225_600_000
"""The first millisecond of 2026."""

ACCOUNT = {
    "id": "acc-1",
    "email": "é@例.com",
    "name": 'tab\tquote"line\nback\\slash \\. \\N',
    "kind": "prepaid",
    "currency": "CNY",
    "created_at": AT,
    "state": "active",
    "level": "",
    "deactivated_models": ["a", "é"],
    "deactivated_regions": [],
    "discounts": {"qwen-plus": 500_000},
    "free_grant": "",
    "free_tokens": 2**63 - 1,
    "free_until": None,
    "free_tier_only": True,
    "revision": 1,
}
BODY = {
    "request_id": "a",
    "account_id": "acc-1",
    "key_id": "key-1",
    "at": AT,
    "expires_at": AT,
    "request": bytes(range(256)),
    "answer": b"",
    "request_bytes": 256,
    "answer_bytes": 0,
}
CHANGE = {
    "at": AT,
    "actor": "operator",
    "action": "account.create",
    "object_kind": "account",
    "object_id": "acc-1",
    "account_id": "acc-1",
    "before": "",
    "after": "{}",
}


def call(number: int) -> dict[str, Any]:
    """Return a call of January 2026."""
    texts = "key_id account_id workspace_id model face operation served_by outcome error usage_source currency grant_id"
    counts = "input_tokens output_tokens cached_tokens reasoning_tokens image_tokens cache_creation_tokens"
    return {
        **dict.fromkeys(texts.split(), "text"),
        **dict.fromkeys(counts.split(), number),
        "request_id": f"call-{number:05d}",
        "at": AT + number,
        "streams": number % 2 == 0,
        "batch": False,
        "status": 200,
        "explicitly_cached_tokens": 0,
        "images": 0,
        "pages": 0,
        "price_source": "",
        "cost_nanos": None if number % 3 else -number,
        "queue_ms": None,
        "first_event_ms": number,
        "total_ms": number,
        "items": "",
    }


def fill(database: Database) -> None:
    """Write something of every kind of column, and more calls than go into one batch."""
    with database.write() as transaction:
        connection = transaction.connection
        connection.execute(insert(ACCOUNTS), ACCOUNT)
        connection.execute(insert(CALL_BODIES), BODY)
        connection.execute(insert(AUDIT_LOG), [CHANGE] * 3)
        connection.execute(REVISIONS.update().where(REVISIONS.c.name == "accounts").values(value=1))
        for month in ("202512", "202601"):
            months.ensure(transaction, month)
        connection.execute(insert(months.calls_of("202601")), [call(number) for number in range(6_000)])


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables."""
    with database.read() as transaction:
        tables = list(METADATA.sorted_tables)
        for month in months.months(transaction):
            tables += [months.calls_of(month), months.postings_of(month)]
        return {
            table.name: [
                tuple(row) for row in transaction.connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in tables
        }


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(BackupRefused) as refused:
        action()
    return str(refused.value)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return an empty database beside `any_database`, on each of the two kinds."""
    if request.param == "sqlite":
        with Database.open(tmp_path / "new.db") as database:
            yield database
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    place = server.database(template=request.getfixturevalue("migrated_template"))
    with Database.open(place) as database:
        yield database
    server.remove(place)


def test_a_restored_database_holds_what_was_backed_up(
    any_database: Database, new_database: Database, tmp_path: Path
) -> None:
    fill(any_database)
    told: list[tuple[str, int]] = []

    made = back_up(any_database, tmp_path / "a.zip", lambda table, rows: told.append((table, rows)))
    restored = restore(tmp_path / "a.zip", new_database)

    assert contents(new_database) == contents(any_database)
    assert (
        made
        == restored
        == BackupReport(tables=len(METADATA.tables) + 4, rows=6_012, size_bytes=(tmp_path / "a.zip").stat().st_size)
    )
    assert [rows for table, rows in told if table == "calls_202601"] == [5_000, 6_000]


def test_the_backup_is_the_same_whichever_database_it_is_made_from(
    any_database: Database, new_database: Database, tmp_path: Path
) -> None:
    fill(any_database)
    back_up(any_database, tmp_path / "a.zip")
    restore(tmp_path / "a.zip", new_database)
    back_up(new_database, tmp_path / "b.zip")

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_restored_database_goes_on_numbering(any_database: Database, new_database: Database, tmp_path: Path) -> None:
    fill(any_database)
    back_up(any_database, tmp_path / "a.zip")
    restore(tmp_path / "a.zip", new_database)

    with new_database.write() as transaction:
        transaction.connection.execute(insert(AUDIT_LOG), CHANGE)
    assert [row[0] for row in contents(new_database)["audit_log"]] == [1, 2, 3, 4]


def test_a_backup_is_one_state_while_others_write(any_database: Database, tmp_path: Path) -> None:
    fill(any_database)
    before = contents(any_database)

    def write_meanwhile(table: str, _rows: int) -> None:
        if table == "accounts":
            with any_database.write() as transaction:
                transaction.connection.execute(insert(months.calls_of("202601")), call(9_999))
                months.ensure(transaction, "202602")

    back_up(any_database, tmp_path / "a.zip", write_meanwhile)
    with Database.open(tmp_path / "new.db") as new:
        restore(tmp_path / "a.zip", new)
        assert contents(new) == before
    assert contents(any_database) != before


def test_only_its_owner_may_read_a_backup_and_nothing_lies_beside_it(any_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    back_up(any_database, folder / "a.zip")

    assert [path.name for path in folder.iterdir()] == ["a.zip"]
    assert stat.S_IMODE((folder / "a.zip").stat().st_mode) == 0o600


def test_no_file_is_replaced_by_a_backup(any_database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"precious")

    assert refusal(lambda: back_up(any_database, tmp_path / "a.zip")) == (
        "`a.zip` exists already; a backup replaces no file"
    )
    assert (tmp_path / "a.zip").read_bytes() == b"precious"


@contextmanager
def small_disk(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_backup_that_the_disk_has_no_room_for_leaves_nothing(any_database: Database, tmp_path: Path) -> None:
    fill(any_database)
    folder = tmp_path / "backups"
    folder.mkdir()

    with small_disk(2_000):
        words = refusal(lambda: back_up(any_database, folder / "a.zip"))

    assert words == "`a.zip` cannot be written: File too large"
    assert list(folder.iterdir()) == []


def test_a_backup_that_is_interrupted_leaves_nothing(any_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    def interrupt(_table: str, _rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(any_database, folder / "a.zip", interrupt)
    assert list(folder.iterdir()) == []
    assert refusal(lambda: back_up(any_database, tmp_path / "none" / "a.zip")) == (
        "`a.zip` cannot be written: No such file or directory"
    )


def test_nothing_is_restored_into_a_database_that_has_something(
    any_database: Database, new_database: Database, tmp_path: Path
) -> None:
    back_up(any_database, tmp_path / "a.zip")
    with new_database.write() as transaction:
        months.ensure(transaction, "202601")
    words = [refusal(lambda: restore(tmp_path / "a.zip", new_database))]
    with new_database.write() as transaction:
        transaction.connection.execute(insert(HOUSE_STATE), {"name": "a", "value": "1"})
    words.append(refusal(lambda: restore(tmp_path / "a.zip", new_database)))

    assert words == [
        f"the database is not empty (`{table}` has rows); restore into a new one, before a server runs on it"
        for table in ("calls_202601", "house_state")
    ]


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Write a backup once more with other contents, as whoever knows the format could."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def with_manifest(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    def changed(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        manifest = json.loads(content)
        change(manifest)
        return json.dumps(manifest).encode()

    return rewritten(source, target, changed)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a sound backup."""
    with Database.open(tmp_path / "source.db") as database:
        fill(database)
        back_up(database, tmp_path / "sound.zip")
    return tmp_path / "sound.zip"


DAMAGED = "`{}` is damaged, cut off, or no backup of qwenport"


def test_a_backup_that_was_cut_off_is_refused_and_leaves_the_database_empty(
    source: Path, any_database: Database, tmp_path: Path
) -> None:
    whole = source.read_bytes()
    empty = contents(any_database)
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        cut = tmp_path / "cut.zip"
        cut.write_bytes(whole[:length])
        assert refusal(partial(restore, cut, any_database)) == DAMAGED.format("cut.zip")
    assert refusal(lambda: restore(tmp_path / "none.zip", any_database)) == (
        "`none.zip` cannot be read: No such file or directory"
    )

    assert contents(any_database) == empty


def test_a_bit_that_fell_over_is_noticed_and_leaves_the_database_empty(
    source: Path, any_database: Database, tmp_path: Path
) -> None:
    content = bytearray(source.read_bytes())
    with zipfile.ZipFile(source) as archive:
        # The last table with rows: what came before it was written already.
        offset = archive.getinfo("tables/calls_202601.jsonl").header_offset
    content[offset + 5_000] ^= 1
    (tmp_path / "bad.zip").write_bytes(content)
    empty = contents(any_database)

    assert refusal(lambda: restore(tmp_path / "bad.zip", any_database)) == DAMAGED.format("bad.zip")
    assert contents(any_database) == empty


def test_rows_that_are_not_those_of_the_manifest_are_refused(
    source: Path, any_database: Database, tmp_path: Path
) -> None:
    empty = contents(any_database)

    def without_first_call(name: str, content: bytes) -> bytes:
        return content.partition(b"\n")[2] if name == "tables/calls_202601.jsonl" else content

    bad = rewritten(source, tmp_path / "bad.zip", without_first_call)

    assert refusal(lambda: restore(bad, any_database)) == (
        "the table `calls_202601` of the backup is damaged: its rows are not those that were written"
    )
    assert contents(any_database) == empty


def test_rows_of_other_types_are_refused(source: Path, any_database: Database, tmp_path: Path) -> None:
    def with_text_for_number(name: str, content: bytes) -> bytes:
        return b'["accounts","1"]\n' if name == "tables/revisions.jsonl" else content

    bad = rewritten(source, tmp_path / "bad.zip", with_text_for_number)

    assert refusal(lambda: restore(bad, any_database)) == DAMAGED.format("bad.zip")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda manifest: manifest.update(format=2),
            "the backup was made by a newer version of qwenport: its format is 2, this version reads 1",
        ),
        (
            lambda manifest: manifest.update(revision="0009"),
            (
                "the backup has the tables of revision `0009`, this version has `0007`; "
                "restore it with the version that made it"
            ),
        ),
        (
            lambda manifest: manifest["tables"][-1].update(name="calls_x; DROP TABLE accounts"),
            "the backup has a table `calls_x; DROP TABLE accounts` that this version does not know",
        ),
        (
            lambda manifest: manifest["tables"].pop(0),
            "the backup lacks the table `accounts`",
        ),
        (
            lambda manifest: manifest["tables"][0].update(columns=["id"]),
            "the table `accounts` of the backup has other columns than this version's",
        ),
    ],
)
def test_backups_of_other_versions_are_refused_in_words(
    source: Path, any_database: Database, tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    empty = contents(any_database)
    other = with_manifest(source, tmp_path / "other.zip", change)

    assert refusal(lambda: restore(other, any_database)) == words
    assert contents(any_database) == empty


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 1}'])
def test_a_manifest_that_is_none_is_refused(
    source: Path, any_database: Database, tmp_path: Path, content: bytes
) -> None:
    bad = rewritten(source, tmp_path / "bad.zip", lambda name, old: content if name == "manifest.json" else old)

    assert refusal(lambda: restore(bad, any_database)) == DAMAGED.format("bad.zip")


def test_a_backup_has_the_digests_of_keys(any_database: Database, tmp_path: Path) -> None:
    """So it is kept as the database is."""
    fill(any_database)
    with any_database.write() as transaction:
        key: dict[str, Any] = {column.name: "x" if str(column.type) == "TEXT" else 0 for column in API_KEYS.columns}
        key |= {"account_id": "acc-1", "disabled": False, "models": [], "ip_ranges": [], "digest": "the digest"}
        transaction.connection.execute(insert(API_KEYS), key)

    back_up(any_database, tmp_path / "a.zip")

    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert b"the digest" in archive.read("tables/api_keys.jsonl")
    assert read_status(any_database).months == ("202512", "202601")
