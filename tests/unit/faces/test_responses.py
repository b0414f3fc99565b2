"""The Responses API: what is asked, what is refused, the events of a stream, what is kept, and the official client."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from openai.types.responses import Response
from pydantic import BaseModel

from qwenport.core.call import AnyJson, ChatInput, JsonSchema, Sampling
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.content import ImagePart, Message, Role, TextPart
from qwenport.core.errors import BodyNotJson, EngineFailed, ModelMissing, ParameterInvalid, ResponseNotFound
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
    TopToken,
)
from qwenport.core.model_card import ModelCard
from qwenport.core.queries import Query
from qwenport.core.responses import (
    LARGEST_STORED_BYTES,
    CancelResponse,
    DeleteResponse,
    FindResponse,
    KeepResponse,
    StoredResponse,
)
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.core.usage import Usage
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.openai import OPENAI
from qwenport.faces.openai.responses.decode import decode_response
from qwenport.testing.scripted_face import ScriptedFace, Step

MakeRequest = Callable[..., Request]
STARTED = Started(served_by="scripted/model", input_tokens=7, cached_tokens=3)
STOP = ChoiceFinished(reason=FinishReason.STOP, tokens=1)
END = Finished(usage=Usage(input_tokens=7, output_tokens=3, cached_tokens=3, reasoning_tokens=1))
GOOD: tuple[Event, ...] = (STARTED, Delta(text="Hel"), Delta(text=""), Delta(text="lo\n\n你 %d"), STOP, END)
THOUGHT: tuple[Event, ...] = (
    STARTED,
    Reasoning(text="Let me "),
    Reasoning(text="see."),
    Delta(text="Yes."),
    STOP,
    END,
)
CALLED: tuple[Event, ...] = (
    STARTED,
    Delta(text="One moment."),
    ToolCallDelta(index=0, id="call_1", name="weather", arguments=""),
    ToolCallDelta(index=0, arguments='{"city":'),
    ToolCallDelta(index=0, arguments='"Oslo"}'),
    ToolCallDelta(index=1, id="call_2", name="clock", arguments="{}"),
    ChoiceFinished(reason=FinishReason.TOOL_CALLS),
    END,
)
CUT: tuple[Event, ...] = (STARTED, Delta(text="Once upon"), ChoiceFinished(reason=FinishReason.LENGTH), END)
FIRST_ID = "resp_00000000-0000-9000-8000-000000000001"
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}


class Memory:
    """Stored answers in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, StoredResponse] = {}

    def find(self, query: FindResponse) -> StoredResponse:
        if query.id not in self.kept:
            raise ResponseNotFound(query.id)
        return self.kept[query.id]

    def keep(self, query: KeepResponse) -> None:
        self.kept[query.response.id] = query.response

    def delete(self, query: DeleteResponse) -> None:
        self.find(FindResponse(id=query.id))
        del self.kept[query.id]

    def cancel(self, query: CancelResponse) -> None:
        self.find(FindResponse(id=query.id))
        raise ParameterInvalid("Cannot cancel a synchronous response.", parameter="response_id")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def face(cards: Cards, memory: Memory) -> ScriptedFace:
    desk: dict[type[Query], Callable[[Any], object]] = {
        FindResponse: memory.find,
        KeepResponse: memory.keep,
        DeleteResponse: memory.delete,
        CancelResponse: memory.cancel,
    }
    made = ScriptedFace(OPENAI, cards, desk=desk)
    made.script = GOOD
    return made


@pytest.fixture
def client(face: ScriptedFace, connect_openai: Callable[[ScriptedFace], openai.OpenAI]) -> openai.OpenAI:
    return connect_openai(face)


Hear = Callable[..., ChatInput]
Ask = Callable[..., ChatInput]


@pytest.fixture
def hear(make_request: MakeRequest, cards: Cards) -> Hear:
    """Return what a call of a model with these capabilities asks for; raises what is wrong with it."""

    def decode(capabilities: Capabilities, **fields: Any) -> ChatInput:
        card: ModelCard = replace(cards["qwen-turbo"], capabilities=capabilities)
        exchange = decode_response(make_request({"model": "m", "input": "Hi", **fields}), {"m": card})
        assert isinstance(exchange, Exchange)
        if exchange.call.refusal is not None:
            raise exchange.call.refusal
        assert isinstance(exchange.call.input, ChatInput)
        return exchange.call.input

    return decode


@pytest.fixture
def ask(hear: Hear) -> Ask:
    """Return what a call of a plain model asks for."""

    def decode(**fields: Any) -> ChatInput:
        return hear(Capabilities(), **fields)

    return decode


def events(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a stream, whose framing is looked at on the way."""
    found = []
    for number, frame in enumerate(body.decode().split("\n\n")[:-1]):
        match = re.fullmatch(r"id:(\d+)\nevent:([a-z_.]+)\n:HTTP_STATUS/(\d+)\ndata:(.+)", frame)
        assert match is not None
        event = json.loads(match[4])
        assert (int(match[1]), event["sequence_number"], event["type"]) == (number + 1, number, match[2])
        found.append(event)
    return found


# What is asked


def test_a_text_is_a_message_of_the_user(ask: Ask) -> None:
    assert ask(instructions="Be brief.") == ChatInput(
        messages=(Message(role=Role.SYSTEM, content="Be brief."), Message(role=Role.USER, content="Hi"))
    )


def test_items_become_the_messages_of_a_conversation(ask: Ask) -> None:
    """What an assistant thought, said and called in a row is one message."""
    picture = {"type": "input_image", "image_url": "https://host/a.png", "detail": "auto", "min_pixels": 3136}
    asked = ask(
        input=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "What is this?"}, picture]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
            {"type": "function_call", "call_id": "call_2", "name": "hear", "arguments": '{"a":1}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "A cat."},
            {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "Miau"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "A cat."}]},
            {"role": "user", "content": "Sure?"},
        ]
    )

    assert asked.messages == (
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(
            role=Role.USER,
            content=(TextPart(text="What is this?"), ImagePart(url="https://host/a.png", min_pixels=3136)),
        ),
        Message(
            role=Role.ASSISTANT,
            content="I look.",
            reasoning="Hm.",
            tool_calls=(
                ToolCall(id="call_1", name="look", arguments="{}"),
                ToolCall(id="call_2", name="hear", arguments='{"a":1}'),
            ),
        ),
        Message(role=Role.TOOL, content="A cat.", tool_call_id="call_1"),
        Message(role=Role.TOOL, content="Miau", tool_call_id="call_2"),
        Message(role=Role.ASSISTANT, content="A cat."),
        Message(role=Role.USER, content="Sure?"),
    )


@pytest.mark.parametrize(
    ("part", "url"),
    [
        ({"type": "input_image", "image_url": "https://example.com/a.png"}, "https://example.com/a.png"),
        ({"type": "input_image", "file_id": "file-fe-1"}, "fileid://file-fe-1"),
        ({"type": "input_file", "file_id": "file-fe-1"}, "fileid://file-fe-1"),
        ({"type": "input_file", "file_url": "https://example.com/a.pdf"}, "https://example.com/a.pdf"),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
            "data:application/pdf;base64,JVBE",
        ),
    ],
)
def test_images_and_files_are_read_from_wherever_they_are(part: dict[str, Any], url: str, ask: Ask) -> None:
    assert ask(input=[{"role": "user", "content": [part]}]) == ChatInput(
        messages=(Message(role=Role.USER, content=(ImagePart(url=url),)),)
    )


def test_parameters_are_what_the_call_says(face: ScriptedFace, client: openai.OpenAI) -> None:
    client.responses.create(  # type: ignore[call-overload]  # a tool in a plain dictionary, as users write it
        model="qwen-turbo",
        input="Hi",
        tools=[WEATHER],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=True,
        max_output_tokens=9,
        temperature=0.5,
        top_p=0.25,
        top_logprobs=2,
        include=["message.output_text.logprobs"],
        extra_body={"top_k": 3, "seed": 4, "presence_penalty": 0.5, "enable_thinking": True, "thinking_budget": 5},
        extra_headers={"X-DashScope-OssResourceResolve": "enable"},
    )
    call = face.calls[0]

    assert (call.face, call.operation, call.model, call.streams, call.resolves_uploads) == (
        "openai",
        "responses",
        "qwen-turbo",
        False,
        True,
    )
    assert call.input == ChatInput(
        messages=(Message(role=Role.USER, content="Hi"),),
        tools=(
            Tool(
                name="weather",
                description="Tells the weather.",
                parameters=b'{"type":"object","properties":{"city":{"type":"string"}}}',
            ),
        ),
        tool_choice=ToolChoice(use=ToolUse.NAMED, name="weather"),
        parallel_tool_calls=True,
        thinking=True,
        thinking_budget=5,
    )
    assert call.sampling == Sampling(
        temperature=0.5, top_p=0.25, top_k=3, seed=4, presence_penalty=0.5, max_completion_tokens=9, logprobs=2
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, AnyJson()),
        (
            {"type": "json_schema", "name": "row", "schema": {"type": "object"}, "strict": True},
            JsonSchema(name="row", schema=b'{"type": "object"}', strict=True),
        ),
    ],
)
def test_the_shape_of_the_text_can_be_asked_for(written: object, read: object, ask: Ask) -> None:
    assert ask(text={"format": written, "verbosity": "low"}).json == read


@pytest.mark.parametrize(
    ("thinking", "effort", "enable", "asked"),
    [
        (Thinking.HYBRID, "high", None, True),
        (Thinking.HYBRID, "none", None, False),
        (Thinking.HYBRID, "minimal", None, False),
        (Thinking.HYBRID, "high", False, False),
        (Thinking.HYBRID, None, None, None),
        (Thinking.NONE, "high", None, None),
        (Thinking.ALWAYS, "none", None, None),
        (Thinking.NONE, "high", True, True),
    ],
)
def test_an_effort_counts_only_where_the_model_has_a_choice(
    thinking: Thinking, effort: str | None, enable: object, asked: object, hear: Hear
) -> None:
    heard = hear(Capabilities(thinking=thinking), reasoning={"effort": effort}, enable_thinking=enable)

    assert heard.thinking is asked


@pytest.mark.parametrize(
    ("fields", "words", "parameter"),
    [
        ({"input": None}, "'input' is a required property", "input"),
        ({"input": []}, "[] is too short - 'input'", "input"),
        ({"input": ""}, "Role must be user or assistant and Content length must be greater than 0", "messages"),
        (
            {"input": [{"type": "item_reference", "id": "msg_1"}]},
            (
                "Unexpected item type in input: 'item_reference' is not served, only message, function_call, "
                "function_call_output and reasoning are - 'input[0]'"
            ),
            "input",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            (
                "Unexpected item type in content: 'input_audio' is not served, only input_text, output_text, "
                "input_image and input_file are - 'input[0].content[0]'"
            ),
            "input",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "The image_url field is a required field. - 'input[0].content[0]'",
            "input",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "filename": "a.pdf"}]}]},
            "The file_id, file_url or file_data field is a required field. - 'input[0].content[0]'",
            "input",
        ),
        (
            {
                "input": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": [{"type": "input_image", "image_url": "https://host/a.png"}]},
                ]
            },
            "Unexpected item type in content: only text is served here - 'input[1]'",
            "input",
        ),
        ({"input": [{"role": "user"}]}, "The content field is a required field. - 'input[0]'", "input"),
        (
            {"input": [{"type": "function_call_output", "call_id": "call_9", "output": "?"}]},
            'messages with role "tool" must be a response to a preceding message with "tool_calls".',
            "messages",
        ),
        (
            {"tools": [{"type": "web_search"}]},
            "'web_search' is not served, only tools of the type 'function' are - 'tools[0].type'",
            "tools",
        ),
        ({"tools": [WEATHER, {**WEATHER, "name": "search"}]}, "Tool names are not allowed to be [search]", "tools"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "clock"}},
            "The tool 'clock' of tool_choice is not among the tools",
            "tool_choice",
        ),
        ({"background": True}, "The background parameter is not supported.", "background"),
        ({"conversation": "conv_1"}, "The conversation parameter is not supported.", "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "The prompt parameter is not supported.", "prompt"),
        (
            {"metadata": {str(number): "" for number in range(17)}},
            "The metadata parameter may hold at most 16 pairs.",
            "metadata",
        ),
        (
            {"metadata": {"a": "x" * 513}},
            "Keys of metadata may be at most 64 characters long, values 512.",
            "metadata",
        ),
    ],
)
def test_content_that_cannot_be_served_is_refused_once_the_model_was_looked_at(
    fields: dict[str, Any], words: str, parameter: str, ask: Ask
) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        ask(**fields)

    assert (caught.value.message, caught.value.parameter) == (words, parameter)


def test_a_body_that_cannot_be_understood_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(ModelMissing):
        decode_response(make_request({"input": "Hi"}), {})
    with pytest.raises(BodyNotJson):
        decode_response(make_request(b'{"model":"m","input":"\\ud800 alone"}'), {})
    with pytest.raises(ParameterInvalid, match="'max_output_tokens' must be Integer"):
        decode_response(make_request({"model": "m", "input": "Hi", "max_output_tokens": "9"}), {})


# What is answered


def test_openai_reads_a_whole_response(client: openai.OpenAI) -> None:
    response = client.responses.create(
        model="qwen-turbo", input="Hi", instructions="Be brief.", metadata={"a": "b"}, temperature=0.5
    )
    item = response.output[0]

    assert re.fullmatch(r"msg_[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", item.id or "")
    assert response.output_text == "Hello\n\n你 %d"
    assert response.to_dict() == {
        "background": False,
        "created_at": 1767225600,
        "id": FIRST_ID,
        "instructions": "Be brief.",
        "max_output_tokens": None,
        "metadata": {"a": "b"},
        "model": "qwen-turbo",
        "object": "response",
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "temperature": 0.5,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "status": "completed",
        "store": True,
        "error": None,
        "incomplete_details": None,
        "output": [
            {
                "content": [
                    {"annotations": [], "logprobs": [], "text": "Hello\n\n你 %d", "type": "output_text"},
                ],
                "id": item.id,
                "role": "assistant",
                "status": "completed",
                "type": "message",
            }
        ],
        "usage": {
            "input_tokens": 7,
            "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 10,
            "x_details": [
                {
                    "input_tokens": 7,
                    "output_tokens": 3,
                    "output_tokens_details": {"reasoning_tokens": 1},
                    "prompt_tokens_details": {"cached_tokens": 3},
                    "total_tokens": 10,
                    "x_billing_type": "response_api",
                }
            ],
        },
    }


def test_a_stream_tells_every_step(client: openai.OpenAI, face: ScriptedFace) -> None:
    body = {"model": "qwen-turbo", "input": "Hi", "stream": True}
    reply = face.answer("POST", "/compatible-mode/v1/responses", {}, json.dumps(body).encode())
    told = events(reply.body)
    names = [event["type"].removeprefix("response.") for event in told]
    last = told[-1]["response"]
    item = last["output"][0]

    assert reply.headers == ((b"content-type", b"text/event-stream;charset=UTF-8"),)
    assert names == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    begun = {**last, "status": "in_progress", "output": [], "usage": None}
    assert (told[0]["response"], told[1]["response"]) == (begun, begun)
    assert told[2]["item"] == {**item, "content": [], "status": "in_progress"}
    assert told[3] == {
        "content_index": 0,
        "part": {"annotations": [], "logprobs": [], "text": "", "type": "output_text"},
        "item_id": item["id"],
        "output_index": 0,
        "sequence_number": 3,
        "type": "response.content_part.added",
    }
    assert told[5] == {
        "content_index": 0,
        "delta": "lo\n\n你 %d",
        "logprobs": [],
        "item_id": item["id"],
        "output_index": 0,
        "sequence_number": 5,
        "type": "response.output_text.delta",
    }
    assert (told[6]["text"], told[7]["part"]) == ("Hello\n\n你 %d", item["content"][0])
    assert (told[8]["item"], told[8]["output_index"]) == (item, 0)


def test_thoughts_are_an_item_before_the_text(client: openai.OpenAI, face: ScriptedFace) -> None:
    face.script = THOUGHT
    whole = client.responses.create(model="qwen-turbo", input="Hi")
    told = list(client.responses.create(model="qwen-turbo", input="Hi", stream=True))

    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert whole.output[0].to_dict() == {
        "id": whole.output[0].id,
        "summary": [{"text": "Let me see.", "type": "summary_text"}],
        "type": "reasoning",
    }
    assert [event.type.removeprefix("response.") for event in told[2:9]] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert [event.delta for event in told if event.type == "response.reasoning_summary_text.delta"] == [
        "Let me ",
        "see.",
    ]


def test_function_calls_are_items_after_the_text(client: openai.OpenAI, face: ScriptedFace) -> None:
    face.script = CALLED
    whole = client.responses.create(model="qwen-turbo", input="Hi", tools=[WEATHER])  # type: ignore[list-item]  # as users write it
    with client.responses.stream(model="qwen-turbo", input="Hi", tools=[WEATHER]) as stream:  # type: ignore[list-item]  # as users write it
        told = list(stream)
        final = stream.get_final_response()

    assert [item.type for item in whole.output] == ["message", "function_call", "function_call"]
    assert [item.to_dict() for item in whole.output[1:]] == [
        {
            "arguments": arguments,
            "call_id": call_id,
            "id": item.id,
            "name": name,
            "status": "completed",
            "type": "function_call",
        }
        for item, call_id, name, arguments in zip(
            whole.output[1:],
            ("call_1", "call_2"),
            ("weather", "clock"),
            ('{"city":"Oslo"}', "{}"),
            strict=True,
        )
    ]
    assert whole.to_dict()["tools"] == [WEATHER]
    assert [item.type for item in final.output] == [item.type for item in whole.output]
    snapshots = [event.snapshot for event in told if event.type == "response.function_call_arguments.delta"]
    assert snapshots == ['{"city":', '{"city":"Oslo"}', "{}"]


def test_the_helper_of_the_client_reads_a_schema(client: openai.OpenAI, face: ScriptedFace) -> None:
    class Row(BaseModel):
        city: str

    face.script = (STARTED, Delta(text='{"city":'), Delta(text='"Oslo"}'), STOP, END)
    with client.responses.stream(model="qwen-turbo", input="Hi", text_format=Row) as stream:
        streamed = stream.get_final_response()
    whole = client.responses.parse(model="qwen-turbo", input="Hi", text_format=Row)

    assert streamed.output_parsed == whole.output_parsed == Row(city="Oslo")
    asked = face.calls[0].input
    assert isinstance(asked, ChatInput)
    assert isinstance(asked.json, JsonSchema)


def test_an_answer_that_was_cut_off_is_incomplete(client: openai.OpenAI, face: ScriptedFace) -> None:
    face.script = CUT
    whole = client.responses.create(model="qwen-turbo", input="Hi")
    *_, item_done, last = client.responses.create(model="qwen-turbo", input="Hi", stream=True)

    assert (whole.status, whole.to_dict()["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert whole.output[0].to_dict()["status"] == "incomplete"
    assert last.type == "response.incomplete"
    assert last.response.output_text == "Once upon"
    assert item_done.type == "response.output_item.done"
    assert item_done.item.to_dict()["status"] == "incomplete"


def test_an_answer_without_a_word_is_an_empty_message(client: openai.OpenAI, face: ScriptedFace) -> None:
    face.script = (STARTED, STOP, END)
    whole = client.responses.create(model="qwen-turbo", input="Hi")
    with client.responses.stream(model="qwen-turbo", input="Hi") as stream:
        streamed = stream.get_final_response()

    assert [item.type for item in whole.output] == [item.type for item in streamed.output] == ["message"]
    assert whole.output_text == streamed.output_text == ""


def test_log_probabilities_stand_beside_the_text(client: openai.OpenAI, face: ScriptedFace) -> None:
    token = TokenLogprob(token="Hi", logprob=-0.5, bytes=(72, 105), top=(TopToken(token="Yo", logprob=-1.5),))
    face.script = (STARTED, Delta(text="Hi", logprobs=(token,)), STOP, END)
    whole = client.responses.create(model="qwen-turbo", input="Hi", include=["message.output_text.logprobs"])
    told = list(client.responses.create(model="qwen-turbo", input="Hi", stream=True))

    likely = {
        "token": "Hi",
        "bytes": [72, 105],
        "logprob": -0.5,
        "top_logprobs": [{"token": "Yo", "bytes": [], "logprob": -1.5}],
    }
    assert whole.to_dict()["output"][0]["content"][0]["logprobs"] == [likely]  # type: ignore[index]  # JSON
    assert [event.to_dict()["logprobs"] for event in told if event.type.startswith("response.output_text.")] == [
        [likely],
        [likely],
    ]


@pytest.mark.parametrize("begun", [GOOD[:2], GOOD[:1], ()])
def test_a_failure_inside_a_stream_is_raised(
    begun: Sequence[Step], client: openai.OpenAI, face: ScriptedFace, memory: Memory
) -> None:
    face.script = (*begun, EngineFailed("the engine broke off"))
    seen: list[Any] = []
    with pytest.raises(openai.APIError, match="the engine broke off") as caught:
        seen.extend(client.responses.create(model="qwen-turbo", input="Hi", stream=True))
    with pytest.raises(openai.APIError), client.responses.stream(model="qwen-turbo", input="Hi") as stream:
        stream.until_done()

    failed = seen[-1]
    assert failed.type == "response.failed"
    assert failed.response.status == "failed"
    assert failed.response.error is not None
    assert failed.response.error.message == "the engine broke off"
    assert caught.value.code == "internal_error"
    assert memory.kept == {}


def test_a_whole_answer_that_fails_is_an_error_of_the_face(client: openai.OpenAI, face: ScriptedFace) -> None:
    face.script = (*GOOD[:2], EngineFailed("the engine broke off"))
    with pytest.raises(openai.InternalServerError, match="the engine broke off"):
        client.responses.create(model="qwen-turbo", input="Hi")


def test_a_body_over_several_lines_does_not_break_the_stream(face: ScriptedFace) -> None:
    body = {"model": "qwen-turbo", "input": "Hi", "stream": True, "tools": [WEATHER], "reasoning": {"effort": "low"}}
    reply = face.answer("POST", "/compatible-mode/v1/responses", {}, json.dumps(body, indent=2).encode())

    assert events(reply.body)[0]["response"]["tools"] == [WEATHER]
    assert events(reply.body)[0]["response"]["reasoning"] == {"effort": "low"}


PIECES = st.one_of(
    st.builds(Delta, text=st.text(max_size=8)),
    st.builds(Reasoning, text=st.text(max_size=8)),
    st.builds(
        lambda index, arguments: ToolCallDelta(index=index, id=f"call_{index}", name="weather", arguments=arguments),
        st.integers(0, 2),
        st.text(max_size=4),
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(pieces=st.lists(PIECES, max_size=12), reason=st.sampled_from(FinishReason))
def test_whatever_is_said_the_stream_ends_in_the_whole_answer(
    pieces: list[Event], reason: FinishReason, client: openai.OpenAI, face: ScriptedFace
) -> None:
    """Empty thoughts and texts begin no item in a stream, so they must not in a whole answer either."""
    face.script = (STARTED, *pieces, ChoiceFinished(reason=reason), END)
    whole = client.responses.create(model="qwen-turbo", input="Hi")
    told = list(client.responses.create(model="qwen-turbo", input="Hi", stream=True))
    if reason is not FinishReason.LENGTH:
        with client.responses.stream(model="qwen-turbo", input="Hi") as stream:
            stream.get_final_response()
    last: Any = told[-1]
    done = [event.to_dict()["item"] for event in told if event.type == "response.output_item.done"]

    def without_ids(response: Response) -> list[dict[str, object]]:
        return [{**item.to_dict(), "id": None} for item in response.output]

    assert without_ids(last.response) == without_ids(whole)
    assert sorted(done, key=str) == sorted((item.to_dict() for item in last.response.output), key=str)


# What is kept


def test_a_conversation_goes_on_from_a_stored_answer(client: openai.OpenAI, face: ScriptedFace, memory: Memory) -> None:
    face.script = CALLED
    first = client.responses.create(model="qwen-turbo", input="Hi", instructions="Be brief.", tools=[WEATHER])  # type: ignore[list-item]  # as users write it
    face.script = GOOD
    outputs: list[Any] = [
        {"type": "function_call_output", "call_id": "call_1", "output": "Rain."},
        {"type": "function_call_output", "call_id": "call_2", "output": "Noon."},
    ]
    second = client.responses.create(model="qwen3-max", input=outputs, previous_response_id=first.id, stream=False)
    list(client.responses.create(model="qwen-turbo", input="Bye", previous_response_id=second.id, stream=True))
    asked = face.calls[2].input
    assert isinstance(asked, ChatInput)

    assert (second.previous_response_id, list(memory.kept)) == (
        first.id,
        [first.id, second.id, "resp_00000000-0000-9000-8000-000000000003"],
    )
    assert asked.messages == (
        Message(role=Role.USER, content="Hi"),
        Message(
            role=Role.ASSISTANT,
            content="One moment.",
            tool_calls=(
                ToolCall(id="call_1", name="weather", arguments='{"city":"Oslo"}'),
                ToolCall(id="call_2", name="clock", arguments="{}"),
            ),
        ),
        Message(role=Role.TOOL, content="Rain.", tool_call_id="call_1"),
        Message(role=Role.TOOL, content="Noon.", tool_call_id="call_2"),
        Message(role=Role.ASSISTANT, content="Hello\n\n你 %d"),
        Message(role=Role.USER, content="Bye"),
    )


def test_a_stored_answer_is_given_again_as_it_was(client: openai.OpenAI) -> None:
    whole = client.responses.create(model="qwen-turbo", input="Hi")
    *_, last = client.responses.create(model="qwen-turbo", input="Hi", stream=True)
    assert last.type == "response.completed"

    assert client.responses.retrieve(whole.id).to_dict() == whole.to_dict()
    assert client.responses.retrieve(last.response.id).to_dict() == last.response.to_dict()


def test_what_the_caller_does_not_want_kept_is_not(client: openai.OpenAI, memory: Memory) -> None:
    response = client.responses.create(model="qwen-turbo", input="Hi", store=False)

    assert memory.kept == {}
    assert response.to_dict()["store"] is False


@pytest.mark.parametrize(("size", "is_kept"), [(1 << 20, True), (LARGEST_STORED_BYTES, False)])
def test_what_is_too_large_to_be_kept_says_so(size: int, is_kept: bool, client: openai.OpenAI, memory: Memory) -> None:
    response = client.responses.create(model="qwen-turbo", input="x" * size)

    assert response.to_dict()["store"] is is_kept
    assert list(memory.kept) == ([FIRST_ID] if is_kept else [])


def test_an_unknown_answer_is_not_found(client: openai.OpenAI) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: client.responses.retrieve("resp_9"),
        lambda: client.responses.delete("resp_9"),
        lambda: client.responses.cancel("resp_9"),
        lambda: client.responses.input_items.list("resp_9"),
        lambda: client.responses.create(model="qwen-turbo", input="Hi", previous_response_id="resp_9"),
        lambda: client.responses.create(model="qwen-turbo", input="Hi", previous_response_id="resp_9", stream=True),
    ]
    for attempt in attempts:
        with pytest.raises(openai.NotFoundError, match="Response with id 'resp_9' not found"):
            attempt()


def test_a_stored_answer_can_be_deleted_but_not_cancelled(client: openai.OpenAI, face: ScriptedFace) -> None:
    response = client.responses.create(model="qwen-turbo", input="Hi")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(response.id)
    reply = face.answer("DELETE", f"/compatible-mode/v1/responses/{response.id}", {}, b"")
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)

    assert json.loads(reply.body) == {"id": response.id, "object": "response", "deleted": True}


def test_the_items_of_a_conversation_are_listed_in_pages(client: openai.OpenAI, face: ScriptedFace) -> None:
    first = client.responses.create(model="qwen-turbo", input="Hi")
    second = client.responses.create(
        model="qwen-turbo",
        input=[{"role": "user", "content": "Again"}, {"role": "user", "content": "!", "id": "msg_mine"}],  # type: ignore[list-item]  # an id of one's own
        previous_response_id=first.id,
    )
    newest = client.responses.input_items.list(second.id, limit=3)
    everything = list(client.responses.input_items.list(second.id, order="asc", limit=1))
    texts = [item.to_dict()["content"][0]["text"] for item in everything]  # type: ignore[index]  # JSON
    ids = [item.id for item in everything]

    assert texts == ["Hi", "Hello\n\n你 %d", "Again", "!"]
    assert (ids[1], ids[3], len(set(ids))) == (first.output[0].id, "msg_mine", 4)
    assert [item.id for item in newest.data] == [ids[3], ids[2], ids[1]]
    page: dict[str, Any] = {**newest.to_dict(), "data": None}
    assert page == {
        "object": "list",
        "data": None,
        "first_id": ids[3],
        "last_id": ids[1],
        "has_more": True,
        "id": second.id,
        "model": "qwen-turbo",
        "created_at": 1767225600000,
        "previous_response_id": first.id,
    }
    assert everything[0].to_dict() == {
        "id": ids[0],
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "Hi"}],
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"limit": 0}, r"Range of limit should be \[1, 100\]"),
        ({"limit": 101}, r"Range of limit should be \[1, 100\]"),
        ({"limit": "many"}, r"Range of limit should be \[1, 100\]"),
        ({"order": "random"}, r"'random' is not one of \['asc', 'desc'\] - 'order'"),
        ({"after": "msg_9"}, "No item with id 'msg_9' found"),
    ],
)
def test_a_page_that_cannot_be_is_refused(query: dict[str, Any], words: str, client: openai.OpenAI) -> None:
    response = client.responses.create(model="qwen-turbo", input="Hi")
    with pytest.raises(openai.BadRequestError, match=words):
        client.responses.input_items.list(response.id, **query)


def test_a_stored_answer_is_not_streamed_again(client: openai.OpenAI) -> None:
    response = client.responses.create(model="qwen-turbo", input="Hi")
    with pytest.raises(openai.BadRequestError, match="The stream parameter is not supported"):
        client.responses.retrieve(response.id, stream=True)
