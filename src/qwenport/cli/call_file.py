"""Files of calls and of their answers, one a line; read and written line by line, however long they are."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from qwenport.cli.context import CommandFailed

LONGEST_LINE_BYTES = 64 << 20
"""More than a server takes as one call."""


class Row(msgspec.Struct, frozen=True):
    """One line of the input: a question, or messages."""

    id: str
    text: str = ""
    messages: tuple[dict[str, Any], ...] = ()


class Written(msgspec.Struct, frozen=True):
    """What is read of a line that an earlier run wrote."""

    id: str
    error: str | None = None


def checked_rows(path: Path, answered: Collection[str]) -> Iterator[Row]:
    """Yield the calls that are not answered yet; an id that comes twice is refused.

    Raises:
        CommandFailed: the file cannot be read, or a line is no call.
    """
    seen: set[str] = set()
    for number, line in _lines(path):
        try:
            row = msgspec.json.decode(line, type=Row)
        except msgspec.MsgspecError as error:
            raise CommandFailed(f"line {number} of `{path}` is no call ({error}); nothing was sent") from error
        if row.id in seen:
            raise CommandFailed(f"line {number} of `{path}` has the id `{row.id}` of an earlier one; nothing was sent")
        if bool(row.text) == bool(row.messages):
            raise CommandFailed(f"line {number} of `{path}` needs either `text` or `messages`; nothing was sent")
        seen.add(row.id)
        if row.id not in answered:
            yield row


def answered_before(path: Path) -> set[str]:
    """Return the ids that an earlier run answered.

    Raises:
        CommandFailed: the file is no output of an earlier run.
    """
    if not path.exists():
        return set()
    return {each.id for each, _ in _whole_lines(path) if each.error is None}


def keep_answers(path: Path) -> None:
    """Leave in the file only what is answered: what was refused is asked again, and a line is whole or not there.

    Raises:
        CommandFailed: the file cannot be written, or is no output of an earlier run.
    """
    if not path.exists():
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as kept:
                for each, line in _whole_lines(path):
                    if each.error is None:
                        kept.write(line + b"\n")
                kept.flush()
                os.fsync(kept.fileno())
            shutil.copymode(path, name)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandFailed(f"`{path}` cannot be written: {error.strerror}") from error


def add_line(output: BinaryIO, content: dict[str, Any]) -> None:
    """Write one line, so that it is there whatever happens next."""
    output.write(msgspec.json.encode(content) + b"\n")
    output.flush()


def _whole_lines(path: Path) -> Iterator[tuple[Written, bytes]]:
    """Yield what an earlier run wrote; the last line may be torn, then it is left out."""
    for _, line in _lines(path, may_be_torn=True):
        try:
            yield msgspec.json.decode(line, type=Written), line
        except msgspec.MsgspecError as error:
            raise CommandFailed(f"`{path}` is no output of an earlier run ({error}); name another file") from error


def _lines(path: Path, *, may_be_torn: bool = False) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not empty, with their numbers."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE_BYTES + 1):
                number += 1
                if len(line) > LONGEST_LINE_BYTES:
                    raise CommandFailed(f"line {number} of `{path}` has more than {LONGEST_LINE_BYTES} bytes")
                if may_be_torn and not line.endswith(b"\n"):
                    return
                if stripped := line.strip():
                    yield number, stripped
    except OSError as error:
        raise CommandFailed(f"`{path}` cannot be read: {error.strerror}") from error
