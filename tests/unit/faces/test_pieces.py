"""How many pieces a conversation may be in, on each face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwenport.core.errors import ParameterInvalid, QwenportError
from qwenport.faces.anthropic.decode import decode_message, decode_token_count
from qwenport.faces.dashscope.decode import decode_text_generation
from qwenport.faces.face import Exchange, Request
from qwenport.faces.openai.decode import decode_chat_completion
from qwenport.faces.openai.responses.decode import decode_response
from qwenport.faces.pieces import MOST_PIECES

MakeRequest = Callable[..., Request]

MESSAGE = {"role": "user", "content": "Hi"}
TEXT = {"type": "text", "text": "a"}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLS = {"role": "assistant", "content": "", "tool_calls": [CALL] * MOST_PIECES}
RESULT = {"type": "tool_result", "tool_use_id": "1", "content": [TEXT] * (MOST_PIECES - 1)}


def refusal_of(decode: Callable[..., Any], request: Request) -> QwenportError | None:
    """Return how a request is refused: at once, or when the model it is for has been looked at."""
    try:
        decoded = decode(request, {})
    except QwenportError as error:
        return error
    return decoded.call.refusal if isinstance(decoded, Exchange) else None


@pytest.mark.parametrize(
    ("decode", "body", "parameter"),
    [
        (decode_chat_completion, {"messages": [MESSAGE] * (MOST_PIECES + 1)}, "messages"),
        (decode_chat_completion, {"messages": [{"role": "user", "content": [TEXT] * MOST_PIECES}]}, "messages"),
        (decode_chat_completion, {"messages": [MESSAGE, CALLS]}, "messages"),
        (decode_text_generation, {"input": {"messages": [MESSAGE] * (MOST_PIECES + 1)}}, "messages"),
        (decode_text_generation, {"input": {"prompt": "a", "history": [{}] * (MOST_PIECES + 1)}}, "history"),
        (decode_message, {"max_tokens": 1, "messages": [MESSAGE] * (MOST_PIECES + 1)}, "messages"),
        (decode_message, {"max_tokens": 1, "messages": [{"role": "user", "content": [RESULT]}]}, "messages"),
        (decode_token_count, {"messages": [MESSAGE] * (MOST_PIECES + 1)}, "messages"),
        (decode_response, {"input": [MESSAGE] * (MOST_PIECES + 1)}, "input"),
    ],
)
def test_a_conversation_in_too_many_pieces_is_refused(
    make_request: MakeRequest, decode: Callable[..., object], body: dict[str, Any], parameter: str
) -> None:
    words = f"'{parameter}' may hold at most 10000 messages, parts of messages and tool calls together"
    refused = refusal_of(decode, make_request({"model": "qwen-turbo", **body}))

    assert (type(refused), str(refused)) == (ParameterInvalid, words)


def test_a_conversation_of_just_so_many_is_read(make_request: MakeRequest) -> None:
    request = make_request({"model": "qwen-turbo", "messages": [MESSAGE] * MOST_PIECES})

    assert refusal_of(decode_chat_completion, request) is None
