"""The official `dashscope` client, 2.x interface, in its three protocols, blocking and asynchronous."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dashscope
import pytest
from dashscope.v2 import errors
from dashscope.v2.resources._jobs import Jobs

from qwenport.testing.scripts import CALLED, THOUGHT, TWICE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted
    from tests.conftest import Server

NewKey = Callable[..., str]
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]
BASES = {"anthropic": "/apps/anthropic", "native": "/api/v1", "openai": "/compatible-mode/v1"}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 12},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
NAMED: Any = {"type": "function", "function": {"name": "get_weather"}}
BOTH: list[Any] = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]
QWENS_THINKING = {"enable_thinking": True, "thinking_budget": 1024}
THINKING: dict[str, dict[str, Any]] = {
    "anthropic": {"parameters": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
}
"""How thinking is asked for where the protocol has its own words."""


@pytest.fixture(params=sorted(BASES))
def settings(request: pytest.FixtureRequest, live: Server) -> dict[str, Any]:
    """Give what a client of one protocol is made with."""
    return {
        "api_key": live.key,
        "base_url": live.url + BASES[request.param],
        "protocol": request.param,
        "max_retries": 0,
    }


@pytest.fixture
def client(settings: dict[str, Any]) -> Iterator[Any]:
    with dashscope.Client(**settings) as client:
        yield client


def test_a_call_is_answered(client: Any) -> None:
    completion = client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=6)

    assert completion.output_text
    assert completion.choices[0].message.role == "assistant"
    assert completion.usage.total_tokens > 0
    assert len(completion.request_id.removeprefix("chatcmpl-").removeprefix("msg_")) == 36


def test_a_stream_holds_the_text_of_the_whole_answer(client: Any) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 6, "top_k": 1}
    whole = client.chat.completions.create(**call)
    chunks = list(client.chat.completions.create(**call, stream=True))

    assert "".join(chunk.delta.content or "" for chunk in chunks if chunk.delta) == whole.output_text
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] in {"stop", "length"}


def test_errors_have_the_classes_of_their_codes(client: Any) -> None:
    with pytest.raises(errors.NotFoundError):
        client.chat.completions.create(model="gpt-4", messages=HELLO)
    with pytest.raises(errors.BadRequestError, match=r"Temperature should be in \[0.0, 2.0\)"):
        client.chat.completions.create(model="qwen-plus", messages=HELLO, temperature=2.0)
    with pytest.raises(errors.BadRequestError, match=r"Range of top_p should be \(0.0, 1.0\]"):
        list(client.chat.completions.create(model="qwen-plus", messages=HELLO, top_p=1.5, stream=True))


def test_a_key_that_is_not_valid_is_refused(settings: dict[str, Any], new_key: NewKey) -> None:
    with (
        dashscope.Client(**{**settings, "api_key": new_key("disabled")}) as client,
        pytest.raises(errors.AuthenticationError),
    ):
        client.chat.completions.create(model="qwen-plus", messages=HELLO)


def test_asynchronous_calls_are_answered_whole_and_streamed(settings: dict[str, Any]) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 6, "top_k": 1}

    async def ask() -> tuple[str, str]:
        async with dashscope.AsyncClient(**settings) as client:
            whole: Any = await client.chat.completions.create(**call)
            stream: Any = await client.chat.completions.create(**call, stream=True)
            pieces = [chunk.delta.content or "" async for chunk in stream if chunk.delta]
            return whole.output_text, "".join(pieces)

    whole, streamed = asyncio.run(ask())

    assert streamed == whole


def test_models_are_listed_by_the_native_client(live: Server) -> None:
    with dashscope.Client(api_key=live.key, base_url=f"{live.url}/api/v1", protocol="native") as client:
        page: Any = client.models.list(page_no=1, page_size=100)

    assert {"qwen-plus", "qwen-turbo"} <= {model.model for model in page.models}
    assert page.total_count == len(page.models)


def handed_back(message: Any) -> dict[str, Any]:
    """Return an answer as a message of the next call, which the client does not make of it itself."""
    dumped: dict[str, Any] = message.model_dump(exclude_none=True)
    return dumped


@pytest.mark.parametrize("stream", [False, True])
def test_a_round_of_tools_is_a_real_call_its_result_and_an_answer(client: Any, stream: bool) -> None:
    create = client.chat.completions.create
    call: dict[str, Any] = {"model": "qwen-plus", "tools": [WEATHER], "temperature": 0}
    answer = create(messages=HELLO, tool_choice=NAMED, max_tokens=40, stream=stream, **call)
    choice = (answer.get_final_message() if stream else answer).choices[0]
    (asked,) = choice.message.tool_calls
    arguments = json.loads(asked.function.arguments)
    result = {"role": "tool", "tool_call_id": asked.id, "content": "Sunny, 21 degrees."}
    last = create(messages=[*HELLO, handed_back(choice.message), result], max_tokens=6, **call)

    assert (choice.finish_reason, asked.function.name) == ("tool_calls", "get_weather")
    assert sorted(arguments) == ["city", "unit"]
    assert arguments["unit"] in {"celsius", "fahrenheit"}
    assert last.output_text


def test_an_answer_follows_its_schema(client: Any, settings: dict[str, Any]) -> None:
    shape = {"name": "weather", "schema": WEATHER["function"]["parameters"], "strict": True}
    call: dict[str, Any] = {
        "model": "qwen-plus",
        "messages": HELLO,
        "response_format": {"type": "json_schema", "json_schema": shape},
        "top_k": 1,
        "max_tokens": 150,
    }
    if settings["protocol"] == "anthropic":
        # The client itself has no word for it there, and asks nobody.
        with pytest.raises(errors.BadRequestError, match="not supported by protocol='anthropic'"):
            client.chat.completions.create(**call)
        return

    assert sorted(json.loads(client.chat.completions.create(**call).output_text)) == ["city", "unit"]


def test_a_conversation_of_several_turns_goes_on(client: Any) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "max_tokens": 6}
    first = client.chat.completions.create(messages=HELLO, **call)
    messages = [*HELLO, handed_back(first.choices[0].message), {"role": "user", "content": "And again."}]
    second = client.chat.completions.create(messages=messages, **call)

    assert second.output_text
    assert second.usage.total_tokens > first.usage.total_tokens


def test_texts_become_vectors_and_documents_are_ordered(live: Server) -> None:
    documents = ["The stock market fell sharply.", "一只猫在沙发上睡觉。"]
    with dashscope.Client(api_key=live.key, base_url=f"{live.url}/api/v1", protocol="native") as client:
        vectors: Any = client.embeddings.create(model="multilingual-e5-small", input=documents)
        ranked: Any = client.rerank.create(
            model="qwen3-rerank", query="Where does the cat sleep?", documents=documents, top_n=1
        )

    assert [len(each.embedding) for each in vectors.embeddings] == [384, 384]
    assert [each.index for each in ranked.results] == [1]


# --- with a script ---


@pytest.fixture(params=sorted(BASES))
def scripted_settings(request: pytest.FixtureRequest, scripted: Scripted) -> dict[str, Any]:
    base_url = scripted.url + BASES[request.param]
    return {"api_key": scripted.key, "base_url": base_url, "protocol": request.param, "max_retries": 0}


@pytest.fixture
def scripted_client(scripted_settings: dict[str, Any]) -> Iterator[Any]:
    with dashscope.Client(**scripted_settings) as client:
        yield client


@pytest.fixture
def native(scripted: Scripted) -> Iterator[Any]:
    """Give the client of the native protocol, the only one that has more than chat."""
    with dashscope.Client(api_key=scripted.key, base_url=f"{scripted.url}/api/v1", protocol="native") as client:
        yield client


def test_thoughts_stream_before_the_text(scripted: Scripted, scripted_client: Any) -> None:
    scripted.say("Say hello.", *THOUGHT)
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 2000}
    thinking = THINKING.get(scripted_client._config.protocol, QWENS_THINKING)
    stream = scripted_client.chat.completions.create(**call, **thinking, stream=True)
    message = stream.get_final_message().choices[0].message

    assert (message.reasoning_content, message.content) == ("So what?", "Hello")
    assert (scripted.conversation.thinking, scripted.conversation.thinking_budget) == (True, 1024)


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_calls_are_told_apart(scripted: Scripted, scripted_client: Any, stream: bool) -> None:
    scripted.say("Say hello.", *CALLED)
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 64, "tools": BOTH}
    answer = scripted_client.chat.completions.create(**call, stream=stream)
    message = (answer.get_final_message() if stream else answer).choices[0].message

    assert [(asked.id, asked.function.name, json.loads(asked.function.arguments)) for asked in message.tool_calls] == [
        ("call_1", "weather", {"city": "Ulm"}),
        ("call_2", "time", {}),
    ]


def test_several_choices_are_told_apart(scripted: Scripted, scripted_client: Any) -> None:
    scripted.say("Say hello.", *TWICE)
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 64, "n": 2}
    if scripted_client._config.protocol == "anthropic":
        # The protocol has one choice; the client itself says so.
        with pytest.raises(errors.BadRequestError, match="not supported by protocol='anthropic'"):
            scripted_client.chat.completions.create(**call)
        return
    answer = scripted_client.chat.completions.create(**call)

    assert [(choice.index, choice.message.content) for choice in answer.choices] == [(0, "a"), (1, "b")]


def test_a_local_image_is_seen(scripted: Scripted, scripted_client: Any, picture: Path, picture_url: str) -> None:
    # Only the native protocol uploads files; the others take the bytes in the address.
    image = str(picture) if scripted_client._config.protocol == "native" else picture_url
    parts = [{"image": image}, {"text": "What is it?"}]
    answer = scripted_client.chat.completions.create(
        model="qwen-vl-max", messages=[{"role": "user", "content": parts}], max_tokens=64
    )

    assert answer.output_text == "Hello\n\n你"
    assert scripted.seen == [picture.read_bytes()]


def test_the_asynchronous_client_sees_the_same(
    scripted: Scripted, scripted_settings: dict[str, Any], picture_url: str
) -> None:
    scripted.say("think", *THOUGHT)
    scripted.say("tools", *CALLED)

    async def ask() -> tuple[Any, Any]:
        async with dashscope.AsyncClient(**scripted_settings) as client:
            create: Any = client.chat.completions.create
            call: dict[str, Any] = {"model": "qwen-plus", "max_tokens": 2000}
            thinking = THINKING.get(scripted_settings["protocol"], QWENS_THINKING)
            question = [{"role": "user", "content": "think"}]
            think = await create(messages=question, stream=True, **call, **thinking)
            thought = await think.get_final_message()
            called = await create(messages=[{"role": "user", "content": "tools"}], tools=BOTH, **call)
            parts = [{"image": picture_url}, {"text": "What is it?"}]
            await create(model="qwen-vl-max", messages=[{"role": "user", "content": parts}], max_tokens=64)
            with pytest.raises(errors.NotFoundError):
                await create(messages=HELLO, model="gpt-4", max_tokens=64)
            return thought.choices[0].message, called.choices[0].message

    thought, called = asyncio.run(ask())

    assert (thought.reasoning_content, thought.content) == ("So what?", "Hello")
    assert [asked.function.name for asked in called.tool_calls] == ["weather", "time"]
    assert len(scripted.seen) == 1


def test_files_tokens_models_and_tasks_are_had(native: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("some text")
    made = native.files.upload(file_path=str(path), purpose="inference")
    found = native.files.get(made.file_id)
    gone = native.files.delete(made.file_id)
    tokens = native.tokenization.count(model="qwen-turbo", prompt="Hello, 你好!")

    assert (found.name, found.size, gone.deleted) == ("a.txt", 9, True)
    with pytest.raises(errors.NotFoundError):
        native.files.get(made.file_id)
    assert tokens.token_ids == dashscope.get_tokenizer("qwen-turbo").encode("Hello, 你好!")
    assert native.models.get("qwen-plus").model == "qwen-plus"
    assert Jobs(native, "aigc/text2image/image-synthesis").fetch("8a-1").finished


def test_asynchronous_work_beside_chat_is_had(scripted: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("some text")

    async def ask() -> tuple[Any, ...]:
        url = f"{scripted.url}/api/v1"
        client: Any
        async with dashscope.AsyncClient(api_key=scripted.key, base_url=url, protocol="native") as client:
            made = await client.files.upload(file_path=str(path), purpose="inference")
            gone = await client.files.delete(made.file_id)
            tokens = await client.tokenization.count(model="qwen-turbo", prompt="Hi")
            vectors = await client.embeddings.create(model="multilingual-e5-small", input="Hi")
            ranked = await client.rerank.create(model="qwen3-rerank", query="?", documents=["a", "b"])
            models = await client.models.list(page_size=100)
            return gone.deleted, tokens.input_tokens, vectors, ranked, models

    is_deleted, tokens, vectors, ranked, models = asyncio.run(ask())

    assert (is_deleted, tokens) == (True, 1)
    assert vectors.embeddings[0].embedding == [float(n) for n in range(4)]
    assert [(each.index, each.relevance_score) for each in ranked.results] == [(0, 1.0), (1, 0.5)]
    assert "qwen-plus" in {model.model for model in models.models}
