"""The folder of stored files: `incoming/` for what is being received, one folder an account, a file's id as its name.

Synchronous; every method raises `StorageUnavailable` where the disk refuses. A name that a caller chose is nowhere
part of a path.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from qwenport.core.ids import AccountId
from qwenport.core.secret import Secret
from qwenport.files.disk_errors import translated

_INCOMING = "incoming"
_SECRET = "secret"  # noqa: S105 - a file's name
_ACCOUNTS = "accounts"


class FileFolder:
    """Where the bytes lie."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._incoming = path / _INCOMING
        self._accounts = path / _ACCOUNTS

    def prepare(self) -> None:
        """Make the folders where they are missing, mode 0700."""
        with translated():
            for folder in (self._path, self._incoming, self._accounts):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def free_bytes(self) -> int:
        """Return how much space the disk has for us."""
        with translated():
            return shutil.disk_usage(self._path).free

    def new_staging_path(self) -> Path:
        """Return a path where nothing is, for a file that is being received."""
        return self._incoming / secrets.token_hex(16)

    def path(self, account_id: AccountId, file_id: str) -> Path:
        """Return where a file lies."""
        return self._accounts / account_id / file_id

    def put(self, account_id: AccountId, received: Mapping[str, Path]) -> None:
        """Give received files, by id, their final names; afterwards they survive a power cut there."""
        folder = self._accounts / account_id
        with translated():
            if not folder.exists():
                folder.mkdir(exist_ok=True, mode=0o700)
                _sync(self._accounts)
            for file_id, path in received.items():
                path.replace(folder / file_id)
            _sync(folder)

    def remove(self, account_id: AccountId, file_ids: Iterable[str]) -> None:
        """Remove files; those that are not there are passed over."""
        with translated():
            for file_id in file_ids:
                self.path(account_id, file_id).unlink(missing_ok=True)

    def remove_incoming(self) -> None:
        """Remove what was being received when an earlier process ended."""
        with translated():
            for path in self._incoming.iterdir():
                path.unlink()

    def account_ids(self) -> set[AccountId]:
        """Return the accounts that have a folder."""
        with translated():
            return {AccountId(folder.name) for folder in self._accounts.iterdir()}

    def ids(self, account_id: AccountId) -> set[str]:
        """Return the ids of an account's files."""
        folder = self._accounts / account_id
        with translated():
            return {path.name for path in folder.iterdir()} if folder.exists() else set()

    def secret(self) -> Secret:
        """Return the secret that leave to upload is signed with; the first call makes it, mode 0600."""
        path = self._path / _SECRET
        with translated():
            if not path.exists():
                self._make_secret(path)
            return Secret(path.read_text("ascii").strip())

    def _make_secret(self, path: Path) -> None:
        draft = self.new_staging_path()
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(32).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            # A link, unlike a rename, leaves the secret alone that another process has made meanwhile.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        _sync(self._path)


def _sync(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
