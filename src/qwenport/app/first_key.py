"""The first API key, in a file that only its owner can read."""

from __future__ import annotations

import os
from pathlib import Path

from qwenport.app.refusal import StartRefused
from qwenport.core.secret import Secret


def leave_first_key(path: Path, key: Secret) -> None:
    """Write a key into a file of mode 0600 and wait until the disk has it.

    Raises:
        StartRefused: the file cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key.reveal() + "\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise StartRefused(
            f"the first API key cannot be left in {path} ({error.strerror}): free space, change the folder's owner, "
            "move away what is there, or choose a key by QWENPORT_BOOTSTRAP_API_KEY"
        ) from error
