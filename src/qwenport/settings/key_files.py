"""Files that hold one key: read whole, and refused where others on the machine could read them too."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from qwenport.core.secret import Secret

_LARGEST_BYTES = 8_192


class KeyFileInvalid(ValueError):
    """A key file cannot be used; the words go on from the name of the setting."""


def read_key_file(path: Path) -> Secret:
    """Return the key in a file, without the line's end; raises `KeyFileInvalid`, never with what the file holds."""
    try:
        # A pipe that nobody writes to must not hold up the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            kind = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(kind):
                raise KeyFileInvalid(f"is {path}, which is no file")
            if kind & stat.S_IROTH:
                raise KeyFileInvalid(f"is {path}, which everybody on this machine can read; `chmod 600` it")
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise KeyFileInvalid(f"is {path}, which cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST_BYTES:
        raise KeyFileInvalid(f"is {path}, which is larger than {_LARGEST_BYTES} bytes; it must hold the key alone")
    try:
        key = content.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise KeyFileInvalid(f"is {path}, which holds characters that no key has") from error
    if not key:
        raise KeyFileInvalid(f"is {path}, which is empty; write the key into it")
    return Secret(key)
