"""Tokenization on the native face.

Shapes as the `dashscope` package has them: `tokenizers/tokenization.py`, `v2/resources/tokenization.py`.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Decoder, Encoder

from qwenport.core.ids import RequestId
from qwenport.core.tokens import Tokenize, Tokens
from qwenport.faces.body import JSON_HEADERS, read_body
from qwenport.faces.dashscope.conversation import read_conversation
from qwenport.faces.dashscope.envelope import require
from qwenport.faces.dashscope.schema import TokenizerRequest
from qwenport.faces.description import Description
from qwenport.faces.face import Cards, Operation, QueryOperation, Reply, Request

_ENCODE = Encoder().encode
_DECODER = Decoder(TokenizerRequest)


class _Output(Struct, frozen=True, kw_only=True):
    token_ids: tuple[int, ...]
    tokens: tuple[str, ...]


class _Usage(Struct, frozen=True, kw_only=True):
    input_tokens: int


class _Answer(Struct, frozen=True, kw_only=True):
    output: _Output
    usage: _Usage
    request_id: RequestId


def decode_tokenizer(request: Request, cards: Cards) -> Tokenize:  # noqa: ARG001 - every operation gets the cards
    """Return what is to be tokenized: a prompt that stands alone as it is, messages in the chat template.

    Raises:
        BodyNotJson, ModelMissing, InputMissing, ParameterInvalid: it cannot be understood.
    """
    body = read_body(_DECODER, request.body)
    model, asked = require(body)
    messages = read_conversation(asked)
    if asked.messages or asked.history:
        return Tokenize(model=model, messages=messages)
    return Tokenize(model=model, text=asked.prompt or "")


def encode_tokens(request: Request, tokens: Tokens) -> Reply:
    """Return the tokens and how many there are."""
    answer = _Answer(
        output=_Output(token_ids=tokens.ids, tokens=tokens.texts),
        usage=_Usage(input_tokens=len(tokens.ids)),
        request_id=request.id,
    )
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(answer))


TOKENIZER_OPERATIONS: tuple[Operation, ...] = (
    QueryOperation(
        name="tokenizer",
        method="POST",
        path="/api/v1/tokenizer",
        decode=decode_tokenizer,
        encode=encode_tokens,
        description=Description(
            summary="Cut a prompt into tokens",
            body=TokenizerRequest,
            required=("model", "input"),
            example={"model": "qwen-plus", "input": {"prompt": "How do I get home?"}},
            answer=_Answer,
        ),
    ),
)
