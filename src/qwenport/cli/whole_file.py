"""A file that is there whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qwenport.cli.context import CommandFailed


@contextmanager
def whole_file(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give the name of an empty file beside the target, readable by its owner alone, that takes its place at the end.

    Raises:
        CommandFailed: there is a file already, or the disk refuses it; the target is then as it was.
    """
    if target.is_dir():
        raise CommandFailed(f"{target} is a folder; name a file")
    if target.exists() and not overwrite:
        raise CommandFailed(f"{target} is there already; choose another name, or say `--overwrite`")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}") from error
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
        part.chmod(0o600)  # whoever wrote it may have made it anew
        sync(part)
        part.replace(target)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until the disk has a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
