"""Who answers the faces' queries about files."""

from __future__ import annotations

from qwenport.core.caller import Caller
from qwenport.core.queries import Desk
from qwenport.core.stored_files import (
    DeleteFile,
    FileContent,
    FilePage,
    FilePurpose,
    FindFile,
    GrantUpload,
    ListFiles,
    ReadFile,
    StoredFile,
    UploadGrant,
)
from qwenport.files.grants import UploadGrants
from qwenport.files.limits import FileLimits
from qwenport.files.store import FileStore


class FileDesk:
    """Asks the store on behalf of a caller's account."""

    def __init__(self, store: FileStore, grants: UploadGrants, limits: FileLimits) -> None:
        self._store = store
        self._grants = grants
        self._limits = limits

    def desk(self) -> Desk:
        """Return who answers which query."""
        return {
            FindFile: self._find,
            DeleteFile: self._delete,
            ReadFile: self._read,
            ListFiles: self._list,
            GrantUpload: self._grant,
        }

    async def _find(self, caller: Caller, query: FindFile) -> StoredFile:
        return await self._store.find(caller.account_id, query.id)

    async def _delete(self, caller: Caller, query: DeleteFile) -> StoredFile:
        file = await self._store.find(caller.account_id, query.id)
        await self._store.remove(caller.account_id, (file.id,))
        return file

    async def _read(self, caller: Caller, query: ReadFile) -> FileContent:
        return await self._store.read(caller.account_id, query.id)

    async def _list(self, caller: Caller, query: ListFiles) -> FilePage:
        return await self._store.page(caller.account_id, query)

    async def _grant(self, caller: Caller, query: GrantUpload) -> UploadGrant:
        return self._grants.grant(
            caller.account_id,
            query.model,
            max_file_bytes=self._limits.largest_bytes(FilePurpose.UPLOAD),
            capacity_bytes=self._limits.quota(FilePurpose.UPLOAD).size_bytes,
        )
