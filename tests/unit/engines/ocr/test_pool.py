from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qwenport.engines.host_process import usable_cores
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.pool_order import PoolOrder
from qwenport.engines.ocr.reader_order import ModelFile, ReaderOrder
from qwenport.engines.ocr.wire import Failure, PageAnswer, PageFailed, PageOrder, PageReply
from qwenport.testing import scripted_reader
from qwenport.testing.scripted_reader import BABBLE, DIE, HANG, NO_MEMORY, TELL_PID

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pool_order(recogniser: str = "r") -> PoolOrder:
    def file(path: str) -> ModelFile:
        return ModelFile(path=path, sha256="")

    reader = ReaderOrder(recogniser=file(recogniser), detector=file("d"), orientation=file("o"))
    return PoolOrder(reader=reader, workers=1)


def pool(*, recogniser: str = "r", **fields: Any) -> ReadingPool:
    return ReadingPool(msgspec.structs.replace(pool_order(recogniser), **fields), module=scripted_reader.MODULE)


def order(word: bytes = TELL_PID, begun: Path | None = None) -> PageOrder:
    return PageOrder(image=word, prompt=str(begun or ""))


async def until_exists(path: Path) -> None:
    async with asyncio.timeout(20):
        while not os.path.exists(path):  # noqa: ASYNC110, ASYNC240, PTH110 - another process makes it
            await asyncio.sleep(0.005)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(reply: PageReply) -> int:
    assert isinstance(reply, PageAnswer), reply
    return int(reply.text)


@pytest.mark.parametrize(("workers", "size"), [(3, 3), (0, usable_cores())])
def test_a_pool_without_a_number_has_a_process_for_each_core(workers: int, size: int) -> None:
    assert msgspec.structs.replace(pool_order(), workers=workers).size == size


async def test_pages_in_a_row_are_read_by_one_process_which_ends_with_the_pool() -> None:
    async with pool() as reading:
        pids = {pid_of(await reading.read(order())) for _ in range(3)}

        assert reading.processes == tuple(pids)
    assert not any(is_alive(pid) for pid in pids)


async def test_a_process_is_replaced_after_its_pages() -> None:
    async with pool(recycle_pages=2) as reading:
        pids = [pid_of(await reading.read(order())) for _ in range(5)]

    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


async def test_a_page_that_kills_its_process_is_given_to_another_and_fails_then(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    async with pool() as reading:
        failed = await reading.read(order(DIE, begun))
        after = await reading.read(order())

    assert failed == PageFailed(failure=Failure.CRASHED, reason="it was ended by signal 9")
    assert begun.read_bytes() == b"11"
    assert isinstance(after, PageAnswer)


async def test_pages_that_kill_their_processes_hold_up_nobody_else() -> None:
    """Were the next process started later after each, this would take longer than a test may."""
    async with pool() as reading:
        for _ in range(6):
            await reading.read(order(DIE))

        assert isinstance(await reading.read(order()), PageAnswer)


async def test_a_page_that_kills_its_process_ends_no_other() -> None:
    async with pool(workers=2) as reading:
        pids = {pid_of(reply) for reply in await asyncio.gather(reading.read(order()), reading.read(order()))}

        await reading.read(order(DIE))

        assert (len(pids), len(pids & set(reading.processes))) == (2, 1)


async def test_a_page_that_exhausts_a_process_which_had_read_others_is_given_to_a_fresh_one(tmp_path: Path) -> None:
    async with pool() as reading:
        await reading.read(order())
        refused = [await reading.read(order(NO_MEMORY, tmp_path / name)) for name in ("a", "b")]

    assert refused == [PageFailed(failure=Failure.OUT_OF_MEMORY)] * 2
    assert [(tmp_path / name).read_bytes() for name in ("a", "b")] == [b"11", b"1"]


async def test_a_process_that_died_while_it_waited_costs_no_page() -> None:
    async with pool() as reading:
        first = pid_of(await reading.read(order()))
        os.kill(first, signal.SIGKILL)

        assert pid_of(await reading.read(order())) != first


async def test_a_page_that_takes_too_long_is_ended() -> None:
    async with pool(page_s=2) as reading:
        failed = await reading.read(order(HANG))
        after = await reading.read(order())

    assert failed == PageFailed(failure=Failure.TOO_SLOW, reason="it took longer than 2 seconds")
    assert isinstance(after, PageAnswer)


async def test_a_process_that_was_refused_memory_reads_no_more() -> None:
    async with pool() as reading:
        first = pid_of(await reading.read(order()))

        assert await reading.read(order(NO_MEMORY)) == PageFailed(failure=Failure.OUT_OF_MEMORY)
        assert pid_of(await reading.read(order())) != first


async def test_a_reply_that_is_none_is_a_failure_of_the_process() -> None:
    async with pool() as reading:
        assert await reading.read(order(BABBLE)) == PageFailed(
            failure=Failure.CRASHED, reason="its reply is not understood"
        )


async def test_a_process_that_cannot_start_is_told() -> None:
    async with pool(recogniser=scripted_reader.REFUSE_TO_START) as reading:
        assert await reading.read(order()) == PageFailed(
            failure=Failure.NO_READER, reason="a model file is missing or not the pinned one; its log says which"
        )
        assert reading.processes == ()


async def test_cancelling_a_page_ends_its_process(tmp_path: Path) -> None:
    async with pool() as reading:
        begun = tmp_path / "begun"
        asked = asyncio.create_task(reading.read(order(HANG, begun)))
        await until_exists(begun)
        (pid,) = reading.processes

        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

        assert not is_alive(pid)
        assert isinstance(await reading.read(order()), PageAnswer)


async def test_who_waits_is_served_in_order_and_leaves_the_queue_when_cancelled(tmp_path: Path) -> None:
    async with pool() as reading:
        begun = tmp_path / "begun"
        first = asyncio.create_task(reading.read(order(HANG, begun)))
        await until_exists(begun)
        served: list[int] = []

        async def waits(number: int) -> None:
            await reading.read(order())
            served.append(number)

        waiting = [asyncio.create_task(waits(number)) for number in range(4)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        first.cancel()
        await asyncio.gather(*waiting, first, return_exceptions=True)

    assert served == [0, 2, 3]


async def test_no_more_pages_are_read_at_once_than_there_are_processes(tmp_path: Path) -> None:
    async with pool(workers=2) as reading:
        begun = [tmp_path / str(number) for number in range(3)]
        asked = [asyncio.create_task(reading.read(order(HANG, path))) for path in begun]
        await until_exists(begun[0])
        await until_exists(begun[1])

        assert (len(reading.processes), begun[2].exists()) == (2, False)

        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def test_a_process_without_work_gives_its_memory_back() -> None:
    async with pool(idle_s=0.05) as reading:
        pid = pid_of(await reading.read(order()))
        async with asyncio.timeout(20):
            while reading.processes:  # noqa: ASYNC110 - a timer of the pool ends it
                await asyncio.sleep(0.01)

        assert pid_of(await reading.read(order())) != pid
