"""Writes of one turn of the loop leave as one, and none is kept for longer."""

from __future__ import annotations

import asyncio

import pytest

from qwenport.app.gathered_writes import MOST_HELD_BYTES, GatheredWrites

pytestmark = pytest.mark.anyio


class Connection(asyncio.Transport):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes | str] = []
        self.is_lost = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_lost or "close" in self.told

    def close(self) -> None:
        self.told.append("close")

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.told.append("half-close")

    def resume_reading(self) -> None:
        self.told.append("read on")

    def abort(self) -> None:
        self.told.append("abort")
        self.is_lost = True


def made() -> tuple[Connection, GatheredWrites]:
    connection = Connection()
    return connection, GatheredWrites(connection, asyncio.get_running_loop())


async def test_writes_of_one_turn_leave_together_at_its_end() -> None:
    connection, writes = made()

    writes.write(b"head ")
    writes.write(b"body")
    before = [*connection.told]
    await asyncio.sleep(0)
    writes.write(b"next")
    await asyncio.sleep(0)

    assert (before, connection.told) == ([], [b"head body", b"next"])


async def test_much_is_not_held_back_until_the_end_of_the_turn() -> None:
    connection, writes = made()
    half = b"x" * (MOST_HELD_BYTES // 2)

    writes.write(half)
    writes.write(half)
    writes.write(b"rest")

    assert connection.told == [half + half]
    await asyncio.sleep(0)
    assert connection.told == [half + half, b"rest"]


async def test_what_is_held_back_is_sent_when_it_is_asked_for() -> None:
    connection, writes = made()

    writes.write(b"end")
    writes.flush()
    told = [*connection.told]
    await asyncio.sleep(0)

    assert (told, connection.told) == ([b"end"], [b"end"])


async def test_a_close_comes_after_what_was_written() -> None:
    connection, writes = made()

    writes.write(b"farewell")
    writes.close()
    await asyncio.sleep(0)

    assert connection.told == [b"farewell", "close"]
    assert writes.is_closing()


async def test_an_abort_drops_what_is_held_back() -> None:
    connection, writes = made()

    writes.write(b"lost")
    writes.abort()
    await asyncio.sleep(0)

    assert connection.told == ["abort"]


async def test_nothing_is_written_to_a_connection_that_was_lost_meanwhile() -> None:
    connection, writes = made()

    writes.write(b"too late")
    connection.is_lost = True
    await asyncio.sleep(0)

    assert connection.told == []


async def test_a_connection_whose_request_is_on_its_way_is_half_closed_and_read_on() -> None:
    connection = Connection()
    writes = GatheredWrites(connection, asyncio.get_running_loop(), lambda: True)

    writes.write(b"refused")
    writes.close()

    assert connection.told == [b"refused", "half-close", "read on"]
    assert (writes.is_closing(), writes.lingers) == (True, True)


async def test_a_second_close_ends_the_waiting() -> None:
    connection = Connection()
    writes = GatheredWrites(connection, asyncio.get_running_loop(), lambda: True)

    writes.close()
    writes.close()

    assert connection.told == ["half-close", "read on", "close"]


class OneWay(Connection):
    """A connection that can only be closed as a whole, as with TLS."""

    def can_write_eof(self) -> bool:
        return False


async def test_a_connection_without_halves_is_closed_as_a_whole() -> None:
    connection = OneWay()
    writes = GatheredWrites(connection, asyncio.get_running_loop(), lambda: True)

    writes.close()

    assert (connection.told, writes.lingers) == (["close"], False)
