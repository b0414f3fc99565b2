"""The gateway's side against the host's own service with a tiny model, over a real socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from qwenport.core.call import Call, ChatInput, EmbeddingInput, Input, RerankInput, TextKind
from qwenport.core.content import Message, Role
from qwenport.core.errors import EngineFailed, EngineTimedOut, ModelUnavailable, ParameterInvalid
from qwenport.core.events import Embedded, Event, Finished, Ranked, Started
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.embed.embedder import Embedder, ReadText
from qwenport.engines.embed.engine import EmbedEngine
from qwenport.engines.embed.scores import cosine, score_of, vector_of
from qwenport.engines.embed.service import EmbeddingService
from qwenport.engines.embed.wire import MOST_TOKENS, EmbedRequest
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.host_address import host_peer
from qwenport.engines.host_server import HostServer

pytestmark = pytest.mark.anyio

READY = Condition(state=EngineState.READY)


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


def engine_at(socket: Path, *, condition: Condition = READY, silence_s: float = 60.0) -> EmbedEngine:
    return EmbedEngine(
        target="embed/tiny",
        slots=2,
        peer=host_peer("http://embed", socket=socket, secret="s", keeps_connections=False),
        read_condition=lambda: condition,
        silence_s=silence_s,
    )


@asynccontextmanager
async def serving(runner: web.AppRunner, engine: EmbedEngine, socket: Path) -> AsyncIterator[EmbedEngine]:
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield engine
    finally:
        await engine.close()
        await runner.cleanup()


@pytest.fixture
async def engine(embedder: Embedder, socket: Path) -> AsyncIterator[EmbedEngine]:
    async with serving(HostServer(EmbeddingService(embedder), "s").runner(), engine_at(socket), socket) as engine:
        yield engine


def prepared(asked: Input, *, longest: int = 100) -> PreparedCall:
    call = Call(id=RequestId("r"), face="f", operation="o", model="text-embedding-v4", input=asked)
    return PreparedCall(call=call, max_input_tokens=longest)


async def all_of(engine: EmbedEngine, asked: Input, *, longest: int = 100) -> list[Event]:
    async with aclosing(engine.run(prepared(asked, longest=longest))) as events:
        return [event async for event in events]


def expected(embedder: Embedder, *documents: str, queries: Sequence[str] = ()) -> list[bytes]:
    read = list(embedder.read(EmbedRequest(queries=tuple(queries), documents=documents, longest=100)))
    return [vector for batch in embedder.vectors(read) for vector in batch]


async def test_each_text_becomes_a_vector_and_its_tokens_count(engine: EmbedEngine, embedder: Embedder) -> None:
    events = await all_of(engine, EmbeddingInput(texts=("red fox", "green")))

    first, second = expected(embedder, "red fox", "green")
    assert events == [
        Started(served_by="embed/tiny", input_tokens=6 + 5),
        Embedded(index=0, vector=first),
        Embedded(index=1, vector=second),
        Finished(usage=Usage(input_tokens=11)),
    ]


async def test_a_question_is_embedded_as_one(engine: EmbedEngine, embedder: Embedder) -> None:
    events = await all_of(engine, EmbeddingInput(texts=("red",), kind=TextKind.QUERY))

    assert events[1] == Embedded(index=0, vector=expected(embedder, queries=["red"])[0])


async def test_each_document_is_scored_by_its_similarity_to_the_query(engine: EmbedEngine, embedder: Embedder) -> None:
    events = await all_of(engine, RerankInput(query="red fox", documents=("green", "red fox")))

    query, *documents = map(vector_of, expected(embedder, "green", "red fox", queries=["red fox"]))
    scores = [score_of(cosine(query, document)) for document in documents]
    # The query's six tokens count with each document.
    assert events == [
        Started(served_by="embed/tiny", input_tokens=6 * 2 + 5 + 6),
        Ranked(index=0, score=scores[0]),
        Ranked(index=1, score=scores[1]),
        Finished(usage=Usage(input_tokens=23)),
    ]


async def test_many_texts_come_back_in_their_order(engine: EmbedEngine) -> None:
    words = ("red", "green", "fox", "狐")
    events = await all_of(engine, EmbeddingInput(texts=words * 40))

    vectors = [event.vector for event in events if isinstance(event, Embedded)]
    assert [event.index for event in events if isinstance(event, Embedded)] == list(range(160))
    assert len(set(vectors[:4])) == 4
    # Whichever batch a text is in, its vector is the same but for the last bits.
    assert [vector_of(vector) for vector in vectors[156:]] == [
        pytest.approx(vector_of(vector), abs=1e-6) for vector in vectors[:4]
    ]


async def test_the_models_own_dimension_may_be_named(engine: EmbedEngine) -> None:
    events = await all_of(engine, EmbeddingInput(texts=("red",), dimension=384))

    assert isinstance(events[-1], Finished)


async def test_another_dimension_is_refused_with_what_can_be_had(engine: EmbedEngine) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        await all_of(engine, EmbeddingInput(texts=("red",), dimension=1024))

    assert caught.value.parameter == "dimension"
    assert str(caught.value) == (
        "The dimension 1024 cannot be had here: `embed/tiny`, which answers for `text-embedding-v4`, makes vectors of "
        "384 values. Leave the dimension out, or ask for 384."
    )


async def test_a_text_over_the_limit_is_refused_and_never_cut(engine: EmbedEngine) -> None:
    with pytest.raises(ParameterInvalid, match=r"Range of input length should be \[1, 6\]: text 1 has more tokens"):
        await all_of(engine, EmbeddingInput(texts=("red", "red green fox")), longest=6)


async def test_documents_over_the_limit_are_cut(engine: EmbedEngine) -> None:
    events = await all_of(engine, RerankInput(query="red", documents=("red green fox",)), longest=6)

    assert events[-1] == Finished(usage=Usage(input_tokens=5 + 6))


async def test_a_call_of_more_tokens_than_a_minutes_work_is_refused(engine: EmbedEngine) -> None:
    texts = ("red " * 2_000,) * 61

    with pytest.raises(ParameterInvalid, match=rf"should be \[1, {MOST_TOKENS}\]: all texts together have more"):
        await all_of(engine, EmbeddingInput(texts=texts), longest=2_048)


class CountingEmbedder(Embedder):
    """Counts the texts that it reads."""

    def __init__(self, embedder: Embedder, loop: asyncio.AbstractEventLoop) -> None:
        self._embedder = embedder
        self._loop = loop
        self.texts = 0
        self.has_begun = asyncio.Event()

    def read(self, asked: EmbedRequest) -> Iterator[ReadText]:
        for text in self._embedder.read(asked):
            self.texts += 1
            self._loop.call_soon_threadsafe(self.has_begun.set)
            yield text

    def vectors(self, texts: Sequence[ReadText]) -> Iterator[list[bytes]]:
        return self._embedder.vectors(texts)


async def test_no_text_is_read_after_those_that_are_too_many(embedder: Embedder, socket: Path) -> None:
    counting = CountingEmbedder(embedder, asyncio.get_running_loop())
    async with serving(HostServer(EmbeddingService(counting), "s").runner(), engine_at(socket), socket) as engine:
        with pytest.raises(ParameterInvalid, match="all texts together have more"):
            await all_of(engine, EmbeddingInput(texts=("red " * 2_000,) * 100), longest=2_048)

    assert counting.texts == MOST_TOKENS // 2_004 + 1


async def test_texts_of_other_calls_are_read_between_those_of_a_long_one(embedder: Embedder, socket: Path) -> None:
    counting = CountingEmbedder(embedder, asyncio.get_running_loop())
    async with serving(HostServer(EmbeddingService(counting), "s").runner(), engine_at(socket), socket) as engine:
        long = asyncio.create_task(all_of(engine, EmbeddingInput(texts=("red " * 2_000,) * 59), longest=2_048))
        await counting.has_begun.wait()
        await all_of(engine, EmbeddingInput(texts=("red",)))
        read_meanwhile = counting.texts

        long.cancel()
        await asyncio.wait((long,))

    assert read_meanwhile < 59


async def test_half_a_surrogate_pair_is_refused(engine: EmbedEngine) -> None:
    with pytest.raises(ParameterInvalid, match="half of a surrogate pair"):
        await all_of(engine, EmbeddingInput(texts=("\ud800",)))


async def test_other_work_is_refused(engine: EmbedEngine) -> None:
    asked = ChatInput(messages=(Message(role=Role.USER, content="red"),))

    with pytest.raises(ParameterInvalid, match="embeds and reranks texts, and does nothing else"):
        await all_of(engine, asked)


async def test_a_host_that_wants_another_secret_answers_nothing(embedder: Embedder, socket: Path) -> None:
    runner = HostServer(EmbeddingService(embedder), "another").runner()
    async with serving(runner, engine_at(socket), socket) as engine:
        with pytest.raises(EngineFailed, match="answered with status 401"):
            await all_of(engine, EmbeddingInput(texts=("red",)))


@pytest.mark.parametrize(
    ("condition", "words", "passes"),
    [
        (Condition(state=EngineState.ABSENT), "weights of `tiny` are not on this machine", False),
        (Condition(state=EngineState.LOADING), "`tiny` is loading", True),
        (Condition(state=EngineState.ENDED, reason="it ended"), "it ended", True),
        (READY, "the engine of `tiny` ended and is being restarted", True),
    ],
)
async def test_without_a_host_the_condition_is_told(
    socket: Path, condition: Condition, words: str, passes: bool
) -> None:
    engine = engine_at(socket, condition=condition)
    with pytest.raises(ModelUnavailable, match=words) as caught:
        await all_of(engine, EmbeddingInput(texts=("red",)))

    assert caught.value.passes == passes
    await engine.close()


class SlowEmbedder(Embedder):
    """Waits after its first batch until it is let go on; counts its batches."""

    def __init__(self, embedder: Embedder, loop: asyncio.AbstractEventLoop) -> None:
        self._embedder = embedder
        self._loop = loop
        self.go = asyncio.Event()
        self.batches = 0

    def read(self, asked: EmbedRequest) -> Iterator[ReadText]:
        return self._embedder.read(asked)

    def vectors(self, texts: Sequence[ReadText]) -> Iterator[list[bytes]]:
        for batch in self._embedder.vectors(texts):
            if self.batches:
                asyncio.run_coroutine_threadsafe(self.go.wait(), self._loop).result(10)
            self.batches += 1
            yield batch


SEVERAL_BATCHES = EmbeddingInput(texts=("red fox green",) * 400)


async def test_a_departed_caller_stops_the_work_after_the_batch_under_way(embedder: Embedder, socket: Path) -> None:
    slow = SlowEmbedder(embedder, asyncio.get_running_loop())
    async with serving(HostServer(EmbeddingService(slow), "s").runner(), engine_at(socket), socket) as engine:
        events = engine.run(prepared(SEVERAL_BATCHES))
        assert isinstance(await anext(events), Started)
        assert isinstance(await anext(events), Embedded)

        await events.aclose()
        slow.go.set()
        # A further call takes its turn only when the departed one's batch is over.
        others = await all_of(engine, EmbeddingInput(texts=("red",)))

        assert isinstance(others[-1], Finished)
        # The whole work is six batches: one was answered, one may have been under way, one is the further call's.
        assert slow.batches <= 3


async def test_a_host_that_says_nothing_more_times_out(embedder: Embedder, socket: Path) -> None:
    slow = SlowEmbedder(embedder, asyncio.get_running_loop())
    runner = HostServer(EmbeddingService(slow), "s").runner()
    async with serving(runner, engine_at(socket, silence_s=0.5), socket) as engine:
        with pytest.raises(EngineTimedOut):
            await all_of(engine, SEVERAL_BATCHES)
        slow.go.set()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def odd_host(handler: Handler, socket: Path) -> AsyncIterator[EmbedEngine]:
    app = web.Application()
    app.router.add_post("/embed", handler)
    async with serving(web.AppRunner(app), engine_at(socket), socket) as engine:
        yield engine


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"tokens":[5,6]}\n' + bytes(1536), "broke off in the middle of its answer"),
        (b'{"tokens":[5,6]}\n' + bytes(100), "broke off in the middle of its answer"),
        (b'{"tokens":[5', "broke off in the middle of its answer"),
        (b"hello\n", "sent what is no count of tokens"),
        (b"\xff\n", "sent what is no count of tokens"),
    ],
)
async def test_an_answer_that_is_none_or_ends_early_is_a_failure(socket: Path, body: bytes, words: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body)

    async with odd_host(answer, socket) as engine:
        with pytest.raises(EngineFailed, match=words):
            await all_of(engine, EmbeddingInput(texts=("red", "fox")))


async def test_a_refusal_without_a_reason_is_a_failure(socket: Path) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=422, body=b"?")

    async with odd_host(answer, socket) as engine:
        with pytest.raises(EngineFailed, match="refused a call without a reason"):
            await all_of(engine, EmbeddingInput(texts=("red",)))


async def test_what_a_host_adds_after_the_last_vector_is_left_aside(socket: Path) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"tokens":[5]}\n' + bytes(1536) + b"more")

    async with odd_host(answer, socket) as engine:
        events = await all_of(engine, EmbeddingInput(texts=("red",)))

    assert [type(event) for event in events] == [Started, Embedded, Finished]


async def test_a_door_with_nobody_behind_it_is_a_model_that_is_loading(socket: Path) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503, body=b"{}")

    async with odd_host(answer, socket) as engine:
        with pytest.raises(ModelUnavailable, match="`tiny` is loading"):
            await all_of(engine, EmbeddingInput(texts=("red",)))
