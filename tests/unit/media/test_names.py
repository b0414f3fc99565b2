"""Looking up hosts."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from qwenport.media.names import NameLookup

pytestmark = pytest.mark.anyio


async def test_addresses_are_those_of_the_system() -> None:
    lookup = NameLookup(1)

    (found,) = await lookup.resolve("127.0.0.1", 80)

    assert (found["hostname"], found["host"], found["port"], found["family"]) == (
        "127.0.0.1",
        "127.0.0.1",
        80,
        socket.AF_INET,
    )
    await lookup.close()


async def test_a_name_without_an_address_is_an_error() -> None:
    lookup = NameLookup(1)

    with pytest.raises(socket.gaierror):
        await lookup.resolve("nowhere.invalid", 80)
    await lookup.close()


async def test_names_that_nobody_answers_for_hold_up_no_other_thread() -> None:
    answered = threading.Event()

    def wait(*_: object, **__: object) -> list[Any]:
        answered.wait()
        return []

    lookup = NameLookup(64, wait)
    waiting = [asyncio.create_task(lookup.resolve("example.com", 80)) for _ in range(64)]
    await asyncio.sleep(0)  # each has begun
    try:
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 5) == "done"
    finally:
        answered.set()
        await asyncio.gather(*waiting)
        await lookup.close()
