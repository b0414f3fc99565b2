"""The real child process with the weights of the stand-in model."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.catalog.engine_model import EngineModel
from qwenport.core.call import AnyJson, ChatInput, Input, JsonSchema, PromptInput, Sampling
from qwenport.core.content import Message, Role
from qwenport.core.errors import EngineFailed, InputTooLong, ModelUnavailable, ParameterInvalid
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Generated,
    Started,
    TokenLogprob,
    ToolCallDelta,
)
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.engines.engine import Engine, Site
from qwenport.engines.host_address import socket_path
from qwenport.engines.host_parameters import PARAMETERS_VARIABLE
from qwenport.engines.host_process import HostExit
from qwenport.engines.llama.kind import LlamaKind
from qwenport.testing.calls import call_of
from qwenport.testing.engine_host import RunningHost, running_host, stand_in, start_host, until_ready

pytestmark = [pytest.mark.engine, pytest.mark.anyio]

KIND = LlamaKind()
CONTEXT = 1024


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(runtime_dir=Path(folder), models_dir=Path(folder), secret="hush")


@pytest.fixture
async def host(stand_in_weights: Path, site: Site) -> AsyncIterator[RunningHost]:
    async with running_host(KIND, model_at(stand_in_weights), site) as host:
        yield host


def model_at(weights: Path) -> EngineModel:
    return stand_in(KIND, weights, context_tokens=CONTEXT)


def asking(asked: Input, **sampling: Any) -> PreparedCall:
    chosen = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05, "seed": 1} | sampling
    return PreparedCall(call=call_of(asked, sampling=Sampling(**chosen)), max_input_tokens=100_000)


def call(text: str, *, json: AnyJson | JsonSchema | None = None, **sampling: Any) -> PreparedCall:
    return asking(ChatInput(messages=(Message(role=Role.USER, content=text),), json=json), **sampling)


async def all_of(engine: Engine, prepared: PreparedCall) -> list[Event]:
    async with aclosing(engine.run(prepared)) as events:
        return [event async for event in events]


def text_of(events: list[Event], choice: int = 0) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta) and event.choice == choice)


def counted(events: list[Event]) -> int:
    return sum(event.tokens for event in events if isinstance(event, Generated))


def reasons(events: list[Event]) -> dict[int, FinishReason]:
    return {event.choice: event.reason for event in events if isinstance(event, ChoiceFinished)}


async def test_an_answer_streams_and_its_tokens_add_up(host: RunningHost) -> None:
    events = await all_of(host.engine, call("Say: The capital of France is Paris.", max_tokens=12, temperature=0.0))

    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert "Paris" in text_of(events)
    assert (started.served_by, started.input_tokens) == ("llama/stand-in", finished.usage.input_tokens)
    assert finished.usage.output_tokens == counted(events) <= 12


async def test_the_same_seed_gives_the_same_answer(host: RunningHost) -> None:
    prepared = call("Tell me about the sea.", max_tokens=15, seed=42)

    assert text_of(await all_of(host.engine, prepared)) == text_of(await all_of(host.engine, prepared))


async def test_two_choices_are_made_and_counted_apart(host: RunningHost) -> None:
    events = await all_of(host.engine, call("Tell me a story.", choices=2, max_tokens=8))

    assert reasons(events) == {0: FinishReason.LENGTH, 1: FinishReason.LENGTH}
    assert counted(events) == 16
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.output_tokens == 16


async def test_a_stop_text_ends_the_answer_and_is_not_part_of_it(host: RunningHost) -> None:
    prepared = call("Say: The capital of France is Paris.", temperature=0.0, max_tokens=60)
    whole = text_of(await all_of(host.engine, prepared))

    stopped = await all_of(host.engine, call("Say: The capital of France is Paris.", temperature=0.0, stop=("Paris",)))

    assert "Paris" in whole
    assert text_of(stopped) == whole.partition("Paris")[0]
    assert reasons(stopped) == {0: FinishReason.STOP}


async def test_an_answer_at_the_end_of_the_context_has_the_reason_length(host: RunningHost) -> None:
    events = await all_of(host.engine, call("fox " * (CONTEXT - 80), temperature=1.0, json=ENDLESS))

    assert reasons(events) == {0: FinishReason.LENGTH}
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.total_tokens == CONTEXT


async def test_a_prompt_beyond_the_context_is_refused_with_what_fits(host: RunningHost) -> None:
    with pytest.raises(InputTooLong) as caught:
        await all_of(host.engine, call("fox " * CONTEXT))

    assert caught.value.message == f"Range of input length should be [1, {CONTEXT - 1}]"


ENDLESS = JsonSchema(name="n", schema=b'{"type":"array","items":{"type":"integer"},"minItems":1000}')
PERSON = JsonSchema(
    name="person",
    schema=b'{"type":"object","properties":{"name":{"type":"string","maxLength":20},"tags":{"type":"array","items":'
    b'{"enum":["a","b"]},"minItems":2,"maxItems":3}},"required":["name","tags"],"additionalProperties":false}',
)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_any_json_is_an_object_that_ends(host: RunningHost, seed: int) -> None:
    events = await all_of(host.engine, call("Give three fruits and their prices as JSON.", json=AnyJson(), seed=seed))

    assert isinstance(json.loads(text_of(events)), dict)
    assert reasons(events) == {0: FinishReason.STOP}


async def test_json_by_a_schema_keeps_to_it(host: RunningHost) -> None:
    person = json.loads(text_of(await all_of(host.engine, call("Describe a person in JSON.", json=PERSON))))

    assert set(person) == {"name", "tags"}
    assert len(person["tags"]) in {2, 3}
    assert set(person["tags"]) <= {"a", "b"}


BOOK = Tool(
    name="book_table",
    description="Book a table in a restaurant",
    parameters=b"""{
        "type": "object",
        "$defs": {"guest": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
        "properties": {
            "city": {"type": "string", "description": "Where"},
            "people": {"type": "integer", "minimum": 1, "maximum": 6},
            "quiet": {"type": "boolean"},
            "price": {"type": "number", "minimum": 0.5, "maximum": 3.5},
            "guests": {"type": "array", "items": {"$ref": "#/$defs/guest"}, "minItems": 1},
            "tags": {"type": "array", "items": {"enum": ["inside", "outside"]}, "uniqueItems": true},
            "notes": {},
            "options": {"type": "object"}
        },
        "required": ["city", "people", "quiet", "price", "guests", "tags", "notes", "options"]
    }""",
)
WEATHER = Tool(
    name="get_weather",
    description="Tell the weather of a city",
    parameters=b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}',
)
REQUIRED = ToolChoice(use=ToolUse.REQUIRED)


def asking_for_calls(choice: ToolChoice, *tools: Tool, parallel: bool = False, **sampling: Any) -> PreparedCall:
    message = Message(role=Role.USER, content="Book a table in Paris for Ann and Bob, if the weather is good.")
    asked = ChatInput(messages=(message,), tools=tools, tool_choice=choice, parallel_tool_calls=parallel)
    return asking(asked, **sampling)


def calls_of(events: list[Event]) -> list[tuple[str, str]]:
    """Return names and arguments of the calls of one choice, put together as a client does."""
    calls: list[tuple[str, str]] = []
    for event in events:
        if isinstance(event, ToolCallDelta):
            if event.name:
                assert event.index == len(calls)
                assert event.id.startswith("call_")
                calls.append((event.name, ""))
            name, arguments = calls[event.index]
            calls[event.index] = (name, arguments + event.arguments)
    return calls


def check_arguments(name: str, text: str) -> None:
    """Hold arguments against the schemas above, by hand."""
    arguments = json.loads(text)
    assert isinstance(arguments["city"], str)
    if name == "get_weather":
        assert set(arguments) == {"city"}
        return
    assert set(arguments) == {"city", "people", "quiet", "price", "guests", "tags", "notes", "options"}
    assert isinstance(arguments["people"], int)
    assert 1 <= arguments["people"] <= 6
    assert isinstance(arguments["quiet"], bool)
    assert 0.5 <= arguments["price"] <= 3.5
    assert len(arguments["guests"]) >= 1
    assert all(isinstance(guest["name"], str) for guest in arguments["guests"])
    assert set(arguments["tags"]) <= {"inside", "outside"}
    assert len(set(arguments["tags"])) == len(arguments["tags"])
    assert isinstance(arguments["options"], dict)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_named_tool_is_called_with_valid_arguments(host: RunningHost, seed: int) -> None:
    choice = ToolChoice(use=ToolUse.NAMED, name="book_table")

    events = await all_of(host.engine, asking_for_calls(choice, WEATHER, BOOK, temperature=1.3, seed=seed))

    [(name, arguments)] = calls_of(events)
    check_arguments(name, arguments)
    assert (name, text_of(events), reasons(events)) == ("book_table", "", {0: FinishReason.TOOL_CALLS})
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.output_tokens == counted(events)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_required_call_is_one_of_the_tools_with_valid_arguments(host: RunningHost, seed: int) -> None:
    events = await all_of(host.engine, asking_for_calls(REQUIRED, WEATHER, BOOK, temperature=1.3, seed=seed))

    [(name, arguments)] = calls_of(events)
    assert name in {"get_weather", "book_table"}
    check_arguments(name, arguments)
    assert (text_of(events), reasons(events)) == ("", {0: FinishReason.TOOL_CALLS})


async def test_several_required_calls_come_to_an_end(host: RunningHost) -> None:
    events = await all_of(host.engine, asking_for_calls(REQUIRED, WEATHER, parallel=True))

    calls = calls_of(events)
    assert 1 <= len(calls) <= 8
    for name, arguments in calls:
        check_arguments(name, arguments)
    assert reasons(events) == {0: FinishReason.TOOL_CALLS}


async def test_a_call_that_max_tokens_cuts_off_has_the_reason_length(host: RunningHost) -> None:
    events = await all_of(host.engine, asking_for_calls(REQUIRED, BOOK, max_tokens=4))

    assert [name for name, _ in calls_of(events)] == ["book_table"]
    assert reasons(events) == {0: FinishReason.LENGTH}


async def test_parameters_that_llama_refuses_are_the_callers_tools(host: RunningHost) -> None:
    bad = Tool(name="bad", parameters=b'{"type":"object","properties":{"a":{"type":"nonsense"}}}')

    with pytest.raises(ParameterInvalid, match="unrecognized type") as caught:
        await all_of(host.engine, asking_for_calls(REQUIRED, bad))

    assert caught.value.parameter == "tools"


async def test_the_answer_of_a_tool_is_read_and_answered_in_text(host: RunningHost) -> None:
    called = ToolCall(id="call_1", name="get_weather", arguments='{"city": "Paris"}')
    messages = (
        Message(role=Role.USER, content="How is the weather in Paris?"),
        Message(role=Role.ASSISTANT, tool_calls=(called,)),
        Message(role=Role.TOOL, tool_call_id="call_1", content="The weather in Paris is sunny."),
    )
    asked = ChatInput(messages=messages, tools=(WEATHER,))

    events = await all_of(host.engine, asking(asked, temperature=0.0, max_tokens=40))

    assert "sunny" in text_of(events)
    assert calls_of(events) == []


async def test_a_call_in_free_text_is_found(host: RunningHost) -> None:
    # So small a model calls a tool of its own accord only after it has seen itself do it.
    called = ToolCall(id="call_1", name="get_weather", arguments='{"city": "Paris"}')
    turn = (Message(role=Role.USER, content="go"), Message(role=Role.ASSISTANT, tool_calls=(called,)))
    messages = (*turn * 3, Message(role=Role.USER, content="go"))
    asked = ChatInput(messages=messages, tools=(WEATHER,))

    events = await all_of(host.engine, asking(asked, temperature=0.0, repetition_penalty=1.0, max_tokens=40))

    assert calls_of(events) == [("get_weather", '{"city": "Paris"}')]
    assert (text_of(events), reasons(events)) == ("", {0: FinishReason.TOOL_CALLS})


def logprobs_of(events: list[Event], choice: int) -> list[TokenLogprob]:
    chosen = [event for event in events if isinstance(event, Delta) and event.choice == choice]
    return [token for event in chosen for token in event.logprobs]


async def test_log_probabilities_are_told_for_each_token_of_each_choice(host: RunningHost) -> None:
    events = await all_of(
        host.engine, call("Tell me a story.", choices=2, max_tokens=8, logprobs=3, temperature=1.0, seed=7)
    )

    for choice in (0, 1):
        tokens = logprobs_of(events, choice)
        assert "".join(token.token for token in tokens) == text_of(events, choice)
        assert bytes(byte for token in tokens for byte in token.bytes).decode() == text_of(events, choice)
        assert len(tokens) == 8
        for token in tokens:
            likely = [math.exp(other.logprob) for other in token.top]
            assert len(likely) == 3
            assert likely == sorted(likely, reverse=True)
            assert sum(likely) <= 1.001
            assert token.logprob <= token.top[0].logprob <= 0


async def test_a_character_of_several_tokens_has_one_log_probability(host: RunningHost) -> None:
    schema = JsonSchema(name="n", schema='{"const": "世界"}'.encode())

    events = await all_of(host.engine, call("Say it.", json=schema, logprobs=0))

    tokens = logprobs_of(events, 0)
    assert text_of(events) == '"世界"'
    assert "".join(token.token for token in tokens) == '"世界"'
    assert [token.bytes for token in tokens if token.token == "世"] == [tuple("世".encode())]
    assert all(token.top == () for token in tokens)


async def test_a_begun_answer_is_gone_on_with(host: RunningHost) -> None:
    question = Message(role=Role.USER, content="What is the capital of France?")
    begun = Message(role=Role.ASSISTANT, content="The capital of France is the city of", is_partial=True)

    events = await all_of(host.engine, asking(ChatInput(messages=(question, begun)), temperature=0.0, max_tokens=3))

    assert text_of(events).startswith(" Paris")


async def test_a_whole_answer_at_the_end_is_not_gone_on_with(host: RunningHost) -> None:
    question = Message(role=Role.USER, content="What is the capital of France?")
    said = Message(role=Role.ASSISTANT, content="The capital of France is the city of")

    lengths = [
        await all_of(host.engine, asking(ChatInput(messages=(question, last)), max_tokens=1))
        for last in (said, replace(said, is_partial=True))
    ]

    whole, begun = (events[0].input_tokens for events in lengths if isinstance(events[0], Started))
    assert whole > begun


async def test_a_prefix_that_the_schema_does_not_allow_is_the_callers(host: RunningHost) -> None:
    messages = (Message(role=Role.USER, content="Go"), Message(role=Role.ASSISTANT, content="Well", is_partial=True))

    with pytest.raises(ParameterInvalid) as caught:
        await all_of(host.engine, asking(ChatInput(messages=messages, json=PERSON)))

    assert (caught.value.parameter, caught.value.message) == (
        "response_format",
        "The message to go on from does not fit response_format.",
    )


async def test_a_prompt_is_gone_on_with_as_it_stands(host: RunningHost) -> None:
    asked = PromptInput(prompt="The capital of France is")

    events = await all_of(host.engine, asking(asked, temperature=0.0, max_tokens=3, choices=2, logprobs=1))

    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert [text_of(events, choice)[:6] for choice in (0, 1)] == [" Paris", " Paris"]
    assert [len(logprobs_of(events, choice)) for choice in (0, 1)] == [3, 3]
    assert reasons(events) == {0: FinishReason.LENGTH, 1: FinishReason.LENGTH}
    assert (started.input_tokens, finished.usage.output_tokens) == (5, 6)
    assert counted(events) == 6


async def test_a_prompt_ends_at_a_stop_text(host: RunningHost) -> None:
    events = await all_of(
        host.engine, asking(PromptInput(prompt="The capital of France is"), temperature=0.0, stop=(" Paris",))
    )

    assert (text_of(events), reasons(events)) == ("", {0: FinishReason.STOP})


async def test_a_prompt_beyond_the_context_is_refused_like_a_chat(host: RunningHost) -> None:
    with pytest.raises(InputTooLong) as caught:
        await all_of(host.engine, asking(PromptInput(prompt="fox " * CONTEXT * 2)))

    assert caught.value.message == f"Range of input length should be [1, {CONTEXT - 1}]"


SCHEMAS = [
    b'{"type":"nonsense"}',
    b'{"$ref":"#/nowhere"}',
    b'{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}',
    b'{"type":"array","items":{"type":"integer"},"minItems":1000000}',
    b'{"type":"string","pattern":"^a{1000000}$"}',
    b'{"type":"string","pattern":"^[z$"}',
]


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_schema_that_llama_refuses_is_the_callers_and_the_child_goes_on(
    host: RunningHost, schema: bytes
) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        await all_of(host.engine, call("Answer in JSON.", json=JsonSchema(name="n", schema=schema)))

    assert caught.value.parameter == "response_format"
    assert counted(await all_of(host.engine, call("Hi", max_tokens=2))) <= 2


def processor_seconds(host: RunningHost) -> float:
    """Return the processor time that the child has used so far, which other programs hardly change."""
    fields = Path(f"/proc/{host.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def work_of(host: RunningHost, action: Awaitable[object]) -> float:
    """Return the processor time that the child spends on an action and on what follows of it."""
    before = processor_seconds(host)
    await action
    async with asyncio.timeout(60):
        last = -1.0
        while processor_seconds(host) > last + 0.02:
            last = processor_seconds(host)
            await asyncio.sleep(1)
    return processor_seconds(host) - before


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc")


@needs_proc
async def test_closing_a_stream_stops_the_child(host: RunningHost) -> None:
    async def begin_and_leave() -> None:
        events = host.engine.run(call("Count.", json=ENDLESS))
        await anext(events)
        await anext(events)
        await events.aclose()

    whole = await work_of(host, all_of(host.engine, call("Count.", json=ENDLESS)))

    assert await work_of(host, begin_and_leave()) < whole / 4


@needs_proc
async def test_cancelling_during_a_long_prompt_stops_the_child(host: RunningHost) -> None:
    async def begin_and_leave() -> None:
        task = asyncio.create_task(all_of(host.engine, call("bear " * (CONTEXT - 100), max_tokens=1)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    whole = await work_of(host, all_of(host.engine, call("fox " * (CONTEXT - 100), max_tokens=1)))

    assert await work_of(host, begin_and_leave()) < whole / 2


async def test_a_killed_child_fails_its_calls_and_refuses_the_next(host: RunningHost) -> None:
    events = host.engine.run(call("Count.", json=ENDLESS))
    await anext(events)

    host.process.send_signal(signal.SIGKILL)

    with pytest.raises(EngineFailed):
        [event async for event in events]
    await asyncio.to_thread(host.process.wait, 60)
    with pytest.raises(ModelUnavailable):
        await all_of(host.engine, call("Hi"))


async def test_ctrl_c_is_left_to_the_supervisor_and_the_pipes_end_ends_the_child(host: RunningHost) -> None:
    host.process.send_signal(signal.SIGINT)
    assert counted(await all_of(host.engine, call("Hi", max_tokens=2))) <= 2

    os.close(host.pipe)
    host.pipe = -1

    assert await asyncio.to_thread(host.process.wait, 60) == HostExit.ENDED


async def test_sigterm_ends_the_child(host: RunningHost) -> None:
    host.process.terminate()

    assert await asyncio.to_thread(host.process.wait, 60) == -signal.SIGTERM


async def test_the_log_holds_no_word_of_the_callers(host: RunningHost) -> None:
    schema = JsonSchema(name="n", schema=b'{"type":"object","properties":{"xylophone":{"type":"nonsense"}}}')
    with pytest.raises(ParameterInvalid):
        await all_of(host.engine, call("xylophone", json=schema))
    await all_of(host.engine, call("Repeat: xylophone", max_tokens=8, stop=("xylophone!",)))
    with pytest.raises(InputTooLong):
        await all_of(host.engine, call("xylophone " * CONTEXT))

    assert "xylophone" not in host.log.read_text()


async def test_a_second_host_does_not_take_the_socket_of_a_living_one(host: RunningHost) -> None:
    code, log = await outcome(host.model, host.site)

    assert code == HostExit.SOCKET_IN_USE
    assert "another process answers on the socket" in log


async def test_a_stale_socket_is_replaced(host: RunningHost) -> None:
    host.process.kill()
    host.process.wait()
    assert socket_path(host.model, host.site).exists()

    host.process = start_host(KIND, host.model, host.site, host.log)

    await until_ready(KIND, host.model, host.site, host.process)


async def outcome(model: EngineModel, site: Site) -> tuple[int, str]:
    """Return the exit code and the log of a host that ends by itself."""
    log = site.runtime_dir / "outcome"
    started = time.monotonic()
    code = await asyncio.to_thread(start_host(KIND, model, site, log).wait, 60)
    assert time.monotonic() - started < 60
    return code, log.read_text()


async def test_missing_weights_end_the_host_with_their_own_code(site: Site) -> None:
    code, log = await outcome(model_at(Path("/nowhere.gguf")), site)

    assert code == HostExit.WEIGHTS_MISSING
    assert "cannot be read: No such file or directory" in log


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\x00" * 100_000], ids=["empty", "cut", "zeros"])
async def test_corrupt_weights_end_the_host_with_their_own_code(site: Site, content: bytes) -> None:
    (site.models_dir / f"stand-in-{'0' * 12}.gguf").write_bytes(content)

    code, log = await outcome(model_at(Path("/any.gguf")), site)

    assert code == HostExit.WEIGHTS_CORRUPT
    assert "llama.cpp cannot load" in log


async def test_a_socket_that_cannot_be_used_ends_the_host_with_its_own_code(host: RunningHost) -> None:
    bad = Site(runtime_dir=host.site.runtime_dir / "b", models_dir=host.site.models_dir, secret="s")
    bad.runtime_dir.mkdir()
    socket_path(host.model, bad).mkdir()

    code, log = await outcome(host.model, bad)

    assert code == HostExit.SOCKET_REFUSED
    assert "something that is no socket lies there" in log


async def test_parameters_that_are_not_understood_end_the_host_with_their_own_code(site: Site) -> None:
    command = KIND.host_command(model_at(Path("/any.gguf")), site)
    assert command is not None
    environments: list[Callable[[], dict[str, str]]] = [dict, lambda: {PARAMETERS_VARIABLE: "{}"}]

    codes = [
        (await asyncio.to_thread(subprocess.run, command.arguments, env=os.environ | make(), check=False)).returncode
        for make in environments
    ]

    assert codes == [HostExit.PARAMETERS_INVALID] * 2


async def test_the_socket_is_nobody_elses(host: RunningHost) -> None:
    assert socket_path(host.model, host.site).stat().st_mode & 0o077 == 0


async def test_the_host_answers_nobody_without_the_secret(host: RunningHost) -> None:
    stranger = KIND.connect(
        host.model, Site(runtime_dir=host.site.runtime_dir, models_dir=host.site.models_dir, secret="guess")
    )

    with pytest.raises(EngineFailed, match="does not accept the gateway's secret"):
        await all_of(stranger, call("Hi"))
    await stranger.close()
