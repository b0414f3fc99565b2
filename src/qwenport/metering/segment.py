"""One file of the journal: checked lines in a space that was set aside beforehand.

A line is eight hexadecimal digits of CRC-32, a space, JSON and a line feed. The file is allocated when it is made, so
that a line that was promised room can still be written when the disk is full; what is not yet written reads as zeros.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

READ_BYTES = 1 << 16
CHECK_BYTES = 9
"""Of each line, before its payload: the checksum and a space."""


def frame(payload: bytes) -> bytes:
    """Return the line that holds a payload, which must not contain a line feed."""
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def unframe(line: bytes) -> bytes | None:
    """Return the payload of a line without its line feed, or None where the line is torn or damaged."""
    payload = line[CHECK_BYTES:]
    return payload if payload and line[:CHECK_BYTES] == b"%08x " % zlib.crc32(payload) else None


def allocate(path: Path, size_bytes: int) -> int:
    """Make a file of this size whose space is set aside, and return its descriptor.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; no file is left behind.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size_bytes)
        else:  # macOS has no such call; written zeros take the space as well
            os.pwrite(descriptor, bytes(size_bytes), 0)
        os.fsync(descriptor)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def read_lines(path: Path, offset: int, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield each complete line from `offset` on, without its line feed, with the offset that follows it.

    Stops before `end`, or at the first zero byte: space that was never written to.
    """
    rest = b""
    with path.open("rb") as file:
        file.seek(offset)
        while end is None or file.tell() < end:
            block = file.read(READ_BYTES if end is None else min(READ_BYTES, end - file.tell()))
            written, zero, _ = block.partition(b"\0")
            *lines, rest = (rest + written).split(b"\n")
            for line in lines:
                offset += len(line) + 1
                yield offset, line
            if zero or not block:
                return
