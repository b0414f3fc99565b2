"""What a server leans on goes away during load and comes back: refusals in words, no free call, nothing lost."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwenport.core.secret import Secret
from qwenport.testing.crowd import Load
from qwenport.testing.operated import books, call_bytes, calls, ids_of, knows, new_key
from qwenport.testing.postgres import PostgresServer
from qwenport.testing.raw_client import Answer
from qwenport.testing.scripted_host import ScriptedHost, chat
from qwenport.testing.valkey import running_valkey
from qwenport.testing.worker_connections import client_of_each

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]

GRACE = "[books]\nstorage_grace_s = 0.5\n"
ROOM = 300
"""Calls that a key may make in a day."""
DISK_BYTES = 48 << 20
"""A little more than a server wants to begin with."""


@pytest.fixture
def host() -> Iterator[ScriptedHost]:
    with ScriptedHost() as running:
        yield running


@pytest.fixture
def start(host: ScriptedHost, make_server: MakeServer) -> Callable[..., Server]:
    """Give a function that starts a server which closes soon after its database went away."""

    def start(**settings: str) -> Server:
        server = make_server(**settings)
        host.add_model(server.data_dir)
        (server.data_dir / "qwenport.toml").write_text(GRACE)
        server.start(until="/healthz")
        return server

    return start


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder that is a small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a file system of one's own cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Return a file that takes every byte which is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler


def refusals(load: Load) -> set[tuple[int, str, str]]:
    """Return the kinds of answers that were none: status, the words before the reason, how long to wait."""
    return {_refusal(answer) for answer in load.answers if answer.status != 200}


def _refusal(answer: Answer) -> tuple[int, str, str]:
    words, _, _ = json.loads(answer.body)["error"]["message"].partition(" (")
    return answer.status, words, answer.headers.get("retry-after", "")


def check_books(server: Server, load: Load, eventually: Eventually) -> None:
    """Check that the calls that were answered are those in the books, once each, and that the books balance."""
    eventually(lambda: books(server) == (True, 0, 0), "every call is in the books")
    rows = calls(server)
    assert [row for row in rows if row["outcome"] != "finished"] == []
    assert ids_of(load.answers) == sorted(row["request_id"] for row in rows)
    assert server.run("ledger", "check").returncode == 0


CANNOT_RECORD = "The service cannot record calls now, please try again later."


def test_postgresql_is_killed_and_comes_back(start: Callable[..., Server], eventually: Eventually) -> None:
    with PostgresServer() as postgres:
        place = postgres.database()
        # What is committed must survive its death, as it does with PostgreSQL's own defaults.
        postgres.run_sql("ALTER DATABASE test_1 SET synchronous_commit = on")
        server = start(QWENPORT_DATABASE_URL=place.reveal())

        with Load(server.port, call_bytes(server.key, chat())) as load:
            eventually(load.more(200), "calls are answered")
            postgres.kill()
            eventually(load.more(503), "calls are refused")
            asked = server.operator("GET", "/accounts")
            postgres.start()
            eventually(load.more(200), "calls are answered again")

        assert (asked.status_code, asked.headers["retry-after"]) == (503, "5")
        assert (refusals(load), load.unanswered) == ({(503, CANNOT_RECORD, "5")}, 0)
        check_books(server, load, eventually)
        server.stop()


def test_the_disk_is_full_and_has_room_again(
    host: ScriptedHost, make_server: MakeServer, small_disk: Path, eventually: Eventually
) -> None:
    server = make_server(QWENPORT_DATA_DIR=str(small_disk))
    host.add_model(small_disk)
    (small_disk / "qwenport.toml").write_text(GRACE)
    server.start(until="/healthz")

    with Load(server.port, call_bytes(server.key, chat())) as load:
        eventually(load.more(200), "calls are answered")
        filler = fill(small_disk)
        eventually(load.more(503), "calls are refused")
        filler.unlink()
        eventually(load.more(200), "calls are answered again")

    assert (refusals(load), load.unanswered) == ({(503, CANNOT_RECORD, "5")}, 0)
    check_books(server, load, eventually)
    assert server.stop() == 0


@pytest.mark.parametrize("any_place", ["sqlite", "postgresql"], indirect=True)
def test_valkey_is_killed_and_comes_back_empty(
    start: Callable[..., Server], any_place: Path | Secret, eventually: Eventually
) -> None:
    database = {"QWENPORT_DATABASE_URL": any_place.reveal()} if isinstance(any_place, Secret) else {}
    with tempfile.TemporaryDirectory(prefix="qwv") as short, running_valkey(Path(short)) as valkey:
        server = start(QWENPORT_WORKERS="2", QWENPORT_VALKEY_URL=valkey.url, **database)
        _, key = new_key(server, daily_requests=ROOM)
        with client_of_each(server.url, server.children("qwenport worker")) as workers:
            eventually(lambda: all(knows(each, key) for each in workers.values()), "every worker knows the key")

        with Load(server.port, call_bytes(key, chat())) as load:
            eventually(load.more(200), "calls are answered")
            valkey.kill()
            eventually(load.more(503), "calls are refused")
            valkey.start()
            eventually(load.more(200), "calls are answered again")
            eventually(load.more(429), "the day is used up")

        found = refusals(load)
        assert {(status, words) for status, words, _ in found if status != 429} == {(503, CANNOT_RECORD)}, found
        assert all(wait for _, _, wait in found)
        assert load.unanswered == 0
        check_books(server, load, eventually)
        assert len(ids_of(load.answers)) == ROOM
        server.stop()
