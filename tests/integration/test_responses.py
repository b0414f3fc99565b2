"""Responses, completions, embeddings and reranking over real sockets and the real books, with the official clients."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dashscope
import openai
import pytest

from qwenport.accounts import Accounts, ApiKeys, CreateAccount, CreateKey
from qwenport.core.call import Call, ChatInput, EmbeddingInput, PromptInput, RerankInput
from qwenport.core.caller import AccountKind
from qwenport.core.errors import EngineFailed
from qwenport.core.events import ChoiceFinished, Delta, Embedded, Event, Finished, FinishReason, Ranked, Started
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.storage import call_rows
from qwenport.storage.call_rows import CallFilter
from qwenport.testing.clock import FakeClock
from qwenport.testing.gateway import KEY, Gateway, Plan, bearer, running_gateway
from qwenport.testing.scripted_engine import ScriptedEngine, Step

T = TypeVar("T")

pytestmark = pytest.mark.anyio

CHAT = "llama/smollm2-135m-instruct"
VECTORS = "embed/multilingual-e5-small"
WEEK_S = 7 * 24 * 3600
USAGE = Usage(input_tokens=7, output_tokens=2)


def say(call: Call) -> Sequence[Step]:
    """Answer every kind of call; a chat is told how many messages it had."""
    started = Started(served_by=CHAT, input_tokens=7)
    match call.input:
        case ChatInput(messages=messages) if messages[-1].text == "break":
            return (started, Delta(text="1"), EngineFailed("the engine broke off"))
        case ChatInput(messages=messages):
            text = f"{len(messages)} messages"
        case PromptInput(prompt=prompt, suffix=suffix):
            text = f"{prompt}…{suffix}"
        case EmbeddingInput(texts=texts):
            vectors: list[Event] = [
                Embedded(index=index, vector=struct.pack("<2f", len(text), 0.5)) for index, text in enumerate(texts)
            ]
            return (started, *vectors, Finished(usage=Usage(input_tokens=7)))
        case RerankInput(documents=documents):
            scores: list[Event] = [Ranked(index=index, score=index / 10) for index in range(len(documents))]
            return (started, *scores, Finished(usage=Usage(input_tokens=7)))
    return (started, Delta(text=text), ChoiceFinished(reason=FinishReason.STOP, tokens=1), Finished(usage=USAGE))


@dataclass(frozen=True, kw_only=True)
class House:
    """A gateway and what asks it."""

    gateway: Gateway
    clock: FakeClock

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"

    def client(self, key: str = KEY, prefix: str = "/compatible-mode/v1") -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(api_key=key, base_url=f"{self.url}{prefix}", max_retries=0)

    async def stranger(self) -> str:
        """Return the key of another account."""
        parts = (self.gateway.database, self.clock, self.gateway.plan.ids)
        wish = CreateAccount(email="other@localhost", name="other", kind=AccountKind.METERED)
        account = Accounts(*parts).create("operator", wish)
        key = ApiKeys(*parts).create("operator", CreateKey(account_id=account.id))
        await self.gateway.keeper.follow()
        return key.key.reveal()

    async def post(self, path: str, body: object) -> tuple[int, bytes]:
        """Post JSON; returns status and body."""
        async with self.gateway.client() as client:
            answer = await client.ask("POST", path, bearer(), json.dumps(body).encode())
            return answer.status, answer.body


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    def script(prepared: PreparedCall) -> Sequence[Step]:
        return say(prepared.call)

    clock = FakeClock()
    engines = [ScriptedEngine(script, target=CHAT), ScriptedEngine(script, target=VECTORS)]
    async with running_gateway(tmp_path, Plan(engines=engines, clock=clock)) as running:
        yield House(gateway=running, clock=clock)
        await running.idle()
        assert running.journal.open_holds == {}


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


@pytest.mark.parametrize("prefix", ["/compatible-mode/v1", "/v1"])
async def test_a_conversation_goes_on_whole_and_streamed(house: House, prefix: str) -> None:
    async with house.client(prefix=prefix) as client:
        first = await client.responses.create(model="qwen-turbo", input="Hi", instructions="Be brief.")
        second = await client.responses.create(model="qwen-turbo", input="More", previous_response_id=first.id)
        async with client.responses.stream(model="qwen-turbo", input="And?", previous_response_id=second.id) as stream:
            third = await stream.get_final_response()
        found = await client.responses.retrieve(third.id)
        items = [item async for item in client.responses.input_items.list(third.id, order="asc")]

    assert [first.output_text, second.output_text, third.output_text] == ["2 messages", "3 messages", "5 messages"]
    assert (found.output_text, found.usage) == (third.output_text, third.usage)
    assert len(items) == 5


async def test_an_answer_belongs_to_its_account(house: House) -> None:
    async with house.client() as mine, house.client(await house.stranger()) as other:
        response = await mine.responses.create(model="qwen-turbo", input="Hi")
        with pytest.raises(openai.NotFoundError) as found:
            await other.responses.retrieve(response.id)
        with pytest.raises(openai.NotFoundError):
            await other.responses.create(model="qwen-turbo", input="Hi", previous_response_id=response.id)
        with pytest.raises(openai.NotFoundError):
            await other.responses.delete(response.id)
        kept = await mine.responses.retrieve(response.id)
        await mine.responses.delete(response.id)
        with pytest.raises(openai.NotFoundError):
            await mine.responses.retrieve(response.id)

    assert kept.id == response.id
    assert response.id in found.value.message


async def test_an_answer_expires_after_a_week(house: House) -> None:
    async with house.client() as client:
        response = await client.responses.create(model="qwen-turbo", input="Hi")
        house.clock.advance(WEEK_S - 1)
        kept = await client.responses.retrieve(response.id)
        house.clock.advance(1)
        with pytest.raises(openai.NotFoundError):
            await client.responses.create(model="qwen-turbo", input="Hi", previous_response_id=response.id)

    assert kept.id == response.id


async def collect(client: openai.AsyncOpenAI, seen: list[Any], **asked: Any) -> None:
    """Put the events of a streamed response, or the whole one, into a list."""
    answer: Any = await client.responses.create(model="qwen-turbo", **asked)
    if not asked.get("stream"):
        seen.append(answer)
        return
    async for event in answer:
        seen.append(event)  # noqa: PERF401 - what came before an error is wanted


async def test_a_failure_in_a_stream_is_raised_and_nothing_is_kept(house: House) -> None:
    seen: list[Any] = []
    async with house.client() as client:
        with pytest.raises(openai.APIError, match="the engine broke off"):
            await collect(client, seen, input="break", stream=True)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(seen[0].response.id)

    assert seen[-1].type == "response.failed"


@pytest.mark.parametrize("streams", [False, True])
async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(house: House, streams: bool) -> None:
    """It is settled; a client that was told to try again would pay twice."""
    seen: list[Any] = []
    path = house.gateway.folder / "qwenport.db"
    path.rename(path.with_suffix(".away"))
    async with house.client() as client:
        await collect(client, seen, input="Hi", stream=streams)
        path.with_suffix(".away").rename(path)
        answer = seen[-1].response if streams else seen[-1]
        assert answer.output_text == "1 messages"
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(answer.id)

    assert house.gateway.journal.open_holds == {}


async def test_a_response_is_billed_like_a_chat(house: House) -> None:
    async with house.client() as client:
        await client.responses.create(model="qwen-turbo", input="Hi")
    await house.gateway.idle()
    await house.gateway.keeper.post()
    with house.gateway.database.read() as transaction:
        (call,) = call_rows.newest(transaction, CallFilter(), 10)

    assert (call.operation, call.outcome, call.input_tokens, call.output_tokens) == ("responses", "finished", 7, 2)


async def test_a_gap_is_filled(house: House) -> None:
    async with house.client() as client:
        whole = await client.completions.create(model="qwen-coder-turbo", prompt="def f(", suffix="return 1")
        chunks = [
            chunk
            async for chunk in await client.completions.create(model="qwen-coder-turbo", prompt="let", stream=True)
        ]
        with pytest.raises(openai.NotFoundError, match="Unsupported model `qwen-turbo`"):
            await client.completions.create(model="qwen-turbo", prompt="def f(")

    assert whole.choices[0].text == "def f(…return 1"
    assert "".join(chunk.choices[0].text for chunk in chunks) == "let…"


async def test_texts_become_vectors_on_both_faces(house: House) -> None:
    async with house.client() as client:
        compatible = await client.embeddings.create(model="text-embedding-v4", input=["a", "bcd"])
        with pytest.raises(openai.BadRequestError, match="batch size is invalid"):
            await client.embeddings.create(model="text-embedding-v4", input=["x"] * 11)
        with pytest.raises(openai.NotFoundError):
            await client.embeddings.create(model="qwen-turbo", input="a")
    native: Any = await in_thread(
        lambda: dashscope.TextEmbedding.call(
            model="text-embedding-v4", input="bcd", api_key=KEY, base_address=f"{house.url}/api/v1"
        )
    )

    assert [item.embedding for item in compatible.data] == [[1.0, 0.5], [3.0, 0.5]]
    assert (native.status_code, native.output["embeddings"]) == (200, [{"text_index": 0, "embedding": [3.0, 0.5]}])


async def test_documents_are_ordered_on_both_faces(house: House) -> None:
    body = {"model": "qwen3-rerank", "query": "?", "documents": ["a", "b", "c"], "top_n": 2}
    status, compatible = await house.post("/compatible-api/v1/reranks", body)
    unknown = await house.post("/compatible-api/v1/nothing", body)
    native: Any = await in_thread(
        lambda: dashscope.TextReRank.call(
            model="qwen3-rerank",
            query="?",
            documents=["a", "b", "c"],
            top_n=1,
            return_documents=True,
            api_key=KEY,
            base_address=f"{house.url}/api/v1",
        )
    )

    best = [{"index": 2, "relevance_score": 0.2}, {"index": 1, "relevance_score": 0.1}]
    assert (status, json.loads(compatible)["results"]) == (200, best)
    assert native.output["results"] == [{"index": 2, "relevance_score": 0.2, "document": {"text": "c"}}]
    assert (unknown[0], json.loads(unknown[1])["code"]) == (404, "NotFound")
