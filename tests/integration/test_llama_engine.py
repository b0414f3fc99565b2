"""The real child process with the weights of the stand-in model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.core.call import AnyJson, Call, JsonSchema, Message, Role, Sampling
from qwenport.core.errors import EngineFailed, InputTooLong, ModelUnavailable, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import WATCH_VARIABLE, Engine, Site
from qwenport.engines.llama.host_parameters import PARAMETERS_VARIABLE, HostExit
from qwenport.engines.llama.kind import LlamaKind, socket_path

pytestmark = [pytest.mark.engine, pytest.mark.anyio, pytest.mark.timeout(180)]

CONTEXT = 1024
SLOTS = 2


def stand_in_weights() -> Path | None:
    """Return the stand-in's weights in the models folder of the environment or of the user, if they are there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("QWENPORT_MODELS_DIR") or cache / "qwenport" / "models")
    return next(iter(sorted(folder.glob("smollm2-135m-instruct-*.gguf"))), None)


@pytest.fixture(scope="module")
def weights() -> Path:
    found = stand_in_weights()
    if found is None:
        pytest.skip("the weights of the stand-in are not on this machine: run `qwenport models pull`")
    return found


@dataclass
class Host:
    """A running child, its gateway's side and the supervisor's end of its pipe."""

    process: subprocess.Popen[bytes]
    engine: Engine
    model: EngineModel
    site: Site
    pipe: int
    log: Path


def model_at(weights: Path) -> EngineModel:
    pinned = Weights(source=f"file:{weights}", sha256="0" * 64, size_bytes=1, licence="Apache-2.0")
    return EngineModel(name="stand-in", kind="llama", weights=pinned, context_tokens=CONTEXT, slots=SLOTS)


def start(model: EngineModel, site: Site, log: Path, *, watch: int | None = None) -> subprocess.Popen[bytes]:
    command = LlamaKind().host_command(model, site)
    assert command is not None
    environment: Mapping[str, str] = os.environ | dict(command.environment)
    if watch is not None:
        environment = {**environment, WATCH_VARIABLE: str(watch)}
    with log.open("wb") as file:
        return subprocess.Popen(
            command.arguments,
            env=environment,
            stdout=file,
            stderr=file,
            pass_fds=() if watch is None else (watch,),
        )


async def ready(process: subprocess.Popen[bytes], model: EngineModel, site: Site) -> None:
    async with asyncio.timeout(60):
        while not await LlamaKind().is_ready(model, site):
            assert process.poll() is None, "the host ended while it loaded"
            await asyncio.sleep(0.05)


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(runtime_dir=Path(folder), models_dir=Path(folder), secret="hush")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def host(weights: Path, site: Site) -> AsyncIterator[Host]:
    model = model_at(weights)
    (site.models_dir / f"{model.name}-{'0' * 12}.gguf").symlink_to(weights)
    reading, writing = os.pipe()
    log = site.runtime_dir / "log"
    process = start(model, site, log, watch=reading)
    os.close(reading)
    engine = LlamaKind().connect(model, site)
    host = Host(process, engine, model, site, writing, log)
    try:
        await ready(process, model, site)
        yield host
    finally:
        await engine.close()
        host.process.kill()
        host.process.wait()
        if host.pipe >= 0:
            os.close(host.pipe)


def call(text: str, *, json: AnyJson | JsonSchema | None = None, **sampling: Any) -> PreparedCall:
    chosen = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05, "seed": 1} | sampling
    return PreparedCall(
        call=Call(
            id=RequestId("r"),
            face="f",
            operation="o",
            model="m",
            messages=(Message(role=Role.USER, content=text),),
            sampling=Sampling(**chosen),
            json=json,
        ),
        max_input_tokens=100_000,
    )


async def all_of(engine: Engine, prepared: PreparedCall) -> list[Event]:
    async with aclosing(engine.run(prepared)) as events:
        return [event async for event in events]


def text_of(events: list[Event], choice: int = 0) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta) and event.choice == choice)


def counted(events: list[Event]) -> int:
    return sum(event.tokens for event in events if isinstance(event, Delta | ChoiceFinished))


def reasons(events: list[Event]) -> dict[int, FinishReason]:
    return {event.choice: event.reason for event in events if isinstance(event, ChoiceFinished)}


async def test_an_answer_streams_and_its_tokens_add_up(host: Host) -> None:
    events = await all_of(host.engine, call("Say: The capital of France is Paris.", max_tokens=12, temperature=0.0))

    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert "Paris" in text_of(events)
    assert (started.served_by, started.input_tokens) == ("llama/stand-in", finished.usage.input_tokens)
    assert finished.usage.output_tokens == counted(events) <= 12


async def test_the_same_seed_gives_the_same_answer(host: Host) -> None:
    prepared = call("Tell me about the sea.", max_tokens=15, seed=42)

    assert text_of(await all_of(host.engine, prepared)) == text_of(await all_of(host.engine, prepared))


async def test_two_choices_are_made_and_counted_apart(host: Host) -> None:
    events = await all_of(host.engine, call("Tell me a story.", choices=2, max_tokens=8))

    assert reasons(events) == {0: FinishReason.LENGTH, 1: FinishReason.LENGTH}
    assert counted(events) == 16
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.output_tokens == 16


async def test_a_stop_text_ends_the_answer_and_is_not_part_of_it(host: Host) -> None:
    prepared = call("Say: The capital of France is Paris.", temperature=0.0, max_tokens=60)
    whole = text_of(await all_of(host.engine, prepared))

    stopped = await all_of(host.engine, call("Say: The capital of France is Paris.", temperature=0.0, stop=("Paris",)))

    assert "Paris" in whole
    assert text_of(stopped) == whole.partition("Paris")[0]
    assert reasons(stopped) == {0: FinishReason.STOP}


async def test_an_answer_at_the_end_of_the_context_has_the_reason_length(host: Host) -> None:
    events = await all_of(host.engine, call("fox " * (CONTEXT - 80), temperature=1.0, json=ENDLESS))

    assert reasons(events) == {0: FinishReason.LENGTH}
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.total_tokens == CONTEXT


async def test_a_prompt_beyond_the_context_is_refused_with_what_fits(host: Host) -> None:
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
async def test_any_json_is_an_object_that_ends(host: Host, seed: int) -> None:
    events = await all_of(host.engine, call("Give three fruits and their prices as JSON.", json=AnyJson(), seed=seed))

    assert isinstance(json.loads(text_of(events)), dict)
    assert reasons(events) == {0: FinishReason.STOP}


async def test_json_by_a_schema_keeps_to_it(host: Host) -> None:
    person = json.loads(text_of(await all_of(host.engine, call("Describe a person in JSON.", json=PERSON))))

    assert set(person) == {"name", "tags"}
    assert len(person["tags"]) in {2, 3}
    assert set(person["tags"]) <= {"a", "b"}


SCHEMAS = [
    b'{"type":"nonsense"}',
    b'{"$ref":"#/nowhere"}',
    b'{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}',
    b'{"type":"array","items":{"type":"integer"},"minItems":1000000}',
    b'{"type":"string","pattern":"^a{1000000}$"}',
    b'{"type":"string","pattern":"^[z$"}',
]


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_schema_that_llama_refuses_is_the_callers_and_the_child_goes_on(host: Host, schema: bytes) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        await all_of(host.engine, call("Answer in JSON.", json=JsonSchema(name="n", schema=schema)))

    assert caught.value.parameter == "response_format"
    assert counted(await all_of(host.engine, call("Hi", max_tokens=2))) <= 2


def processor_seconds(host: Host) -> float:
    """Return the processor time that the child has used so far, which other programs hardly change."""
    fields = Path(f"/proc/{host.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def work_of(host: Host, action: Awaitable[object]) -> float:
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
async def test_closing_a_stream_stops_the_child(host: Host) -> None:
    async def begin_and_leave() -> None:
        events = host.engine.run(call("Count.", json=ENDLESS))
        await anext(events)
        await anext(events)
        await events.aclose()

    whole = await work_of(host, all_of(host.engine, call("Count.", json=ENDLESS)))

    assert await work_of(host, begin_and_leave()) < whole / 4


@needs_proc
async def test_cancelling_during_a_long_prompt_stops_the_child(host: Host) -> None:
    async def begin_and_leave() -> None:
        task = asyncio.create_task(all_of(host.engine, call("bear " * (CONTEXT - 100), max_tokens=1)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    whole = await work_of(host, all_of(host.engine, call("fox " * (CONTEXT - 100), max_tokens=1)))

    assert await work_of(host, begin_and_leave()) < whole / 2


async def test_a_killed_child_fails_its_calls_and_refuses_the_next(host: Host) -> None:
    events = host.engine.run(call("Count.", json=ENDLESS))
    await anext(events)

    host.process.send_signal(signal.SIGKILL)

    with pytest.raises(EngineFailed):
        [event async for event in events]
    await asyncio.to_thread(host.process.wait, 5)
    with pytest.raises(ModelUnavailable):
        await all_of(host.engine, call("Hi"))


async def test_ctrl_c_is_left_to_the_supervisor_and_the_pipes_end_ends_the_child(host: Host) -> None:
    host.process.send_signal(signal.SIGINT)
    assert counted(await all_of(host.engine, call("Hi", max_tokens=2))) <= 2

    os.close(host.pipe)
    host.pipe = -1

    assert await asyncio.to_thread(host.process.wait, 5) == HostExit.ENDED


async def test_sigterm_ends_the_child(host: Host) -> None:
    host.process.terminate()

    assert await asyncio.to_thread(host.process.wait, 5) == -signal.SIGTERM


async def test_the_log_holds_no_word_of_the_callers(host: Host) -> None:
    schema = JsonSchema(name="n", schema=b'{"type":"object","properties":{"xylophone":{"type":"nonsense"}}}')
    with pytest.raises(ParameterInvalid):
        await all_of(host.engine, call("xylophone", json=schema))
    await all_of(host.engine, call("Repeat: xylophone", max_tokens=8, stop=("xylophone!",)))
    with pytest.raises(InputTooLong):
        await all_of(host.engine, call("xylophone " * CONTEXT))

    assert "xylophone" not in host.log.read_text()


async def test_a_second_host_does_not_take_the_socket_of_a_living_one(host: Host) -> None:
    code, log = await outcome(host.model, host.site)

    assert code == HostExit.SOCKET_IN_USE
    assert "another process answers on the socket" in log


async def test_a_stale_socket_is_replaced(host: Host) -> None:
    host.process.kill()
    host.process.wait()
    assert socket_path(host.model, host.site).exists()

    host.process = start(host.model, host.site, host.log)

    await ready(host.process, host.model, host.site)


async def outcome(model: EngineModel, site: Site) -> tuple[int, str]:
    """Return the exit code and the log of a host that ends by itself."""
    log = site.runtime_dir / "outcome"
    started = time.monotonic()
    code = await asyncio.to_thread(start(model, site, log).wait, 60)
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


async def test_a_socket_that_cannot_be_used_ends_the_host_with_its_own_code(host: Host) -> None:
    bad = Site(runtime_dir=host.site.runtime_dir / "b", models_dir=host.site.models_dir, secret="s")
    bad.runtime_dir.mkdir()
    socket_path(host.model, bad).mkdir()

    code, log = await outcome(host.model, bad)

    assert code == HostExit.SOCKET_REFUSED
    assert "something that is no socket lies there" in log


async def test_parameters_that_are_not_understood_end_the_host_with_their_own_code(site: Site) -> None:
    command = LlamaKind().host_command(model_at(Path("/any.gguf")), site)
    assert command is not None
    environments: list[Callable[[], dict[str, str]]] = [dict, lambda: {PARAMETERS_VARIABLE: "{}"}]

    codes = [
        (await asyncio.to_thread(subprocess.run, command.arguments, env=os.environ | make(), check=False)).returncode
        for make in environments
    ]

    assert codes == [HostExit.PARAMETERS_INVALID] * 2


async def test_the_socket_is_nobody_elses(host: Host) -> None:
    assert socket_path(host.model, host.site).stat().st_mode & 0o077 == 0


async def test_the_host_answers_nobody_without_the_secret(host: Host) -> None:
    stranger = LlamaKind().connect(
        host.model, Site(runtime_dir=host.site.runtime_dir, models_dir=host.site.models_dir, secret="guess")
    )

    with pytest.raises(EngineFailed, match="does not accept the gateway's secret"):
        await all_of(stranger, call("Hi"))
    await stranger.close()
