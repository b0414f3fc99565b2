"""What the house's own client does when answers are lost, late, or not yet to be had."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from random import Random
from typing import Any

import pytest

from qwenport.client import Answered, CallRefused, Client, Patience
from qwenport.core.secret import Secret
from qwenport.testing.clock import FakeClock

pytestmark = pytest.mark.anyio

Handler = Callable[[Mapping[str, str], Mapping[str, Any]], Awaitable[bytes]]
"""Takes the headers and the body of a request, and returns the response, empty for a connection that breaks off."""


def response(status: str, content: object, *headers: str) -> bytes:
    body = json.dumps(content).encode()
    head = "\r\n".join(
        (f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers)
    )
    return head.encode() + b"\r\n\r\n" + body


def answer(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return response("200 OK", {"id": "r", "model": "m", "choices": [choice]})


@asynccontextmanager
async def served(handler: Handler, patience: Patience | None = None) -> AsyncIterator[Client]:
    """Give a client of a server that answers as the handler says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head)}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            if said := await handler(headers, body):
                writer.write(said.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
                await writer.drain()
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Client(f"http://127.0.0.1:{port}/v1", Secret("sk-test"), patience=patience) as client:
            yield client


async def at_once(_: float) -> None:
    """Wait for nothing."""


async def test_a_lost_answer_is_asked_for_by_the_same_key_and_another_call_has_another_one() -> None:
    keys: list[str] = []

    async def lose_the_first(headers: Mapping[str, str], _: Mapping[str, Any]) -> bytes:
        keys.append(headers["idempotency-key"])
        return answer("x") if len(keys) > 1 else b""

    async with served(lose_the_first, Patience(pause=at_once)) as client:
        texts = [(await client.ask("m", "one")).text, (await client.ask("m", "one")).text]

    assert texts == ["x", "x"]
    assert [keys[0] == keys[1], keys[1] == keys[2], len(keys)] == [True, False, 3]


async def test_a_failure_that_was_kept_is_not_fetched_again() -> None:
    keys: list[str] = []

    async def fail(headers: Mapping[str, str], _: Mapping[str, Any]) -> bytes:
        keys.append(headers["idempotency-key"])
        replayed = ["idempotent-replayed: true"] if keys.count(keys[-1]) > 1 else []
        return answer("x") if len(set(keys)) > 1 else response("500 No", {"error": {"message": "x"}}, *replayed)

    async with served(fail, Patience(pause=at_once)) as client:
        assert (await client.ask("m", "one")).text == "x"

    assert [keys[0] == keys[1], keys[1] == keys[2], len(keys)] == [True, False, 3]


async def test_a_stream_has_no_key_since_a_call_with_one_goes_on_when_its_reader_leaves() -> None:
    seen: list[Mapping[str, str]] = []

    async def stream(headers: Mapping[str, str], _: Mapping[str, Any]) -> bytes:
        seen.append(headers)
        frame = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n'
        return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + frame

    async with served(stream) as client:
        assert [piece async for piece in client.stream("m", "one")] == ["a"]

    assert ["idempotency-key" in headers for headers in seen] == [False]


@pytest.mark.parametrize(
    ("said", "least_s"),
    [
        ("Thu, 01 Jan 2026 00:00:20 GMT", 20),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 00:00:20 -0000", 20),
        ("9", 9),
        ("soon", 0),
    ],
)
async def test_a_pause_is_as_long_as_the_server_asks_in_seconds_or_by_a_date(said: str, least_s: int) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def busy_once(_: Mapping[str, str], __: Mapping[str, Any]) -> bytes:
        return answer("x") if pauses else response("429 No", {"error": {"message": "x"}}, f"retry-after: {said}")

    patience = Patience(pause=pause, clock=FakeClock())
    async with served(busy_once, patience) as client:
        await client.ask("m", "one")

    assert [least_s <= each <= least_s + 1 for each in pauses] == [True]


async def test_pauses_are_drawn_from_all_between_nothing_and_a_bound_that_doubles() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def fail(_: Mapping[str, str], __: Mapping[str, Any]) -> bytes:
        return response("503 No", {"error": {"message": "x"}})

    async with served(fail, Patience(tries=4, pause=pause, chance=Random(7))) as client:
        with pytest.raises(CallRefused):
            await client.ask("m", "one")

    chance = Random(7)
    assert pauses == [chance.uniform(0, bound) for bound in (0.5, 1.0, 2.0)]


async def test_an_answer_that_does_not_come_is_waited_for_only_so_long() -> None:
    ended = asyncio.Event()

    async def say_nothing(_: Mapping[str, str], __: Mapping[str, Any]) -> bytes:
        await ended.wait()
        return b""

    async with served(say_nothing, Patience(answer_s=0.1, tries=1)) as client:
        try:
            with pytest.raises(CallRefused) as refused:
                async with asyncio.timeout(10):
                    await client.ask("m", "one")
        finally:
            ended.set()

    assert refused.value.status is None


async def test_a_server_that_takes_no_connection_is_waited_for_only_so_long() -> None:
    with ExitStack() as full:
        server = full.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = full.enter_context(socket.socket())
            waiting.settimeout(0)
            with suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        async with Client(url, Secret("sk-test"), patience=Patience(connect_s=0.1, tries=1)) as client:
            with pytest.raises(CallRefused) as refused:
                async with asyncio.timeout(10):
                    await client.ask("m", "one")

    assert refused.value.status is None


async def test_a_slow_call_holds_up_no_other_answer_where_their_order_does_not_matter() -> None:
    may_end = asyncio.Event()

    async def echo(_: Mapping[str, str], body: Mapping[str, Any]) -> bytes:
        text = body["messages"][0]["content"]
        if text == "slow":
            await may_end.wait()
        return answer(text)

    async with served(echo) as client:
        came: list[tuple[int, str]] = []
        async for place, answered in client.ask_each("m", ["slow", "b", "c", "d"], concurrency=2):
            assert isinstance(answered, Answered)
            came.append((place, answered.text))
            if len(came) == 3:
                may_end.set()
        in_order = [each async for each in client.ask_all("m", ["a", "b", "c"], concurrency=2)]

    assert came == [(1, "b"), (2, "c"), (3, "d"), (0, "slow")]
    assert [each.text for each in in_order if isinstance(each, Answered)] == ["a", "b", "c"]
