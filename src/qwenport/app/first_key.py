"""The first API key, in a file that only its owner can read."""

from __future__ import annotations

import os
from pathlib import Path

from qwenport.app.refusal import StartRefused
from qwenport.core.secret import Secret


def leave_first_key(path: Path, key: Secret) -> None:
    """Write a key into a new file of mode 0600 and wait until the disk has it.

    A file that stood there is kept as `first-key.old`: it may hold the key of another database of this folder. The key
    stays where the database then fails, since a database whose answer was lost may have taken it.

    Raises:
        StartRefused: the file cannot be written.
    """
    try:
        if path.is_file():
            path.replace(path.with_name(f"{path.name}.old"))
        _write(path, key)
    except OSError as error:
        raise StartRefused(
            f"the first API key cannot be left in {path} ({error.strerror}): free space, change the folder's owner, "
            "move away what is there, or choose a key by QWENPORT_BOOTSTRAP_API_KEY"
        ) from error


def _write(path: Path, key: Secret) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(key.reveal() + "\n")
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
