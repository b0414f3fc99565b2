"""Copying a stream to a file that is whole, pinned and durable, or not there at all."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from qwenport.catalog.engine_model import Weights
from qwenport.catalog.errors import DiskFull, ModelsDirectoryUnusable, PullFailed, WeightsMismatch
from qwenport.catalog.progress import Progress

_CHUNK_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def copy_pinned(source: BinaryIO, partial: Path, weights: Weights, progress: Progress) -> None:
    """Write the stream to `partial` and sync it; raises `WeightsMismatch` unless size and digest are as pinned."""
    digest = hashlib.sha256()
    copied = 0
    with partial.open("wb") as target:
        # One chunk beyond the pinned size is enough to know; a file that never ends must not fill the disk.
        while copied <= weights.size_bytes and (chunk := source.read(_CHUNK_BYTES)):
            target.write(chunk)
            digest.update(chunk)
            copied += len(chunk)
            progress.advance(len(chunk))
        target.flush()
        os.fsync(target.fileno())
    _compare(copied, digest.hexdigest(), weights)


def check_pinned(path: Path, weights: Weights, progress: Progress) -> None:
    """Read a file that is already on this disk and sync it; raises `WeightsMismatch` unless it is as pinned."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    with path.open("rb") as file:
        while size == weights.size_bytes and (chunk := file.read(_CHUNK_BYTES)):
            digest.update(chunk)
            progress.advance(len(chunk))
        os.fsync(file.fileno())
    _compare(size, digest.hexdigest(), weights)


def _compare(size: int, digest: str, weights: Weights) -> None:
    if size != weights.size_bytes:
        found = f"more than {weights.size_bytes}" if size > weights.size_bytes else str(size)
        raise WeightsMismatch(_mismatch(weights, f"{weights.size_bytes} bytes", f"{found} bytes"))
    if digest != weights.sha256:
        raise WeightsMismatch(_mismatch(weights, f"SHA-256 {weights.sha256}", f"SHA-256 {digest}"))


def put_in_place(partial: Path, path: Path) -> None:
    """Give a complete file its final name in one step that also survives a power cut."""
    partial.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def storage_failure(error: OSError, models_dir: Path, needed_bytes: int) -> PullFailed:
    """Say in words why the models directory could not take a file."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return DiskFull(
            f"no room in `{models_dir}` ({reason}): the file has {needed_bytes} bytes and a download needs up to twice "
            "that for a moment; free some space or choose another directory by `QWENPORT_MODELS_DIR`"
        )
    return ModelsDirectoryUnusable(
        f"the models directory `{models_dir}` cannot be used ({reason}); "
        "correct its permissions or choose another by `QWENPORT_MODELS_DIR`"
    )


def _mismatch(weights: Weights, expected: str, found: str) -> str:
    return (
        f"`{weights.source}` is not the file that the catalog pins: expected {expected}, found {found}; nothing was "
        "kept. Try again, and if it stays so, correct `sha256` and `size_bytes` only after you have checked the source"
    )
