"""One upstream: how its dialect is found, what is told of its key, and when calls have waited too long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest

from qwenport.core.call import NativeInput
from qwenport.core.capabilities import Ability, Capabilities
from qwenport.core.errors import (
    EngineTimedOut,
    ModelUnavailable,
    QwenportError,
    UpstreamKeyRefused,
    UpstreamTurnedAway,
)
from qwenport.core.events import Event, Finished
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.secret import Secret
from qwenport.engines.engine import EngineState
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.clock import FakeClock
from qwenport.testing.llama_host import Reply
from qwenport.testing.models import model_card
from qwenport.testing.raw_server import listening, read_request
from qwenport.testing.scripted_engine import Wait
from qwenport.testing.scripted_upstream import DONE, JSON, ScriptedUpstream, chunk, frame, place, stream, whole

pytestmark = pytest.mark.anyio
KEY = "sk-planted-0123456789abcdef"
GOOD = stream(chunk({"content": "a"}), chunk(reason="stop"), DONE)
NATIVE = call_of(NativeInput(service="a/b/c", body=b'{"model":"m","input":{}}'), streams=True)
LISTED = b'{"data":[{"id":"m","owned_by":"vllm"}]}'
REFUSED = whole({"code": "InvalidApiKey", "message": f"Invalid API-key {KEY}."}, status="401 No")


@asynccontextmanager
async def upstream(
    reply: Reply = GOOD, *, clock: FakeClock | None = None, **more: Any
) -> AsyncGenerator[tuple[ScriptedUpstream, Upstream]]:
    server = ScriptedUpstream(reply)
    async with server.listening_on_a_port() as port:
        made = Upstream(place(port, **{"dialect": ""} | more), Secret(KEY), clock=clock or FakeClock())
        try:
            yield server, made
        finally:
            await made.close()


async def run(made: Upstream, *, is_native: bool = False) -> list[Event]:
    card = model_card(capabilities=Capabilities(abilities=(Ability.NATIVE,))) if is_native else model_card()
    prepared = PreparedCall(call=NATIVE if is_native else chat_call(streams=True), max_input_tokens=100)
    async with aclosing(made.engine("m", card).run(prepared)) as events:
        return [event async for event in events]


def name_of(made: Upstream) -> str:
    return made.dialect.name if made.dialect else ""


async def test_calls_that_come_together_ask_for_the_dialect_once() -> None:
    wait = Wait()
    async with upstream() as (server, made):
        server.listed = Reply(steps=[wait, LISTED], content_type=JSON)
        calls = [asyncio.create_task(run(made)) for _ in range(5)]
        await wait.reached.wait()
        # The one who asked leaves, and the others still learn it.
        calls[0].cancel()
        wait.go.set()
        ended = await asyncio.gather(*calls, return_exceptions=True)

    assert [isinstance(end, list) for end in ended] == [False, True, True, True, True]
    assert (server.lists, name_of(made)) == (1, "vllm")


async def test_the_dialect_is_found_again_after_the_upstream_was_away() -> None:
    server = ScriptedUpstream(GOOD, owner="vllm")
    async with server.listening_on_a_port() as port:
        made = Upstream(place(port, dialect=""), None)
        await run(made)
        before = name_of(made)
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            await run(made)
        assert (name_of(made), made.condition().state) == ("", EngineState.ENDED)
    back = ScriptedUpstream(GOOD, owner="sglang")
    listening = await asyncio.start_server(back._serve, "127.0.0.1", port)
    async with listening:
        await run(made)
        await made.close()

    assert (before, name_of(made), made.condition().state) == ("vllm", "sglang", EngineState.READY)
    assert (server.lists, back.lists) == (1, 1)


@pytest.mark.parametrize("said", [REFUSED, whole(b"", status="503 Loading"), Reply(steps=[], breaks_off=True)])
async def test_who_does_not_say_its_dialect_is_asked_again_after_a_while_and_plainly_until_then(said: Reply) -> None:
    clock = FakeClock()
    async with upstream(clock=clock) as (server, made):
        listed, server.listed = server.listed, said
        await run(made)
        await run(made)
        asked, before = server.lists, name_of(made)
        server.listed = listed
        clock.advance(10)
        await run(made)

        assert (asked, before) == (1, "")
        assert (server.lists, name_of(made)) == (2, "vllm")


@pytest.mark.parametrize("status", ["404 No", "405 No"])
async def test_a_server_without_a_list_is_plain_for_good(status: str) -> None:
    clock = FakeClock()
    async with upstream(clock=clock) as (server, made):
        server.listed = Reply(steps=[b"{}"], status=status, content_type=JSON)
        await run(made)
        clock.advance(3600)
        await run(made)

        # The fake names itself llama.cpp in its `Server` header.
        assert (server.lists, name_of(made)) == (1, "llama.cpp")


async def test_every_address_that_a_name_stands_for_is_asked_where_they_are_replicas() -> None:
    first, second = ScriptedUpstream(GOOD), ScriptedUpstream(GOOD)
    async with first.listening_on_a_port() as port, await asyncio.start_server(second._serve, "127.0.0.2", port):
        told = place(port, base_urls=[f"http://gpu.example:{port}/v1"], dns_replicas=True)
        made = Upstream(told, None, look_up=lambda _host, _port: ["127.0.0.1", "127.0.0.2"])
        await run(made)
        await run(made)
        await made.close()

    assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_the_search_for_the_dialect_counts_into_the_time_of_the_call() -> None:
    async with upstream(first_event_s=0.3) as (server, made):
        server.listed = Reply(steps=[Wait()], delays_head=True)
        async with asyncio.timeout(5):
            with pytest.raises(EngineTimedOut):
                await run(made)

        assert server.requests == []


async def test_closing_ends_a_search_that_nobody_waits_for() -> None:
    wait = Wait()
    async with upstream() as (server, made):
        server.listed = Reply(steps=[wait])
        call = asyncio.create_task(run(made))
        await wait.reached.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        async with asyncio.timeout(5):
            await made.close()
            await server.left.wait()


async def test_a_refused_key_is_told_to_the_operator_once_and_to_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    async with upstream(REFUSED, dialect="vllm") as (server, made):
        told = []
        for _ in range(3):
            with pytest.raises(UpstreamKeyRefused) as caught:
                await run(made)
            told.append(str(caught.value))
        refused = made.condition()
        server.reply = GOOD
        made.use_key(Secret("sk-another-key-0123456789"))
        await run(made)

        assert (refused.state, made.condition().state) == (EngineState.ABSENT, EngineState.READY)
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("ERROR", refused.reason)
    assert "up" in record.message
    assert KEY not in f"{record.message}{told}"
    assert set(told) == {
        "Model is unavailable, please try again later. (the upstream `up` does not take the gateway's key)"
    }


async def failed(made: Upstream, *, is_native: bool = False) -> QwenportError:
    with pytest.raises(QwenportError) as caught:
        await run(made, is_native=is_native)
    return caught.value


ODD_KEY = "planted.key/0123+XYZ"
ECHO = {"error": {"message": f"Received API Key = {ODD_KEY}", "code": None}}
NATIVE_ECHO = {"code": "InvalidParameter", "message": f"no {ODD_KEY}"}


@pytest.mark.parametrize("is_native", [False, True], ids=["compatible", "native"])
@pytest.mark.parametrize(
    "reply",
    [
        whole(ECHO, status="400 No"),
        whole(ECHO, status="401 No"),
        whole(ECHO, status="500 No"),
        whole(f"no {ODD_KEY}".encode(), status="400 No"),
        whole(NATIVE_ECHO),
        stream(frame(NATIVE_ECHO)),
        stream(chunk({"content": "a"}), frame(NATIVE_ECHO)),
    ],
)
async def test_a_key_of_any_shape_that_an_upstream_repeats_is_told_to_nobody(
    reply: Reply, caplog: pytest.LogCaptureFixture, *, is_native: bool
) -> None:
    async with upstream(reply, kind="alibaba") as (_, made):
        made.use_key(Secret(ODD_KEY))
        error = await failed(made, is_native=is_native)

        assert "planted" not in f"{error}{made.condition()}{caplog.text}"


async def test_a_key_in_the_place_of_a_reason_is_told_to_nobody() -> None:
    async with upstream(stream(chunk({"content": "a"}, reason=ODD_KEY))) as (_, made):
        made.use_key(Secret(ODD_KEY))

        assert str(await failed(made)) == "the upstream of `up/m` ended its answer for an unknown reason, `…`"


@pytest.mark.parametrize("is_native", [False, True], ids=["compatible", "native"])
async def test_a_firewalls_refusal_of_one_call_says_nothing_of_the_key(
    caplog: pytest.LogCaptureFixture, *, is_native: bool
) -> None:
    page = whole(b"<html>Blocked</html>", status="403 No", content_type="text/html")
    async with upstream(page, kind="alibaba") as (_, made):
        error = await failed(made, is_native=is_native)

        assert (type(error), made.condition().state) == (UpstreamTurnedAway, EngineState.READY)
    words = "up answered a call with status 403 as its API never does: look at the firewall or proxy before it"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", words)]


@pytest.mark.parametrize("is_native", [False, True], ids=["compatible", "native"])
@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_refused_in_plain_text_is_marked_and_nothing_of_the_text_is_told(
    caplog: pytest.LogCaptureFixture, status: int, *, is_native: bool
) -> None:
    plain = whole(b"You asked: what is love?", status=f"{status} No", content_type="text/plain")
    async with upstream(plain, kind="alibaba") as (_, made):
        error = await failed(made, is_native=is_native)

        assert (type(error), made.condition().state) == (UpstreamKeyRefused, EngineState.ABSENT)
        assert "love" not in f"{error}{made.condition()}{caplog.text}"
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_probe_that_is_refused_in_plain_text_marks_the_key() -> None:
    async with upstream() as (server, made):
        server.listed = whole(b"Unauthorized\n", status="401 No", content_type="text/plain")

        assert (await made.probe()).state is EngineState.ABSENT


async def test_a_probe_that_a_firewall_refuses_says_nothing_of_the_key() -> None:
    async with upstream() as (server, made):
        server.listed = whole(b"<html>", status="403 No", content_type="text/html")

        assert (await made.probe()).state is EngineState.ENDED


@pytest.mark.parametrize("is_native", [False, True], ids=["compatible", "native"])
async def test_a_late_refusal_of_the_key_before_says_nothing_of_the_one_in_force(*, is_native: bool) -> None:
    wait = Wait()
    late = Reply(steps=[wait, *REFUSED.steps], status=REFUSED.status, content_type=JSON)
    async with upstream(late, kind="alibaba") as (_, made):
        call = asyncio.create_task(failed(made, is_native=is_native))
        await wait.reached.wait()
        made.use_key(Secret("sk-another-key-0123456789"))
        wait.go.set()

        assert (type(await call), made.condition().state) == (UpstreamKeyRefused, EngineState.READY)


async def test_a_late_refusal_of_a_probe_says_nothing_of_the_key_in_force() -> None:
    wait = Wait()
    async with upstream() as (server, made):
        server.listed = Reply(steps=[wait, *REFUSED.steps], status=REFUSED.status, content_type=JSON)
        probe = asyncio.create_task(made.probe())
        await wait.reached.wait()
        made.use_key(Secret("sk-another-key-0123456789"))
        wait.go.set()

        assert (await probe).state is EngineState.READY


@pytest.mark.parametrize("limit", ["first_event_s", "between_events_s", "total_s"])
async def test_comments_are_no_events_and_move_no_deadline(limit: str) -> None:
    alive = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        if limit == "between_events_s":
            writer.write(chunk({"content": "a"}))
        while not alive.is_set():
            writer.write(b": still there\n\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with listening(serve) as port:
        there = msgspec.structs.replace(place(port), **{limit: 0.3})
        made = Upstream(there, Secret(KEY))
        async with asyncio.timeout(20):
            with pytest.raises(EngineTimedOut):
                await run(made)
        alive.set()
        await made.close()


async def test_a_call_as_a_whole_may_take_no_longer_than_it_is_allowed_however_lively_it_is() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(chunk({"content": "a"}))
            await writer.drain()
            await asyncio.sleep(0.01)

    async with listening(serve) as port:
        made = Upstream(place(port, total_s=0.4), Secret(KEY))
        async with asyncio.timeout(20):
            with pytest.raises(EngineTimedOut):
                await run(made)
        await made.close()


async def test_the_time_that_a_slow_caller_takes_is_not_the_upstreams() -> None:
    pieces = [chunk({"content": "a"}), chunk(reason="stop"), DONE]
    async with upstream(stream(*pieces), dialect="vllm", between_events_s=0.5) as (_, made):
        prepared = PreparedCall(call=chat_call(streams=True), max_input_tokens=100)
        seen = []
        async with aclosing(made.engine("m", model_card()).run(prepared)) as events:
            async for event in events:
                seen.append(event)
                await asyncio.sleep(0.6 if len(seen) == 1 else 0)

    assert isinstance(seen[-1], Finished)
