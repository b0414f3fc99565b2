"""Requests with an `Idempotency-Key`: answered once, billed once, and given again byte for byte."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import anthropic
import msgspec
import openai
import pytest

from qwenport.core.errors import EngineFailed, ParameterInvalid, RequestInProgress, StorageUnavailable
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RandomIds, RequestId
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.server.idempotency import LEASE_S, Asked, IdempotencyBounds, IdempotentRequests, KeptAnswer
from qwenport.storage.database import Database
from qwenport.storage.idempotency_rows import Claim
from qwenport.testing.clock import FakeClock
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.plain_call import PlainCall, every_plain_call
from qwenport.testing.raw_client import Answer, request_bytes
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait

T = TypeVar("T")

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
WHOLE: tuple[Event, ...] = (
    Started(served_by=TARGET, input_tokens=7),
    Delta(text="Hel"),
    Delta(text="lo"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=3)),
)
CALLS = [call for call in every_plain_call(FACES) if call.generates]
CHAT, STREAM = (
    next(c for c in CALLS if c.operation.name == "chat.completions" and c.streams is s) for s in (False, True)
)


class House:
    """A gateway with one engine."""

    def __init__(self, gateway: Gateway, engine: ScriptedEngine, clock: FakeClock) -> None:
        self.gateway = gateway
        self.engine = engine
        self.clock = clock

    async def ask(self, call: PlainCall, key: str | None = "once", body: bytes | None = None) -> Answer:
        async with self.gateway.client() as client:
            await client.send(request(call, key, body))
            return await client.answer()


def request(call: PlainCall, key: str | None, body: bytes | None = None) -> bytes:
    headers = call.headers(KEY) | ({} if key is None else {"idempotency-key": key})
    return request_bytes(call.operation.method, call.operation.path, headers, call.body if body is None else body)


Make = Callable[..., Any]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        async def build(script: Callable[[Any], Sequence[Step]] = lambda _: WHOLE, **plan: Any) -> House:
            engine = ScriptedEngine(script, target=TARGET)
            clock = plan.pop("clock", None) or FakeClock()
            folder = plan.pop("folder", tmp_path)
            gateway = await stack.enter_async_context(
                running_gateway(folder, Plan(engines=[engine], clock=clock, **plan))
            )
            return House(gateway, engine, clock)

        yield build


async def worker_on_the_books_of(house: House, make: Make, script: Callable[[Any], Sequence[Step]]) -> House:
    """Return a second worker, with a journal of its own, which waits 20 ms for the database of the first."""
    folder, books = house.gateway.folder / "worker-2", house.gateway.folder / "qwenport.db"
    folder.mkdir()

    def open_database() -> Database:
        return Database.open(books, busy_timeout_ms=20)

    found: House = await make(script, folder=folder, open_database=open_database, clock=house.clock, ids=RandomIds())
    return found


async def after_its_death(worker: House, make: Make, folder: Path) -> House:
    """Return a gateway that begins with what a worker would leave if it were killed now."""
    shutil.copytree(worker.gateway.folder.parent, folder, ignore=shutil.ignore_patterns("admin.sock"))
    left = folder / worker.gateway.folder.name

    def open_database() -> Database:
        return Database.open(folder / "qwenport.db")

    found: House = await make(folder=left, open_database=open_database, clock=worker.clock, ids=RandomIds())
    return found


@contextmanager
def outage(house: House) -> Iterator[None]:
    """Let nobody write into the database while the block lasts."""
    with closing(sqlite3.connect(house.gateway.folder / "qwenport.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        yield


def waiting_answer(wait: Wait, *end: Step) -> Callable[[Any], Sequence[Step]]:
    return lambda _: [*WHOLE[:2], wait, *(end or WHOLE[2:])]


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]["message"]


def silence(first: Answer) -> tuple[int, str]:
    """Return how a repetition is refused when nobody can tell what became of the first request."""
    return 409, RequestInProgress(RequestId(first.headers["x-request-id"])).message


def lasting(headers: dict[str, str]) -> dict[str, str]:
    passing = {"content-length", "transfer-encoding", "date", "server", "idempotent-replayed"}
    return {name: value for name, value in headers.items() if name not in passing and "ratelimit" not in name}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.face.name + call.name)
async def test_a_repeated_request_gets_the_same_bytes_and_costs_nothing(call: PlainCall, make: Make) -> None:
    house = await make()
    first = await house.ask(call)
    again = await house.ask(call)

    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert lasting(again.headers) == lasting(first.headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(house.engine.calls) == 1
    assert len(house.gateway.journal.open_holds) == 0


async def test_without_a_key_or_with_another_every_request_is_answered_anew(make: Make) -> None:
    house = await make()
    for key in (None, None, "a", "b"):
        await house.ask(CHAT, key)

    assert len(house.engine.calls) == 4


async def test_the_same_key_with_another_body_or_as_a_stream_is_refused_in_words(make: Make) -> None:
    house = await make()
    await house.ask(CHAT)
    error = ParameterInvalid(
        "The header Idempotency-Key was used before with another request; keys may only be used again with the same "
        "one.",
        parameter="Idempotency-Key",
    )
    for body in (STREAM.body, CHAT.body.replace(b"Hi", b"Ho")):
        answer = await house.ask(CHAT, body=body)
        assert (answer.status, json.loads(answer.body)["error"]["message"]) == (400, error.message)
    assert len(house.engine.calls) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
async def test_a_malformed_key_is_refused(key: str, make: Make) -> None:
    house = await make()

    assert (await house.ask(CHAT, key)).status == 400
    assert house.engine.calls == []


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.face.name + call.name)
async def test_while_the_first_is_answered_a_second_is_told_to_come_again(call: PlainCall, make: Make) -> None:
    wait = Wait()
    house = await make(lambda _: [WHOLE[0], wait, *WHOLE[1:]])
    first = asyncio.create_task(house.ask(call))
    await wait.arrives()
    second = await house.ask(call)
    wait.go.set()

    refusal = call.refusal(RequestInProgress(), RequestId(second.headers["x-request-id"]))
    assert (second.status, second.body, second.headers["retry-after"]) == (409, refusal.body, "1")
    given = await first
    assert (await house.ask(call)).body == given.body


@pytest.mark.parametrize("call", [CHAT, STREAM], ids=["whole", "stream"])
async def test_a_client_that_leaves_finds_its_whole_answer_when_it_asks_again(call: PlainCall, make: Make) -> None:
    wait = Wait()
    house = await make(lambda _: [*WHOLE[:2], wait, *WHOLE[2:]])
    async with house.gateway.client() as client:
        await client.send(request(call, "once"))
        await wait.arrives()
        client.leave()
        await until_nobody_is_connected(house.gateway)
    wait.go.set()
    await house.gateway.idle()
    again = await house.ask(call)

    assert (again.status, again.headers["idempotent-replayed"], len(house.engine.calls)) == (200, "true", 1)
    assert b"Hel" in again.body
    assert b"stop" in again.body


async def until_nobody_is_connected(gateway: Gateway) -> None:
    async with asyncio.timeout(20):
        while gateway.public.server_state.connections:  # noqa: ASYNC110 - the server tells nobody of a departure
            await asyncio.sleep(0.01)


async def test_what_failed_before_anything_was_billed_may_be_tried_again(make: Make) -> None:
    scripts = iter([[EngineFailed("x")], WHOLE])
    house = await make(lambda _: next(scripts))

    assert [(await house.ask(CHAT)).status, (await house.ask(CHAT)).status] == [500, 200]


async def test_a_stream_that_broke_off_after_some_of_it_was_billed_is_given_again_as_it_was(make: Make) -> None:
    house = await make(lambda _: [*WHOLE[:2], EngineFailed("gone")])
    first, again = await house.ask(STREAM), await house.ask(STREAM)

    assert b"internal_error" in first.body
    assert (again.body, len(house.engine.calls)) == (first.body, 1)


@pytest.mark.parametrize("call", [CHAT, STREAM], ids=["whole", "stream"])
async def test_an_answer_is_stored_before_its_call_is_settled(call: PlainCall, make: Make) -> None:
    """A crash in between gives the answer away once; the other order would bill a repetition twice."""
    house = await make()
    database = house.gateway.database
    stored: list[Any] = []

    def look(_settlement: object) -> None:
        with database.read() as transaction:
            rows = transaction.connection.exec_driver_sql("SELECT status, size_bytes > 0 FROM idempotent_requests")
            stored.extend(tuple(row) for row in rows)

    house.gateway.gate._on_settled = look
    await house.ask(call)
    await house.gateway.idle()

    assert stored == [(200, 1)]


async def test_an_answer_is_forgotten_after_a_day(make: Make) -> None:
    house = await make()
    await house.ask(CHAT)
    house.clock.advance(24 * 3600)
    assert await house.gateway.idempotency.purge_expired() == 1
    await house.ask(CHAT)

    assert len(house.engine.calls) == 2


async def test_the_key_of_another_client_is_another_key(make: Make) -> None:
    house = await make()
    gateway = house.gateway
    caller = gateway.parts.identify({"authorization": f"Bearer {KEY}"}, None)
    await house.ask(CHAT)
    with gateway.database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE idempotent_requests SET key_id = 'key-other'")
    await house.ask(CHAT)

    assert caller.key_id != "key-other"
    assert len(house.engine.calls) == 2


async def test_a_call_that_a_worker_died_in_may_be_tried_again(make: Make, tmp_path: Path) -> None:
    wait = Wait()
    house = await make(folder=made(tmp_path / "first"))
    worker = await worker_on_the_books_of(house, make, waiting_answer(wait))
    asking = asyncio.create_task(worker.ask(CHAT))
    await wait.arrives()
    successor = await after_its_death(worker, make, tmp_path / "later")
    again = await successor.ask(CHAT)
    wait.go.set()
    await asking

    assert (again.status, len(successor.engine.calls)) == (200, 1)


@pytest.mark.parametrize(
    ("call", "end"),
    [(CHAT, WHOLE[2:]), (STREAM, WHOLE[2:]), (STREAM, [EngineFailed("gone")])],
    ids=["whole", "stream", "broken stream"],
)
async def test_an_answer_that_was_lost_in_an_outage_and_a_crash_is_not_made_and_billed_again(
    call: PlainCall, end: Sequence[Step], make: Make, tmp_path: Path
) -> None:
    wait = Wait()
    house = await make(folder=made(tmp_path / "first"))
    worker = await worker_on_the_books_of(house, make, waiting_answer(wait, *end))
    asking = asyncio.create_task(worker.ask(call))
    await wait.arrives()
    with outage(house):
        wait.go.set()
        first = await asking
        await worker.gateway.idle()
        successor = await after_its_death(worker, make, tmp_path / "later")
    successor.clock.advance(3600)
    again = await successor.ask(call)

    assert (first.status, said(again), again.headers["retry-after"]) == (200, silence(first), "20")
    assert successor.engine.calls == []


async def test_an_answer_that_an_outage_kept_from_being_stored_is_given_when_it_is_over(make: Make) -> None:
    wait = Wait()
    house = await make()
    worker = await worker_on_the_books_of(house, make, waiting_answer(wait))
    asking = asyncio.create_task(worker.ask(CHAT))
    await wait.arrives()
    with outage(house):
        wait.go.set()
        first = await asking
        house.clock.advance(3600)
    await worker.gateway.keeper.post()
    before = await house.ask(CHAT)
    at_home = await worker.ask(CHAT)
    await worker.gateway.idempotency.renew()
    after = await house.ask(CHAT)

    assert said(before) == silence(first)
    assert [(each.status, each.body) for each in (at_home, after)] == [(200, first.body)] * 2
    assert house.engine.calls == []


async def test_an_answer_that_waits_for_the_database_is_stored_at_the_latest_when_the_worker_ends(make: Make) -> None:
    wait = Wait()
    house = await make()
    worker = await worker_on_the_books_of(house, make, waiting_answer(wait))
    asking = asyncio.create_task(worker.ask(CHAT))
    await wait.arrives()
    with outage(house):
        wait.go.set()
        first = await asking
    await worker.gateway.idempotency.close()

    assert (await house.ask(CHAT)).body == first.body


async def test_a_call_that_runs_is_not_run_by_another_worker_however_long_the_database_was_away(make: Make) -> None:
    wait = Wait()
    house = await make()
    worker = await worker_on_the_books_of(house, make, waiting_answer(wait))
    asking = asyncio.create_task(worker.ask(CHAT))
    await wait.arrives()
    house.clock.advance(20 * LEASE_S)
    during = await house.ask(CHAT)
    wait.go.set()
    first = await asking

    assert said(during) == silence(first)
    assert (await house.ask(CHAT)).body == first.body
    assert (len(worker.engine.calls), house.engine.calls) == (1, [])


async def test_a_call_that_failed_in_an_outage_may_be_tried_again_when_it_is_over(make: Make) -> None:
    wait = Wait()
    scripts = iter([[WHOLE[0], wait, EngineFailed("gone")], WHOLE])
    house = await make()
    worker = await worker_on_the_books_of(house, make, lambda _: next(scripts))
    asking = asyncio.create_task(worker.ask(CHAT))
    await wait.arrives()
    with outage(house):
        wait.go.set()
        failed = await asking
        await worker.gateway.idle()
    before = await worker.ask(CHAT)
    await worker.gateway.idempotency.renew()

    assert (failed.status, before.status, (await worker.ask(CHAT)).status) == (500, 409, 200)


async def test_a_claim_of_which_nobody_knows_whether_it_was_written_is_given_up(make: Make) -> None:
    house = await make()
    keeper, caller = house.gateway.keeper, house.gateway.parts.identify({"authorization": f"Bearer {KEY}"}, None)
    is_lost = True

    async def run(work: Callable[[], T]) -> T:
        found: T = await keeper.run(work)
        if is_lost:
            raise StorageUnavailable("the connection to the database server was lost")
        return found

    other = IdempotentRequests(house.gateway.database, house.clock, run)
    with pytest.raises(StorageUnavailable):
        await other.claim(caller, asked_of(CHAT), RequestId("r"))
    before = await house.ask(CHAT)
    is_lost = False
    await other.renew()

    assert (before.status, (await house.ask(CHAT)).status) == (409, 200)


async def test_what_costs_nothing_may_be_done_by_another_worker_when_the_lease_has_run_out(make: Make) -> None:
    house = await make()
    caller = house.gateway.parts.identify({"authorization": f"Bearer {KEY}"}, None)
    first, other = (IdempotentRequests(house.gateway.database, house.clock, house.gateway.keeper.run) for _ in range(2))
    asked = msgspec.structs.replace(asked_of(CHAT), is_call=False)
    await first.claim(caller, asked, RequestId("r-1"))
    with pytest.raises(RequestInProgress):
        await other.claim(caller, asked, RequestId("r-2"))
    house.clock.advance(LEASE_S)
    with pytest.raises(RequestInProgress):  # it was cut off from the database for that long, and knows that it runs
        await first.claim(caller, asked, RequestId("r-3"))

    assert isinstance(await other.claim(caller, asked, RequestId("r-4")), Claim)


async def test_a_lease_that_is_renewed_does_not_run_out(make: Make) -> None:
    house = await make()
    caller = house.gateway.parts.identify({"authorization": f"Bearer {KEY}"}, None)
    mine, other = (IdempotentRequests(house.gateway.database, house.clock, house.gateway.keeper.run) for _ in range(2))
    asked = msgspec.structs.replace(asked_of(CHAT), is_call=False)
    await mine.claim(caller, asked, RequestId("r-1"))
    house.clock.advance(LEASE_S - 1)
    await mine.renew()
    house.clock.advance(LEASE_S - 1)

    with pytest.raises(RequestInProgress):
        await other.claim(caller, asked, RequestId("r-2"))


def asked_of(call: PlainCall) -> Asked:
    headers = call.headers(KEY) | {"idempotency-key": "once"}
    return Asked(method="POST", path=call.operation.path, query=b"", headers=headers, body=call.body, is_call=True)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def test_an_answer_too_large_to_be_kept_is_not_made_twice(make: Make) -> None:
    house = await make()
    gateway = house.gateway
    small = IdempotentRequests(
        gateway.database, house.clock, gateway.keeper.run, IdempotencyBounds(most_bytes_of_an_answer=10)
    )
    caller = gateway.parts.identify({"authorization": f"Bearer {KEY}"}, None)
    claimed = await small.claim(caller, asked_of(CHAT), RequestId("request-9"))
    assert isinstance(claimed, Claim)
    await small.keep(claimed, KeptAnswer(request_id=claimed.request_id, status=200, headers=(), body=b"x" * 11))
    answer = await house.ask(CHAT)

    assert answer.status == 400
    assert b"request-9, which was answered" in answer.body
    assert house.engine.calls == []


async def test_of_one_key_the_oldest_answers_go_first(make: Make) -> None:
    house = await make()
    gateway = house.gateway
    gateway.idempotency._bounds = IdempotencyBounds(most_of_a_key=10)
    for number in range(11):
        await house.ask(CHAT, f"key-{number}")
        house.clock.advance(1)
    await house.ask(CHAT, "key-10")
    assert len(house.engine.calls) == 11
    await house.ask(CHAT, "key-0")

    assert len(house.engine.calls) == 12


async def test_an_answer_that_gave_way_to_newer_ones_is_not_made_and_billed_again(make: Make) -> None:
    house = await make()
    gateway = house.gateway
    first = await house.ask(CHAT, "key-0")
    gateway.idempotency._bounds = IdempotencyBounds(most_bytes_of_a_key=3 * len(first.body))
    for number in range(1, 4):
        house.clock.advance(1)
        await house.ask(CHAT, f"key-{number}")
    gone, newest = await house.ask(CHAT, "key-0"), await house.ask(CHAT, "key-3")

    assert (gone.status, newest.status, newest.headers["idempotent-replayed"]) == (400, 200, "true")
    assert f"{first.headers['x-request-id']}, which was answered" in said(gone)[1]
    assert len(house.engine.calls) == 4


async def test_official_clients_get_the_same_answer_again(make: Make) -> None:
    house = await make()
    url = f"http://127.0.0.1:{house.gateway.port}"
    headers = {"idempotency-key": "from-a-client"}
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/compatible-mode/v1") as client:
        said = [
            await client.chat.completions.create(
                model="qwen-plus", messages=[{"role": "user", "content": "Hi"}], extra_headers=headers
            )
            for _ in range(2)
        ]
    assert said[0] == said[1]
    async with anthropic.AsyncAnthropic(auth_token=KEY, base_url=f"{url}/apps/anthropic") as other:
        texts = []
        for _ in range(2):
            async with other.messages.stream(
                model="qwen-plus",
                max_tokens=10,
                messages=[{"role": "user", "content": "Hi"}],
                extra_headers={"idempotency-key": "another"},
            ) as stream:
                texts.append(await stream.get_final_text())
    assert texts == ["Hello", "Hello"]
    assert len(house.engine.calls) == 2


async def test_the_official_client_waits_for_the_first_and_gets_its_answer(make: Make) -> None:
    wait = Wait()
    house = await make(lambda _: [WHOLE[0], wait, *WHOLE[1:]])
    url = f"http://127.0.0.1:{house.gateway.port}/compatible-mode/v1"
    first = asyncio.create_task(house.ask(CHAT))
    await wait.arrives()
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as client:
        with pytest.raises(openai.ConflictError):
            await client.post(
                "/chat/completions", body=CHAT.content, cast_to=object, options={"headers": {"idempotency-key": "once"}}
            )
    wait.go.set()
    assert (await first).status == 200
