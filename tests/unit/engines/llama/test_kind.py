"""Sockets, commands and readiness of llama hosts."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.engines import condition_file
from qwenport.engines.engine import Condition, EngineState, Site
from qwenport.engines.llama.host_parameters import PARAMETERS_VARIABLE, HostParameters
from qwenport.engines.llama.kind import LlamaKind, SocketPathTooLong, socket_path
from qwenport.testing.llama_host import FakeLlamaHost, answer

MODEL = EngineModel(
    name="tiny",
    kind="llama",
    weights=Weights(source="file:/weights/tiny.gguf", sha256="ab" * 32, size_bytes=1, licence="Apache-2.0"),
    context_tokens=512,
    slots=3,
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(runtime_dir=Path(folder), models_dir=Path("/models"), secret="hush")


def test_the_host_is_told_everything_and_the_secret_is_not_on_its_command_line(site: Site) -> None:
    command = LlamaKind().host_command(MODEL, site)

    assert command is not None
    assert command.arguments == (sys.executable, "-m", "qwenport.engines.llama.host")
    assert msgspec.json.decode(command.environment[PARAMETERS_VARIABLE], type=HostParameters) == HostParameters(
        model="tiny",
        weights="/models/tiny-abababababab.gguf",
        socket=str(socket_path(MODEL, site)),
        context_tokens=512,
        slots=3,
        secret="hush",
    )


def test_a_socket_path_that_the_system_cannot_use_is_refused_in_words(tmp_path: Path) -> None:
    site = Site(runtime_dir=tmp_path / ("x" * 100), models_dir=tmp_path, secret="s")

    with pytest.raises(SocketPathTooLong, match="choose a data directory with a shorter path"):
        socket_path(MODEL, site)


def test_models_have_sockets_of_their_own(site: Site) -> None:
    other = msgspec.structs.replace(MODEL, name="tiny2")

    assert socket_path(MODEL, site) != socket_path(other, site)


def test_the_engine_tells_the_condition_that_the_supervisor_wrote(site: Site) -> None:
    ready = Condition(state=EngineState.READY, resident_bytes=7)
    condition_file.write(site, MODEL.target, ready)

    engine = LlamaKind().connect(MODEL, site)

    assert (engine.target, engine.slots, engine.condition()) == ("llama/tiny", 3, ready)


@pytest.mark.anyio
async def test_a_host_that_answers_is_ready(site: Site) -> None:
    async with FakeLlamaHost(answer()).listening(socket_path(MODEL, site)):
        assert await LlamaKind().is_ready(MODEL, site)


@pytest.mark.anyio
async def test_a_host_that_is_loading_is_not_ready(site: Site) -> None:
    async with FakeLlamaHost(answer(), health_status="503 Service Unavailable").listening(socket_path(MODEL, site)):
        assert not await LlamaKind().is_ready(MODEL, site)


@pytest.mark.anyio
async def test_no_host_is_not_ready(site: Site) -> None:
    assert not await LlamaKind().is_ready(MODEL, site)
