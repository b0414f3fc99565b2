"""Receiving one file: it is on disk as it came, or not at all."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from qwenport.core.errors import StorageUnavailable
from qwenport.files.staging import FLUSH_BYTES, HEAD_BYTES, StagedFile

pytestmark = pytest.mark.anyio


def stage(path: Path, *, limit_bytes: int = 1 << 30, has_room: bool = True) -> StagedFile:
    return StagedFile(path, limit_bytes=limit_bytes, has_room=lambda: has_room)


@contextmanager
def greatest_file(size_bytes: int) -> Iterator[None]:
    """Let the system refuse to write files beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=40), max_size=12))
async def test_any_pieces_become_the_file_with_its_size_digest_and_beginning(
    tmp_path: Path, pieces: list[bytes]
) -> None:
    path = tmp_path / "staged"
    staged = stage(path)
    for piece in pieces:
        await staged.write(piece)
    await staged.close()
    whole = b"".join(pieces)

    assert (path.read_bytes(), staged.size_bytes, staged.head) == (whole, len(whole), whole[:HEAD_BYTES])
    assert staged.md5 == hashlib.md5(whole, usedforsecurity=False).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    await staged.discard()
    assert not path.exists()


async def test_what_waits_in_memory_goes_to_the_disk_before_it_is_much(tmp_path: Path) -> None:
    staged = stage(tmp_path / "staged")
    for _ in range(5):
        await staged.write(bytes(FLUSH_BYTES // 2))

    assert (tmp_path / "staged").stat().st_size == 2 * FLUSH_BYTES
    await staged.discard()


async def test_a_file_beyond_its_limit_is_counted_and_takes_no_space(tmp_path: Path) -> None:
    staged = stage(tmp_path / "staged", limit_bytes=10)
    await staged.write(bytes(10))
    assert not staged.is_too_large

    await staged.write(b"1")
    await staged.write(b"2")

    assert (staged.is_too_large, staged.size_bytes, names_in(tmp_path)) == (True, 12, [])


async def test_a_disk_that_refuses_is_said_in_words_and_nothing_is_left(tmp_path: Path) -> None:
    staged = stage(tmp_path / "staged")
    with greatest_file(FLUSH_BYTES // 2), pytest.raises(StorageUnavailable, match="the disk under the files is full"):
        await staged.write(bytes(FLUSH_BYTES))
    await staged.discard()

    assert names_in(tmp_path) == []


async def test_files_do_not_take_the_last_of_the_disk(tmp_path: Path) -> None:
    staged = stage(tmp_path / "staged", has_room=False)
    await staged.write(b"little")

    with pytest.raises(StorageUnavailable, match="the disk under the files is full"):
        await staged.close()
    assert (tmp_path / "staged").stat().st_size == 0
    await staged.discard()


async def test_a_piece_after_the_end_is_not_written_anywhere(tmp_path: Path) -> None:
    """A thread whose waiter was cancelled may come late, when the descriptor belongs to somebody else."""
    staged = stage(tmp_path / "staged")
    await staged.discard()

    staged._append([b"late"])
    staged._sync()

    assert names_in(tmp_path) == []


async def test_a_name_that_is_taken_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "staged").write_bytes(b"other")

    with pytest.raises(StorageUnavailable):
        stage(tmp_path / "staged")
    assert (tmp_path / "staged").read_bytes() == b"other"
