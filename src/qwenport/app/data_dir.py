"""The data directory: made, tried, and held by one server at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from qwenport.app.refusal import StartRefused

LEAST_FREE_BYTES = 32 << 20
"""What must fit on the disk at the least: a journal segment, and the database's growth until somebody looks."""


RUNTIME_PREFIX = "qwenport-"
"""How the name of a runtime folder begins."""


class DataDirectory:
    """Folder of the database, the journal, the logs and the admin socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / "journal"
        self.logs = path / "logs"
        self._lock = -1

    def prepare(self) -> None:
        """Make the folders and try to write.

        Raises:
            StartRefused: the folder cannot be made or written to, or the disk is full.
        """
        try:
            for folder in (self.path, self.journal, self.logs):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.path / ".probe").write_bytes(b"qwenport")
            (self.path / ".probe").unlink()
        except OSError as error:
            raise StartRefused(
                f"the data directory {self.path} cannot be written to ({error.strerror}): "
                "free space, change its owner, or set QWENPORT_DATA_DIR"
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE_BYTES:
            raise StartRefused(
                f"only {free >> 20} MiB are free for the data directory {self.path}: "
                f"free at least {LEAST_FREE_BYTES >> 20} MiB, or set QWENPORT_DATA_DIR"
            )

    def lock(self) -> None:
        """Hold the folder until this process ends.

        Raises:
            StartRefused: another server holds it.
        """
        self._lock, holder = take_lock(self.path / "lock")
        if self._lock < 0:
            raise StartRefused(
                f"a server (process {holder or 'unknown'}) already uses the data directory {self.path}: "
                "stop it, or set QWENPORT_DATA_DIR to another one"
            )

    def unlock(self) -> None:
        """Let go of the folder before this process ends."""
        os.close(self._lock)
        self._lock = -1

    def lock_slot(self, number: int) -> None:
        """Hold a worker slot until this process ends; its journal has one writer.

        Raises:
            StartRefused: another worker holds it.
        """
        self.slot(number).mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, holder = take_lock(self.slot(number) / "lock")
        if descriptor < 0:
            raise StartRefused(f"the worker slot {number} is still held by process {holder or 'unknown'}")

    def slots_are_free(self) -> bool:
        """Tell whether the workers of an earlier server have ended."""
        for slot in self.slots():
            descriptor, _ = take_lock(slot / "lock")
            if descriptor < 0:
                return False
            os.close(descriptor)
        return True

    def remember_runtime_dir(self, runtime_dir: Path) -> None:
        """Note where the sockets are, and clear away those of a server that was killed."""
        note = self.path / "runtime"
        if note.exists():
            left = Path(note.read_text("utf-8"))
            if left.name.startswith(RUNTIME_PREFIX):
                shutil.rmtree(left, ignore_errors=True)
        note.write_text(str(runtime_dir), "utf-8")

    def forget_runtime_dir(self) -> None:
        """Drop the note of a folder that is gone."""
        (self.path / "runtime").unlink(missing_ok=True)

    def slot(self, number: int) -> Path:
        """Return the journal folder of a worker slot."""
        return self.journal / f"slot-{number}"

    def slots(self) -> list[Path]:
        """Return the journal folders that exist."""
        return sorted(self.journal.glob("slot-*"))


def take_lock(path: Path) -> tuple[int, str]:
    """Lock a file that holds its holder's process id; return its descriptor, or -1 and the other holder's id."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        return -1, holder
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor, ""
