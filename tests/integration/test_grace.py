"""A database that does not answer closes the gate after the grace time, and opens it again when it is back."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qwenport.faces.registry import FACES
from qwenport.metering.ledger import check
from qwenport.storage.database import Database
from qwenport.testing.clock import FakeClock
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.plain_call import PlainCall, every_generating_call
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
CALL = next(call for call in every_generating_call(FACES) if call.name == "/v1/chat/completions")


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[tuple[Gateway, FakeClock]]:
    """Run a gateway whose bookkeeper works, with books that wait 20 ms for a lock."""
    clock = FakeClock()
    engine = ScriptedEngine(lambda _: answer("a", "b", served_by=TARGET), target=TARGET)
    async with running_gateway(folder / "first", Plan(engines=[engine], clock=clock)):
        pass

    def open_database() -> Database:
        return Database.open(folder / "first" / "qwenport.db", busy_timeout_ms=20)

    plan = Plan(engines=[engine], clock=clock, open_database=open_database)
    async with running_gateway(folder / "first", plan) as gateway:
        keeping = asyncio.create_task(gateway.keeper.keep())
        try:
            yield gateway, clock
        finally:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping


async def status_of(gateway: Gateway, call: PlainCall) -> tuple[int, str | None]:
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        told = await client.answer()
    return told.status, told.headers.get("retry-after")


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the bookkeeper works by the clock of its loop, and tells nobody
            await asyncio.sleep(0.02)


async def test_calls_run_within_the_grace_time_and_not_after_it(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    async with kept(tmp_path) as (gateway, clock):
        lock = sqlite3.connect(tmp_path / "first" / "qwenport.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        within = await status_of(gateway, CALL)
        await until(lambda: not gateway.keeper.storage_up)
        clock.advance(10)
        await until(lambda: gateway.gate.closed is not None)
        after = await status_of(gateway, CALL)
        lock.close()
        await until(lambda: gateway.gate.closed is None)
        again = await status_of(gateway, CALL)
        await gateway.keeper.post()
        books = check(gateway.database)

    assert (within, after, again) == ((200, None), (503, "5"), (200, None))
    assert (books.balanced, books.calls) == (True, 2)
