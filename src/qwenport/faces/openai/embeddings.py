"""Embeddings on the OpenAI face: one vector a text, as numbers or in base64."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from qwenport.core.call import Call, EmbeddingInput
from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.core.events import Event
from qwenport.faces.body import JSON_HEADERS, read_body
from qwenport.faces.description import Description
from qwenport.faces.face import CallOperation, Cards, Exchange, Operation, Reply, Request
from qwenport.faces.openai.answers import EmbeddingList
from qwenport.faces.shown import shown
from qwenport.faces.vectors import Texts, Vectors, encode_base64, encode_numbers, read_texts

_ENCODE = Encoder().encode
_ITEM = b'{"embedding":%b,"index":%d,"object":"embedding"}'
_WHOLE = b'{"data":[%b],"model":%b,"object":"list","usage":{"prompt_tokens":%d,"total_tokens":%d},"id":%b}'
_FORMATS: dict[str, Callable[[bytes], bytes]] = {"float": encode_numbers, "base64": encode_base64}
"""Encoders of a vector by `encoding_format`; clients of OpenAI ask for base64 where their user asks for nothing."""


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    """The body; null is the same as absent, and unknown fields are ignored, as production ignores them."""

    model: str | None = None
    input: Texts | None = None
    dimensions: int | None = None
    encoding_format: str | None = None


_DECODER = Decoder(EmbeddingsRequest)


class Embeddings:
    """A list of embeddings."""

    def __init__(self, call: Call, encode_vector: Callable[[bytes], bytes]) -> None:
        self._call = call
        self._encode_vector = encode_vector
        self._vectors = Vectors()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self._vectors.add(event)

    def reply(self) -> Reply:
        """Return the list."""
        items = b",".join(_ITEM % (self._encode_vector(vector), index) for index, vector in self._vectors.in_order())
        tokens = self._vectors.usage.input_tokens
        body = _WHOLE % (items, _ENCODE(self._call.model), tokens, tokens, _ENCODE(self._call.id))
        return Reply(status=200, headers=JSON_HEADERS, body=body)


def decode_embeddings(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and its encoder.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood. What is wrong with its content is
        left in the call, because the model and the right to use it are looked at first.
    """
    body = read_body(_DECODER, request.body)
    if not body.model:
        raise ModelMissing
    call = Call(id=request.id, face="openai", operation="embeddings", model=body.model, input=EmbeddingInput(texts=()))
    try:
        encode_vector = _read_format(body.encoding_format)
        asked = EmbeddingInput(texts=read_texts(body.input, "input"), dimension=body.dimensions)
    except ParameterInvalid as refusal:
        return Exchange(call=replace(call, refusal=refusal), answer=Embeddings(call, encode_numbers))
    return Exchange(call=replace(call, input=asked), answer=Embeddings(call, encode_vector))


def embedding_operations(prefix: str) -> tuple[Operation, ...]:
    """Return the operation below an address prefix."""
    description = Description(
        summary="Turn texts into vectors",
        body=EmbeddingsRequest,
        required=("model", "input"),
        example={"model": "text-embedding-v4", "input": "How do I get home?"},
        answer=EmbeddingList,
    )
    return (
        CallOperation(
            name="embeddings",
            method="POST",
            path=f"{prefix}/embeddings",
            decode=decode_embeddings,
            streams=False,
            description=description,
        ),
    )


def _read_format(asked: str | None) -> Callable[[bytes], bytes]:
    encode_vector = _FORMATS.get(asked or "float")
    if encode_vector is None:
        raise ParameterInvalid(
            f"'{shown(asked)}' is not one of ['float', 'base64'] - 'encoding_format'", parameter="encoding_format"
        )
    return encode_vector
