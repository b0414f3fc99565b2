from __future__ import annotations

import pytest
from msgspec.json import Decoder, encode

from qwenport.core.content import FilePart, ImagePart, Message, Role, TextPart
from qwenport.core.errors import ParameterInvalid
from qwenport.core.tools import ToolCall
from qwenport.faces.messages import WireMessage, read_messages

DECODER = Decoder(list[WireMessage])
EMPTY = "Role must be user or assistant and Content length must be greater than 0"
UNCALLED = 'messages with role "tool" must be a response to a preceding message with "tool_calls".'
UNANSWERED = (
    'An assistant message with "tool_calls" must be followed by tool messages responding to each "tool_call_id". '
    "The following tool_call_ids did not have response messages: {}"
)
CALLING = b'{"role":"assistant","content":null,"tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{}"}}]}'
CALLING_TWO = (
    b'{"role":"assistant","tool_calls":[{"id":"c1","type":"function","index":0,"function":{"name":"f"}},'
    b'{"id":"c2","function":{"name":"g","arguments":"{\\"a\\":1}"}}]}'
)
FIRST = b'{"role":"tool","tool_call_id":"c1","content":"1"}'
SECOND = b'{"role":"tool","tool_call_id":"c2","content":[{"text":"2"}]}'


def read(*messages: bytes) -> tuple[Message, ...]:
    return read_messages(DECODER.decode(b"[" + b",".join(messages) + b"]"))


def test_roles_and_both_forms_of_content_are_read() -> None:
    assert read(
        b'{"role":"system","content":"Be brief."}',
        b'{"role":"developer","content":"And kind."}',
        b'{"role":"user","content":[{"type":"text","text":"Hel"},{"text":"lo","cache_control":{"type":"ephemeral"}}]}',
        b'{"role":"assistant","content":null,"tool_calls":[],"partial":false,"reasoning_content":null}',
        b'{"role":"user","content":"Again","name":"ann","reasoning_content":"ignored","tool_call_id":"ignored"}',
    ) == (
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(role=Role.SYSTEM, content="And kind."),
        Message(role=Role.USER, content="Hello"),
        Message(role=Role.ASSISTANT, content=""),
        Message(role=Role.USER, content="Again"),
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "[] is too short - 'messages'"),
        (b'{"role":"user","content":""}', EMPTY),
        (b'{"role":"user","content":null}', EMPTY),
        (b'{"role":"user","content":[]}', EMPTY),
        (b'{"role":"user","content":[{"text":""}]}', EMPTY),
        (b'{"role":"user","content":""},{"role":"assistant","content":"Hi"}', EMPTY),
        (b'{"role":"user","content":"Hi"},{"role":"user","content":""}', EMPTY),
        (b'{"role":"user"}', "The content field is a required field. - 'messages[0]'"),
        (b'{"role":"assistant"}', "The content field is a required field. - 'messages[0]'"),
        (b'{"content":"Hi"}', "'role' is a required property - 'messages[0]'"),
        (
            b'{"role":"robot","content":"Hi"}',
            "'robot' is not one of ['system', 'user', 'assistant', 'tool'] - 'messages[0].role'",
        ),
        (
            b'{"role":"' + b"r" * 1000 + b'","content":"Hi"}',
            f"'{'r' * 64}' is not one of ['system', 'user', 'assistant', 'tool'] - 'messages[0].role'",
        ),
        (
            b'{"role":"system","content":[{"image":"https://x"}]}',
            "Unexpected item type in content: a message of the system holds text only - 'messages[0].content'",
        ),
        (
            b'{"role":"assistant","content":[{"image":"https://x"}]}',
            "Unexpected item type in content: a message of the assistant holds text only - 'messages[0].content'",
        ),
    ],
)
def test_messages_that_cannot_be_answered_are_refused_in_words(body: bytes, message: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(*([body] if body else []))

    assert (caught.value.parameter, caught.value.message) == ("messages", message)


def test_a_conversation_need_not_hold_a_user() -> None:
    assert read(b'{"role":"system","content":"Say hello."}') == (Message(role=Role.SYSTEM, content="Say hello."),)


def test_only_the_last_user_must_say_something() -> None:
    assert read(b'{"role":"user","content":""}', b'{"role":"user","content":"Hi"}') == (
        Message(role=Role.USER, content=""),
        Message(role=Role.USER, content="Hi"),
    )


def test_a_user_and_a_tool_may_show_images() -> None:
    image = b'[{"text":"See"},{"image":"https://x"}]'

    assert read(b'{"role":"user","content":%b}' % image, CALLING, FIRST.replace(b'"1"', image))[0::2] == (
        Message(role=Role.USER, content=(TextPart(text="See"), ImagePart(url="https://x"))),
        Message(role=Role.TOOL, content=(TextPart(text="See"), ImagePart(url="https://x")), tool_call_id="c1"),
    )


def test_tool_calls_and_their_answers_are_read_in_any_order() -> None:
    assert read(CALLING_TWO, SECOND, FIRST) == (
        Message(
            role=Role.ASSISTANT,
            tool_calls=(ToolCall(id="c1", name="f", arguments=""), ToolCall(id="c2", name="g", arguments='{"a":1}')),
        ),
        Message(role=Role.TOOL, content="2", tool_call_id="c2"),
        Message(role=Role.TOOL, content="1", tool_call_id="c1"),
    )


def test_calls_of_the_same_id_are_answered_one_by_one() -> None:
    twice = CALLING_TWO.replace(b'"c2"', b'"c1"')

    assert [message.tool_call_id for message in read(twice, FIRST, FIRST)] == ["", "c1", "c1"]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([FIRST], UNCALLED),
        ([CALLING, SECOND], UNCALLED),
        ([CALLING, FIRST, FIRST], UNCALLED),
        ([CALLING, FIRST, b'{"role":"user","content":"x"}', FIRST], UNCALLED),
        ([CALLING], UNANSWERED.format("c1")),
        ([CALLING_TWO, FIRST], UNANSWERED.format("c2")),
        ([CALLING, b'{"role":"user","content":"x"}', FIRST], UNANSWERED.format("c1")),
        ([CALLING, CALLING, FIRST], UNANSWERED.format("c1")),
        ([CALLING.replace(b"c1", b"c" * 1000)], UNANSWERED.format("c" * 64)),
        ([CALLING, b'{"role":"tool","content":"4"}'], "'tool_call_id' is a required property - 'messages[1]'"),
        (
            [CALLING, b'{"role":"tool","tool_call_id":"","content":"4"}'],
            "'tool_call_id' is a required property - 'messages[1]'",
        ),
        (
            [CALLING, b'{"role":"tool","tool_call_id":"c1"}'],
            "The content field is a required field. - 'messages[1]'",
        ),
        (
            [b'{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f"}}]}'],
            "'id' is a required property - 'messages[0].tool_calls[0]'",
        ),
        (
            [b'{"role":"assistant","tool_calls":[{"id":"c1"}]}'],
            "'function.name' is a required property - 'messages[0].tool_calls[0]'",
        ),
        (
            [b'{"role":"assistant","tool_calls":[{"id":"c1","function":{"name":""}}]}'],
            "'function.name' is a required property - 'messages[0].tool_calls[0]'",
        ),
    ],
)
def test_tool_messages_and_tool_calls_belong_together(messages: list[bytes], words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(*messages)

    assert (caught.value.parameter, caught.value.message) == ("messages", words)


def test_tool_calls_of_a_user_mean_nothing() -> None:
    message = CALLING.replace(b"assistant", b"user").replace(b"null", b'"Hi"')

    assert read(message) == (Message(role=Role.USER, content="Hi"),)


def test_what_the_assistant_thought_and_a_prefix_are_read() -> None:
    assert read(
        b'{"role":"assistant","content":"4","reasoning_content":"2 + 2"}',
        b'{"role":"assistant","content":"Once","partial":true}',
    ) == (
        Message(role=Role.ASSISTANT, content="4", reasoning="2 + 2"),
        Message(role=Role.ASSISTANT, content="Once", is_partial=True),
    )


@pytest.mark.parametrize(
    "messages",
    [
        [b'{"role":"assistant","content":"Once","partial":true}', b'{"role":"user","content":"Hi"}'],
        [b'{"role":"user","content":"Once","partial":true}'],
    ],
)
def test_only_the_last_message_can_be_a_prefix(messages: list[bytes]) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(*messages)

    assert caught.value.message == (
        "'messages[0].partial' can be true on the last message only, and only of the assistant"
    )


def test_a_system_message_names_stored_files() -> None:
    assert read(
        b'{"role":"system","content":"fileid://file-fe-a_1,fileid://file-fe-b , fileid://c"}',
        b'{"role":"system","content":[{"text":"fileid://"},{"text":"d"}]}',
        b'{"role":"user","content":"fileid://file-fe-a"}',
    ) == (
        Message(role=Role.SYSTEM, content=(FilePart(id="file-fe-a_1"), FilePart(id="file-fe-b"), FilePart(id="c"))),
        Message(role=Role.SYSTEM, content=(FilePart(id="d"),)),
        Message(role=Role.USER, content="fileid://file-fe-a"),
    )


def test_a_hundred_files_can_be_named_and_no_more() -> None:
    hundred = ",".join(["fileid://a"] * 100)

    assert read(encode({"role": "system", "content": hundred}))[0].content == (FilePart(id="a"),) * 100
    with pytest.raises(ParameterInvalid) as caught:
        read(encode({"role": "system", "content": f"{hundred},fileid://a"}))
    assert caught.value.message == "A system message may name at most 100 files. - 'messages[0].content'"


@pytest.mark.parametrize(
    "content",
    ["fileid://", "fileid://a,b", "fileid://a\nBe brief.", "fileid://../a", "fileid://a,", "fileid://" + "a" * 129],
)
def test_what_begins_like_names_of_files_must_be_that(content: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(encode({"role": "system", "content": content}))

    assert caught.value.message == (
        "A system message that names files holds nothing but `fileid://` and an id, or several of them with commas "
        "between. - 'messages[0].content'"
    )
