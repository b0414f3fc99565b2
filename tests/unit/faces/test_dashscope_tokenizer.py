from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwenport.core.content import Message, Role
from qwenport.core.errors import BodyNotJson, InputMissing, ModelMissing, ParameterInvalid
from qwenport.core.tokens import Tokenize, Tokens
from qwenport.faces.dashscope.tokenizer import decode_tokenizer, encode_tokens
from qwenport.faces.face import Reply, Request

MakeRequest = Callable[..., Request]
HELLO = {"role": "user", "content": "Hello"}
SAID = (Message(role=Role.USER, content="Hello"),)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt": "Hi"}, Tokenize(model="qwen-turbo", text="Hi")),
        ({"prompt": "Hi", "messages": []}, Tokenize(model="qwen-turbo", text="Hi")),
        ({"messages": [HELLO]}, Tokenize(model="qwen-turbo", messages=SAID)),
        (
            {"messages": [HELLO], "prompt": "Hi"},
            Tokenize(model="qwen-turbo", messages=(*SAID, Message(role=Role.USER, content="Hi"))),
        ),
        (
            {"prompt": "Hi", "history": [{"user": "Hello", "bot": "Yes?"}]},
            Tokenize(
                model="qwen-turbo",
                messages=(
                    *SAID,
                    Message(role=Role.ASSISTANT, content="Yes?"),
                    Message(role=Role.USER, content="Hi"),
                ),
            ),
        ),
    ],
)
def test_a_prompt_is_tokenized_as_it_is_and_messages_in_their_template(
    make_request: MakeRequest, given: dict[str, Any], expected: Tokenize
) -> None:
    body = {"model": "qwen-turbo", "input": given, "parameters": {"enable_search": True}}

    assert decode_tokenizer(make_request(body), {}) == expected


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"input": {"prompt": "Hi"}}, ModelMissing),
        ({"model": "", "input": {"prompt": "Hi"}}, ModelMissing),
        ({"model": "qwen-turbo"}, InputMissing),
        ({"model": "qwen-turbo", "input": {}}, ParameterInvalid),
        ({"model": "qwen-turbo", "input": {"prompt": ""}}, ParameterInvalid),
        ({"model": "qwen-turbo", "input": "Hi"}, ParameterInvalid),
        (b"Hi", BodyNotJson),
    ],
)
def test_what_says_nothing_is_refused(make_request: MakeRequest, body: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode_tokenizer(make_request(body), {})


def test_the_answer_tells_each_token_and_how_many_there_are(make_request: MakeRequest) -> None:
    assert encode_tokens(make_request(), Tokens(ids=(108386, 0), texts=("你好", '"'))) == Reply(
        status=200,
        headers=((b"content-type", b"application/json"),),
        body=(
            '{"output":{"token_ids":[108386,0],"tokens":["你好","\\""]},"usage":{"input_tokens":2},'
            '"request_id":"00000000-0000-9000-8000-000000000001"}'
        ).encode(),
    )
