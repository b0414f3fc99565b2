"""Bodies are written in batches, wait for the database, and are dropped where they would take too much memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.body_queue import BATCH_BYTES, BODY_BYTES, BodyQueue
from qwenport.storage import body_rows
from qwenport.storage.body_rows import StoredBody
from qwenport.storage.database import Database

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class Thread:
    """Runs work at once, or not at all while the database is down."""

    def __init__(self) -> None:
        self.is_down = False
        self.works = 0

    async def run(self, work: Callable[[], T]) -> T:
        if self.is_down:
            raise StorageUnavailable("the database does not answer")
        self.works += 1
        return work()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "qwenport.db") as opened:
        yield opened


def body(number: int, answer: bytes = b"answer") -> StoredBody:
    return StoredBody(
        request_id=RequestId(f"request-{number}"),
        account_id=AccountId("acc-1"),
        key_id=KeyId("key-1"),
        at=1,
        expires_at=2,
        request=b"request",
        answer=answer,
        request_bytes=7,
        answer_bytes=6,
    )


def kept(database: Database, number: int) -> StoredBody | None:
    with database.read() as transaction:
        return body_rows.find(transaction, RequestId(f"request-{number}"), now_ms=1)


async def test_bodies_that_were_taken_are_written_together(database: Database) -> None:
    thread, dropped = Thread(), list[None]()
    queue = BodyQueue(database, thread.run, on_dropped=lambda: dropped.append(None))
    queue.keep(body(1))
    queue.keep(body(2))
    await queue.flush()
    await queue.flush()

    assert [kept(database, number) for number in (1, 2, 3)] == [body(1), body(2), None]
    assert (thread.works, dropped) == (1, [])


async def test_what_does_not_fit_is_dropped_and_counted_and_room_comes_back(database: Database) -> None:
    thread, dropped = Thread(), list[None]()
    size = len(b"request") + len(b"answer") + BODY_BYTES
    queue = BodyQueue(database, thread.run, on_dropped=lambda: dropped.append(None), most_bytes=2 * size)
    for number in (1, 2, 3):
        queue.keep(body(number))
    await queue.flush()
    queue.keep(body(4))
    await queue.flush()

    assert [kept(database, number) is not None for number in (1, 2, 3, 4)] == [True, True, False, True]
    assert len(dropped) == 1


async def test_while_the_database_is_down_bodies_wait(database: Database) -> None:
    thread = Thread()
    queue = BodyQueue(database, thread.run, on_dropped=lambda: None)
    queue.keep(body(1))
    thread.is_down = True
    with pytest.raises(StorageUnavailable):
        await queue.flush()
    thread.is_down = False
    await queue.flush()

    assert kept(database, 1) == body(1)


async def test_large_bodies_are_written_a_few_at_a_time(database: Database) -> None:
    thread = Thread()
    queue = BodyQueue(database, thread.run, on_dropped=lambda: None)
    for number in range(3):
        queue.keep(body(number, b"x" * (BATCH_BYTES // 2 - BODY_BYTES - 7)))
    queue.keep(body(3, b"x" * (2 * BATCH_BYTES)))
    await queue.flush()

    assert thread.works == 3
    assert all(kept(database, number) is not None for number in range(4))


async def test_a_body_that_is_there_already_does_not_keep_others_out(database: Database) -> None:
    thread = Thread()
    queue = BodyQueue(database, thread.run, on_dropped=lambda: None)
    queue.keep(body(1))
    await queue.flush()
    queue.keep(body(1, b"another"))
    queue.keep(body(2))
    await queue.flush()

    assert (kept(database, 1), kept(database, 2)) == (body(1), body(2))
