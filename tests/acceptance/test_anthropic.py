"""The official `anthropic` client, and `dashscope` in its Anthropic protocol, against a gateway on a real socket.

At first everything is real but for the engine, which follows a script; what it was asked is looked at too. The last
tests ask the real small model.
"""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import dashscope
import httpx2
import pydantic
import pytest

from qwenport.catalog.vocabulary import QWEN_VOCABULARY
from qwenport.catalog.weights import WeightsStore
from qwenport.core.call import Call, ChatInput, JsonSchema
from qwenport.core.content import Message, Picture, Role, TextPart
from qwenport.core.errors import EngineFailed, EngineTimedOut, Overloaded, QuotaExceeded, QwenportError, RateExceeded
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Reasoning, Started, ToolCallDelta
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.core.usage import Usage
from qwenport.server.response import Patience
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait
from qwenport.testing.scripts import THOUGHT

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted
    from tests.conftest import Server

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
ID = "00000000-0000-9000-8000-000000000001"
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]
STARTED = Started(served_by=TARGET, input_tokens=7, cached_tokens=3)
STOPPED = ChoiceFinished(reason=FinishReason.STOP, tokens=1)
FINISHED = Finished(usage=Usage(input_tokens=7, output_tokens=3, cached_tokens=3))
GOOD: tuple[Step, ...] = (STARTED, Delta(text="Hel"), Delta(text="lo."), STOPPED, FINISHED)
WEATHER: Any = {
    "name": "weather",
    "description": "Tells the weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class House:
    """A gateway, its engine, and clients of it."""

    def __init__(self, gateway: Gateway, engine: ScriptedEngine) -> None:
        self.gateway = gateway
        self.engine = engine
        self.url = f"http://127.0.0.1:{gateway.port}/apps/anthropic"

    def client(self, **settings: Any) -> anthropic.AsyncAnthropic:
        """Give a client that does not try again."""
        return anthropic.AsyncAnthropic(**{"api_key": KEY, "base_url": self.url, "max_retries": 0, **settings})

    @property
    def asked(self) -> Call:
        """Return the latest call that the engine got."""
        return self.engine.calls[-1].call

    @property
    def chat(self) -> ChatInput:
        """Return what the engine was asked last."""
        assert isinstance(self.asked.input, ChatInput)
        return self.asked.input


Open = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    @asynccontextmanager
    async def run(*steps: Step, **plan: Any) -> AsyncIterator[House]:
        engine = ScriptedEngine(lambda _: steps or GOOD, target=TARGET)
        async with running_gateway(tmp_path, Plan(engines=[engine], **plan)) as gateway:
            yield House(gateway, engine)

    return run


async def final(client: anthropic.AsyncAnthropic, **extra: Any) -> anthropic.types.Message:
    """Return what a stream adds up to."""
    async with client.messages.stream(**{"model": "qwen-plus", "max_tokens": 64, "messages": HELLO, **extra}) as stream:
        return await stream.get_final_message()


def content_of(message: anthropic.types.Message) -> list[dict[str, Any]]:
    return [block.model_dump(exclude_none=True) for block in message.content]


async def refusal(client: anthropic.AsyncAnthropic, **call: Any) -> anthropic.APIStatusError:
    """Return the error that a call is refused with."""
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(**{"model": "qwen-plus", "max_tokens": 64, "messages": HELLO, **call})
    return caught.value


@pytest.mark.parametrize(
    "key",
    [{}, {"default_headers": {"X-Api-Key": KEY, "Authorization": anthropic.Omit()}}],
    ids=["bearer", "x-api-key"],
)
async def test_a_call_is_answered(opened: Open, key: dict[str, Any]) -> None:
    async with opened() as house, house.client(**key) as client:
        raw = await client.messages.with_raw_response.create(model="qwen-plus", max_tokens=64, messages=HELLO)
        message = await raw.parse()

    assert message.to_dict() == {
        "id": f"msg_{ID}",
        "type": "message",
        "role": "assistant",
        "model": "qwen-plus",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 4,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 3,
            "output_tokens": 3,
        },
    }
    assert (message._request_id, raw.headers["x-request-id"]) == (ID, ID)
    assert raw.headers["x-qwenport-served-by"] == f"{TARGET}; stand-in"


async def test_a_stream_holds_the_text_of_the_whole_answer(opened: Open) -> None:
    async with opened() as house, house.client() as client:
        whole = await client.messages.create(model="qwen-plus", max_tokens=64, messages=HELLO)
        async with client.messages.stream(model="qwen-plus", max_tokens=64, messages=HELLO) as stream:
            texts = [text async for text in stream.text_stream]
            streamed = await stream.get_final_message()

    assert texts == ["Hel", "lo."]
    assert content_of(streamed) == content_of(whole)
    assert (streamed.usage, streamed.stop_reason) == (whole.usage, "end_turn")


async def test_a_conversation_goes_on(opened: Open) -> None:
    async with opened() as house, house.client() as client:
        first = await client.messages.create(
            model="qwen-plus",
            max_tokens=64,
            messages=HELLO,
            system="Be brief.",
            stop_sequences=["X"],
            extra_body={"temperature": 0.5},
        )
        await client.messages.create(
            model="qwen-plus", max_tokens=64, messages=[*HELLO, first.to_param(), {"role": "user", "content": "Again."}]
        )
        once, again = (prepared.call for prepared in house.engine.calls)

    assert (once.sampling.temperature, once.sampling.stop, once.sampling.max_tokens) == (0.5, ("X",), 64)
    assert isinstance(once.input, ChatInput)
    assert once.input.messages[0] == Message(role=Role.SYSTEM, content="Be brief.")
    assert isinstance(again.input, ChatInput)
    assert again.input.messages == (
        Message(role=Role.USER, content="Say hello."),
        Message(role=Role.ASSISTANT, content="Hello."),
        Message(role=Role.USER, content="Again."),
    )


CALLING: tuple[Step, ...] = (
    STARTED,
    Delta(text="Let me look."),
    ToolCallDelta(index=0, id="call_a", name="weather", arguments='{"city"'),
    ToolCallDelta(index=0, arguments=': "Ulm"}'),
    ChoiceFinished(reason=FinishReason.TOOL_CALLS),
    FINISHED,
)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_round_of_tools(opened: Open, stream: bool) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "max_tokens": 64, "messages": HELLO, "tools": [WEATHER]}
    async with opened(*CALLING) as house, house.client() as client:
        asked = await (final(client, **call) if stream else client.messages.create(**call))
        offered = house.chat
        house.engine.script = lambda _: GOOD
        result = {"type": "tool_result", "tool_use_id": "call_a", "content": [{"type": "text", "text": "sunny"}]}
        messages = [*HELLO, asked.to_param(), {"role": "user", "content": [result]}]
        answer = await client.messages.create(**{**call, "messages": messages})
        handed = house.chat.messages

    assert asked.stop_reason == "tool_use"
    assert content_of(asked) == [
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Ulm"}},
    ]
    schema = json.dumps(WEATHER["input_schema"], separators=(",", ":")).encode()
    assert offered.tools == (Tool(name="weather", description="Tells the weather of a city.", parameters=schema),)
    assert handed[1:] == (
        Message(
            role=Role.ASSISTANT,
            content="Let me look.",
            tool_calls=(ToolCall(id="call_a", name="weather", arguments='{"city":"Ulm"}'),),
        ),
        Message(role=Role.TOOL, content="sunny", tool_call_id="call_a"),
    )
    assert content_of(answer) == [{"type": "text", "text": "Hello."}]


async def test_a_tool_can_be_named(opened: Open) -> None:
    choice: Any = {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}
    async with opened(*CALLING) as house, house.client() as client:
        await final(client, tools=[WEATHER], tool_choice=choice)

        assert house.chat.tool_choice == ToolChoice(use=ToolUse.NAMED, name="weather")
        assert not house.chat.parallel_tool_calls


async def test_thinking_comes_before_the_answer(opened: Open) -> None:
    steps: Sequence[Step] = (STARTED, Reasoning(text="Hm"), Reasoning(text="m."), *GOOD[1:])
    async with opened(*steps) as house, house.client() as client:
        message = await final(client, max_tokens=2048, thinking={"type": "enabled", "budget_tokens": 1024})

        assert (house.chat.thinking, house.chat.thinking_budget) == (True, 1024)
    assert content_of(message) == [
        {"type": "thinking", "thinking": "Hmm.", "signature": ""},
        {"type": "text", "text": "Hello."},
    ]


class Fruit(pydantic.BaseModel):
    name: str
    price: int


async def test_an_answer_follows_a_schema(opened: Open) -> None:
    steps: Sequence[Step] = (STARTED, Delta(text='{"name":"apple",'), Delta(text='"price":3}'), STOPPED, FINISHED)
    async with opened(*steps) as house, house.client() as client:
        message = await client.messages.parse(model="qwen-plus", max_tokens=64, messages=HELLO, output_format=Fruit)
        asked = house.chat.json

    assert message.parsed_output == Fruit(name="apple", price=3)
    assert isinstance(asked, JsonSchema)
    assert sorted(json.loads(asked.schema)["properties"]) == ["name", "price"]


def png(width: int, height: int) -> bytes:
    """Return a black image."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 + width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def test_a_local_image_is_seen(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "black.png"
    path.write_bytes(png(64, 32))
    image: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": path}}
    question: Any = {"type": "text", "text": "What is this?"}
    async with opened() as house, house.client() as client:
        await client.messages.create(
            model="qwen-vl-max", max_tokens=64, messages=[{"role": "user", "content": [image, question]}]
        )
        content = house.chat.messages[0].content

    assert isinstance(content, tuple)
    picture, text = content
    assert isinstance(picture, Picture)
    assert (picture.data, picture.media_type, picture.width, picture.height) == (path.read_bytes(), "image/png", 64, 32)
    assert text == TextPart(text="What is this?")


async def test_a_prefilled_answer_goes_on(opened: Open) -> None:
    messages = [*HELLO, {"role": "assistant", "content": "Hel"}]
    async with opened() as house, house.client() as client:
        await client.messages.create(model="qwen-plus", max_tokens=64, messages=messages)

        assert house.chat.messages[-1] == Message(role=Role.ASSISTANT, content="Hel", is_partial=True)


CACHED = {"cache_control": {"type": "ephemeral"}}
CLAUDE_CODE: dict[str, Any] = {
    "model": "qwen-plus",
    "max_tokens": 8192,
    "stream": True,
    "temperature": 1,
    "metadata": {"user_id": "user_0_account__session_0"},
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "medium"},
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1;"},
        {"type": "text", "text": "You are Claude Code.", **CACHED},
    ],
    "tools": [
        {
            "name": "Read",
            "description": "Reads a file.",
            "input_schema": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {"file_path": {"type": "string"}},
                "required": ["file_path"],
                "additionalProperties": False,
            },
            "eager_input_streaming": True,
        }
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "What is in a.txt?", **CACHED}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I must read it.", "signature": ""},
                {"type": "tool_use", "id": "call_a", "name": "Read", "input": {"file_path": "/a.txt"}},
                {"type": "tool_use", "id": "call_b", "name": "Read", "input": {"file_path": "/b.txt"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_a", "content": "Hello."},
                {
                    "type": "tool_result",
                    "tool_use_id": "call_b",
                    "content": [{"type": "text", "text": "File does not exist."}],
                    "is_error": True,
                    **CACHED,
                },
            ],
        },
    ],
}


async def test_what_claude_code_sends_is_understood(opened: Open) -> None:
    headers = {
        "authorization": f"Bearer {KEY}",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
        "x-app": "cli",
    }
    async with opened() as house, httpx2.AsyncClient() as client:
        answer = await client.post(f"{house.url}/v1/messages?beta=true", json=CLAUDE_CODE, headers=headers)
        messages = house.chat.messages

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream;charset=UTF-8")
    assert [line for line in answer.text.splitlines() if line.startswith("event:")] == [
        "event: message_start",
        "event: ping",
        "event: content_block_start",
        "event: content_block_delta",
        "event: content_block_delta",
        "event: content_block_stop",
        "event: message_delta",
        "event: message_stop",
    ]
    assert messages == (
        Message(role=Role.SYSTEM, content="x-anthropic-billing-header: cc_version=2.1;You are Claude Code."),
        Message(role=Role.USER, content="What is in a.txt?"),
        Message(
            role=Role.ASSISTANT,
            reasoning="I must read it.",
            tool_calls=(
                ToolCall(id="call_a", name="Read", arguments='{"file_path":"/a.txt"}'),
                ToolCall(id="call_b", name="Read", arguments='{"file_path":"/b.txt"}'),
            ),
        ),
        Message(role=Role.TOOL, content="Hello.", tool_call_id="call_a"),
        Message(role=Role.TOOL, content="Error: File does not exist.", tool_call_id="call_b"),
    )


async def test_tokens_are_counted_by_qwens_vocabulary(opened: Open, tmp_path: Path) -> None:
    shipped = files("dashscope") / "resources" / "qwen.tiktoken"
    store = WeightsStore(tmp_path / "models")
    store.path(QWEN_VOCABULARY).parent.mkdir()
    store.path(QWEN_VOCABULARY).write_bytes(shipped.read_bytes())
    async with opened() as house, house.client() as client:
        plain = await client.messages.count_tokens(model="qwen-plus", messages=HELLO)
        more = await client.messages.count_tokens(
            model="qwen-plus", messages=HELLO, system="Be brief.", tools=[WEATHER]
        )

        assert house.engine.calls == []
    assert 3 < plain.input_tokens < more.input_tokens


async def test_a_key_is_asked_for_and_looked_at(opened: Open) -> None:
    async with opened() as house, house.client(api_key="sk-0123456789abcdef") as stranger:
        wrong = await refusal(stranger)
        missing = await refusal(stranger, extra_headers={"Authorization": anthropic.Omit()})

    assert (type(wrong), wrong.type) == (anthropic.AuthenticationError, "authentication_error")
    assert (type(missing), missing.type) == (anthropic.AuthenticationError, "authentication_error")
    assert (wrong.api_message, missing.api_message) == ("Invalid API-key provided.", "No API-key provided.")


async def test_an_unknown_model_and_an_unknown_address_are_not_found(opened: Open) -> None:
    async with opened() as house, house.client() as client:
        model = await refusal(client, model="claude-opus-4-5", max_tokens=64)
        with pytest.raises(anthropic.NotFoundError) as address:
            await client.models.list()

    assert (type(model), model.type) == (anthropic.NotFoundError, "not_found_error")
    assert model.api_message == "The model `claude-opus-4-5` does not exist or you do not have access to it."
    assert (address.value.type, address.value.api_message) == ("not_found_error", "Not found!")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"max_tokens": 0}, "Range of max_tokens should be [1, 8192]"),
        ({"max_tokens": 8193}, "Range of max_tokens should be [1, 8192]"),
        ({"temperature": 2}, "Temperature should be in [0.0, 2.0)"),
        ({"top_p": 0}, "Range of top_p should be (0.0, 1.0]"),
        ({"messages": []}, "messages: at least one message is required"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "any"}},
            'tool_choice is one of the strings that should be ["none", "auto"]',
        ),
    ],
)
async def test_what_is_asked_wrongly_is_refused_in_words(
    opened: Open, call: dict[str, Any], words: str, stream: bool
) -> None:
    # The client itself would warn of parameters that Claude no longer takes.
    async with opened() as house, house.client() as client:
        error = await refusal(client, stream=stream, extra_body=call)

        assert house.engine.calls == []
    assert (type(error), error.type) == (anthropic.BadRequestError, "invalid_request_error")
    assert error.api_message == words
    assert error.request_id == ID


async def test_thinking_of_a_hybrid_model_needs_a_stream(opened: Open) -> None:
    async with opened() as house, house.client() as client:
        error = await refusal(client, thinking={"type": "enabled", "budget_tokens": 32})

    assert error.api_message == "parameter.enable_thinking must be set to false for non-streaming calls"


@pytest.mark.parametrize(
    ("error", "seen", "kind", "requests"),
    [
        (EngineFailed("the engine broke off"), anthropic.InternalServerError, "api_error", 3),
        (EngineTimedOut(), anthropic.InternalServerError, "timeout_error", 3),
        (Overloaded(), anthropic.ServiceUnavailableError, "overloaded_error", 3),
        (RateExceeded(), anthropic.RateLimitError, "rate_limit_error", 3),
        (QuotaExceeded(retry_after_s=40_000), anthropic.RateLimitError, "rate_limit_error", 1),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_fails_before_the_first_event_is_tried_again_by_the_client(
    opened: Open, error: QwenportError, seen: type[anthropic.APIStatusError], kind: str, requests: int
) -> None:
    async with opened(error) as house, house.client(max_retries=2) as client:
        raised = await refusal(client, stream=True)
        asked = len(house.engine.calls)

    assert (type(raised), raised.type, asked) == (seen, kind, requests)


async def test_what_fails_later_is_told_inside_the_stream(opened: Open) -> None:
    async with opened(*GOOD[:2], EngineFailed("the engine broke off")) as house, house.client() as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await final(client)

    assert (caught.value.type, caught.value.api_message) == ("api_error", "the engine broke off")


async def test_comments_into_silence_are_not_seen(opened: Open) -> None:
    silence = Wait()
    patience = Patience(keep_alive_s=0.02, drain_s=1.0)
    async with opened(silence, *GOOD, patience=patience) as house, house.client() as client:
        asking = asyncio.create_task(final(client))
        await silence.arrives()
        async with house.gateway.client() as other:
            await other.send(
                b"POST /apps/anthropic/v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: %b\r\ncontent-length: %d\r\n\r\n%b"
                % (KEY.encode(), len(STREAMED_HELLO), STREAMED_HELLO)
            )
            await other.head()
            assert await other.chunk() == b": keep-alive\n\n"
        silence.go.set()
        message = await asking

    assert content_of(message) == [{"type": "text", "text": "Hello."}]


STREAMED_HELLO = json.dumps({"model": "qwen-plus", "max_tokens": 64, "messages": HELLO, "stream": True}).encode()


@pytest.mark.parametrize("stream", [False, True])
async def test_dashscope_speaks_this_protocol_too(opened: Open, stream: bool) -> None:
    async with opened(*CALLING) as house:

        def ask() -> tuple[Any, ...]:
            tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER["input_schema"]}}
            client: Any
            with dashscope.Client(api_key=KEY, base_url=house.url, protocol="anthropic", max_retries=0) as client:
                answer = client.chat.completions.create(
                    model="qwen-plus", messages=HELLO, max_tokens=64, tools=[tool], stream=stream
                )
                if not stream:
                    call = answer.choices[0].message.tool_calls[0]
                    return answer.output_text, call.function.name, json.loads(call.function.arguments)
                deltas = [chunk.delta for chunk in answer if chunk.delta]
                # Each chunk of this client holds the arguments as far as they have come.
                calls = [call for delta in deltas for call in delta.tool_calls or ()]
                text = "".join(delta.content or "" for delta in deltas)
                return text, calls[0].function.name, json.loads(calls[-1].function.arguments)

        assert await asyncio.to_thread(ask) == ("Let me look.", "weather", {"city": "Ulm"})


# --- with the real small model, blocking ---


@pytest.fixture
def client(live: Server) -> Iterator[anthropic.Anthropic]:
    url = f"{live.url}/apps/anthropic"
    with anthropic.Anthropic(api_key=live.key, base_url=url, max_retries=0) as opened:
        yield opened


def test_the_small_model_answers_whole_and_streamed(client: anthropic.Anthropic) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "max_tokens": 6, "messages": HELLO, "extra_body": {"top_k": 1}}
    whole = client.messages.create(**call)
    with client.messages.stream(**call) as stream:
        text = "".join(stream.text_stream)
        streamed = stream.get_final_message()

    assert text
    assert content_of(streamed) == content_of(whole) == [{"type": "text", "text": text}]
    assert (whole.stop_reason, whole.usage.output_tokens) == ("max_tokens", 6)


@pytest.mark.parametrize("streams", [False, True])
def test_the_small_model_calls_a_tool_and_answers_its_result(client: anthropic.Anthropic, streams: bool) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    }
    tool = {"name": "get_weather", "description": "Tells the weather of a city.", "input_schema": schema}
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "tools": [tool], "extra_body": {"top_k": 1}}
    named: Any = {"type": "tool", "name": "get_weather"}
    if streams:
        with client.messages.stream(**call, tool_choice=named, max_tokens=40) as stream:
            asked = stream.get_final_message()
    else:
        asked = client.messages.create(**call, tool_choice=named, max_tokens=40)
    (use,) = (block for block in asked.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "Sunny, 21 degrees."}
    messages = [*HELLO, asked.to_param(), {"role": "user", "content": [result]}]
    answer = client.messages.create(**{**call, "messages": messages}, max_tokens=6)

    assert (asked.stop_reason, use.name, sorted(use.input)) == ("tool_use", "get_weather", ["city", "unit"])
    assert use.input["unit"] in {"celsius", "fahrenheit"}
    assert [block.type for block in answer.content] == ["text"]


def test_the_small_model_follows_a_schema_and_goes_on(client: anthropic.Anthropic) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "extra_body": {"top_k": 1}}
    parsed = client.messages.parse(messages=HELLO, output_format=Fruit, max_tokens=200, **call)
    messages = [*HELLO, parsed.to_param(), {"role": "user", "content": "And again."}]
    again = client.messages.create(messages=messages, max_tokens=6, **call)

    assert isinstance(parsed.parsed_output, Fruit)
    assert content_of(again)[0]["text"]


def test_a_blocking_client_thinks_and_sees(scripted: Scripted, picture: Path) -> None:
    scripted.say("Say hello.", *THOUGHT)
    image: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}
    url = f"{scripted.url}/apps/anthropic"
    with anthropic.Anthropic(api_key=scripted.key, base_url=url, max_retries=0) as client:
        call: dict[str, Any] = {"model": "qwen-plus", "max_tokens": 2048, "messages": HELLO}
        with client.messages.stream(**call, thinking={"type": "enabled", "budget_tokens": 1024}) as stream:
            kinds = [event.type for event in stream]
            thought = stream.get_final_message()
        counted = client.messages.count_tokens(model="qwen-plus", messages=HELLO)
        client.messages.create(model="qwen-vl-max", max_tokens=9, messages=[{"role": "user", "content": [image]}])

    assert content_of(thought) == [
        {"type": "thinking", "thinking": "So what?", "signature": ""},
        {"type": "text", "text": "Hello"},
    ]
    assert kinds.count("thinking") == 2
    assert counted.input_tokens > 3
    assert scripted.seen == [picture.read_bytes()]
