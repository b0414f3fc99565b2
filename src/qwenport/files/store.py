"""The stored files of all accounts: kept within quotas, found by their owner alone, removed when their time is over.

Bytes go to disk first and the row follows, so that a row always has its bytes; removing goes the other way round.
What a crash leaves between the two is cleared away at the next start.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from qwenport.core.clock import Clock
from qwenport.core.errors import FileNotFound, StorageUnavailable
from qwenport.core.ids import AccountId
from qwenport.core.stored_files import (
    FailedUpload,
    FileContent,
    FilePage,
    FilePurpose,
    ListFiles,
    StoredFile,
    UploadFault,
)
from qwenport.files.blocking import RunBlocking
from qwenport.files.folder import FileFolder
from qwenport.files.limits import FileLimits
from qwenport.files.staging import StagedFile
from qwenport.storage import file_rows
from qwenport.storage.database import Database
from qwenport.storage.file_rows import UploadOrigin
from qwenport.storage.transaction import Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")

PURGE_BATCH = 500
_ID_PREFIXES = {
    FilePurpose.EXTRACT: "file-fe-",
    FilePurpose.BATCH: "file-batch-",
    FilePurpose.BATCH_OUTPUT: "file-batch_output-",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreParts:
    """What the store needs of the house."""

    database: Database
    run: RunBlocking
    folder: FileFolder
    limits: FileLimits
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that was received and is to be kept."""

    staged: StagedFile
    name: str
    purpose: FilePurpose
    description: str = ""
    origin: UploadOrigin = field(default_factory=UploadOrigin)


class FileStore:
    """Every coroutine raises `StorageUnavailable` where the database or the disk refuses; nothing is kept then."""

    def __init__(self, parts: StoreParts) -> None:
        self._parts = parts
        self._keeping: set[asyncio.Task[tuple[tuple[StoredFile, ...], tuple[FailedUpload, ...]]]] = set()

    async def stage(self, purpose: FilePurpose | None) -> StagedFile:
        """Begin to receive a file; whoever calls ends it by `keep` or by `discard` of the file.

        Leaves no file behind when whoever waits is cancelled.
        """
        parts = self._parts
        limit = parts.limits.largest_bytes(purpose)

        def has_room() -> bool:
            return parts.folder.free_bytes() > parts.limits.least_free_bytes

        path = parts.folder.new_staging_path()
        begin = partial(StagedFile, path, limit_bytes=limit, has_room=has_room)
        opening = asyncio.get_running_loop().run_in_executor(None, begin)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread goes on, and nobody else will ever know of the file that it makes.
            await (await opening).discard()
            raise

    async def keep(
        self, account_id: AccountId, files: Sequence[NewFile]
    ) -> tuple[tuple[StoredFile, ...], tuple[FailedUpload, ...]]:
        """Store files that were received whole; return those that were stored and those that do not fit.

        Goes on to its end when whoever waits is cancelled.
        """
        task = asyncio.create_task(self._keep(account_id, files))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        return await asyncio.shield(task)

    async def remove(self, account_id: AccountId, file_ids: Sequence[str]) -> None:
        """Remove files of an account; ids without a file are passed over."""
        await self._write(lambda transaction: file_rows.remove(transaction, account_id, file_ids))
        await self._remove_bytes(account_id, file_ids)

    async def find(self, account_id: AccountId, file_id: str) -> StoredFile:
        """Return a file; raises `FileNotFound`, in the same words where it is another account's."""
        now = self._parts.clock.now()
        file = await self._read_rows(lambda transaction: file_rows.find(transaction, account_id, file_id, now))
        if file is None:
            raise FileNotFound(file_id)
        return file

    async def page(self, account_id: AccountId, wish: ListFiles) -> FilePage:
        """Return a page of an account's files; raises `FileNotFound` where it is to follow a file that is none."""
        after = await self.find(account_id, wish.after) if wish.after else None
        now = self._parts.clock.now()

        def look(transaction: Transaction) -> tuple[Sequence[StoredFile], int]:
            files = file_rows.page(transaction, account_id, wish, after, now)
            return files, file_rows.count(transaction, account_id, wish, now)

        files, total = await self._read_rows(look)
        return FilePage(files=tuple(files[: wish.limit]), total=total, has_more=len(files) > wish.limit)

    async def read(self, account_id: AccountId, file_id: str) -> FileContent:
        """Return a file and where its bytes lie; raises `FileNotFound`."""
        file = await self.find(account_id, file_id)
        return await self._content(account_id, file, FileNotFound(file_id))

    async def resolve_upload(self, account_id: AccountId, key: str) -> FileContent:
        """Return what the account posted to the upload host; `key` is what stands after `oss://`.

        Raises:
            FileNotFound: no such key, one of another account, or one whose time is over.
        """
        now = self._parts.clock.now()
        file = await self._read_rows(lambda transaction: file_rows.find_upload(transaction, account_id, key, now))
        if file is None:
            raise FileNotFound(f"oss://{key}")
        return await self._content(account_id, file, FileNotFound(f"oss://{key}"))

    async def purge_expired(self) -> None:
        """Remove every file whose time is over."""
        while found := await self._write(self._take_expired):
            for account_id in {account_id for account_id, _ in found}:
                await self._remove_bytes(account_id, [file_id for owner, file_id in found if owner == account_id])

    async def close(self) -> None:
        """Wait for files that are just being kept."""
        await asyncio.gather(*self._keeping, return_exceptions=True)

    async def _keep(
        self, account_id: AccountId, files: Sequence[NewFile]
    ) -> tuple[tuple[StoredFile, ...], tuple[FailedUpload, ...]]:
        limits = self._parts.limits
        refused = [(file, limits.refuse(file.name, file.purpose, file.staged)) for file in files]
        fitting = {_new_id(file.purpose): file for file, failure in refused if failure is None}
        try:
            for file in fitting.values():
                await file.staged.close()
            received = {file_id: file.staged.path for file_id, file in fitting.items()}
            await asyncio.to_thread(self._parts.folder.put, account_id, received)
            outcomes = await self._write(lambda transaction: self._record(transaction, account_id, fitting))
        except BaseException:
            await self._remove_bytes(account_id, fitting)
            raise
        finally:
            for file in files:
                await file.staged.discard()
        await self._remove_bytes(account_id, [each for each, it in outcomes.items() if isinstance(it, FailedUpload)])
        stored = tuple(it for it in outcomes.values() if isinstance(it, StoredFile))
        failed = tuple(it for it in outcomes.values() if isinstance(it, FailedUpload))
        return stored, (*(failure for _, failure in refused if failure is not None), *failed)

    def _record(
        self, transaction: Transaction, account_id: AccountId, files: dict[str, NewFile]
    ) -> dict[str, StoredFile | FailedUpload]:
        """Write the rows of the files that fit into the quotas, one after the other."""
        outcomes: dict[str, StoredFile | FailedUpload] = {}
        used: dict[tuple[FilePurpose, ...], tuple[int, int]] = {}
        for file_id, file in files.items():
            quota = self._parts.limits.quota(file.purpose)
            if quota.purposes not in used:
                used[quota.purposes] = file_rows.usage(transaction, account_id, quota.purposes)
            count, size_bytes = used[quota.purposes]
            failure = quota.refuse(file.name, file.staged.size_bytes, (count, size_bytes))
            if failure is None and file.origin.key and file_rows.is_taken(transaction, file.origin.key):
                words = "The object you specified already exists and can not be overwritten."
                failure = FailedUpload(name=file.name, fault=UploadFault.EXISTS, message=words)
            if failure is not None:
                outcomes[file_id] = failure
                continue
            outcomes[file_id] = stored = self._described(file_id, file)
            file_rows.add(transaction, account_id, stored, file.origin)
            used[quota.purposes] = (count + 1, size_bytes + stored.size_bytes)
        return outcomes

    def _described(self, file_id: str, file: NewFile) -> StoredFile:
        now = self._parts.clock.now()
        # As the table has it, so that a file reads the same when it was just stored and ever after.
        created_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        life = self._parts.limits.life(file.purpose)
        return StoredFile(
            id=file_id,
            name=file.name,
            description=file.description,
            purpose=file.purpose,
            size_bytes=file.staged.size_bytes,
            md5=file.staged.md5,
            created_at=created_at,
            expires_at=None if life is None else created_at + life,
        )

    async def _content(self, account_id: AccountId, file: StoredFile, absent: FileNotFound) -> FileContent:
        path = self._parts.folder.path(account_id, file.id)
        if not await asyncio.to_thread(path.is_file):
            raise absent
        return FileContent(file=file, path=path)

    def _take_expired(self, transaction: Transaction) -> Sequence[tuple[AccountId, str]]:
        found = file_rows.expired(transaction, self._parts.clock.now(), PURGE_BATCH)
        for account_id in {account_id for account_id, _ in found}:
            file_rows.remove(transaction, account_id, [file_id for owner, file_id in found if owner == account_id])
        return found

    async def _remove_bytes(self, account_id: AccountId, file_ids: Sequence[str] | dict[str, NewFile]) -> None:
        """Remove what no row names any more; where the disk refuses, the next start does it."""
        try:
            await asyncio.to_thread(self._parts.folder.remove, account_id, tuple(file_ids))
        except StorageUnavailable as error:
            log.warning("the bytes of %d removed files stay until the next start: %s", len(file_ids), error)

    async def _read_rows(self, work: Callable[[Transaction], T]) -> T:
        def look() -> T:
            with self._parts.database.read() as transaction:
                return work(transaction)

        return await self._parts.run(look)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        def change() -> T:
            with self._parts.database.write() as transaction:
                return work(transaction)

        return await self._parts.run(change)


def _new_id(purpose: FilePurpose) -> str:
    return _ID_PREFIXES.get(purpose, "") + secrets.token_hex(16)
