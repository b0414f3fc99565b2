"""The JSON that each dialect makes of one call, whole and side by side."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from qwenport.core.call import AnyJson, ChatInput, EmbeddingInput, Input, JsonSchema, PromptInput, Sampling
from qwenport.core.content import FilePart, ImagePart, Message, Picture, Role, TextPart, VideoPart
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.engines.dialects import (
    LLAMA_CPP,
    MODEL_STUDIO,
    PLAIN,
    SGLANG,
    VLLM,
    Dialect,
    call_headers,
    chat_body,
    prompt_body,
)
from qwenport.testing.calls import call_of

ALL = (MODEL_STUDIO, VLLM, SGLANG, LLAMA_CPP)
OPEN = Sampling()
HI = Message(role=Role.USER, content="Hi")
CHAT = ChatInput(messages=(HI,))
SAID_HI = {"role": "user", "content": "Hi"}

BARE: dict[str, dict[str, object]] = {
    "model-studio": {"stream": True, "stream_options": {"include_usage": True}},
    "vllm": {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    "sglang": {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    "llama.cpp": {
        "stream": True,
        "stream_options": {"include_usage": True},
        "timings_per_token": True,
        "return_progress": True,
        "min_p": 0.0,
    },
}


def prepared(asked: Input, sampling: Sampling = OPEN) -> PreparedCall:
    return PreparedCall(call=call_of(asked, sampling=sampling), max_input_tokens=100)


def sent(asked: Input, dialect: Dialect, sampling: Sampling = OPEN) -> dict[str, Any]:
    """Return what goes over the wire beside the fields that every body of the dialect has."""
    body = (prompt_body if isinstance(asked, PromptInput) else chat_body)(prepared(asked, sampling), dialect)
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return {name: value for name, value in decoded.items() if name not in BARE[dialect.name]}


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_a_bare_chat_says_no_more_than_it_must(dialect: Dialect) -> None:
    body = msgspec.json.decode(msgspec.json.encode(chat_body(prepared(CHAT), dialect, "qwen-plus")))

    assert body == {"model": "qwen-plus", "messages": [SAID_HI], **BARE[dialect.name]}


SAMPLING = Sampling(
    temperature=0.0,
    top_p=0.8,
    top_k=0,
    repetition_penalty=1.05,
    presence_penalty=-1.0,
    seed=2**32 + 4,
    max_tokens=90,
    stop=("a", "b"),
    choices=2,
    logprobs=0,
)
COMMON = {
    "messages": [SAID_HI],
    "temperature": 0.0,
    "top_p": 0.8,
    "presence_penalty": -1.0,
    "stop": ["a", "b"],
    "n": 2,
    "logprobs": True,
}
SAMPLED: dict[str, dict[str, object]] = {
    "model-studio": {
        "top_k": 101,
        "repetition_penalty": 1.05,
        "seed": 4294967300,
        "max_tokens": 90,
        "top_logprobs": 0,
    },
    "vllm": {
        "top_k": -1,
        "repetition_penalty": 1.05,
        "seed": 4294967300,
        "max_completion_tokens": 90,
        "top_logprobs": 0,
    },
    "sglang": {
        "top_k": -1,
        "repetition_penalty": 1.05,
        "seed": 4294967300,
        "max_completion_tokens": 90,
        "top_logprobs": 0,
    },
    "llama.cpp": {"top_k": 0, "repeat_penalty": 1.05, "seed": 5, "max_tokens": 90, "top_logprobs": 1},
}


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_sampling_is_said_in_each_ones_words(dialect: Dialect) -> None:
    assert sent(CHAT, dialect, SAMPLING) == COMMON | SAMPLED[dialect.name]


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_a_top_k_is_said_alike(dialect: Dialect) -> None:
    assert sent(CHAT, dialect, Sampling(top_k=20))["top_k"] == 20


@pytest.mark.parametrize(
    ("seed", "said"), [(0xFFFF_FFFE, 0xFFFF_FFFE), (0xFFFF_FFFF, 0), (2**63 - 1, 2**31 - 1), (-1, 0xFFFF_FFFE)]
)
def test_no_seed_means_random_to_llama_cpp(seed: int, said: int) -> None:
    assert sent(CHAT, LLAMA_CPP, Sampling(seed=seed))["seed"] == said


THINKING: dict[str, dict[str, object]] = {
    "model-studio": {"enable_thinking": True, "thinking_budget": 50},
    "vllm": {"chat_template_kwargs": {"enable_thinking": True}, "thinking_token_budget": 50},
    "sglang": {"chat_template_kwargs": {"enable_thinking": True}, "custom_params": {"thinking_budget": 50}},
    "llama.cpp": {"chat_template_kwargs": {"enable_thinking": True}, "thinking_budget_tokens": 50},
}
SWITCHED_OFF: dict[str, dict[str, object]] = {
    name: {"enable_thinking": False} if name == "model-studio" else {"chat_template_kwargs": {"enable_thinking": False}}
    for name in THINKING
}


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_thinking_is_switched_where_each_one_looks_for_it(dialect: Dialect) -> None:
    thinking = sent(replace(CHAT, thinking=True, thinking_budget=50), dialect)
    off = sent(replace(CHAT, thinking=False, thinking_budget=50), dialect)

    assert [thinking, off] == [
        {"messages": [SAID_HI], **THINKING[dialect.name]},
        {"messages": [SAID_HI], **SWITCHED_OFF[dialect.name]},
    ]


THINKS = replace(CHAT, thinking=True)
BOUNDS: list[tuple[ChatInput, Sampling, dict[str, int], int | None]] = [
    (CHAT, Sampling(), {}, None),
    (CHAT, Sampling(max_tokens=9), {"max_tokens": 9}, 9),
    (CHAT, Sampling(max_completion_tokens=8), {"max_completion_tokens": 8}, 8),
    (CHAT, Sampling(max_tokens=8, max_completion_tokens=20), {"max_tokens": 8, "max_completion_tokens": 20}, 8),
    (THINKS, Sampling(max_tokens=8, max_completion_tokens=20), {"max_tokens": 8, "max_completion_tokens": 20}, 20),
    (replace(THINKS, thinking_budget=50), Sampling(max_tokens=8), {"max_tokens": 8}, 58),
    (THINKS, Sampling(max_tokens=8), {"max_tokens": 8}, 8),
    (replace(THINKS, thinking_budget=50), Sampling(), {}, None),
]


@pytest.mark.parametrize(("asked", "sampling", "two", "one"), BOUNDS)
def test_reasoning_has_its_own_bound_or_shares_the_answers(
    asked: ChatInput, sampling: Sampling, two: dict[str, int], one: int | None
) -> None:
    names = ("max_tokens", "max_completion_tokens")

    said = {
        dialect.name: {name: value for name, value in sent(asked, dialect, sampling).items() if name in names}
        for dialect in ALL
    }

    shared = {} if one is None else {"max_completion_tokens": one}
    assert said == {
        "model-studio": two,
        "vllm": shared,
        "sglang": shared,
        "llama.cpp": {} if one is None else {"max_tokens": one},
    }


WEATHER = Tool(name="weather", description="Tells it", parameters=b'{"type": "object"}')
STOP = Tool(name="stop")
CALLED = Message(
    role=Role.ASSISTANT,
    reasoning="hm",
    tool_calls=(ToolCall(id="call_1", name="weather", arguments='{"a": 1}'),),
)
ANSWERED = Message(role=Role.TOOL, tool_call_id="call_1", content="sunny")


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_tools_and_calls_are_said_alike(dialect: Dialect) -> None:
    asked = ChatInput(messages=(HI, CALLED, ANSWERED), tools=(WEATHER, STOP), parallel_tool_calls=True)
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"a": 1}'}}
    reasoning = "reasoning" if dialect is VLLM else "reasoning_content"

    assert sent(asked, dialect) == {
        "messages": [
            SAID_HI,
            {"role": "assistant", "content": "", reasoning: "hm", "tool_calls": [call]},
            {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "Tells it", "parameters": {"type": "object"}},
            },
            {"type": "function", "function": {"name": "stop"}},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }


CHOICES: list[tuple[ToolChoice, object]] = [
    (ToolChoice(use=ToolUse.NONE), "none"),
    (ToolChoice(use=ToolUse.REQUIRED), "required"),
    (ToolChoice(use=ToolUse.NAMED, name="stop"), {"type": "function", "function": {"name": "stop"}}),
]


@pytest.mark.parametrize(("choice", "said"), CHOICES)
@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_a_tool_choice_is_said_alike(dialect: Dialect, choice: ToolChoice, said: object) -> None:
    body = sent(replace(CHAT, tools=(STOP,), tool_choice=choice), dialect)

    assert (body["tool_choice"], body["parallel_tool_calls"]) == (said, False)


SHAPES: list[tuple[AnyJson | JsonSchema, object]] = [
    (AnyJson(), {"type": "json_object"}),
    (
        JsonSchema(name="n", schema=b'{"type":"object"}'),
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    ),
    (
        JsonSchema(name="n", schema=b"{}", strict=True),
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
    ),
]


@pytest.mark.parametrize(("shape", "said"), SHAPES)
@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_json_is_asked_for_alike(dialect: Dialect, shape: AnyJson | JsonSchema, said: object) -> None:
    assert sent(replace(CHAT, json=shape), dialect) == {"messages": [SAID_HI], "response_format": said}


BEGUN: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "model-studio": ({"partial": True}, {}),
    "vllm": ({}, {"continue_final_message": True, "add_generation_prompt": False}),
    "sglang": ({}, {"continue_final_message": True}),
    "llama.cpp": ({}, {"continue_final_message": True, "add_generation_prompt": False}),
}


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_a_begun_answer_is_gone_on_with(dialect: Dialect) -> None:
    begun = Message(role=Role.ASSISTANT, content="Once", is_partial=True)
    in_message, in_body = BEGUN[dialect.name]

    assert sent(ChatInput(messages=(HI, begun)), dialect) == {
        "messages": [SAID_HI, {"role": "assistant", "content": "Once", **in_message}],
        **in_body,
    }


PICTURE = Picture(data=b"\x89PNG", media_type="image/png", width=1, height=1, tokens=4)
SAID_PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_a_picture_travels_in_the_message_itself(dialect: Dialect) -> None:
    message = Message(role=Role.USER, content=(PICTURE, TextPart(text="What is it?")))

    assert sent(ChatInput(messages=(message,)), dialect) == {
        "messages": [{"role": "user", "content": [SAID_PICTURE, {"type": "text", "text": "What is it?"}]}]
    }


def test_parts_of_nothing_but_text_are_one_text() -> None:
    message = Message(role=Role.USER, content=(TextPart(text="a"), TextPart(text="b")))

    assert sent(ChatInput(messages=(message,)), VLLM) == {"messages": [{"role": "user", "content": "ab"}]}


def test_what_only_model_studio_understands_is_said_to_it_alone() -> None:
    image = ImagePart(url="oss://k/x.png", min_pixels=4, max_pixels=9)
    frames = VideoPart(urls=("http://f/1", "http://f/2"), is_frames=True, frames_per_second=2.0)
    video = VideoPart(urls=("http://v/1",), is_frames=False, frames_per_second=0.5)
    parts = (image, frames, video, FilePart(id="file-fe-1"))
    asked = ChatInput(messages=(Message(role=Role.USER, content=parts),), high_resolution=True)

    assert [sent(asked, MODEL_STUDIO), sent(asked, SGLANG)] == [
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "oss://k/x.png"}, "min_pixels": 4, "max_pixels": 9},
                        {"type": "video", "video": ["http://f/1", "http://f/2"], "fps": 2.0},
                        {"type": "video_url", "video_url": {"url": "http://v/1"}, "fps": 0.5},
                        {"type": "text", "text": "fileid://file-fe-1"},
                    ],
                }
            ],
            "vl_high_resolution_images": True,
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "oss://k/x.png"}},
                        {"type": "image_url", "image_url": {"url": "http://f/1"}},
                        {"type": "image_url", "image_url": {"url": "http://f/2"}},
                        {"type": "video_url", "video_url": {"url": "http://v/1"}},
                        {"type": "text", "text": "fileid://file-fe-1"},
                    ],
                }
            ]
        },
    ]


@pytest.mark.parametrize(
    ("url", "resolve"), [("oss://k/x.png", {"X-DashScope-OssResourceResolve": "enable"}), ("https://x/y.png", {})]
)
def test_stored_images_are_resolved_by_a_header(url: str, resolve: dict[str, str]) -> None:
    asked = ChatInput(messages=(Message(role=Role.USER, content=(ImagePart(url=url),)),))

    headers = {dialect.name: call_headers(prepared(asked), dialect) for dialect in ALL}

    assert headers == {
        "model-studio": resolve,
        "vllm": {"X-Request-Id": "request-1"},
        "sglang": {},
        "llama.cpp": {},
    }


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_a_prompt_is_sent_as_it_stands(dialect: Dialect) -> None:
    sampling = Sampling(max_tokens=9, max_completion_tokens=8, logprobs=0, stop=("x",))

    assert sent(PromptInput(prompt="<|fim_prefix|>a"), dialect, sampling) == {
        "prompt": "<|fim_prefix|>a",
        "max_tokens": 8,
        "stop": ["x"],
        "logprobs": 1 if dialect is LLAMA_CPP else 0,
    }


def test_a_suffix_is_told_by_the_tokens_of_qwens_coders() -> None:
    assert sent(PromptInput(prompt="a(", suffix=")b"), VLLM) == {
        "prompt": "<|fim_prefix|>a(<|fim_suffix|>)b<|fim_middle|>"
    }


def test_other_work_has_neither_body() -> None:
    asked = EmbeddingInput(texts=("a",))

    for make in (chat_body, prompt_body):
        with pytest.raises(TypeError, match="a call of `EmbeddingInput` has no"):
            make(prepared(asked), VLLM)


def test_a_plain_server_hears_openais_own_fields_and_no_others() -> None:
    said = Message(role=Role.ASSISTANT, content="Yes", reasoning="Hm")
    asked = ChatInput(messages=(HI, said), thinking=True, thinking_budget=5)
    sampling = Sampling(temperature=0.5, top_k=3, repetition_penalty=1.1, seed=7, max_tokens=9)

    body = msgspec.json.decode(msgspec.json.encode(chat_body(prepared(asked, sampling), PLAIN, "m")))

    assert body == {
        "model": "m",
        "messages": [SAID_HI, {"role": "assistant", "content": "Yes"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "seed": 7,
        "max_tokens": 14,
    }


@pytest.mark.parametrize("dialect", [*ALL, PLAIN], ids=lambda dialect: dialect.name)
def test_a_whole_answer_is_asked_for_without_a_word_of_streams(dialect: Dialect) -> None:
    body = chat_body(prepared(CHAT), dialect, streams=False)

    assert body == {"messages": [SAID_HI], **dialect.constants}
