from __future__ import annotations

import pytest
from msgspec.json import Decoder

from qwenport.core.call import Message, Role
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.messages import WireMessage, read_messages

DECODER = Decoder(list[WireMessage])
EMPTY = "Role must be user or assistant and Content length must be greater than 0"


def test_roles_and_both_forms_of_content_are_read() -> None:
    wire = DECODER.decode(
        b'[{"role":"system","content":"Be brief."},{"role":"developer","content":"And kind."},'
        b'{"role":"user","content":[{"type":"text","text":"Hel"},{"text":"lo","cache_control":{"type":"ephemeral"}}]},'
        b'{"role":"assistant","content":null,"tool_calls":[],"partial":false},'
        b'{"role":"user","content":"Again","name":"ann"}]'
    )

    assert read_messages(wire) == (
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(role=Role.SYSTEM, content="And kind."),
        Message(role=Role.USER, content="Hello"),
        Message(role=Role.ASSISTANT, content=""),
        Message(role=Role.USER, content="Again"),
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "[] is too short - 'messages'"),
        (b'[{"role":"user","content":""}]', EMPTY),
        (b'[{"role":"user","content":null}]', EMPTY),
        (b'[{"role":"user","content":[]}]', EMPTY),
        (b'[{"role":"user","content":[{"text":""}]}]', EMPTY),
        (b'[{"role":"user","content":""},{"role":"assistant","content":"Hi"}]', EMPTY),
        (b'[{"role":"user","content":"Hi"},{"role":"user","content":""}]', EMPTY),
        (b'[{"role":"user"}]', "The content field is a required field. - 'messages[0]'"),
        (b'[{"content":"Hi"}]', "'role' is a required property - 'messages[0]'"),
        (
            b'[{"role":"robot","content":"Hi"}]',
            "'robot' is not one of ['system', 'user', 'assistant'] - 'messages[0].role'",
        ),
        (
            b'[{"role":"' + b"r" * 1000 + b'","content":"Hi"}]',
            f"'{'r' * 64}' is not one of ['system', 'user', 'assistant'] - 'messages[0].role'",
        ),
        (
            b'[{"role":"user","content":"Hi"},{"role":"tool","content":"4"}]',
            "'messages[1].role' is 'tool': tools are not served by this model",
        ),
        (
            b'[{"role":"function","content":"4"}]',
            "'messages[0].role' is 'function': tools are not served by this model",
        ),
        (
            b'[{"role":"assistant","content":null,"tool_calls":[{"id":"call_1"}]}]',
            "'messages[0].tool_calls' is not supported: tools are not served by this model",
        ),
        (
            b'[{"role":"assistant","content":"Once","partial":true}]',
            "'messages[0].partial' is not supported: this model only begins new answers",
        ),
        (
            b'[{"role":"user","content":[{"type":"text"}]}]',
            "The text field is a required field. - 'messages[0].content[0]'",
        ),
        (b'[{"role":"user","content":[{}]}]', "The text field is a required field. - 'messages[0].content[0]'"),
    ],
)
def test_messages_that_cannot_be_answered_are_refused_in_words(body: bytes, message: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read_messages(DECODER.decode(body))

    assert (caught.value.parameter, caught.value.message) == ("messages", message)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (b'{"type":"image_url","image_url":{"url":"data:,"}}', "image_url"),
        (b'{"type":"video_url","video_url":{"url":"x"}}', "video_url"),
        (b'{"type":"input_audio"}', "input_audio"),
        (b'{"type":"something"}', "something"),
        (b'{"image":"oss://x"}', "image"),
        (b'{"image":"oss://x","text":"What is this?"}', "image"),
        (b'{"type":"text","text":"What is this?","image_url":{}}', "image_url"),
        (b'{"video":["a","b"]}', "video"),
        (b'{"video_url":"a"}', "video_url"),
        (b'{"audio":"a"}', "audio"),
        (b'{"input_audio":{}}', "input_audio"),
        (b'{"file":{}}', "file"),
    ],
)
def test_parts_that_are_no_text_are_refused_by_name(part: bytes, kind: str) -> None:
    wire = DECODER.decode(b'[{"role":"user","content":[{"text":"See:"},' + part + b"]}]")

    with pytest.raises(ParameterInvalid) as caught:
        read_messages(wire)

    assert caught.value.message == (
        f"Unexpected item type in content: '{kind}' is not served by this model, only text is"
        " - 'messages[0].content[1]'"
    )


def test_a_null_beside_a_text_is_no_other_kind() -> None:
    wire = DECODER.decode(b'[{"role":"user","content":[{"text":"Hi","image":null}]}]')

    assert read_messages(wire) == (Message(role=Role.USER, content="Hi"),)


def test_a_conversation_need_not_hold_a_user() -> None:
    wire = DECODER.decode(b'[{"role":"system","content":"Say hello."}]')

    assert read_messages(wire) == (Message(role=Role.SYSTEM, content="Say hello."),)


def test_only_the_last_user_must_say_something() -> None:
    wire = DECODER.decode(b'[{"role":"user","content":""},{"role":"user","content":"Hi"}]')

    assert read_messages(wire) == (Message(role=Role.USER, content=""), Message(role=Role.USER, content="Hi"))
