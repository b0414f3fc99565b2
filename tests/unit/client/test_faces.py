"""What a chat is on each protocol, and what the protocols have no words for."""

from __future__ import annotations

from typing import Any

import pytest

from qwenport.client.faces import FACES, CannotBeSaid, Chat

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
ELSEWHERE = {"type": "image_url", "image_url": {"url": "https://pictures.test/a.png"}}
WORDS = {"type": "text", "text": "What?"}


def chat(*messages: dict[str, Any], streams: bool = False, **parameters: Any) -> Chat:
    return Chat(model="qwen-plus", messages=messages, parameters=parameters, streams=streams)


def test_pictures_go_to_the_native_operation_for_pictures_in_its_words() -> None:
    face = FACES["dashscope"]
    asked = chat({"role": "system", "content": "Be brief."}, {"role": "user", "content": [PICTURE, WORDS]})

    assert face.path(asked) == "/services/aigc/multimodal-generation/generation"
    assert face.body(asked)["input"]["messages"] == [
        {"role": "system", "content": [{"text": "Be brief."}]},
        {"role": "user", "content": [{"image": "data:image/png;base64,AAAA"}, {"text": "What?"}]},
    ]
    assert face.path(chat({"role": "user", "content": "Hi"})) == "/services/aigc/text-generation/generation"


def test_pictures_are_blocks_and_the_system_stands_apart_on_the_protocol_of_anthropic() -> None:
    asked = chat(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [PICTURE, ELSEWHERE, WORDS]},
        max_tokens=9,
    )

    assert FACES["anthropic"].body(asked) == {
        "model": "qwen-plus",
        "max_tokens": 9,
        "system": "Be brief.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                    {"type": "image", "source": {"type": "url", "url": "https://pictures.test/a.png"}},
                    {"type": "text", "text": "What?"},
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("dashscope", chat({"role": "user", "content": [PICTURE, {"type": "video_url", "video_url": {}}]})),
        ("anthropic", chat({"role": "user", "content": [{"type": "input_audio"}]})),
        ("anthropic", chat({"role": "tool", "content": "5"})),
        ("anthropic", chat({"role": "assistant", "content": "", "tool_calls": [{}]})),
        ("anthropic", chat({"role": "user", "content": "Hi"}, response_format={"type": "json_object"})),
    ],
)
def test_what_a_protocol_has_no_words_for_is_refused(name: str, asked: Chat) -> None:
    with pytest.raises(CannotBeSaid):
        FACES[name].body(asked)


def test_a_native_answer_may_come_in_parts() -> None:
    answer = {"output": {"choices": [{"message": {"content": [{"text": "a"}, {"text": "b"}]}}]}}

    assert FACES["dashscope"].answered(chat(), answer).text == "ab"
    assert FACES["dashscope"].piece(answer) == "ab"
