"""A file store on a real folder and a real database, for two accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from qwenport.accounts import Accounts
from qwenport.core.ids import AccountId
from qwenport.core.stored_files import FilePurpose
from qwenport.files import FileFolder, FileLimits, FileStore, NewFile, StoreParts, UploadOrigin
from qwenport.files.blocking import RunBlocking
from qwenport.settings.configuration_file import FilesTable
from qwenport.storage import account_rows
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord
from qwenport.testing.clock import CountingIds, FakeClock

T = TypeVar("T")


@pytest.fixture
def run() -> RunBlocking:
    """Return a runner that waits for nobody."""

    async def at_once(work: Callable[[], T]) -> T:
        return work()

    return at_once


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    """Return a database with the accounts `acc-1` and `acc-2`."""
    with Database.open(tmp_path / "qwenport.db") as opened:
        Accounts(opened, clock, CountingIds()).bootstrap(None)
        with opened.write() as transaction:
            second = AccountRecord(id=AccountId("acc-2"), email="b@b", name="b", currency="CNY", created_at=clock.now())
            account_rows.add(transaction, second)
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> FileFolder:
    made = FileFolder(tmp_path / "files")
    made.prepare()
    return made


@pytest.fixture
def names(tmp_path: Path) -> Callable[[], list[str]]:
    """Return a function that names every file below the folder."""
    root = tmp_path / "files"
    return lambda: sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.fixture
def make_store(database: Database, folder: FileFolder, clock: FakeClock, run: RunBlocking) -> Callable[..., FileStore]:
    """Return a maker of stores with other bounds than the defaults."""

    def make(**bounds: int) -> FileStore:
        limits = FileLimits(FilesTable(**{"least_free_bytes": 0, **bounds}))
        return FileStore(StoreParts(database=database, run=run, folder=folder, limits=limits, clock=clock))

    return make


@pytest.fixture
def receive() -> Callable[..., Awaitable[NewFile]]:
    """Return a function that receives a file for a store."""

    async def take(
        store: FileStore, content: bytes, *, name: str = "a.txt", purpose: str = "file-extract", key: str = ""
    ) -> NewFile:
        kind = FilePurpose(purpose)
        staged = await store.stage(kind)
        await staged.write(content)
        return NewFile(staged=staged, name=name, purpose=kind, origin=UploadOrigin(key=key, model="m" if key else ""))

    return take
