"""The real child process with a model that sees, made in a moment: its words mean nothing, and depend on images."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from PIL import Image

from qwenport.catalog.engine_model import EngineModel
from qwenport.core.call import ChatInput, Sampling
from qwenport.core.content import Message, Part, Picture, Role, TextPart
from qwenport.core.errors import InputTooLong, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.engine import Engine, Site
from qwenport.engines.host_process import HostExit
from qwenport.engines.llama.kind import LlamaKind
from qwenport.engines.llama.pictures import UNREADABLE_IMAGE
from qwenport.testing.calls import call_of
from qwenport.testing.engine_host import RunningHost, running_host, stand_in, start_host
from qwenport.testing.tiny_vision_model import PATCH, write_tiny_vision_model

pytestmark = [pytest.mark.engine, pytest.mark.anyio]

KIND = LlamaKind()
CONTEXT = 1024
MARKERS = 2
"""Tokens that stand before and after an image in the prompt."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("seeing")
    weights, projector = folder / "tiny.gguf", folder / "mmproj-tiny.gguf"
    write_tiny_vision_model(weights, projector)
    return weights, projector


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(runtime_dir=Path(folder), models_dir=Path(folder), secret="hush")


@pytest.fixture
def model(pair: tuple[Path, Path]) -> EngineModel:
    return stand_in(KIND, pair[0], projector=pair[1], context_tokens=CONTEXT)


@pytest.fixture
async def host(model: EngineModel, site: Site) -> AsyncIterator[RunningHost]:
    async with running_host(KIND, model, site) as host:
        yield host


def picture(colour: str, width: int = 4 * PATCH, height: int = 3 * PATCH, *, most_pixels: int = 0) -> Picture:
    return encoded(Image.new("RGB", (width, height), colour), "PNG", most_pixels=most_pixels)


def encoded(image: Image.Image, kind: str, *, most_pixels: int = 0) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return Picture(
        data=buffer.getvalue(),
        media_type=f"image/{kind.lower()}",
        width=image.width,
        height=image.height,
        tokens=1,
        most_pixels=most_pixels,
    )


def shown(*pictures: Picture, ocr: OcrOptions | None = None) -> PreparedCall:
    content: tuple[Part, ...] = (*pictures, TextPart(text="What is it?")) if ocr is None else pictures
    asked = ChatInput(messages=(Message(role=Role.USER, content=content),), ocr=ocr)
    return PreparedCall(call=call_of(asked, sampling=Sampling(temperature=0.0, max_tokens=8)), max_input_tokens=100_000)


async def all_of(engine: Engine, prepared: PreparedCall) -> list[Event]:
    async with aclosing(engine.run(prepared)) as events:
        return [event async for event in events]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def usage_of(events: list[Event]) -> Usage:
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished.usage


async def test_what_is_answered_depends_on_the_image_and_on_nothing_else(host: RunningHost) -> None:
    red, blue, again = [text_of(await all_of(host.engine, shown(picture(each)))) for each in ("red", "blue", "red")]
    without = text_of(await all_of(host.engine, shown()))

    assert red == again
    assert len({red, blue, without}) == 3


async def test_an_image_counts_the_patches_that_the_host_reads(host: RunningHost) -> None:
    without = usage_of(await all_of(host.engine, shown()))
    events = await all_of(host.engine, shown(picture("red"), picture("blue", 5 * PATCH, 5 * PATCH)))
    usage, started = usage_of(events), events[0]

    assert (without.image_tokens, without.images, without.pages) == (0, 0, 0)
    assert (usage.image_tokens, usage.images, usage.pages) == (4 * 3 + MARKERS + 5 * 5 + MARKERS, 2, 2)
    assert usage.input_tokens == without.input_tokens + usage.image_tokens
    assert isinstance(started, Started)
    assert (started.input_tokens, started.image_tokens) == (usage.input_tokens, usage.image_tokens)


async def test_an_image_is_scaled_down_to_what_its_caller_wants_seen(host: RunningHost) -> None:
    large = picture("red", 20 * PATCH, 20 * PATCH, most_pixels=16 * PATCH * PATCH)

    assert usage_of(await all_of(host.engine, shown(large))).image_tokens == 16 + MARKERS


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "JPEG"])
async def test_what_llama_cpp_cannot_decode_is_decoded_for_it(host: RunningHost, kind: str) -> None:
    image = Image.new("RGB", (4 * PATCH, 3 * PATCH), "red")

    assert usage_of(await all_of(host.engine, shown(encoded(image, kind)))).image_tokens == 4 * 3 + MARKERS


BROKEN = {
    "no image": b"rubbish",
    "cut off": picture("red").data[:60],
    "a PNG of nothing": b"\x89PNG\r\n\x1a\nrubbish",
    "a video": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
async def test_an_image_that_is_none_is_refused_and_the_host_goes_on(host: RunningHost, content: bytes) -> None:
    broken = Picture(data=content, media_type="image/png", width=112, height=84, tokens=1)
    with pytest.raises(ParameterInvalid) as caught:
        await all_of(host.engine, shown(broken))

    assert (caught.value.message, caught.value.parameter) == (UNREADABLE_IMAGE, "messages")
    assert usage_of(await all_of(host.engine, shown(picture("red")))).images == 1


async def test_no_other_program_is_shown_what_is_no_image(
    model: EngineModel, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, ran = tmp_path / "ffprobe", tmp_path / "ran"
    probe.write_text(f"#!/bin/sh\ntouch {ran}\n")
    probe.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    broken = Picture(data=BROKEN["a PNG of nothing"], media_type="image/png", width=112, height=84, tokens=1)
    async with running_host(KIND, model, site) as host:
        with pytest.raises(ParameterInvalid):
            await all_of(host.engine, shown(broken))

    assert not ran.exists()


async def test_an_image_beyond_the_context_is_refused_with_what_fits(host: RunningHost) -> None:
    with pytest.raises(InputTooLong) as caught:
        await all_of(host.engine, shown(picture("red", 40 * PATCH, 40 * PATCH)))

    assert caught.value.message == f"Range of input length should be [1, {CONTEXT - 1}]"


async def test_the_hosts_own_bound_holds_for_every_image(pair: tuple[Path, Path], site: Site) -> None:
    bounded = stand_in(KIND, pair[0], projector=pair[1], context_tokens=CONTEXT, image_tokens=64)
    async with running_host(KIND, bounded, site) as host:
        usage = usage_of(await all_of(host.engine, shown(picture("red", 40 * PATCH, 40 * PATCH))))

    assert usage.image_tokens == 64 + MARKERS


@pytest.mark.parametrize("task", [OcrTask.FORMULA_RECOGNITION, OcrTask.TABLE_PARSING])
async def test_a_built_in_task_is_answered(host: RunningHost, task: OcrTask) -> None:
    events = await all_of(host.engine, shown(picture("red"), ocr=OcrOptions(task=task)))

    assert len(text_of(events)) == 8
    assert events[-2] == ChoiceFinished(reason=FinishReason.LENGTH)
    assert usage_of(events).images == 1


async def test_a_host_without_a_projector_refuses_images(pair: tuple[Path, Path], site: Site) -> None:
    async with running_host(KIND, stand_in(KIND, pair[0], context_tokens=CONTEXT), site) as host:
        assert (host.engine.capabilities.vision, host.engine.capabilities.ocr_tasks) == (False, ())
        with pytest.raises(ParameterInvalid) as caught:
            await all_of(host.engine, shown(picture("red")))
        assert len(text_of(await all_of(host.engine, shown()))) == 8

    assert caught.value.message == "The engine `llama/stand-in`, which answers for this model here, cannot see images."


@pytest.mark.parametrize(
    ("content", "code"), [(None, HostExit.WEIGHTS_MISSING), (b"GGUF", HostExit.WEIGHTS_CORRUPT)], ids=["none", "cut"]
)
async def test_a_projector_that_cannot_be_read_ends_the_host(
    model: EngineModel, site: Site, pair: tuple[Path, Path], content: bytes | None, code: HostExit
) -> None:
    (site.models_dir / f"stand-in-{'0' * 12}.gguf").symlink_to(pair[0])
    projector = site.models_dir / f"stand-in-projector-{'0' * 12}.gguf"
    if content is not None:
        projector.write_bytes(content)
    log = site.runtime_dir / "outcome"

    assert start_host(KIND, model, site, log).wait(60) == code
    assert str(projector) in log.read_text()
