"""The faulty upstream does to its callers what its plan says, and knows what it did."""

from __future__ import annotations

import asyncio
import gzip
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import msgspec
import openai
import pytest

from qwenport.engines.connections import (
    AnswerInvalid,
    AnswerTimedOut,
    CallFailed,
    ConnectionLost,
    Connections,
    Peer,
)
from qwenport.testing.faulty_upstream import (
    REFUSALS,
    SURVIVABLE,
    Fault,
    FaultPlan,
    FaultyUpstream,
    FaultyUpstreamThread,
    Latency,
    Manner,
    RetryAfter,
    Script,
    Served,
    Shape,
    Step,
)
from qwenport.testing.raw_client import PATIENCE_S

pytestmark = pytest.mark.anyio

WHOLE = {"model": "m", "messages": [{"role": "user", "content": "hi there"}], "max_tokens": 4}
STREAM = {**WHOLE, "stream": True, "stream_options": {"include_usage": True}}
QUICK = Manner(slow_s=0.05)
HASTY_S = 0.3
"""How long is waited for what never comes."""


@pytest.fixture
async def running() -> AsyncIterator[tuple[FaultyUpstream, Connections]]:
    upstream = FaultyUpstream(manner=QUICK)
    async with upstream.listening() as port:
        connections = Connections(Peer(url=f"http://127.0.0.1:{port}", keeps_connections=False))
        yield upstream, connections
        await connections.close()


Running = tuple[FaultyUpstream, Connections]


async def ask(
    connections: Connections, asked: object, path: str = "/v1/chat/completions", *, limit_s: float = PATIENCE_S
) -> tuple[int, bytes]:
    answer = await connections.post(path, msgspec.json.encode(asked), status_s=limit_s)
    try:
        return answer.status, await answer.whole(limit_bytes=1 << 24, limit_s=limit_s)
    finally:
        answer.close()


async def test_without_a_fault_a_whole_answer_is_an_openai_servers(running: Running) -> None:
    upstream, connections = running
    status, body = await ask(connections, WHOLE)

    assert (status, msgspec.json.decode(body)) == (
        200,
        {
            "id": "call-00000001",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": " word0 word1 word2 word3"},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        },
    )
    assert list(upstream.served) == [
        Served(
            id="call-00000001",
            path="/v1/chat/completions",
            asked="hi there",
            fault=Fault.NONE,
            input_tokens=3,
            output_tokens=4,
            is_complete=True,
        )
    ]


def test_the_official_client_takes_its_answers_for_an_openai_servers() -> None:
    with FaultyUpstreamThread(FaultyUpstream(models=("one", "two"))) as running:
        client = openai.OpenAI(base_url=running.url, api_key="k", max_retries=0)
        with client:
            chunks = list(
                client.chat.completions.create(
                    model="one",
                    messages=[{"role": "user", "content": "hi"}],
                    max_tokens=3,
                    stream=True,
                    stream_options={"include_usage": True},
                )
            )
            texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
            vectors = client.embeddings.create(model="e", input=["a", "b"], encoding_format="float").data
            names = [model.id for model in client.models.list()]
            completion = client.completions.create(model="one", prompt="Once", max_tokens=2)

        assert texts == [" word0", " word1", " word2", None]
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.total_tokens == 5
        assert [len(vector.embedding) for vector in vectors] == [4, 4]
        assert (names, completion.choices[0].text) == (["one", "two"], " word0 word1")


async def outcome(connections: Connections, asked: object, *, limit_s: float = PATIENCE_S) -> str:
    try:
        status, body = await ask(connections, asked, limit_s=limit_s)
    except CallFailed as error:
        return type(error).__name__
    try:
        for frame in [body] if asked is WHOLE else body.replace(b"data: [DONE]\n\n", b"").split(b"\n\n")[:-1]:
            msgspec.json.decode(frame.removeprefix(b"data: "))
    except msgspec.DecodeError:
        return f"{status} no JSON"
    return f"{status}"


OUTCOMES = {
    **dict.fromkeys(Fault, "200"),
    **{fault: fault.removeprefix("status_") for fault in Fault if fault.startswith("status_")},
    Fault.QUOTA_EXHAUSTED: "429",
    Fault.ARREARS: "400",
    Fault.RESET_BEFORE_HEAD: ConnectionLost.__name__,
    Fault.RESET_AFTER_HEAD: ConnectionLost.__name__,
    Fault.RESET_MIDWAY: ConnectionLost.__name__,
    Fault.RESET_BEFORE_END: ConnectionLost.__name__,
    Fault.HANG_BEFORE_HEAD: AnswerTimedOut.__name__,
    Fault.HANG_MIDWAY: AnswerTimedOut.__name__,
    Fault.MALFORMED_JSON: "200 no JSON",
    Fault.HALF_JSON: "200 no JSON",
    Fault.GZIP: AnswerInvalid.__name__,
    Fault.GZIP_BOMB: AnswerInvalid.__name__,
    Fault.BOTH_LENGTHS: AnswerInvalid.__name__,
    Fault.ENDLESS_COMMENTS: AnswerTimedOut.__name__,
}


@pytest.mark.parametrize("asked", [WHOLE, STREAM], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", Fault)
async def test_each_fault_is_seen_by_who_calls(running: Running, fault: Fault, asked: dict[str, object]) -> None:
    upstream, connections = running
    upstream.plan = Script([fault])

    # A page has no frames, so its stream is none; a length tells where an answer ends, whatever follows.
    special = {(Fault.HTML_PAGE, True): "200 no JSON", (Fault.GOES_ON, False): AnswerTimedOut.__name__}
    expected = special.get((fault, asked is WHOLE), OUTCOMES[fault])
    limit_s = HASTY_S if expected == AnswerTimedOut.__name__ else PATIENCE_S
    assert await outcome(connections, asked, limit_s=limit_s) == expected
    assert upstream.faults == Counter({fault: 1})
    # After the script, answers are good.
    assert await outcome(connections, asked) == "200"


USAGES = {
    Fault.USAGE_MISSING: None,
    Fault.USAGE_NEGATIVE: -1,
    Fault.USAGE_ABSURD: 10**15,
    Fault.USAGE_TEXT: "7",
}


@pytest.mark.parametrize(("fault", "total"), USAGES.items())
async def test_usage_is_told_as_wrongly_as_planned(running: Running, fault: Fault, total: object) -> None:
    upstream, connections = running
    upstream.plan = Script([fault, fault])
    whole = msgspec.json.decode((await ask(connections, WHOLE))[1])
    frames = (await ask(connections, STREAM))[1].split(b"\n\n")[:-2]
    last = msgspec.json.decode(frames[-1][6:])

    assert [told.get("usage", {}).get("total_tokens") for told in (whole, last)] == [total, total]


async def test_a_stream_that_breaks_midway_generated_what_was_sent(running: Running) -> None:
    upstream, connections = running
    upstream.plan = Script([Fault.RESET_MIDWAY, Fault.RESET_BEFORE_END, Fault.RESET_BEFORE_HEAD, Fault.STATUS_503])
    received = []
    for _ in range(4):
        try:
            answer = await connections.post("/v1/chat/completions", msgspec.json.encode(STREAM), status_s=1)
        except CallFailed:
            received.append(0)
            continue
        text = b""
        try:
            while part := await answer.read(1):
                text += part
        except CallFailed:
            pass
        received.append(text.count(b'"content":" word'))

    assert received == [3, 4, 0, 0]
    assert [(served.output_tokens, served.is_complete) for served in upstream.served] == [
        (3, False),
        (4, False),
        (0, False),
        (0, True),
    ]


async def test_errors_have_the_shapes_that_stand_before_upstreams(running: Running) -> None:
    upstream, connections = running
    upstream.plan = Script([Step(Fault.STATUS_429, shape) for shape in Shape])
    words = "Requests rate limit exceeded."

    assert [await ask(connections, WHOLE) for _ in Shape] == [
        (
            429,
            b'{"error":{"message":"%b","type":"rate_limit_error","param":null,"code":"Throttling.RateQuota"},'
            b'"request_id":"call-00000001"}' % words.encode(),
        ),
        (429, b'{"code":"Throttling.RateQuota","message":"%b","request_id":"call-00000002"}' % words.encode()),
        (429, b"<html><head><title>%b</title></head><body>nginx</body></html>" % words.encode()),
    ]


async def test_when_to_come_back_is_told_in_each_way(running: Running) -> None:
    upstream, connections = running
    upstream.plan = Script([Step(Fault.STATUS_503, retry_after=way) for way in RetryAfter])
    told = []
    for _ in RetryAfter:
        answer = await connections.post("/v1/completions", b"{}", status_s=1)
        told.append({name: value for name, value in answer.headers.items() if name.startswith("retry")})
        answer.close()

    date = told[2]["retry-after"]
    assert told == [{}, {"retry-after": "1"}, {"retry-after": date}, {"retry-after-ms": "1000"}]
    assert date.endswith("GMT")


def test_the_same_seed_gives_the_same_faults() -> None:
    def drawn(seed: int) -> list[Step]:
        plan = FaultPlan.evenly(0.3, seed=seed)
        return [plan.next() for _ in range(2000)]

    faulty = [step for step in drawn(1) if step.fault is not Fault.NONE]
    assert (drawn(1), drawn(1) == drawn(2)) == (drawn(1), False)
    assert 500 < len(faulty) < 700
    assert {step.fault for step in faulty} == SURVIVABLE
    assert SURVIVABLE.isdisjoint(REFUSALS)


@pytest.mark.parametrize("rates", [{Fault.DRIP: 0.6, Fault.SLOW: 0.6}, {Fault.DRIP: -0.1}])
def test_rates_that_are_none_are_refused(rates: dict[Fault, float]) -> None:
    with pytest.raises(ValueError, match="rates are from 0 to 1"):
        FaultPlan(rates)


async def test_latency_is_drawn_around_its_median() -> None:
    chance = random.Random(7)
    drawn = sorted(Latency(median_s=0.2, sigma=0.5).draw(chance) for _ in range(2001))

    assert drawn[1000] == pytest.approx(0.2, rel=0.1)
    assert (Latency(median_s=0.2).draw(chance), Latency().draw(chance)) == (0.2, 0.0)


async def test_the_plan_is_switched_and_the_counts_are_read_over_http(running: Running) -> None:
    _, connections = running
    told = await connections.get("/control/none", status_s=1)
    assert told.status == 404
    async with httpx.AsyncClient(base_url=_url(connections), trust_env=False) as client:
        put = await client.put("/control/plan", json={"script": ["status_500"], "repeats_last": True})
        answers = [(await client.post("/v1/chat/completions", json=WHOLE)).status_code for _ in range(3)]
        counts = (await client.get("/control/counts")).json()
        served = (await client.get("/control/served")).json()["served"]
        wrong = await client.put("/control/plan", json={"rates": {"drip": 2}})
        await client.post("/control/reset")
        after = (await client.get("/control/counts")).json()

    assert (put.status_code, answers, wrong.status_code) == (200, [500] * 3, 400)
    assert counts == {
        "calls": 3,
        "complete": 3,
        "input_tokens": 0,
        "output_tokens": 0,
        "faults": {"status_500": 3},
        "open_connections": 1,
    }
    assert ([call["asked"] for call in served], after["calls"]) == (["hi there"] * 3, 0)


def _url(connections: Connections) -> str:
    return connections._peer.url


async def test_a_body_that_is_none_is_refused_and_a_key_is_asked_for(running: Running) -> None:
    upstream, connections = running
    upstream.manner = Manner(key="k")
    connections.use_headers({"authorization": "Bearer k"})
    good = await ask(connections, WHOLE)
    bad = await ask(connections, ["no object"])
    connections.use_headers({"authorization": "Bearer other"})
    unknown = await ask(connections, WHOLE)
    async with httpx.AsyncClient(base_url=_url(connections), trust_env=False) as client:
        listed = [await client.get("/v1/models", headers={"authorization": f"Bearer {key}"}) for key in "kx"]

    assert (good[0], bad[0], unknown[0], (await ask(connections, {}, "/v1/unknown"))[0]) == (200, 400, 401, 404)
    assert [answer.status_code for answer in listed] == [200, 401]


async def test_gzip_is_what_it_says() -> None:
    upstream = FaultyUpstream(Script([Fault.GZIP]))
    async with (
        upstream.listening() as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        client.stream("POST", "/v1/chat/completions", json=WHOLE) as response,
    ):
        raw = b"".join([part async for part in response.aiter_raw()])

    assert b'"total_tokens":7' in gzip.decompress(raw)


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "qwenport.testing.faulty_upstream", "--faults", "100", "--only", "status_503"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            response = httpx.post(f"{url}/chat/completions", json=WHOLE, trust_env=False, timeout=PATIENCE_S)
        finally:
            process.terminate()

    assert response.status_code == 503


async def test_an_end_leaves_no_connection_open() -> None:
    upstream = FaultyUpstream(Script([Fault.HANG_MIDWAY]))
    async with upstream.listening() as port:
        connections = Connections(Peer(url=f"http://127.0.0.1:{port}"))
        answer = await connections.post("/v1/chat/completions", msgspec.json.encode(STREAM), status_s=1)
        assert upstream.open_connections == 1
    await asyncio.sleep(0)
    answer.close()
    await connections.close()

    assert upstream.open_connections == 0


async def test_whatever_goes_wrong_the_caller_is_told_and_nothing_is_left() -> None:
    upstream = FaultyUpstream(FaultPlan.evenly(1.0, seed=3), manner=Manner(slow_s=0.01, huge_bytes=1 << 20))
    async with upstream.listening() as port:
        connections = Connections(Peer(url=f"http://127.0.0.1:{port}"))
        waiting = iter([WHOLE, STREAM] * 150)

        async def keep_asking() -> Counter[str]:
            return Counter([await outcome(connections, asked, limit_s=1) for asked in waiting])

        ends = sum(await asyncio.gather(*(keep_asking() for _ in range(30))), Counter[str]())
        known = {end.removesuffix(" no JSON") for end in OUTCOMES.values()}
        assert ({end.removesuffix(" no JSON") for end in ends} - known, ends.total(), connections.busy) == (
            set(),
            300,
            0,
        )
        await connections.close()
        async with asyncio.timeout(5):
            while upstream.open_connections:  # noqa: ASYNC110 -- the server notices in its own time
                await asyncio.sleep(0.001)
