"""Requests of the Anthropic face in the house's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput, JsonSchema, Sampling
from qwenport.core.content import ImagePart, Message, Part, Role, TextPart
from qwenport.core.errors import BodyNotJson, ModelMissing, ParameterInvalid, Refused
from qwenport.core.ids import RequestId
from qwenport.core.tokens import CountTokens
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.faces.anthropic.decode import decode_message, decode_token_count
from qwenport.faces.anthropic.operations import encode_token_count
from qwenport.faces.face import Reply, Request

MakeRequest = Callable[..., Request]
Read = Callable[..., Call]
Chat = Callable[..., ChatInput]

HI = [{"role": "user", "content": "Hi"}]
SAID_HI = Message(role=Role.USER, content="Hi")
PIXEL = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}
USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ulm"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}
CALLS = Message(role=Role.ASSISTANT, tool_calls=(ToolCall(id="toolu_1", name="weather", arguments='{"city":"Ulm"}'),))


@pytest.fixture
def read(make_request: MakeRequest) -> Read:
    def decode(headers: dict[str, str] | None = None, **extra: Any) -> Call:
        body = {"model": "qwen-plus", "max_tokens": 16, "messages": HI, **extra}
        return decode_message(make_request(body, headers=headers), {}).call

    return decode


@pytest.fixture
def chat(read: Read) -> Chat:
    def decode(**extra: Any) -> ChatInput:
        call = read(**extra)
        assert call.refusal is None, call.refusal
        assert isinstance(call.input, ChatInput)
        return call.input

    return decode


@pytest.fixture
def refusal(read: Read) -> Callable[..., str]:
    def decode(**extra: Any) -> str:
        call = read(**extra)
        assert call.refusal is not None
        return call.refusal.message

    return decode


Refusal = Callable[..., str]


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_a_plain_request(read: Read) -> None:
    assert read() == Call(
        id=RequestId("00000000-0000-9000-8000-000000000001"),
        face="anthropic",
        operation="messages",
        model="qwen-plus",
        input=ChatInput(messages=(SAID_HI,), parallel_tool_calls=True),
        sampling=Sampling(max_tokens=16, max_completion_tokens=16),
    )


def test_the_parameters_of_sampling(read: Read) -> None:
    call = read(stream=True, temperature=0.5, top_p=0.9, top_k=40, stop_sequences=["END", "", "\n\n"])

    assert call.streams
    assert call.sampling == Sampling(
        temperature=0.5, top_p=0.9, top_k=40, max_tokens=16, max_completion_tokens=16, stop=("END", "\n\n")
    )


def test_a_great_top_k_means_off(read: Read) -> None:
    assert [read(top_k=given).sampling.top_k for given in (100, 101)] == [100, 0]


def test_what_other_servers_know_is_ignored(read: Read) -> None:
    extras = {
        "metadata": {"user_id": "user_1"},
        "service_tier": "auto",
        "betas": ["context-management-2025-06-27"],
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "container": None,
        "mcp_servers": [],
        "output_config": {"effort": "high"},
        "cache_control": {"type": "ephemeral"},
        "x_unknown": {"deep": [1, {}]},
    }

    assert read(**extras) == read()


def test_uploads_are_looked_up_where_the_header_allows_it(read: Read) -> None:
    assert read(headers={"x-dashscope-ossresourceresolve": "enable"}) == replace(read(), resolves_uploads=True)


@pytest.mark.parametrize(
    ("system", "prompt"),
    [
        ("Be brief.", "Be brief."),
        ([text("Be "), {**text("brief."), "cache_control": {"type": "ephemeral"}}], "Be brief."),
    ],
)
def test_a_system_prompt_is_the_first_message(chat: Chat, system: Any, prompt: str) -> None:
    assert chat(system=system).messages == (Message(role=Role.SYSTEM, content=prompt), SAID_HI)


@pytest.mark.parametrize("system", [None, "", [], [text("")]])
def test_an_empty_system_prompt_is_none(chat: Chat, system: Any) -> None:
    assert chat(system=system).messages == (SAID_HI,)


def test_a_system_message_may_stand_between_others(chat: Chat) -> None:
    messages = [*HI, {"role": "assistant", "content": "Yes?"}, {"role": "system", "content": [text("Be brief.")]}, *HI]

    assert chat(messages=messages).messages == (
        SAID_HI,
        Message(role=Role.ASSISTANT, content="Yes?"),
        Message(role=Role.SYSTEM, content="Be brief."),
        SAID_HI,
    )


def test_blocks_of_text_are_joined_as_they_stand(chat: Chat) -> None:
    assert chat(messages=[user(text("H"), text("i"))]).messages == (SAID_HI,)


def test_images_come_from_data_and_from_addresses(chat: Chat) -> None:
    inline = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    linked = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}}

    assert chat(messages=[user(inline, text("and"), linked)]).messages == (
        Message(
            role=Role.USER,
            content=(
                ImagePart(url=f"data:image/png;base64,{PIXEL}"),
                TextPart(text="and"),
                ImagePart(url="https://example.com/cat.png"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"source": {"type": "text", "media_type": "text/plain", "data": "A letter."}}, "A letter."),
        (
            {"title": "Post", "context": "of May", "source": {"type": "text", "data": "A letter."}},
            "Post\nof May\nA letter.",
        ),
        ({"source": {"type": "content", "content": "A letter."}}, "A letter."),
        ({"source": {"type": "content", "content": [text("A "), text("letter.")]}}, "A letter."),
    ],
)
def test_a_document_of_text_is_text(chat: Chat, document: dict[str, Any], words: str) -> None:
    messages = [user({"type": "document", **document}, text(" Sum it up."))]

    assert chat(messages=messages).messages == (Message(role=Role.USER, content=f"{words} Sum it up."),)


def test_a_round_of_tools(chat: Chat) -> None:
    thought = {"type": "thinking", "thinking": "I must look.", "signature": "sig"}
    hidden = {"type": "redacted_thinking", "data": "xyz"}
    messages = [*HI, assistant(thought, hidden, text("Let me "), text("look."), USE), user(RESULT, text("Go on."))]

    assert chat(messages=messages, tools=[WEATHER]).messages == (
        SAID_HI,
        replace(CALLS, content="Let me look.", reasoning="I must look."),
        Message(role=Role.TOOL, content="sunny", tool_call_id="toolu_1"),
        Message(role=Role.USER, content="Go on."),
    )


def test_results_of_parallel_calls_may_come_in_several_messages(chat: Chat) -> None:
    second = {**USE, "id": "toolu_2"}
    messages = [*HI, assistant(USE, second), user({**RESULT, "tool_use_id": "toolu_2"}), user(RESULT)]

    assert [message.tool_call_id for message in chat(messages=messages).messages[2:]] == ["toolu_2", "toolu_1"]


@pytest.mark.parametrize(
    ("result", "content"),
    [
        ({}, ""),
        ({"content": []}, ""),
        ({"content": [text("sun"), text("ny")]}, "sunny"),
        ({"content": "no such city", "is_error": True}, "Error: no such city"),
        ({"is_error": True}, "Error: "),
        (
            {"content": [{"type": "image", "source": {"type": "url", "url": "https://e.com/a.png"}}], "is_error": True},
            (TextPart(text="Error: "), ImagePart(url="https://e.com/a.png")),
        ),
        ({"content": "sunny", "is_error": False}, "sunny"),
    ],
)
def test_what_a_tool_answers(chat: Chat, result: dict[str, Any], content: object) -> None:
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", **result}

    assert chat(messages=[*HI, assistant(USE), user(answer)]).messages[-1] == Message(
        role=Role.TOOL,
        content=content,  # type: ignore[arg-type]  # a string or parts, as the table has it
        tool_call_id="toolu_1",
    )


def test_an_assistant_at_the_end_goes_on(chat: Chat) -> None:
    assert chat(messages=[*HI, assistant(text("The best answer is ("))]).messages == (
        SAID_HI,
        Message(role=Role.ASSISTANT, content="The best answer is (", is_partial=True),
    )


@pytest.mark.parametrize("content", ["", [], [text("")]])
def test_an_assistant_at_the_end_that_said_nothing_is_left_out(chat: Chat, content: Any) -> None:
    assert chat(messages=[*HI, {"role": "assistant", "content": content}]).messages == (SAID_HI,)


def test_an_assistant_in_the_middle_is_whole(chat: Chat) -> None:
    assert chat(messages=[*HI, {"role": "assistant", "content": "Yes?"}, *HI]).messages == (
        SAID_HI,
        Message(role=Role.ASSISTANT, content="Yes?"),
        SAID_HI,
    )


def test_tools(chat: Chat) -> None:
    bare = {
        "type": "custom",
        "name": "time",
        "input_schema": {"type": "object"},
        "cache_control": {"type": "ephemeral"},
    }

    assert chat(tools=[WEATHER, bare]).tools == (
        Tool(name="weather", description="Tells the weather.", parameters=json.dumps(SCHEMA).encode()),
        Tool(name="time", parameters=b'{"type": "object"}'),
    )


@pytest.mark.parametrize("tools", [None, []])
def test_no_tools(chat: Chat, tools: Any) -> None:
    assert chat(tools=tools).tools == ()


@pytest.mark.parametrize(
    ("wire", "choice", "parallel"),
    [
        (None, ToolChoice(use=ToolUse.AUTO), True),
        ({"type": "auto"}, ToolChoice(use=ToolUse.AUTO), True),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice(use=ToolUse.AUTO), False),
        ({"type": "any", "disable_parallel_tool_use": False}, ToolChoice(use=ToolUse.REQUIRED), True),
        ({"type": "none"}, ToolChoice(use=ToolUse.NONE), True),
        ({"type": "tool", "name": "weather"}, ToolChoice(use=ToolUse.NAMED, name="weather"), True),
    ],
)
def test_which_tools_to_call(chat: Chat, wire: Any, choice: ToolChoice, parallel: bool) -> None:
    asked = chat(tools=[WEATHER], tool_choice=wire)

    assert (asked.tool_choice, asked.parallel_tool_calls) == (choice, parallel)


@pytest.mark.parametrize(
    ("wire", "thinking", "budget"),
    [
        (None, None, None),
        ({"type": "enabled", "budget_tokens": 1024, "display": "summarized"}, True, 1024),
        ({"type": "disabled"}, False, None),
        ({"type": "adaptive"}, None, None),
        ({"type": "between_tools"}, None, None),
    ],
)
def test_thinking(chat: Chat, wire: Any, thinking: bool | None, budget: int | None) -> None:
    asked = chat(thinking=wire)

    assert (asked.thinking, asked.thinking_budget) == (thinking, budget)


@pytest.mark.parametrize(
    "extra",
    [
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {"output_format": {"type": "json_schema", "schema": SCHEMA}},
    ],
)
def test_a_schema_shapes_the_answer(chat: Chat, extra: dict[str, Any]) -> None:
    assert chat(**extra).json == JsonSchema(name="answer", schema=json.dumps(SCHEMA).encode(), strict=True)


NON_EMPTY = "all messages must have non-empty content except for the optional final assistant message"
UNANSWERED = (
    "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each `tool_use` "
    "block must have a corresponding `tool_result` block in the next message."
)
UNEXPECTED = (
    "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each `tool_result` block must have a "
    "corresponding `tool_use` block in the previous message."
)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (None, "messages: Field required"),
        ([], "messages: at least one message is required"),
        ([{"role": "assistant", "content": ""}], "messages: at least one message is required"),
        ([{"role": "system", "content": "Be brief."}], "messages: at least one message is required"),
        ([{"content": "Hi"}], "messages.0.role: Field required"),
        ([{"role": "tool", "content": "Hi"}], "messages.0.role: 'tool' is not one of ['user', 'assistant', 'system']"),
        ([{"role": "user"}], "messages.0.content: Field required"),
        ([{"role": "user", "content": ""}], f"messages.0: {NON_EMPTY}"),
        ([user()], f"messages.0: {NON_EMPTY}"),
        ([user(text(""))], f"messages.0: {NON_EMPTY}"),
        ([{"role": "assistant", "content": ""}, *HI], f"messages.0: {NON_EMPTY}"),
        ([user({"text": "Hi"})], "messages.0.content.0.type: Field required"),
        ([user({"type": "text"})], "messages.0.content.0.text: Field required"),
        ([user({"type": "image"})], "messages.0.content.0.source: Field required"),
        (
            [user({"type": "search_result"})],
            (
                "messages.0.content.0.type: 'search_result' blocks are not served here; only 'text', 'image', "
                "'document', 'tool_result'"
            ),
        ),
        (
            [*HI, assistant({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})],
            (
                "messages.1.content.0.type: 'server_tool_use' blocks are not served here; only 'text', 'thinking', "
                "'redacted_thinking', 'tool_use'"
            ),
        ),
        ([*HI, assistant({"type": "tool_use", "name": "a", "input": {}})], "messages.1.content.0.id: Field required"),
        ([*HI, assistant({"type": "tool_use", "id": "a", "input": {}})], "messages.1.content.0.name: Field required"),
        ([*HI, assistant({"type": "tool_use", "id": "a", "name": "a"})], "messages.1.content.0.input: Field required"),
        ([*HI, assistant({"type": "thinking"})], "messages.1.content.0.thinking: Field required"),
        (
            [*HI, assistant({"type": "thinking", "thinking": "Hm."})],
            "messages.1: The final block in an assistant message cannot be `thinking`.",
        ),
        ([*HI, assistant(USE)], UNANSWERED),
        ([*HI, assistant(USE), *HI], UNANSWERED),
        ([*HI, assistant(USE), assistant(text("So."))], UNANSWERED),
        ([*HI, assistant(USE), {"role": "system", "content": "Go on."}, user(RESULT)], UNANSWERED),
        ([*HI, assistant(USE, USE), user(RESULT)], "messages.1: `tool_use` ids must be unique"),
        ([user(RESULT)], f"messages.0: {UNEXPECTED}"),
        ([*HI, assistant(USE), user(RESULT, RESULT)], f"messages.2: {UNEXPECTED}"),
        ([*HI, assistant(USE), user(RESULT), user(RESULT)], f"messages.3: {UNEXPECTED}"),
        ([*HI, assistant(USE), user({"type": "tool_result"})], "messages.2.content.0.tool_use_id: Field required"),
        (
            [*HI, assistant(USE), user({**RESULT, "content": [{"type": "tool_reference", "tool_name": "a"}]})],
            (
                "messages.2.content.0.content.0.type: 'tool_reference' blocks are not served here; only 'text', "
                "'image', 'document'"
            ),
        ),
    ],
)
def test_messages_that_cannot_be_understood(refusal: Refusal, messages: Any, words: str) -> None:
    assert refusal(messages=messages) == words


NO_PDF = "media_type: 'text/plain' is not 'application/pdf'"


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        (
            {"type": "image", "source": {"type": "file", "file_id": "file-fe-1"}},
            (ImagePart(url="fileid://file-fe-1"),),
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "file-fe-1"}, "title": "A", "context": "B"},
            (TextPart(text="A\nB\n"), ImagePart(url="fileid://file-fe-1")),
        ),
        (
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PIXEL}},
            (ImagePart(url=f"data:application/pdf;base64,{PIXEL}"),),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            (ImagePart(url="https://example.com/a.pdf"),),
        ),
    ],
)
def test_a_document_that_is_no_text_is_an_image_of_its_pages(
    chat: Chat, block: dict[str, Any], parts: tuple[Part, ...]
) -> None:
    question = text("What is it?")

    assert chat(messages=[user(block, question)]).messages[-1].content == (*parts, TextPart(text="What is it?"))


@pytest.mark.parametrize(
    ("kind", "source", "words"),
    [
        ("image", {"type": "url"}, "url: Field required"),
        ("image", {"type": "base64", "data": PIXEL}, "media_type: Field required"),
        ("image", {"type": "base64", "media_type": "image/png"}, "data: Field required"),
        (
            "image",
            {"type": "base64", "media_type": "image/png;base64,x", "data": PIXEL},
            "media_type: 'image/png;base64,x' is not the type of an image",
        ),
        (
            "image",
            {"type": "disk", "path": "/a"},
            "type: 'disk' is not served here; images are read from a source of type 'base64', 'url' or 'file'",
        ),
        ("image", {"type": "file"}, "file_id: Field required"),
        ("document", {"type": "base64", "media_type": "application/pdf"}, "data: Field required"),
        ("document", {"type": "base64", "media_type": "text/plain", "data": PIXEL}, NO_PDF),
        ("document", {}, "type: Field required"),
        ("document", {"type": "text"}, "data: Field required"),
        ("document", {"type": "content"}, "content: Field required"),
        (
            "document",
            {"type": "disk"},
            (
                "type: 'disk' is not served here; documents are read from a source of type 'text', 'content', "
                "'base64', 'url' or 'file'"
            ),
        ),
    ],
)
def test_sources_that_cannot_be_read(refusal: Refusal, kind: str, source: dict[str, Any], words: str) -> None:
    block = {"type": kind, "source": source}

    assert refusal(messages=[user(block)]) == f"messages.0.content.0.source.{words}"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"system": [{"type": "image"}]}, "system.0.type: 'image' blocks are not served here; only 'text'"),
        ({"thinking": {}}, "thinking.type: Field required"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens: Field required"),
        (
            {"thinking": {"type": "deep"}},
            "thinking.type: 'deep' is not one of ['enabled', 'disabled', 'adaptive', 'between_tools']",
        ),
        ({"output_config": {"format": {}}}, "output_config.format.type: Field required"),
        ({"output_format": {"type": "json_schema"}}, "output_format.schema: Field required"),
        ({"output_format": {"type": "json_schema", "schema": None}}, "output_format.schema: Field required"),
        ({"output_format": {"type": "xml"}}, "output_format.type: 'xml' is not one of ['json_schema']"),
        ({"output_format": {"type": "json_schema", "schema": []}}, "'output_format.schema' must be Object"),
        ({"tools": [{"name": "time"}]}, "tools.0.input_schema: Field required"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "tools.0.type: 'web_search_20250305' tools are not served here; only tools with an `input_schema` are",
        ),
        ({"tools": [{"input_schema": {}}]}, "'name' is a required property - 'tools.0'"),
        ({"tools": [WEATHER], "tool_choice": {}}, "tool_choice.type: Field required"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "all"}},
            "tool_choice.type: 'all' is not one of ['auto', 'any', 'none', 'tool']",
        ),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool"}}, "tool_choice.name: Field required"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "time"}},
            "The tool 'time' of tool_choice is not among the tools",
        ),
        ({"stop_sequences": ["x" * 2000]}, "A stop text may be at most 1024 characters long."),
    ],
)
def test_parameters_that_cannot_be_understood(refusal: Refusal, extra: dict[str, Any], words: str) -> None:
    assert refusal(**extra) == words


def test_an_error_repeats_only_the_beginning_of_a_long_value(refusal: Refusal) -> None:
    assert "x" * 64 in refusal(messages=[user({"type": "x" * 10_000})])
    assert "x" * 65 not in refusal(messages=[user({"type": "x" * 10_000})])


def test_a_body_without_a_model_is_refused_at_once(read: Read) -> None:
    with pytest.raises(ModelMissing):
        read(model="")


@pytest.mark.parametrize(
    "extra",
    [
        {"max_tokens": "16"},
        {"messages": "Hi"},
        {"messages": [{"role": "user", "content": 1}]},
        {"messages": [*HI, assistant({**USE, "input": "Ulm"})]},
        {"stream": "yes"},
        {"stop_sequences": "END"},
        {"thinking": True},
    ],
)
def test_a_field_of_a_wrong_type_is_refused_at_once(read: Read, extra: dict[str, Any]) -> None:
    with pytest.raises(ParameterInvalid):
        read(**extra)


def test_an_input_that_is_nested_too_deeply_is_no_body(make_request: MakeRequest) -> None:
    def body(depth: int) -> bytes:
        nested = b'{"a":' * depth + b"1" + b"}" * depth
        return (
            b'{"model":"qwen-plus","max_tokens":1,"messages":[{"role":"assistant","content":'
            b'[{"type":"tool_use","id":"a","name":"a","input":%b}]}]}' % nested
        )

    seen = set()
    for depth in range(1, 1100):
        try:
            decode_message(make_request(body(depth)), {})
            seen.add("read")
        except BodyNotJson:
            seen.add("refused")

    assert seen == {"read", "refused"}


def test_tokens_are_counted_of_all_that_makes_the_prompt(make_request: MakeRequest) -> None:
    body = {"model": "qwen-plus", "system": "Be brief.", "messages": HI, "tools": [WEATHER], "thinking": {"type": "x"}}

    assert decode_token_count(make_request(body), {}) == CountTokens(
        model="qwen-plus",
        messages=(Message(role=Role.SYSTEM, content="Be brief."), SAID_HI),
        tools=(Tool(name="weather", description="Tells the weather.", parameters=json.dumps(SCHEMA).encode()),),
    )


def test_a_count_of_no_model_or_no_messages_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(ModelMissing):
        decode_token_count(make_request({"messages": HI}), {})
    with pytest.raises(ParameterInvalid, match="messages: Field required"):
        decode_token_count(make_request({"model": "qwen-plus"}), {})


def test_a_count_is_told_as_input_tokens(make_request: MakeRequest) -> None:
    assert encode_token_count(make_request(), 12) == Reply(
        status=200,
        headers=(
            (b"content-type", b"application/json"),
            (b"request-id", b"00000000-0000-9000-8000-000000000001"),
        ),
        body=b'{"input_tokens":12}',
    )


NAMES = st.sampled_from(
    sorted(
        {
            *("role", "content", "type", "text", "thinking", "source", "title", "id", "name", "input", "tool_use_id"),
            *("is_error", "media_type", "data", "url", "input_schema", "budget_tokens", "format", "schema"),
        }
    )
)
WORDS = st.sampled_from(
    [
        *("user", "assistant", "system", "text", "image", "document", "tool_use", "tool_result", "thinking"),
        *("redacted_thinking", "base64", "url", "content", "enabled", "adaptive", "auto", "any", "tool", "json_schema"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
FIELDS = ["messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format", "stop_sequences"]
BLOCKS = st.dictionaries(NAMES, VALUES, max_size=5).flatmap(
    lambda block: WORDS.map(lambda kind: {**block, "type": kind})
)


def is_read_or_refused(request: Request) -> bool:
    try:
        call = decode_message(request, {}).call
    except Refused:
        return True
    return isinstance(call.input, ChatInput) and bool(call.input.messages) is (call.refusal is None)


@given(field=st.sampled_from(FIELDS), value=VALUES)
def test_anything_in_a_field_is_read_or_refused(make_request: MakeRequest, field: str, value: Any) -> None:
    body = {"model": "qwen-plus", "max_tokens": 16, "messages": HI, "tools": [WEATHER], field: value}

    assert is_read_or_refused(make_request(body))


@given(turns=st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.lists(BLOCKS, max_size=3)), max_size=4))
def test_any_blocks_are_read_or_refused(
    make_request: MakeRequest, turns: list[tuple[str, list[dict[str, Any]]]]
) -> None:
    messages = [{"role": role, "content": blocks} for role, blocks in turns]

    assert is_read_or_refused(make_request({"model": "qwen-plus", "max_tokens": 16, "messages": messages}))
