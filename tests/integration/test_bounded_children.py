"""Children that read for this process, a few at a time."""

from __future__ import annotations

import asyncio
import io
from asyncio import StreamReader
from pathlib import Path

import pytest
from PIL import Image

from qwenport.children.bounded import BoundedChildren, ChildOrder
from qwenport.media.document_ending import Ending
from qwenport.testing.child_processes import children, only_linux
from qwenport.testing.made_documents import pdf

pytestmark = pytest.mark.anyio

MODULE = "qwenport.media.document_child"
ORDER = ChildOrder(module=MODULE, arguments=("pdf", "1000"), seconds=20.0, memory_bytes=1 << 30)
DECODE = ChildOrder(
    module="qwenport.media.picture_child",
    arguments=("image/bmp", "2000", "2000", "1", "100000000", "50", "200"),
    seconds=20.0,
    memory_bytes=1 << 30,
)


async def test_a_child_reads_a_file_or_what_it_is_handed(tmp_path: Path) -> None:
    content = pdf("Rent 1200")
    (tmp_path / "a.pdf").write_bytes(content)
    pool = BoundedChildren(2)

    assert await pool.run(ORDER, tmp_path / "a.pdf", StreamReader.read) == (b"Rent 1200\n", Ending.DONE)
    packed = io.BytesIO()
    Image.new("RGB", (2_000, 2_000), "red").save(packed, "BMP")
    written, ending = await pool.run(DECODE, packed.getvalue(), StreamReader.read)
    assert (written[8:16], ending) == (b"\x89PNG\r\n\x1a\n", Ending.DONE)


async def test_no_more_children_run_at_a_time_than_may(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("a"))
    pool = BoundedChildren(1)
    running: list[int] = []
    most: list[int] = []

    async def read(written: StreamReader) -> None:
        running.append(1)
        most.append(len(running))
        await written.read()
        running.pop()

    await asyncio.gather(*(pool.run(ORDER, tmp_path / "a.pdf", read) for _ in range(3)))

    assert most == [1, 1, 1]


@only_linux
async def test_a_child_that_is_not_listened_to_is_ended() -> None:
    async def refuse(_: StreamReader) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        await BoundedChildren(1).run(DECODE, bytes(10_000_000), refuse)

    assert children("picture_child") == set()


@only_linux
async def test_a_child_that_takes_too_long_is_ended() -> None:
    slow = ChildOrder(module=DECODE.module, arguments=DECODE.arguments, seconds=0.01, memory_bytes=1 << 30)

    with pytest.raises(TimeoutError):
        await BoundedChildren(1).run(slow, bytes(10_000_000), StreamReader.read)

    assert children("picture_child") == set()


@only_linux
@pytest.mark.parametrize("turns", range(4))
async def test_a_child_is_ended_whose_caller_leaves_while_it_is_started(turns: int) -> None:
    asked = asyncio.create_task(BoundedChildren(1).run(DECODE, bytes(10_000_000), StreamReader.read))
    for _ in range(turns):
        await asyncio.sleep(0)

    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked

    assert children("picture_child") == set()
