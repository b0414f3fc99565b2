"""Frames of a stream under one deadline, whatever else the upstream sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress

import pytest

from qwenport.core.call import Call, NativeInput, Sampling
from qwenport.core.capabilities import Ability, Capabilities
from qwenport.core.errors import EngineTimedOut
from qwenport.core.events import Event, Finished
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.secret import Secret
from qwenport.core.usage import Usage
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.raw_server import listening, read_request
from qwenport.testing.scripted_upstream import DONE, chunk, counts, frame, place

pytestmark = pytest.mark.anyio
SERVICE = "aigc/x/y"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TOO_LONG_S = 10
"""Far more than any limit here, so that only a call that never ends gets there."""


def chunked(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class Chatterer:
    """Begins an answer with `said`, and then sends comments until the caller leaves."""

    def __init__(self, said: bytes = b"") -> None:
        self.said = said
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD + (chunked(self.said) if self.said else b""))
        with suppress(ConnectionError):
            # Writing to a transport that has closed would be a RuntimeError to uvloop.
            while not writer.is_closing():
                writer.write(chunked(b": still there\n\n"))
                await writer.drain()
                await asyncio.sleep(0.02)
        self.left.set()


@asynccontextmanager
async def upstream(chatterer: Chatterer, kind: str, limit_s: float) -> AsyncGenerator[Upstream]:
    async with listening(chatterer.serve) as port:
        there = place(port, kind=kind, first_event_s=limit_s, between_events_s=limit_s, total_s=limit_s * 2)
        made = Upstream(there, Secret("sk-planted-0123456789abcdef"))
        try:
            yield made
        finally:
            await made.close()


async def events_of(made: Upstream, call: Call, able: Capabilities) -> list[Event]:
    engine = made.engine("m", model_card(capabilities=able))
    async with (
        asyncio.timeout(TOO_LONG_S),
        aclosing(engine.run(PreparedCall(call=call, max_input_tokens=100))) as events,
    ):
        return [event async for event in events]


async def test_comments_after_the_last_word_hold_no_call() -> None:
    chatterer = Chatterer(chunk({"content": "hi"}) + chunk(reason="stop") + DONE)
    async with upstream(chatterer, "openai", 4) as made:
        events = await events_of(made, chat_call(streams=True), Capabilities())

        assert isinstance(events[-1], Finished)
        await asyncio.wait_for(chatterer.left.wait(), TOO_LONG_S)


@pytest.mark.parametrize("said", [b"", b'data: {"output":{"a":1}}\n\n'], ids=["before the first", "after it"])
async def test_comments_move_no_deadline_of_a_native_stream(said: bytes) -> None:
    able = Capabilities(abilities=(Ability.NATIVE,), native_services=(SERVICE,))
    asked = NativeInput(service=SERVICE, body=b'{"model":"m","input":{}}')
    async with upstream(Chatterer(said), "alibaba", 0.3) as made:
        with pytest.raises(EngineTimedOut):
            await events_of(made, call_of(asked, streams=True), able)


class Forgetful:
    """Answers with a stream that has no last word, and falls silent."""

    def __init__(self, *said: bytes) -> None:
        self.said = said
        self.is_free = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD + b"".join(map(chunked, self.said)))
        await writer.drain()
        await reader.read()
        self.is_free.set()


COUNTED = chunk(usage=counts(7, 1))
ENDED = chunk({"content": "hi"}, reason="stop")


@pytest.mark.parametrize(
    "said",
    [
        (ENDED, COUNTED),
        (chunk({"content": "hi"}, reason="stop", usage=counts(7, 1)),),
        (ENDED, chunk(usage=counts(7, 9)), b": still there\n\n", COUNTED, COUNTED),
        (ENDED, COUNTED, b"data: [DO"),
    ],
    ids=["usage behind", "usage beside", "usage twice", "half a word"],
)
async def test_a_stream_that_has_all_but_its_last_word_is_an_answer(said: tuple[bytes, ...]) -> None:
    """Waiting out the time between events would make an answer that is complete fail."""
    server = Forgetful(*said)
    async with listening(server.serve) as port:
        made = Upstream(place(port, first_event_s=5, between_events_s=3600, total_s=3600), None)
        events = await events_of(made, chat_call(streams=True), Capabilities())
        await asyncio.wait_for(server.is_free.wait(), TOO_LONG_S)
        await made.close()

    assert events[-1] == Finished(usage=Usage(input_tokens=7, output_tokens=1))


@pytest.mark.parametrize("said", [(chunk({"content": "hi"}), COUNTED), (ENDED,)], ids=["not ended", "no usage"])
async def test_a_stream_of_which_something_is_missing_is_none(said: tuple[bytes, ...]) -> None:
    async with listening(Forgetful(*said).serve) as port:
        made = Upstream(place(port, first_event_s=5, between_events_s=0.2, total_s=5), None)
        with pytest.raises(EngineTimedOut):
            await events_of(made, chat_call(streams=True), Capabilities())
        await made.close()


async def test_one_of_two_choices_does_not_complete_an_answer() -> None:
    said = (chunk({"content": "a"}, reason="stop"), COUNTED)
    async with listening(Forgetful(*said).serve) as port:
        made = Upstream(place(port, first_event_s=5, between_events_s=0.2, total_s=5), None)
        with pytest.raises(EngineTimedOut):
            await events_of(made, chat_call(streams=True, sampling=Sampling(choices=2)), Capabilities())
        await made.close()


PART = frame({"output": {"choices": [{"finish_reason": "null", "message": {}}]}, "usage": {"characters": 2}})
TOLD = frame({"output": {"audio": {}}, "usage": {"characters": 5}})


def native(reason: str | None, *, index: int | None = None, usage: object = None, **output: object) -> bytes:
    """Return an event with the end of a choice."""
    choice: dict[str, object] = {"finish_reason": reason, "message": {}} | ({} if index is None else {"index": index})
    return frame({"output": {"choices": [choice], **output}, "usage": usage})


async def native_events(*said: bytes, parameters: str, between_events_s: float) -> list[Event]:
    """Return what a native service's stream becomes whose connection stays open after its last event."""
    able = Capabilities(abilities=(Ability.NATIVE,), native_services=(SERVICE,))
    body = f'{{"model":"m","input":{{}},"parameters":{parameters}}}'
    server = Forgetful(*said)
    async with listening(server.serve) as port:
        there = place(port, kind="alibaba", first_event_s=5, between_events_s=between_events_s, total_s=3600)
        made = Upstream(there, Secret("sk-planted-0123456789abcdef"))
        try:
            call = call_of(NativeInput(service=SERVICE, body=body.encode()), streams=True)
            return await events_of(made, call, able)
        finally:
            await made.close()
            await asyncio.wait_for(server.is_free.wait(), TOO_LONG_S)


async def test_a_native_stream_whose_connection_stays_open_is_an_answer_once_it_has_said_all() -> None:
    used = {"characters": 5}
    ways: list[tuple[tuple[bytes, ...], str]] = [
        ((PART, native("stop", usage=used)), "{}"),
        ((PART, frame({"output": {"finish_reason": "stop", "text": "a"}, "usage": used})), "{}"),
        ((native("stop"), TOLD), "{}"),
        ((native("stop", finished=False), native("stop", finished=True, usage=used)), "{}"),
        ((native("stop", index=1), PART, native("stop", index=0, usage=used)), '{"n":2}'),
        ((native("stop", usage=used), PART, native("stop", usage=used)), '{"n":"2"}'),
    ]
    asked = [native_events(*said, parameters=parameters, between_events_s=3600) for said, parameters in ways]

    ends = [events[-1] for events in await asyncio.gather(*asked)]
    assert ends == [Finished(usage=Usage(items=(("characters", 5),)))] * len(ways)


async def test_a_native_stream_of_which_something_is_missing_is_none() -> None:
    used = {"characters": 5}
    ways: list[tuple[tuple[bytes, ...], str]] = [
        ((PART,), "{}"),
        ((native("stop"),), "{}"),
        ((native(None, usage=used),), "{}"),
        ((native("stop", usage=used, finished=False),), "{}"),
        ((native("stop", index=0, usage=used),), '{"n":2}'),
        ((native("stop", usage=used), PART), "{}"),
        ((frame({"output": {"finish_reason": "null", "text": "a"}, "usage": used}),), "{}"),
        ((TOLD,), "{}"),
        ((frame({"output": {"choices": ["stop"]}, "usage": used}),), "{}"),
    ]
    asked = [native_events(*said, parameters=parameters, between_events_s=0.2) for said, parameters in ways]

    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends] == [EngineTimedOut] * len(ways)
