"""Stored answers: found by their account alone, bounded, and gone after a week."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from qwenport.core.caller import Caller
from qwenport.core.errors import ParameterInvalid, ResponseNotFound, StorageUnavailable
from qwenport.core.ids import AccountId, KeyId
from qwenport.core.responses import CancelResponse, DeleteResponse, FindResponse, KeepResponse, StoredResponse
from qwenport.files.blocking import RunBlocking
from qwenport.files.responses import ResponseBounds, ResponseStore
from qwenport.storage.database import Database
from qwenport.testing.clock import FakeClock

pytestmark = pytest.mark.anyio

ME = Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), currency="CNY")
OTHER = Caller(key_id=KeyId("key-2"), account_id=AccountId("acc-2"), currency="CNY")
WEEK = timedelta(days=7)


MakeStore = Callable[..., ResponseStore]


@pytest.fixture
def make_store(database: Database, clock: FakeClock, run: RunBlocking) -> MakeStore:
    def make(**bounds: int) -> ResponseStore:
        return ResponseStore(database, clock, run, ResponseBounds(**bounds))

    return make


@pytest.fixture
def answer(clock: FakeClock) -> Callable[..., StoredResponse]:
    def make(name: str, *, body: bytes = b"{}", previous_id: str = "") -> StoredResponse:
        return StoredResponse(
            id=name, model="qwen-plus", created_at=clock.now(), previous_id=previous_id, items=b"[1]", body=body
        )

    return make


MakeAnswer = Callable[..., StoredResponse]


async def kept(store: ResponseStore, caller: Caller, *names: str) -> list[str]:
    """Return which of these answers can be found."""
    found = []
    for name in names:
        try:
            found.append((await store.find(caller, FindResponse(id=name))).id)
        except ResponseNotFound:
            continue
    return found


async def test_an_answer_is_found_as_it_was_kept(make_store: MakeStore, answer: MakeAnswer) -> None:
    stored = answer("resp_2", body=b'{"output":[]}', previous_id="resp_1")
    store = make_store()
    await store.keep(ME, KeepResponse(response=stored))

    assert await store.find(ME, FindResponse(id="resp_2")) == stored


async def test_another_accounts_answer_is_as_unknown_as_none(make_store: MakeStore, answer: MakeAnswer) -> None:
    store = make_store()
    await store.keep(ME, KeepResponse(response=answer("resp_1")))
    refusals = []
    attempts: list[Callable[[str], Awaitable[object]]] = [
        lambda name: store.find(OTHER, FindResponse(id=name)),
        lambda name: store.delete(OTHER, DeleteResponse(id=name)),
        lambda name: store.cancel(OTHER, CancelResponse(id=name)),
    ]
    for attempt in attempts:
        for name in ("resp_1", "resp_9"):
            with pytest.raises(ResponseNotFound) as caught:
                await attempt(name)
            refusals.append(caught.value.message)

    assert refusals == ["Response with id 'resp_1' not found.", "Response with id 'resp_9' not found."] * 3
    assert await kept(store, ME, "resp_1") == ["resp_1"]


async def test_a_deleted_answer_is_gone(make_store: MakeStore, answer: MakeAnswer) -> None:
    store = make_store()
    for name in ("resp_1", "resp_2"):
        await store.keep(ME, KeepResponse(response=answer(name)))
    await store.delete(ME, DeleteResponse(id="resp_1"))

    assert await kept(store, ME, "resp_1", "resp_2") == ["resp_2"]
    with pytest.raises(ResponseNotFound):
        await store.delete(ME, DeleteResponse(id="resp_1"))


async def test_a_stored_answer_is_too_complete_to_be_cancelled(make_store: MakeStore, answer: MakeAnswer) -> None:
    store = make_store()
    await store.keep(ME, KeepResponse(response=answer("resp_1")))

    with pytest.raises(ParameterInvalid, match="Cannot cancel a synchronous response"):
        await store.cancel(ME, CancelResponse(id="resp_1"))


async def test_an_answer_is_found_for_a_week_and_then_purged(
    make_store: MakeStore, answer: MakeAnswer, clock: FakeClock
) -> None:
    store = make_store()
    await store.keep(ME, KeepResponse(response=answer("resp_1")))
    clock.advance(WEEK.total_seconds() - 1)
    last = (await kept(store, ME, "resp_1"), await store.purge_expired())
    clock.advance(1)
    with pytest.raises(ResponseNotFound):
        await store.delete(ME, DeleteResponse(id="resp_1"))
    over = (await kept(store, ME, "resp_1"), await store.purge_expired(), await store.purge_expired())

    assert last == (["resp_1"], 0)
    assert over == ([], 1, 0)


async def test_one_answer_too_many_makes_the_oldest_tenth_go(
    make_store: MakeStore, answer: MakeAnswer, clock: FakeClock
) -> None:
    store = make_store(most=20)
    await store.keep(OTHER, KeepResponse(response=answer("resp_other")))
    names = [f"resp_{number:02}" for number in range(21)]
    counts = []
    for name in names:
        clock.advance(1)
        await store.keep(ME, KeepResponse(response=answer(name)))
        counts.append(len(await kept(store, ME, *names)))

    assert counts == [*range(1, 21), 18]
    assert await kept(store, ME, *names) == names[3:]
    assert await kept(store, OTHER, "resp_other") == ["resp_other"]


async def test_too_many_bytes_make_the_oldest_go(make_store: MakeStore, answer: MakeAnswer, clock: FakeClock) -> None:
    store = make_store(most_bytes=100)
    for name in ("resp_1", "resp_2", "resp_3", "resp_4"):
        clock.advance(1)
        await store.keep(ME, KeepResponse(response=answer(name, body=b"x" * 27)))

    assert await kept(store, ME, "resp_1", "resp_2", "resp_3", "resp_4") == ["resp_2", "resp_3", "resp_4"]


async def test_a_database_that_fails_is_said_to_fail(make_store: MakeStore, answer: MakeAnswer, tmp_path: Path) -> None:
    store = make_store()
    (tmp_path / "qwenport.db").unlink()

    with pytest.raises(StorageUnavailable):
        await store.keep(ME, KeepResponse(response=answer("resp_1")))
    with pytest.raises(StorageUnavailable):
        await store.find(ME, FindResponse(id="resp_1"))


async def test_every_query_is_answered_at_the_desk(make_store: MakeStore) -> None:
    store = make_store()

    assert store.desk() == {
        FindResponse: store.find,
        KeepResponse: store.keep,
        DeleteResponse: store.delete,
        CancelResponse: store.cancel,
    }
