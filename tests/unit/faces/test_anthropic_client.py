"""The Anthropic face's bytes through the official client, without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.core.errors import Overloaded
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Reasoning, Started, ToolCallDelta
from qwenport.core.tokens import CountTokens
from qwenport.core.usage import Usage
from qwenport.faces.anthropic import ANTHROPIC
from qwenport.faces.sse import KEEP_ALIVE
from qwenport.testing.scripted_face import ScriptedFace
from qwenport.testing.scripts import BROKEN, GOOD

ID = "00000000-0000-9000-8000-000000000001"
SECOND_ID = "00000000-0000-9000-8000-000000000002"
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
STARTED = Started(served_by="scripted/model", input_tokens=7, cached_tokens=3)
FINISHED = Finished(usage=Usage(input_tokens=7, output_tokens=3, cached_tokens=3))


@pytest.fixture(scope="module")
def scripted() -> ScriptedFace:
    return ScriptedFace(ANTHROPIC, {}, desk={CountTokens: lambda _: 12})


@pytest.fixture
def face(scripted: ScriptedFace) -> ScriptedFace:
    scripted.forget()
    return scripted


@pytest.fixture(scope="module")
def paths() -> list[str]:
    """Give the addresses that the client asked."""
    return []


@pytest.fixture(scope="module")
def opened(scripted: ScriptedFace, paths: list[str]) -> Iterator[anthropic.Anthropic]:
    def respond(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.raw_path.decode())
        reply = scripted.answer(request.method, str(request.url), request.headers, request.content)
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    with anthropic.Anthropic(
        api_key="sk-test",
        base_url="http://test/apps/anthropic",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(respond)),
    ) as client:
        yield client


@pytest.fixture
def client(face: ScriptedFace, paths: list[str], opened: anthropic.Anthropic) -> anthropic.Anthropic:
    """Give a client of a face that nobody asked anything."""
    paths.clear()
    return opened


def content_of(message: anthropic.types.Message) -> list[dict[str, Any]]:
    return [block.model_dump(exclude_none=True) for block in message.content]


def test_the_client_reads_a_whole_answer(client: anthropic.Anthropic) -> None:
    message = client.messages.create(model="qwen-plus", max_tokens=9, messages=HELLO)

    assert message.to_dict() == {
        "id": f"msg_{ID}",
        "type": "message",
        "role": "assistant",
        "model": "qwen-plus",
        "content": [{"type": "text", "text": "Hello\n\n你"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 4,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 3,
            "output_tokens": 3,
        },
    }
    assert message._request_id == ID


def test_the_client_reads_a_stream(face: ScriptedFace, client: anthropic.Anthropic) -> None:
    whole = client.messages.create(model="qwen-plus", max_tokens=9, messages=HELLO)
    face.script = (KEEP_ALIVE, *GOOD[:2], KEEP_ALIVE, *GOOD[2:])
    with client.messages.stream(model="qwen-plus", max_tokens=9, messages=HELLO) as stream:
        texts = list(stream.text_stream)
        message = stream.get_final_message()

    assert texts == ["Hel", "lo\n\n你"]
    assert content_of(message) == content_of(whole)
    assert (message.usage, message.stop_reason) == (whole.usage, "end_turn")
    assert (message.id, stream.request_id) == (f"msg_{SECOND_ID}", SECOND_ID)


def test_the_client_of_the_beta_reads_a_stream(paths: list[str], client: anthropic.Anthropic) -> None:
    stream = client.beta.messages.create(
        model="qwen-plus",
        max_tokens=9,
        messages=HELLO,
        stream=True,
        betas=["context-management-2025-06-27"],
        extra_query={"beta": "true"},
    )

    assert [event.type for event in stream] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert paths == ["/apps/anthropic/v1/messages?beta=true"]


def test_the_client_counts_tokens(client: anthropic.Anthropic) -> None:
    assert client.messages.count_tokens(model="qwen-plus", messages=HELLO).input_tokens == 12


def test_the_client_reads_errors_before_and_inside_a_stream(face: ScriptedFace, client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(model="qwen-plus", max_tokens=9, messages=[], stream=True)
    face.script = BROKEN
    with (
        client.messages.stream(model="qwen-plus", max_tokens=9, messages=HELLO) as stream,
        pytest.raises(anthropic.APIStatusError) as broken,
    ):
        stream.get_final_message()

    assert (refused.value.type, refused.value.api_message) == (
        "invalid_request_error",
        "messages: at least one message is required",
    )
    assert (broken.value.type, broken.value.api_message) == ("api_error", "the engine broke off")


def test_the_client_reads_an_error_that_comes_first_in_a_stream_that_was_opened_by_a_comment(
    face: ScriptedFace, client: anthropic.Anthropic
) -> None:
    face.script = (KEEP_ALIVE, Overloaded())
    with pytest.raises(anthropic.APIStatusError) as broken:
        list(client.messages.create(model="qwen-plus", max_tokens=9, messages=HELLO, stream=True))

    assert broken.value.type == "overloaded_error"


def test_an_answer_can_be_handed_back_with_the_results_of_its_tools(
    face: ScriptedFace, client: anthropic.Anthropic
) -> None:
    face.script = (
        STARTED,
        Reasoning(text="I must look."),
        ToolCallDelta(index=0, id="call_a", name="weather", arguments='{"city":"Ulm"}'),
        ChoiceFinished(reason=FinishReason.TOOL_CALLS),
        FINISHED,
    )
    with client.messages.stream(model="qwen-plus", max_tokens=9, messages=HELLO) as stream:
        asked = stream.get_final_message()
    face.script = GOOD
    result: Any = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_a", "content": "sunny"}]}
    answer = client.messages.create(model="qwen-plus", max_tokens=9, messages=[*HELLO, asked.to_param(), result])

    assert asked.stop_reason == "tool_use"
    assert content_of(answer) == [{"type": "text", "text": "Hello\n\n你"}]


TEXT = st.text(max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """Return the events of an answer in any order of thinking, text and tool calls, cut into any pieces."""
    events: list[Event] = [STARTED]
    calls = 0
    for kind in draw(st.lists(st.sampled_from(["thinking", "text", "call"]), max_size=5)):
        if kind == "thinking":
            events += [Reasoning(text=piece) for piece in draw(st.lists(TEXT, max_size=3))]
        elif kind == "text":
            events += [Delta(text=piece) for piece in draw(st.lists(TEXT, max_size=3))]
        else:
            events.append(ToolCallDelta(index=calls, id=f"call_{calls}", name="tool"))
            events += [ToolCallDelta(index=calls, arguments=piece) for piece in draw(arguments())]
            calls += 1
    reason = FinishReason.TOOL_CALLS if calls else FinishReason.STOP
    return [*events, ChoiceFinished(reason=reason), FINISHED]


@st.composite
def arguments(draw: st.DrawFn) -> list[str]:
    """Return the arguments of a call in pieces; some calls have none."""
    given = draw(st.none() | st.dictionaries(TEXT, JSON, max_size=3))
    if given is None:
        return []
    whole = json.dumps(given, ensure_ascii=draw(st.booleans()), indent=draw(st.none() | st.just(1)))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    return [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(events=answers())
def test_a_stream_adds_up_to_the_whole_answer(
    scripted: ScriptedFace, opened: anthropic.Anthropic, events: list[Event]
) -> None:
    scripted.script = events
    whole = opened.messages.create(model="qwen-plus", max_tokens=9, messages=HELLO)
    with opened.messages.stream(model="qwen-plus", max_tokens=9, messages=HELLO) as stream:
        streamed = stream.get_final_message()

    assert content_of(streamed) == content_of(whole)
    assert (streamed.stop_reason, streamed.usage) == (whole.stop_reason, whole.usage)


@given(events=answers())
def test_blocks_follow_one_another_without_a_gap(
    scripted: ScriptedFace, opened: anthropic.Anthropic, events: list[Event]
) -> None:
    scripted.script = events
    seen = list(opened.messages.create(model="qwen-plus", max_tokens=9, messages=HELLO, stream=True))
    open_block: int | None = None
    blocks = 0
    for event in seen:
        if event.type == "content_block_start":
            assert (open_block, event.index) == (None, blocks)
            open_block, blocks = event.index, blocks + 1
        elif event.type == "content_block_delta":
            assert event.index == open_block
        elif event.type == "content_block_stop":
            assert event.index == open_block
            open_block = None

    assert open_block is None
    assert (seen[0].type, seen[-2].type, seen[-1].type) == ("message_start", "message_delta", "message_stop")
