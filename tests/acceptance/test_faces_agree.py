"""One conversation means the same on every face: what is asked, and what was answered when it is handed back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.catalog.catalog import Catalog
from qwenport.core.call import ChatInput
from qwenport.core.content import ImagePart, Message, Part, Role, TextPart
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Reasoning, Started, ToolCallDelta
from qwenport.core.ids import RequestId
from qwenport.core.tools import Tool, ToolCall
from qwenport.core.usage import Usage
from qwenport.faces.face import CallOperation, Exchange, Request
from qwenport.faces.registry import FACES

CARDS = Catalog.load().cards
Json = dict[str, Any]
NAMES = st.sampled_from(["weather", "time", "search_web"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)
ARGUMENTS = st.dictionaries(st.sampled_from(["city", "天气"]), TEXTS | st.integers(-9, 9) | st.booleans(), max_size=2)
PICTURES = st.sampled_from(["https://example.com/a.png", "data:image/png;base64,AAAA"])


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A question and what was said to it; the calls and the results of tools are as many."""

    question: tuple[str | ImagePart, ...]
    text: str
    calls: tuple[tuple[str, Json], ...]
    results: tuple[str, ...]


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    pictures = [ImagePart(url=url) for url in draw(st.lists(PICTURES, max_size=2))]
    calls = draw(st.lists(st.tuples(NAMES, ARGUMENTS), max_size=2))
    return Turn(
        question=(*pictures, draw(TEXTS)),
        text=draw(TEXTS),
        calls=tuple(calls),
        results=tuple(draw(TEXTS) for _ in calls),
    )


CONVERSATIONS = st.tuples(st.none() | TEXTS, st.lists(turns(), max_size=3), TEXTS)
"""What the system says, the turns so far, and the question that is open."""
Conversation = tuple[str | None, list[Turn], str]


def compact(arguments: Json) -> str:
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def meant(conversation: Conversation) -> tuple[Message, ...]:
    """Return the conversation in the words of the house."""
    system, said, question = conversation
    messages = [Message(role=Role.SYSTEM, content=system)] if system is not None else []
    for number, turn in enumerate(said):
        parts: tuple[Part, ...] = tuple(
            TextPart(text=part) if isinstance(part, str) else part for part in turn.question
        )
        messages.append(Message(role=Role.USER, content=parts if len(parts) > 1 else str(turn.question[0])))
        calls = tuple(
            ToolCall(id=f"call_{number}{which}", name=name, arguments=compact(arguments))
            for which, (name, arguments) in enumerate(turn.calls)
        )
        messages.append(Message(role=Role.ASSISTANT, content=turn.text, tool_calls=calls))
        messages += [
            Message(role=Role.TOOL, content=result, tool_call_id=call.id)
            for call, result in zip(calls, turn.results, strict=True)
        ]
    return (*messages, Message(role=Role.USER, content=question))


def tool_calls_of(message: Message) -> Json:
    if not message.tool_calls:
        return {}
    functions = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    return {
        "tool_calls": [
            {"id": call.id, "type": "function", "function": function}
            for call, function in zip(message.tool_calls, functions, strict=True)
        ]
    }


def message_of(message: Message, parts: Callable[[Part], Json]) -> Json:
    """Return a message in the shape that the OpenAI and the native face share."""
    content: Any = message.content
    if not isinstance(content, str):
        content = [parts(part) for part in content]
    said: Json = {"role": message.role.value, "content": content, **tool_calls_of(message)}
    if message.tool_call_id:
        said["tool_call_id"] = message.tool_call_id
    return said


def openai_part(part: Part) -> Json:
    if isinstance(part, ImagePart):
        return {"type": "image_url", "image_url": {"url": part.url}}
    assert isinstance(part, TextPart)
    return {"type": "text", "text": part.text}


def native_part(part: Part) -> Json:
    if isinstance(part, ImagePart):
        return {"image": part.url}
    assert isinstance(part, TextPart)
    return {"text": part.text}


def anthropic_part(part: Part) -> Json:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    assert isinstance(part, ImagePart)
    if part.url.startswith("data:"):
        media_type, _, content = part.url.removeprefix("data:").partition(";base64,")
        return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": content}}
    return {"type": "image", "source": {"type": "url", "url": part.url}}


def anthropic_message(message: Message) -> Json:
    if message.role is Role.TOOL:
        result = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}
        return {"role": "user", "content": [result]}
    if message.role is Role.USER:
        return message_of(message, anthropic_part)
    uses = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": [{"type": "text", "text": message.text}, *uses]}


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
OFFERED = Tool(name="weather", description="Tells.", parameters=json.dumps(PARAMETERS, separators=(",", ":")).encode())


def openai_body(messages: Sequence[Message]) -> Json:
    function = {"name": "weather", "description": "Tells.", "parameters": PARAMETERS}
    said = [message_of(message, openai_part) for message in messages]
    return {"messages": said, "tools": [{"type": "function", "function": function}], "max_tokens": 9}


def native_body(messages: Sequence[Message]) -> Json:
    function = {"name": "weather", "description": "Tells.", "parameters": PARAMETERS}
    said = [message_of(message, native_part) for message in messages]
    parameters = {"tools": [{"type": "function", "function": function}], "result_format": "message", "max_tokens": 9}
    return {"input": {"messages": said}, "parameters": parameters}


def anthropic_body(messages: Sequence[Message]) -> Json:
    system = [message.text for message in messages if message.role is Role.SYSTEM]
    tool = {"name": "weather", "description": "Tells.", "input_schema": PARAMETERS}
    said = [anthropic_message(message) for message in messages if message.role is not Role.SYSTEM]
    return {"messages": said, "tools": [tool], "max_tokens": 9, **({"system": system[0]} if system else {})}


Writer = Callable[[Sequence[Message]], Json]
CHATS: dict[str, Writer] = {
    "chat.completions": openai_body,
    "multimodal-generation": native_body,
    "messages": anthropic_body,
}
OPERATIONS: dict[str, CallOperation] = {
    operation.name: operation
    for face in FACES
    for operation in face.operations
    if isinstance(operation, CallOperation) and operation.name in CHATS
}
every_chat = pytest.mark.parametrize("name", CHATS)


def decode(name: str, body: Json) -> Exchange:
    request = Request(
        id=RequestId("00000000-0000-9000-8000-000000000001"),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        headers={},
        query={},
        path_parameters={},
        body=json.dumps({"model": "qwen-vl-max", **body}, separators=(",", ":")).encode(),
    )
    exchange = OPERATIONS[name].decode(request, CARDS)
    assert isinstance(exchange, Exchange)
    assert exchange.call.refusal is None
    return exchange


def chat_of(exchange: Exchange) -> ChatInput:
    assert isinstance(exchange.call.input, ChatInput)
    return exchange.call.input


def comparable(messages: Sequence[Message]) -> list[tuple[object, ...]]:
    """Return messages with the arguments of calls as what they mean, not as they were written."""
    return [
        (
            message.role,
            message.content,
            message.reasoning,
            message.tool_call_id,
            [(call.id, call.name, json.loads(call.arguments)) for call in message.tool_calls],
        )
        for message in messages
    ]


@every_chat
@given(conversation=CONVERSATIONS)
def test_a_conversation_keeps_its_meaning(name: str, conversation: Conversation) -> None:
    messages = meant(conversation)
    exchange = decode(name, CHATS[name](messages))

    assert comparable(chat_of(exchange).messages) == comparable(messages)
    assert chat_of(exchange).tools == (OFFERED,)
    assert exchange.call.sampling.max_tokens == 9


ANSWERS = st.tuples(TEXTS, st.lists(st.tuples(NAMES, ARGUMENTS), max_size=2), st.booleans())
Answer = tuple[str, list[tuple[str, Json]], bool]


def events_of(answer: Answer) -> list[Event]:
    """Return what an engine says, each piece cut in two."""
    text, calls, thinks = answer
    events: list[Event] = [Started(served_by="scripted/model", input_tokens=7)]
    if thinks:
        events += [Reasoning(text="So "), Reasoning(text="what?")]
    events += [Delta(text=text[:1]), Delta(text=text[1:])]
    for index, (name, arguments) in enumerate(calls):
        whole = compact(arguments)
        events += [
            ToolCallDelta(index=index, id=f"call_{index}", name=name, arguments=whole[:1]),
            ToolCallDelta(index=index, arguments=whole[1:]),
        ]
    reason = FinishReason.TOOL_CALLS if calls else FinishReason.STOP
    return [*events, ChoiceFinished(reason=reason), Finished(usage=Usage(input_tokens=7, output_tokens=9))]


def handed_back(name: str, reply: Json) -> Json:
    """Return the message of an answer as its caller sends it again."""
    if name == "messages":
        return {"role": "assistant", "content": reply["content"]}
    choices = reply["choices"] if name == "chat.completions" else reply["output"]["choices"]
    message: Json = choices[0]["message"]
    return message


@every_chat
@given(answer=ANSWERS)
def test_an_answer_that_is_handed_back_means_what_was_said(name: str, answer: Answer) -> None:
    text, calls, thinks = answer
    whole: Any = decode(name, CHATS[name]([Message(role=Role.USER, content="Hi")])).answer
    for event in events_of(answer):
        whole.add(event)
    said = Message(
        role=Role.ASSISTANT,
        content=text,
        reasoning="So what?" if thinks else "",
        tool_calls=tuple(
            ToolCall(id=f"call_{index}", name=each, arguments=compact(arguments))
            for index, (each, arguments) in enumerate(calls)
        ),
    )
    results = [Message(role=Role.TOOL, content="x", tool_call_id=call.id) for call in said.tool_calls]
    body = CHATS[name]([Message(role=Role.USER, content="Hi"), said, *results, Message(role=Role.USER, content="?")])
    messages = body["input"]["messages"] if "input" in body else body["messages"]
    messages[1] = handed_back(name, json.loads(whole.reply().body))
    understood = chat_of(decode(name, body)).messages[1]

    content = understood.content if isinstance(understood.content, str) else understood.text
    assert comparable([said])[0][2:] == comparable([understood])[0][2:]
    assert (understood.role, content) == (Role.ASSISTANT, text)
