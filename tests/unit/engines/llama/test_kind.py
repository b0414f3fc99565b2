"""Sockets, commands and readiness of llama hosts."""

from __future__ import annotations

import sys
from contextlib import aclosing

import msgspec
import pytest
from msgspec.structs import replace

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.catalog.model_file import read_model_file
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.ocr import OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolUse
from qwenport.engines import condition_file
from qwenport.engines.engine import Condition, EngineState, Site
from qwenport.engines.host_address import socket_path
from qwenport.engines.host_parameters import PARAMETERS_VARIABLE
from qwenport.engines.llama.host_parameters import LlamaParameters
from qwenport.engines.llama.kind import LlamaKind, capabilities_of
from qwenport.testing.calls import chat_call
from qwenport.testing.llama_host import FakeLlamaHost, answer
from qwenport.testing.models import engine_model

MODEL = engine_model()


def test_the_host_is_told_everything_and_the_secret_is_not_on_its_command_line(site: Site) -> None:
    command = LlamaKind().host_command(MODEL, site)

    assert command is not None
    assert command.arguments == (sys.executable, "-m", "qwenport.engines.llama.host")
    assert msgspec.json.decode(command.environment[PARAMETERS_VARIABLE], type=LlamaParameters) == LlamaParameters(
        model="tiny",
        weights="/models/tiny-abababababab.gguf",
        socket=str(socket_path(MODEL, site)),
        context_tokens=512,
        slots=3,
        secret="hush",
    )


SEEING = engine_model(
    capabilities=Capabilities(vision=True, video=True),
    projector=Weights(source="file:/weights/sight.gguf", sha256="cd" * 32, size_bytes=1, licence="Apache-2.0"),
    image_tokens=99,
)


def test_the_host_of_a_model_that_sees_is_told_of_its_projector(site: Site) -> None:
    command = LlamaKind().host_command(SEEING, site)

    assert command is not None
    told = msgspec.json.decode(command.environment[PARAMETERS_VARIABLE], type=LlamaParameters)
    assert (told.weights, told.projector, told.image_tokens) == (
        "/models/tiny-abababababab.gguf",
        "/models/tiny-projector-cdcdcdcdcdcd.gguf",
        99,
    )


@pytest.mark.parametrize(
    ("model", "able"),
    [
        (SEEING, Capabilities(vision=True, ocr_tasks=tuple(OcrTask))),
        (replace(SEEING, projector=None, image_tokens=0), Capabilities()),
        (replace(SEEING, capabilities=Capabilities()), Capabilities()),
    ],
    ids=["with a projector", "without", "a card that says nothing of images"],
)
def test_a_model_sees_images_and_takes_their_tasks_with_a_projector_alone(
    model: EngineModel, able: Capabilities
) -> None:
    assert capabilities_of(model) == able


def test_the_engine_tells_the_condition_that_the_supervisor_wrote(site: Site) -> None:
    ready = Condition(state=EngineState.READY, resident_bytes=7)
    condition_file.write(site, MODEL.target, ready)

    engine = LlamaKind().connect(MODEL, site)

    assert (engine.target, engine.slots, engine.condition()) == ("llama/tiny", 3, ready)


OWN_MODEL = """
name = "tiny"
description = "A model of one's own"
family = "qwen3"
released = 2025-04-29
context_tokens = 512
max_input_tokens = 500
max_output_tokens = 500
modalities = ["text", "image"]

[capabilities]
thinking = "hybrid"
tool_uses = ["auto", "none"]

[weights]
source = "file:/weights/tiny.gguf"
sha256 = "abababababababababababababababababababababababababababababababab"
size_bytes = 1
licence = "Apache-2.0"

[engine]
kind = "llama"
context_tokens = 512
slots = 3
template_tools = true
"""


@pytest.mark.anyio
async def test_what_the_model_file_says_of_the_model_holds_for_the_engine(site: Site) -> None:
    model = read_model_file(OWN_MODEL, "tiny.toml").engine_model
    assert model is not None
    host = FakeLlamaHost(answer("x"))

    engine = LlamaKind().connect(model, site)
    async with host.listening(socket_path(model, site)):
        async with aclosing(
            engine.run(PreparedCall(call=chat_call(tools=(Tool(name="f"),)), max_input_tokens=9))
        ) as run:
            assert [type(event).__name__ async for event in run][-1] == "Finished"
        await engine.close()

    # Without a projector it sees no images, whatever the model could see.
    assert engine.capabilities == Capabilities(thinking=Thinking.HYBRID, tool_uses=(ToolUse.AUTO, ToolUse.NONE))
    assert host.requests[0]["tools"] == [{"type": "function", "function": {"name": "f"}}]


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
