"""A host whose chat template tells tools and thinks as those of Qwen do: such a template before the stand-in's weights.

So small a model does by itself only what the conversation has shown it, which is enough to see llama.cpp's own words.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.core.call import ChatInput, Sampling
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.content import Message, Role
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Generated,
    Reasoning,
    ToolCallDelta,
)
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.engines.engine import Engine, Site
from qwenport.engines.llama.kind import LlamaKind
from qwenport.testing.calls import call_of
from qwenport.testing.engine_host import until_ready

pytestmark = [pytest.mark.engine, pytest.mark.anyio]

TEMPLATE = Path(__file__).parent / "tools_and_thinking.jinja"
HOST = """
import sys, threading
from pathlib import Path
import xllamacpp
weights, template, socket = sys.argv[1:]
chosen = xllamacpp.CommonParams()
chosen.model.path, chosen.chat_template, chosen.hostnames = weights, Path(template).read_text(), [socket]
chosen.n_ctx, chosen.n_parallel, chosen.verbosity, chosen.prefill_assistant = 1024, 1, 1, False
chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(chosen)
threading.Event().wait()
"""
FLIGHT = Tool(name="f", parameters=b'{"type":"object","properties":{"c":{"type":"string"}},"required":["c"]}')
GO = Message(role=Role.USER, content="go")


@pytest.fixture(scope="module")
def hosted(stand_in_weights: Path) -> Iterator[tuple[EngineModel, Site]]:
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "host.sock"
        model = EngineModel(
            name="hybrid",
            kind="llama",
            weights=Weights(source=f"file:{stand_in_weights}", sha256="0" * 64, size_bytes=1, licence="Apache-2.0"),
            context_tokens=1024,
            slots=1,
            url=f"unix:{socket}",
            template_tools=True,
            capabilities=Capabilities(thinking=Thinking.HYBRID, tool_uses=tuple(ToolUse)),
        )
        site = Site(runtime_dir=Path(folder), models_dir=stand_in_weights.parent, secret="")
        process = subprocess.Popen([sys.executable, "-c", HOST, str(stand_in_weights), str(TEMPLATE), str(socket)])
        try:
            asyncio.run(until_ready(LlamaKind(), model, site, process))
            yield model, site
        finally:
            process.kill()
            process.wait()


@pytest.fixture
async def engine(hosted: tuple[EngineModel, Site]) -> AsyncIterator[Engine]:
    connected = LlamaKind().connect(*hosted)
    yield connected
    await connected.close()


async def ask(engine: Engine, *messages: Message, **chat: Any) -> list[Event]:
    asked = ChatInput(messages=messages, **chat)
    call = call_of(asked, sampling=Sampling(temperature=0.0, max_tokens=80))
    async with aclosing(engine.run(PreparedCall(call=call, max_input_tokens=1024))) as events:
        return [event async for event in events]


def joined(events: list[Event], kind: type[Delta | Reasoning]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def calls_of(events: list[Event]) -> list[tuple[str, str]]:
    deltas = [event for event in events if isinstance(event, ToolCallDelta)]
    return [
        (first.name, "".join(delta.arguments for delta in deltas if delta.index == first.index))
        for first in deltas
        if first.name
    ]


def add_up(events: list[Event]) -> None:
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert sum(event.tokens for event in events if isinstance(event, Generated)) == finished.usage.output_tokens
    reasoned = sum(event.tokens for event in events if isinstance(event, Reasoning))
    assert reasoned == finished.usage.reasoning_tokens


THOUGHT = Message(role=Role.ASSISTANT, content="Yes.", reasoning="hm ok I see that it is so and this is so")


async def test_reasoning_comes_before_the_answer_and_is_counted(engine: Engine) -> None:
    events = await ask(engine, GO, THOUGHT, GO, THOUGHT, GO, thinking=True)

    assert joined(events, Reasoning).strip() == THOUGHT.reasoning
    assert joined(events, Delta) != ""
    add_up(events)


async def test_a_budget_ends_the_reasoning(engine: Engine) -> None:
    events = await ask(engine, GO, THOUGHT, GO, THOUGHT, GO, thinking=True, thinking_budget=3)

    assert joined(events, Reasoning).strip() == "hm ok"
    assert joined(events, Delta) != ""


async def test_a_model_that_is_told_not_to_think_does_not(engine: Engine) -> None:
    events = await ask(engine, GO, THOUGHT, GO, THOUGHT, GO, thinking=False)

    assert (joined(events, Reasoning), isinstance(events[-1], Finished)) == ("", True)


def turn(*arguments: str) -> tuple[Message, Message]:
    calls = tuple(ToolCall(id=f"call_{text}", name="f", arguments=f'{{"c": "{text}"}}') for text in arguments)
    return GO, Message(role=Role.ASSISTANT, tool_calls=calls)


async def test_calls_that_the_template_tells_are_found(engine: Engine) -> None:
    events = await ask(engine, *turn("x", "y") * 3, GO, tools=(FLIGHT,), parallel_tool_calls=True, thinking=True)

    assert calls_of(events) == [("f", '{"c": "x"}'), ("f", '{"c": "y"}')]
    assert [event.reason for event in events if isinstance(event, ChoiceFinished)] == [FinishReason.TOOL_CALLS]
    add_up(events)


async def test_one_call_is_told_where_one_was_asked_for(engine: Engine) -> None:
    events = await ask(engine, *turn("x", "y") * 3, GO, tools=(FLIGHT,), thinking=True)

    assert calls_of(events) == [("f", '{"c": "x"}')]
    add_up(events)


@pytest.mark.parametrize("use", [ToolUse.REQUIRED, ToolUse.NAMED])
async def test_a_call_that_is_wanted_is_made_by_a_model_that_would_rather_talk(engine: Engine, use: ToolUse) -> None:
    events = await ask(
        engine,
        Message(role=Role.USER, content="Tell me a joke."),
        tools=(FLIGHT,),
        tool_choice=ToolChoice(use=use, name="f"),
        thinking=False,
    )

    [(name, arguments)] = calls_of(events)
    assert (name, arguments.startswith('{"c": "'), joined(events, Delta)) == ("f", True, "")
    add_up(events)
