"""The OpenAI face's bytes through the official client, without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from qwenport.faces.face import Cards
from qwenport.faces.openai import OPENAI
from qwenport.testing.scripted_face import ScriptedFace
from qwenport.testing.scripts import BROKEN, CALLED, THOUGHT

HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
TOOLS: list[Any] = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]
CALLS = [("call_1", "weather", '{"city":"Ulm"}'), ("call_2", "time", "{}")]


@pytest.fixture
def face(cards: Cards) -> ScriptedFace:
    return ScriptedFace(OPENAI, cards)


@pytest.fixture
def client(face: ScriptedFace, connect_openai: Callable[[ScriptedFace], openai.OpenAI]) -> openai.OpenAI:
    return connect_openai(face)


def test_openai_reads_a_whole_answer(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="qwen-plus", messages=HELLO)

    assert completion.to_dict() == {
        "choices": [
            {
                "message": {"content": "Hello\n\n你", "role": "assistant"},
                "finish_reason": "stop",
                "index": 0,
                "logprobs": None,
            }
        ],
        "object": "chat.completion",
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 3},
        },
        "created": 1767225600,
        "system_fingerprint": None,
        "model": "qwen-plus",
        "id": "chatcmpl-00000000-0000-9000-8000-000000000001",
    }


def test_openai_reads_a_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="qwen-plus", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)

    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "Hel", "lo\n\n你", ""]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, None, "stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 10


def test_openai_reads_errors_before_and_inside_a_stream(face: ScriptedFace, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="qwen-plus", messages=[], stream=True)
    face.script = BROKEN
    stream = client.chat.completions.create(model="qwen-plus", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match="the engine broke off") as broken:
        list(stream)

    assert (refused.value.code, refused.value.type) == ("invalid_parameter_error", "invalid_request_error")
    assert broken.value.code == "internal_error"


def test_openai_reads_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["qwen-turbo", "qwen3-max"]
    assert client.models.retrieve("qwen3-max").owned_by == "qwenport"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-4")
    assert caught.value.code == "model_not_found"


def test_openai_joins_reasoning_and_tool_calls(face: ScriptedFace, client: openai.OpenAI) -> None:
    face.script = THOUGHT
    with client.chat.completions.stream(
        model="qwen-plus", messages=HELLO, extra_body={"enable_thinking": True}
    ) as stream:
        thought = stream.get_final_completion().choices[0].message
    face.script = CALLED
    with client.chat.completions.stream(model="qwen-plus", messages=HELLO, tools=TOOLS) as stream:
        called = stream.get_final_completion().choices[0]

    assert (thought.content, thought.to_dict()["reasoning_content"]) == ("Hello", "So what?")
    assert called.finish_reason == "tool_calls"
    assert [(call.id, call.function.name, call.function.arguments) for call in called.message.tool_calls or ()] == CALLS
