"""Streams on a real socket: silence, late errors, clients that do not read, and many at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from qwenport.core.errors import EngineFailed
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RandomIds
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.faces.sse import KEEP_ALIVE
from qwenport.metering.ledger import check
from qwenport.metering.reports import CallQuery, CallRow, Reports
from qwenport.server.response import Patience
from qwenport.testing.calls import said
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.plain_call import PlainCall, every_plain_call
from qwenport.testing.raw_client import RawClient
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
STREAMS = [call for call in every_plain_call(FACES) if call.streams]
WHOLE: tuple[Event, ...] = (
    Started(served_by=TARGET, input_tokens=7),
    Delta(text="Hello"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=2)),
)
QUIET = Patience(keep_alive_s=0.02, drain_s=1.0)
IMPATIENT = Patience(keep_alive_s=0.05, stall_s=0.2, drain_s=1.0)


@pytest.fixture(params=STREAMS, ids=lambda call: call.name)
def call(request: pytest.FixtureRequest) -> PlainCall:
    asked: PlainCall = request.param
    return asked


def engine(steps: Sequence[Step]) -> ScriptedEngine:
    return ScriptedEngine(lambda _: steps, target=TARGET)


def begins() -> Wait:
    """Return a step at which nobody waits, but which tells that the engine has begun."""
    step = Wait()
    step.go.set()
    return step


async def posted_calls(gateway: Gateway, limit: int = 10) -> Sequence[CallRow]:
    await gateway.idle()
    await gateway.keeper.post()
    assert check(gateway.database).balanced
    return Reports(gateway.database).calls(CallQuery(limit=limit))


async def read_comment(client: RawClient) -> dict[str, str]:
    """Return the headers of a stream that begins with a comment."""
    status, headers = await client.head()
    assert status == 200
    assert await client.chunk() == KEEP_ALIVE
    return headers


async def test_a_comment_opens_a_stream_that_stays_silent(call: PlainCall, tmp_path: Path) -> None:
    silence = Wait()
    plan = Plan(engines=[engine([silence, *WHOLE])], patience=QUIET)
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        await client.send(call.request(KEY))
        headers = await read_comment(client)
        silence.go.set()
        body = await client.body()

        assert headers["content-type"] == "text/event-stream;charset=UTF-8"
        assert headers["cache-control"] == "no-cache"
        # Who answers was not known when the stream was opened.
        assert "x-qwenport-served-by" not in headers
        assert body.replace(KEEP_ALIVE, b"") == call.frames(plan.catalog.resolve("qwen-plus"), WHOLE)


async def test_an_error_after_a_comment_is_told_inside_the_stream(call: PlainCall, tmp_path: Path) -> None:
    silence = Wait()
    error = EngineFailed("the engine broke off")
    plan = Plan(engines=[engine([silence, error])], patience=QUIET)
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        await client.send(call.request(KEY))
        await read_comment(client)
        silence.go.set()
        body = await client.body()

        assert body.replace(KEEP_ALIVE, b"") == call.frames(plan.catalog.resolve("qwen-plus"), [error])
        assert [(row.outcome, row.status) for row in await posted_calls(gateway)] == [("failed", 500)]


async def test_comments_go_on_in_the_middle_of_a_stream(call: PlainCall, tmp_path: Path) -> None:
    silence = Wait()
    plan = Plan(engines=[engine([*WHOLE[:2], silence, *WHOLE[2:]])], patience=QUIET)
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        await client.send(call.request(KEY))
        await client.head()
        seen = b""
        while seen.count(KEEP_ALIVE) < 3:
            seen += await client.chunk()
        silence.go.set()
        seen += await client.body()

        assert seen.replace(KEEP_ALIVE, b"") == call.frames(plan.catalog.resolve("qwen-plus"), WHOLE)


async def test_a_stream_that_is_not_silent_gets_no_comment(call: PlainCall, tmp_path: Path) -> None:
    plan = Plan(engines=[engine(WHOLE)])
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        await client.send(call.request(KEY))

        assert (await client.answer()).body == call.frames(plan.catalog.resolve("qwen-plus"), WHOLE)


async def test_an_error_before_the_first_event_has_its_own_status_and_one_request_id(
    call: PlainCall, tmp_path: Path
) -> None:
    plan = Plan(engines=[engine([EngineFailed("the engine broke off")])], ids=RandomIds())
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        await client.send(call.request(KEY))
        answer = await client.answer()

        assert (answer.status, answer.headers["content-type"]) == (500, "application/json")
        assert json.loads(answer.body)["request_id"] == answer.headers["x-request-id"]
        assert [row.request_id for row in await posted_calls(gateway)] == [answer.headers["x-request-id"]]


async def test_a_client_that_stops_reading_is_given_up_and_billed(call: PlainCall, tmp_path: Path) -> None:
    # Few tokens for much text: more than a caller asked for would be its engine's mistake, and not billed.
    pieces = [Delta(text="x" * 10_000, tokens=int(number % 100 == 0)) for number in range(2000)]
    begun = begins()
    scripted = engine([begun, WHOLE[0], *pieces, *WHOLE[2:]])
    plan = Plan(engines=[scripted], patience=IMPATIENT)
    async with running_gateway(tmp_path, plan) as gateway, gateway.client(receive_buffer_bytes=4096) as client:
        await client.send(call.request(KEY))
        await begun.arrives()
        rows = await posted_calls(gateway)

    assert [(row.outcome, row.status, row.input_tokens, row.usage_source) for row in rows] == [
        ("abandoned", 499, 7, "counted")
    ]
    assert 0 < rows[0].output_tokens < sum(piece.tokens for piece in pieces)
    assert scripted.open_runs == 0


async def test_a_client_that_stops_reading_does_not_keep_its_connection(call: PlainCall, tmp_path: Path) -> None:
    pieces = [Delta(text="x" * 10_000) for _ in range(2000)]
    begun = begins()
    plan = Plan(engines=[engine([begun, WHOLE[0], *pieces, *WHOLE[2:]])], patience=IMPATIENT)
    async with running_gateway(tmp_path, plan) as gateway, gateway.client(receive_buffer_bytes=4096) as client:
        await client.send(call.request(KEY))
        async with asyncio.timeout(30):
            await begun.arrives()
            while gateway.public.server_state.connections:  # noqa: ASYNC110 - uvicorn keeps a set, no event
                await asyncio.sleep(0.01)


async def test_a_call_that_takes_too_long_in_all_ends_with_an_error_in_the_stream(
    call: PlainCall, tmp_path: Path
) -> None:
    steps = [WHOLE[0], WHOLE[1], Wait()]
    plan = Plan(engines=[engine(steps)], patience=Patience(call_s=0.2, drain_s=1.0))
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        await client.send(call.request(KEY))
        answer = await client.answer()
        rows = await posted_calls(gateway)

    assert answer.status == 200
    assert b"Request timed out, please try again later." in answer.body
    assert [(row.outcome, row.error, row.output_tokens, row.usage_source) for row in rows] == [
        ("failed", "engine_timed_out", 1, "counted")
    ]


async def test_a_client_that_stops_reading_while_the_engine_fails_does_not_keep_its_request(
    call: PlainCall, tmp_path: Path
) -> None:
    begun = begins()
    steps = [begun, WHOLE[0], Delta(text="x" * 8_000_000), EngineFailed("the engine broke off")]
    plan = Plan(engines=[engine(steps)], patience=IMPATIENT)
    async with running_gateway(tmp_path, plan) as gateway, gateway.client(receive_buffer_bytes=4096) as client:
        await client.send(call.request(KEY))
        await begun.arrives()
        rows = await posted_calls(gateway)

    assert [(row.outcome, row.output_tokens) for row in rows] == [("failed", 1)]


async def test_a_client_that_reads_slowly_gets_all_of_it(tmp_path: Path) -> None:
    call = STREAMS[0]
    pieces = [Delta(text="x" * 10_000) for _ in range(300)]
    steps: list[Event] = [WHOLE[0], *pieces, *WHOLE[2:]]
    plan = Plan(engines=[engine(steps)], patience=Patience(keep_alive_s=0.05, stall_s=10.0, drain_s=1.0))
    async with running_gateway(tmp_path, plan) as gateway, gateway.client(receive_buffer_bytes=4096) as client:
        await client.send(call.request(KEY))
        body = (await client.answer()).body

        assert body.replace(KEEP_ALIVE, b"") == call.frames(plan.catalog.resolve("qwen-plus"), steps)
        assert [row.outcome for row in await posted_calls(gateway)] == ["finished"]


async def test_two_hundred_streams_at_once_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    count, pieces = 200, 20
    scripted = ScriptedEngine(
        lambda prepared: [
            WHOLE[0],
            *(Delta(text=f"{said(prepared.call)}-{number} ") for number in range(pieces)),
            ChoiceFinished(reason=FinishReason.STOP),
            Finished(usage=Usage(input_tokens=7, output_tokens=pieces)),
        ],
        target=TARGET,
        slots=50,
    )

    async def answer_of(gateway: Gateway, number: int) -> tuple[str, str]:
        call = PlainCall(face=STREAMS[0].face, operation=STREAMS[0].operation, streams=True, text=f"call{number}")
        async with gateway.client() as client:
            await client.send(call.request(KEY))
            answer = await client.answer()
        *frames, done, end = answer.body.decode().split("\n\n")
        assert (answer.status, done, end) == (200, "data: [DONE]", "")
        chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames]
        text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
        return answer.headers["x-request-id"], text

    async with running_gateway(tmp_path, Plan(engines=[scripted], ids=RandomIds())) as gateway:
        answers = await asyncio.gather(*(answer_of(gateway, number) for number in range(count)))
        rows = await posted_calls(gateway, limit=count + 1)

    assert [text for _, text in answers] == [
        "".join(f"call{number}-{piece} " for piece in range(pieces)) for number in range(count)
    ]
    assert sorted(row.request_id for row in rows) == sorted(request_id for request_id, _ in answers)
    assert {(row.outcome, row.input_tokens, row.output_tokens) for row in rows} == {("finished", 7, pieces)}


async def test_half_of_many_clients_leave_at_any_moment_and_every_call_is_settled_once(tmp_path: Path) -> None:
    count = 60
    scripted = ScriptedEngine(
        lambda _: [WHOLE[0], *(Delta(text="x" * 2000) for _ in range(50)), *WHOLE[2:]], target=TARGET, slots=7
    )

    async def ask(gateway: Gateway, number: int) -> None:
        async with gateway.client() as client:
            await client.send(STREAMS[number % len(STREAMS)].request(KEY))
            if number % 2:
                await client.answer()
                return
            for _ in range(number // 4):
                await asyncio.sleep(0)
            client.leave()

    async with running_gateway(tmp_path, Plan(engines=[scripted], ids=RandomIds())) as gateway:
        await asyncio.gather(*(ask(gateway, number) for number in range(count)))
        rows = await posted_calls(gateway, limit=count)
        slots = gateway.router.rooms[TARGET]

        assert sum(row.outcome == "finished" for row in rows) >= count // 2
        assert len({row.request_id for row in rows}) == len(rows)
        assert (scripted.open_runs, slots.free, slots.waiting, gateway.journal.open_holds) == (0, 7, 0, {})
