"""Sockets, commands and readiness of embedding hosts."""

from __future__ import annotations

import os
import sys

import msgspec
import pytest
from aiohttp import web

from qwenport.engines import condition_file
from qwenport.engines.embed.embedder import Embedder
from qwenport.engines.embed.host_parameters import EmbedParameters
from qwenport.engines.embed.kind import EmbedKind
from qwenport.engines.embed.service import EmbeddingService
from qwenport.engines.engine import Condition, EngineState, Site
from qwenport.engines.host_address import socket_path
from qwenport.engines.host_parameters import PARAMETERS_VARIABLE
from qwenport.engines.host_server import HostServer
from qwenport.testing.models import engine_model

MODEL = engine_model(kind="embed")


def test_the_host_is_told_everything_and_the_secret_is_not_on_its_command_line(site: Site) -> None:
    command = EmbedKind().host_command(MODEL, site)

    assert command is not None
    assert command.arguments == (sys.executable, "-m", "qwenport.engines.embed.host")
    assert msgspec.json.decode(command.environment[PARAMETERS_VARIABLE], type=EmbedParameters) == EmbedParameters(
        model="tiny",
        weights="/models/tiny-abababababab.gguf",
        socket=str(socket_path(MODEL, site)),
        secret="hush",
    )


def test_a_core_is_left_to_the_gateway_unless_the_operator_says_otherwise(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    command = EmbedKind().host_command(MODEL, site)

    assert command is not None
    assert command.environment["OPENBLAS_NUM_THREADS"] == "7"
    assert command.environment["OMP_NUM_THREADS"] == str(max(1, len(os.sched_getaffinity(0)) - 1))


def test_a_host_that_runs_elsewhere_is_not_started(site: Site) -> None:
    assert EmbedKind().host_command(msgspec.structs.replace(MODEL, url="http://10.0.0.5:8080"), site) is None


def test_the_engine_tells_the_condition_that_the_supervisor_wrote(site: Site) -> None:
    ready = Condition(state=EngineState.READY, resident_bytes=7)
    condition_file.write(site, MODEL.target, ready)

    engine = EmbedKind().connect(MODEL, site)

    assert (engine.target, engine.slots, engine.condition()) == ("embed/tiny", 3, ready)
    assert engine.capabilities.dimensions == (384,)


@pytest.mark.anyio
async def test_a_host_that_answers_is_ready(site: Site, embedder: Embedder) -> None:
    runner = HostServer(EmbeddingService(embedder), "hush").runner()
    await runner.setup()
    await web.UnixSite(runner, str(socket_path(MODEL, site))).start()

    assert await EmbedKind().is_ready(MODEL, site)
    await runner.cleanup()


@pytest.mark.anyio
async def test_no_host_is_not_ready(site: Site) -> None:
    assert not await EmbedKind().is_ready(MODEL, site)
