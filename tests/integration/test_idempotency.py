"""Requests with an `Idempotency-Key`: answered once, billed once, and given again byte for byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from qwenport.core.errors import EngineFailed, ParameterInvalid, RequestInProgress
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.server.idempotency import LEASE_S, Asked, IdempotencyBounds, IdempotentRequests, KeptAnswer
from qwenport.storage.idempotency_rows import Claim
from qwenport.testing.clock import FakeClock
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.plain_call import PlainCall, every_plain_call
from qwenport.testing.raw_client import Answer, request_bytes
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait

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
            clock = FakeClock()
            gateway = await stack.enter_async_context(
                running_gateway(tmp_path, Plan(engines=[engine], clock=clock, **plan))
            )
            return House(gateway, engine, clock)

        yield build


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
    wait.go.set()
    await house.gateway.idle()
    again = await house.ask(call)

    assert (again.status, again.headers["idempotent-replayed"], len(house.engine.calls)) == (200, "true", 1)
    assert b"Hel" in again.body
    assert b"stop" in again.body


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


async def test_a_claim_of_a_worker_that_died_may_be_taken_over_when_its_lease_has_run_out(make: Make) -> None:
    house = await make()
    await house.ask(CHAT)
    with house.gateway.database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE idempotent_requests SET status = 0")

    assert (await house.ask(CHAT)).status == 409
    house.clock.advance(LEASE_S)
    assert (await house.ask(CHAT)).status == 200
    assert len(house.engine.calls) == 2


async def test_a_lease_that_is_renewed_does_not_run_out(make: Make) -> None:
    wait = Wait()
    house = await make(lambda _: [WHOLE[0], wait, *WHOLE[1:]])
    first = asyncio.create_task(house.ask(CHAT))
    await wait.arrives()
    other = IdempotentRequests(house.gateway.database, house.clock, house.gateway.keeper.run)
    house.clock.advance(LEASE_S - 1)
    await house.gateway.idempotency.renew()
    house.clock.advance(LEASE_S - 1)
    caller = house.gateway.parts.identify({"authorization": f"Bearer {KEY}"}, None)
    with pytest.raises(RequestInProgress):
        await other.claim(caller, asked_of(CHAT), RequestId("r"))
    wait.go.set()
    await first


def asked_of(call: PlainCall) -> Asked:
    headers = call.headers(KEY) | {"idempotency-key": "once"}
    return Asked(method="POST", path=call.operation.path, query=b"", headers=headers, body=call.body)


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
