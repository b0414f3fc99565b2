"""The operations of the Anthropic face."""

from __future__ import annotations

from typing import Any

from msgspec.json import Encoder

from qwenport.faces.anthropic.answers import Message, MessageEvent, TokenCount
from qwenport.faces.anthropic.decode import decode_message, decode_token_count
from qwenport.faces.anthropic.errors import request_id_header
from qwenport.faces.anthropic.schema import CountTokensRequest, MessagesRequest
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.description import RESOLVES_UPLOADS, Description
from qwenport.faces.face import CallOperation, Operation, QueryOperation, Reply, Request

PREFIX = "/apps/anthropic"
"""What clients are given as the base address; they add `/v1/messages` themselves."""

_ENCODE = Encoder().encode


def encode_token_count(request: Request, tokens: Any) -> Reply:
    """Return how many input tokens a prompt is; `tokens` is the number."""
    headers = (*JSON_HEADERS, *request_id_header(request.id))
    return Reply(status=200, headers=headers, body=_ENCODE({"input_tokens": tokens}))


OPERATIONS: tuple[Operation, ...] = (
    CallOperation(
        name="messages",
        method="POST",
        path=f"{PREFIX}/v1/messages",
        decode=decode_message,
        description=Description(
            summary="Go on with a conversation",
            body=MessagesRequest,
            required=("model", "messages", "max_tokens"),
            headers=(RESOLVES_UPLOADS,),
            example={
                "model": "qwen-plus",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": "Who are you?"}],
            },
            answer=Message,
            piece=MessageEvent,
        ),
    ),
    QueryOperation(
        name="messages.count_tokens",
        method="POST",
        path=f"{PREFIX}/v1/messages/count_tokens",
        decode=decode_token_count,
        encode=encode_token_count,
        description=Description(
            summary="Count the tokens of a prompt",
            body=CountTokensRequest,
            required=("model", "messages"),
            example={"model": "qwen-plus", "messages": [{"role": "user", "content": "Who are you?"}]},
            answer=TokenCount,
        ),
    ),
)
