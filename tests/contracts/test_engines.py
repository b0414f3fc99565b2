"""What every engine promises, run over the scripted one, llama and OCR engines with fake hosts, and an upstream.

The engine of embeddings is left out: its answers have no parts that come one after another.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from qwenport.core.capabilities import Capabilities, Thinking, misfit
from qwenport.core.content import Message, Picture, Role
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Generated,
    Reasoning,
    Started,
    ToolCallDelta,
)
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool
from qwenport.core.usage import Usage
from qwenport.engines.engine import Condition, Engine, EngineState
from qwenport.engines.host_address import host_peer
from qwenport.engines.llama.engine import LlamaEngine, Profile
from qwenport.engines.ocr.engine import OcrEngine
from qwenport.engines.ocr.wire import PageAnswer
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing import llama_host, scripted_upstream
from qwenport.testing.calls import chat_call
from qwenport.testing.models import model_card
from qwenport.testing.raw_client import PATIENCE_S
from qwenport.testing.reading_host import FakeReadingHost
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Case:
    """An engine with a call that it can do, which stops after the third event if it is told to."""

    engine: Engine
    work_in_progress: Callable[[], int]
    """How many answers the engine's other end is still making."""
    call: PreparedCall
    answer: list[Event]


Start = Callable[[Wait | None], AbstractAsyncContextManager[Case]]


AFTER_HELLO: list[Event] = [
    Delta(text=" world"),
    ToolCallDelta(index=0, id="call_1", name="weather", arguments="{", tokens=3),
    ToolCallDelta(index=0, arguments="}"),
    ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=8, reasoning_tokens=1)),
]


def chats(engine: Engine, work_in_progress: Callable[[], int]) -> Case:
    """Return an engine that thinks, answers `Hello`, ` world` and calls a tool."""
    asked = chat_call(thinking=True, tools=(Tool(name="weather"),), streams=True)
    begun: list[Event] = [
        Started(served_by=engine.target, input_tokens=7),
        Reasoning(text="Hm"),
        Delta(text="Hello"),
    ]
    return Case(engine, work_in_progress, PreparedCall(call=asked, max_input_tokens=100), [*begun, *AFTER_HELLO])


@asynccontextmanager
async def scripted(wait: Wait | None) -> AsyncIterator[Case]:
    pause: list[Step] = [] if wait is None else [wait]
    begun: list[Step] = [
        Started(served_by="scripted/model", input_tokens=7),
        Reasoning(text="Hm"),
        Delta(text="Hello"),
    ]
    engine = ScriptedEngine(lambda _: [*begun, *pause, *AFTER_HELLO])
    yield chats(engine, lambda: engine.open_runs)


@asynccontextmanager
async def llama(wait: Wait | None) -> AsyncIterator[Case]:
    pause: list[bytes | Wait] = [] if wait is None else [wait]
    steps = [
        llama_host.progress(7),
        llama_host.thought("Hm", 1),
        llama_host.piece("Hello", 2),
        *pause,
        llama_host.piece(" world", 3),
        llama_host.call_piece(0, 6, name="weather", arguments="{"),
        llama_host.call_piece(0, 7, arguments="}"),
        llama_host.end(8, reason="tool_calls"),
        llama_host.DONE,
    ]
    host = llama_host.FakeLlamaHost(llama_host.Reply(steps=steps))
    profile = Profile(
        target="llama/model",
        slots=2,
        capabilities=Capabilities(thinking=Thinking.HYBRID),
        template_tools=True,
        new_call_id=lambda: "call_1",
    )
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "s"
        engine = LlamaEngine(
            profile,
            peer=host_peer("http://llama", socket=socket, secret="s", keeps_connections=False),
            read_condition=lambda: Condition(state=EngineState.READY),
        )
        async with host.listening(socket):
            yield chats(engine, lambda: host.open_connections)
            await engine.close()


@asynccontextmanager
async def upstream(wait: Wait | None) -> AsyncIterator[Case]:
    def piece(delta: dict[str, object], tokens: int) -> bytes:
        return scripted_upstream.chunk(delta, usage=scripted_upstream.counts(7, tokens))

    def call_piece(tokens: int, arguments: str, **more: object) -> bytes:
        function = {"arguments": arguments, **more}
        return piece({"tool_calls": [{"index": 0, "id": "call_1" if more else "", "function": function}]}, tokens)

    pause: list[bytes | Wait] = [] if wait is None else [wait]
    end = scripted_upstream.chunk(usage=scripted_upstream.counts(7, 8))
    server = scripted_upstream.ScriptedUpstream(
        scripted_upstream.stream(
            piece({"role": "assistant", "content": ""}, 0),
            piece({"reasoning": "Hm"}, 1),
            piece({"content": "Hello"}, 2),
            *pause,
            piece({"content": " world"}, 3),
            call_piece(6, "{", name="weather"),
            call_piece(7, "}"),
            scripted_upstream.chunk(reason="tool_calls"),
            end,
            scripted_upstream.DONE,
        )
    )
    async with server.listening_on_a_port() as port:
        home = Upstream(scripted_upstream.place(port), None)
        able = Capabilities(thinking=Thinking.HYBRID)
        yield chats(home.engine("model", model_card(capabilities=able)), lambda: server.open_connections)
        await home.close()


@asynccontextmanager
async def ocr(wait: Wait | None) -> AsyncIterator[Case]:
    """It reads two pages, of which the first is told while the second is read."""
    replies = {b"1": PageAnswer(text="Hello\nworld"), b"2": PageAnswer(text="end")}
    pauses = {} if wait is None else {b"2": wait}
    follows = {} if wait is None else {b"1": wait}
    host = FakeReadingHost(replies, waits=pauses, after=follows)
    pictures = tuple(Picture(data=data, media_type="image/png", width=1, height=1, tokens=3) for data in replies)
    asked = chat_call(messages=(Message(role=Role.USER, content=pictures),), streams=True)
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "s"
        engine = OcrEngine(
            target="ocr/model",
            slots=2,
            peer=host_peer("http://ocr", socket=socket, secret="s", keeps_connections=False),
            read_condition=lambda: Condition(state=EngineState.READY),
        )
        answer: list[Event] = [
            Started(served_by="ocr/model", input_tokens=6, image_tokens=6),
            Delta(text="Hello\n", tokens=2),
            Delta(text="world", tokens=1),
            Delta(text="\n", tokens=0),
            Delta(text="\n", tokens=1),
            Delta(text="end", tokens=0),
            ChoiceFinished(reason=FinishReason.STOP, tokens=0),
            Finished(usage=Usage(input_tokens=6, output_tokens=4, image_tokens=6, images=2, pages=2)),
        ]
        async with host.listening(socket):
            yield Case(engine, lambda: host.open_pages, PreparedCall(call=asked, max_input_tokens=100), answer)
            await engine.close()


@pytest.fixture(params=[scripted, llama, upstream, ocr], ids=["scripted", "llama", "upstream", "ocr"])
def start(request: pytest.FixtureRequest) -> Start:
    chosen: Start = request.param
    return chosen


async def ended(case: Case) -> None:
    """Wait until the engine's other end works on nothing."""
    async with asyncio.timeout(PATIENCE_S):
        while case.work_in_progress():  # noqa: ASYNC110 -- engines tell it in different ways, a count is what they share
            await asyncio.sleep(0.001)


async def all_of(events: AsyncGenerator[Event, None]) -> list[Event]:
    async with aclosing(events):
        return [event async for event in events]


async def test_an_answer_starts_goes_on_ends_its_choice_and_finishes(start: Start) -> None:
    async with start(None) as case:
        assert await all_of(case.engine.run(case.call)) == case.answer


async def test_the_tokens_of_the_events_add_up_to_the_usage(start: Start) -> None:
    async with start(None) as case:
        events = await all_of(case.engine.run(case.call))

        finished = events[-1]
        assert isinstance(finished, Finished)
        assert (
            sum(event.tokens for event in events if isinstance(event, Generated)),
            sum(event.tokens for event in events if isinstance(event, Reasoning)),
        ) == (finished.usage.output_tokens, finished.usage.reasoning_tokens)


async def test_the_engine_says_that_it_can_do_what_it_does(start: Start) -> None:
    async with start(None) as case:
        assert misfit(case.call.call, case.engine.capabilities, case.engine.target) is None


async def test_events_come_while_the_answer_is_still_made(start: Start) -> None:
    wait = Wait()
    async with start(wait) as case, aclosing(case.engine.run(case.call)) as events:
        seen = [await anext(events) for _ in range(3)]

        assert seen == case.answer[:3]
        assert not wait.go.is_set()


async def test_closing_the_run_stops_the_work(start: Start) -> None:
    wait = Wait()
    async with start(wait) as case:
        events = case.engine.run(case.call)
        await anext(events)
        assert case.work_in_progress() == 1

        await events.aclose()

        await ended(case)


async def test_cancelling_the_caller_stops_the_work(start: Start) -> None:
    wait = Wait()
    async with start(wait) as case:
        task = asyncio.create_task(all_of(case.engine.run(case.call)))
        await wait.arrives()

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await ended(case)


async def test_runs_do_not_mix(start: Start) -> None:
    async with start(None) as case:
        answers = await asyncio.gather(*(all_of(case.engine.run(case.call)) for _ in range(5)))

        assert answers == [answers[0]] * 5


async def test_a_run_leaves_no_task_behind(start: Start) -> None:
    async with start(None) as case:
        before = asyncio.all_tasks()

        await all_of(case.engine.run(case.call))
        await ended(case)

        assert asyncio.all_tasks() == before


async def test_closing_twice_or_unused_is_harmless(start: Start) -> None:
    async with start(None) as case:
        await case.engine.close()
        await case.engine.close()


async def test_the_condition_is_told_without_waiting(start: Start) -> None:
    async with start(None) as case:
        assert case.engine.condition() == Condition(state=EngineState.READY)
