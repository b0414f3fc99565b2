"""What llama.cpp is asked, and how its answer is to be read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from qwenport.core.call import AnyJson, ChatInput, EmbeddingInput, Input, JsonSchema, PromptInput, Sampling
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.content import Message, Role
from qwenport.core.errors import ParameterInvalid
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.engines.llama.call_text import ConstrainedReader, HermesReader
from qwenport.engines.llama.json_grammar import ANY_JSON_OBJECT
from qwenport.engines.llama.request import LlamaRequest, request_of
from qwenport.testing.calls import call_of

HI = Message(role=Role.USER, content="Hi")
CHAT = ChatInput(messages=(HI,))
WEATHER = Tool(name="weather", parameters=b'{"type":"object","properties":{"city":{"type":"string"}}}')
WITH_TOOLS = replace(CHAT, tools=(WEATHER,))
REQUIRED = ToolChoice(use=ToolUse.REQUIRED)
BEGUN = Message(role=Role.ASSISTANT, content="Once", is_partial=True)
PLAIN = Capabilities()
THINKING_OFF = {"enable_thinking": False}
CONTINUES = {"continue_final_message": True, "add_generation_prompt": False}
ALWAYS_SENT = {"stream", "timings_per_token", "return_progress", "stream_options", "min_p", "chat_template_kwargs"}


def asked_of(
    asked: Input, *, able: Capabilities = PLAIN, template_tools: bool = False, sampling: Sampling | None = None
) -> LlamaRequest:
    call = call_of(asked, sampling=sampling or Sampling())
    return request_of(PreparedCall(call=call, max_input_tokens=100), able, template_tools=template_tools)


def body_of(request: LlamaRequest) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(request.body))
    return body


def said_of(request: LlamaRequest) -> dict[str, Any]:
    """Return the body without what every chat is sent."""
    return {name: value for name, value in body_of(request).items() if name not in ALWAYS_SENT}


def test_a_bare_chat_says_no_more_than_it_must() -> None:
    request = asked_of(CHAT)

    assert (request.path, request.new_reader, request.held_by) == ("/v1/chat/completions", None, "")
    assert body_of(request) == {
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "timings_per_token": True,
        "return_progress": True,
        "stream_options": {"include_usage": True},
        "chat_template_kwargs": {"enable_thinking": False},
        "min_p": 0.0,
    }


def test_a_prompt_goes_to_its_own_path_as_it_stands() -> None:
    request = asked_of(PromptInput(prompt="Once"), sampling=Sampling(max_tokens=3))

    assert (request.path, request.new_reader) == ("/v1/completions", None)
    assert said_of(request) == {"prompt": "Once", "max_tokens": 3}


def test_other_work_is_not_for_this_engine() -> None:
    with pytest.raises(TypeError, match="a call of `EmbeddingInput` asks for none"):
        asked_of(EmbeddingInput(texts=("a",)))


HYBRID = Capabilities(thinking=Thinking.HYBRID)
BY_DEFAULT = Capabilities(thinking=Thinking.HYBRID, thinks_by_default=True)
ALWAYS = Capabilities(thinking=Thinking.ALWAYS)
SWITCHES = [
    (PLAIN, True, False),
    (HYBRID, None, False),
    (HYBRID, True, True),
    (BY_DEFAULT, None, True),
    (BY_DEFAULT, False, False),
    (ALWAYS, None, None),
    (ALWAYS, True, None),
]


@pytest.mark.parametrize(("able", "asked", "said"), SWITCHES)
def test_the_template_is_told_whether_to_think(able: Capabilities, asked: bool | None, said: bool | None) -> None:
    body = body_of(asked_of(replace(CHAT, thinking=asked), able=able))

    assert body.get("chat_template_kwargs") == (None if said is None else {"enable_thinking": said})


def test_the_budget_is_said_only_to_a_model_that_thinks() -> None:
    asked = replace(CHAT, thinking=True, thinking_budget=50)

    said = [body_of(asked_of(asked, able=able)).get("thinking_budget_tokens") for able in (PLAIN, HYBRID, ALWAYS)]

    assert said == [None, 50, 50]


def test_what_was_thought_is_told_only_to_a_model_that_thinks() -> None:
    asked = replace(CHAT, messages=(HI, Message(role=Role.ASSISTANT, content="Yes", reasoning="hm"), HI))

    said = [body_of(asked_of(asked, able=able))["messages"][1] for able in (PLAIN, HYBRID)]

    assert said == [
        {"role": "assistant", "content": "Yes"},
        {"role": "assistant", "content": "Yes", "reasoning_content": "hm"},
    ]


def test_a_begun_answer_is_gone_on_with_and_thought_about_no_more() -> None:
    request = asked_of(replace(CHAT, messages=(HI, BEGUN), thinking=True), able=HYBRID)

    assert body_of(request)["chat_template_kwargs"] == THINKING_OFF
    assert said_of(request) == {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Once"}],
        **CONTINUES,
    }


@pytest.mark.parametrize("shape", [AnyJson(), JsonSchema(name="n", schema=b'{ "type" : "object" }')])
def test_any_object_is_asked_for_by_the_bounded_grammar(shape: AnyJson | JsonSchema) -> None:
    request = asked_of(replace(CHAT, json=shape))

    assert request.held_by == "response_format"
    assert said_of(request) == {"messages": [{"role": "user", "content": "Hi"}], "grammar": ANY_JSON_OBJECT}


def test_an_object_that_is_begun_is_left_to_the_grammar_that_knows_its_beginning() -> None:
    said = said_of(asked_of(replace(CHAT, messages=(HI, BEGUN), json=AnyJson())))

    assert (said["response_format"], "grammar" in said) == ({"type": "json_object"}, False)


def test_a_schema_is_passed_on_as_it_came() -> None:
    schema = b'{"type":"object","properties":{"b":{},"a":{}}}'

    body = body_of(asked_of(replace(CHAT, json=JsonSchema(name="shape", schema=schema, strict=True))))

    assert (body["response_format"], "grammar" in body) == (
        {
            "type": "json_schema",
            "json_schema": {"name": "shape", "schema": {"type": "object", "properties": {"b": {}, "a": {}}}},
        },
        False,
    )


def test_a_schema_beyond_the_bounds_is_refused() -> None:
    with pytest.raises(ParameterInvalid, match="it must be an object"):
        asked_of(replace(CHAT, json=JsonSchema(name="n", schema=b"[1]")))


def test_tools_are_left_to_a_template_that_tells_them() -> None:
    request = asked_of(replace(WITH_TOOLS, parallel_tool_calls=True), template_tools=True)

    assert (request.new_reader, request.calls_once) == (None, False)
    assert said_of(request) == {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                },
            }
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }


def test_one_call_only_is_asked_for_by_default() -> None:
    assert asked_of(WITH_TOOLS, template_tools=True).calls_once


def test_log_probabilities_beside_tools_are_told_by_our_own_words() -> None:
    request = asked_of(WITH_TOOLS, template_tools=True, sampling=Sampling(logprobs=1))

    assert isinstance(request.new_reader and request.new_reader(), HermesReader)
    assert "tools" not in request.body


def test_tools_are_told_in_the_system_text_of_a_template_that_knows_none() -> None:
    request = asked_of(WITH_TOOLS, sampling=Sampling(stop=("x",)))

    system, user = body_of(request)["messages"]
    assert isinstance(request.new_reader and request.new_reader(), HermesReader)
    assert ("<tools>" in system["content"], user) == (True, {"role": "user", "content": "Hi"})
    assert {name: value for name, value in said_of(request).items() if name != "messages"} == {
        "stop": ["x", "</tool_call>"]
    }


def test_several_calls_go_on_after_the_first() -> None:
    assert "stop" not in asked_of(replace(WITH_TOOLS, parallel_tool_calls=True)).body


@pytest.mark.parametrize("template_tools", [False, True])
def test_tools_that_must_not_be_called_are_not_told(*, template_tools: bool) -> None:
    asked = replace(WITH_TOOLS, tool_choice=ToolChoice(use=ToolUse.NONE))

    assert asked_of(asked, template_tools=template_tools) == asked_of(CHAT)


@pytest.mark.parametrize("template_tools", [False, True])
def test_an_answer_that_is_held_to_json_calls_nothing(*, template_tools: bool) -> None:
    asked = replace(WITH_TOOLS, json=AnyJson())

    assert asked_of(asked, template_tools=template_tools) == asked_of(replace(CHAT, json=AnyJson()))


@pytest.mark.parametrize("template_tools", [False, True])
def test_a_call_that_is_wanted_is_held_to_a_schema_whatever_the_template_tells(*, template_tools: bool) -> None:
    asked = replace(WITH_TOOLS, tool_choice=REQUIRED, json=AnyJson(), thinking=True)

    request = asked_of(asked, able=HYBRID, template_tools=template_tools, sampling=Sampling(stop=("}",)))

    system, *others = body_of(request)["messages"]
    begun = '{"name": "weather", "arguments": '
    said = {name: value for name, value in body_of(request).items() if name not in {"messages", "response_format"}}
    assert (request.held_by, isinstance(request.new_reader and request.new_reader(), ConstrainedReader)) == (
        "tools",
        True,
    )
    assert "<tools>" in system["content"]
    assert others == [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": begun}]
    assert (said["chat_template_kwargs"], "stop" in said, "tools" in said) == (THINKING_OFF, False, False)
    assert said["continue_final_message"]
    assert body_of(request)["response_format"]["json_schema"]["schema"]["anyOf"][0]["required"] == ["name", "arguments"]


def test_a_begun_answer_is_ended_before_a_call_that_is_wanted() -> None:
    request = asked_of(replace(WITH_TOOLS, messages=(HI, BEGUN), tool_choice=REQUIRED))

    assert [message["content"] for message in body_of(request)["messages"][1:]] == [
        "Hi",
        "Once",
        '{"name": "weather", "arguments": ',
    ]


HISTORY = (
    HI,
    Message(role=Role.ASSISTANT, tool_calls=(ToolCall(id="c", name="weather", arguments="{}"),)),
    Message(role=Role.TOOL, tool_call_id="c", content="sunny"),
)


def test_calls_of_the_past_are_left_to_a_template_that_knows_them() -> None:
    asked = replace(CHAT, messages=HISTORY)

    natively, as_text = (
        [message["role"] for message in body_of(asked_of(asked, template_tools=knows))["messages"]]
        for knows in (True, False)
    )

    assert [natively, as_text] == [["user", "assistant", "tool"], ["user", "assistant", "user"]]
