"""Text embedding on the native face: one dense vector a text."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from qwenport.core.call import Call, EmbeddingInput, TextKind
from qwenport.core.errors import ParameterInvalid
from qwenport.core.events import Event
from qwenport.faces.body import JSON_HEADERS, read_body
from qwenport.faces.dashscope.answers import EmbeddingResult
from qwenport.faces.dashscope.envelope import refuse_asynchronous, require
from qwenport.faces.description import Description
from qwenport.faces.face import CallOperation, Cards, Exchange, Operation, Reply, Request
from qwenport.faces.shown import shown
from qwenport.faces.vectors import Texts, Vectors, encode_numbers, read_texts

_ENCODE = Encoder().encode
_ITEM = b'{"text_index":%d,"embedding":%b}'
_RESULT = b'{"output":{"embeddings":[%b]},"usage":{"total_tokens":%d},"request_id":%b}'
_KINDS = {kind.value: kind for kind in TextKind}


class WireInput(Struct, frozen=True, kw_only=True):
    """What `input` holds; clients wrap a single text in a list, others may not."""

    texts: Texts | None = None


class WireParameters(Struct, frozen=True, kw_only=True):
    """What `parameters` holds; null is the same as absent, and unknown fields are ignored, as production does."""

    text_type: str | None = None
    dimension: int | None = None
    output_type: str | None = None
    instruct: str | None = None


class TextEmbeddingRequest(Struct, frozen=True, kw_only=True):
    """The body."""

    model: str | None = None
    input: WireInput | None = None
    parameters: WireParameters | None = None


_DECODER = Decoder(TextEmbeddingRequest)
_NO_PARAMETERS = WireParameters()


class TextEmbedding:
    """A native result with vectors."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._vectors = Vectors()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self._vectors.add(event)

    def reply(self) -> Reply:
        """Return the result."""
        items = b",".join(_ITEM % (index, encode_numbers(vector)) for index, vector in self._vectors.in_order())
        body = _RESULT % (items, self._vectors.usage.total_tokens, _ENCODE(self._call.id))
        return Reply(status=200, headers=JSON_HEADERS, body=body)


def decode_text_embedding(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and its encoder.

    Raises:
        AsynchronousRefused, BodyNotJson, ModelMissing, InputMissing, ParameterInvalid: the body cannot be understood.
        What is wrong with its content is left in the call: the model and the right to use it are looked at first.
    """
    refuse_asynchronous(request)
    body = read_body(_DECODER, request.body)
    model, asked = require(body)
    call = Call(
        id=request.id, face="dashscope", operation="text-embedding", model=model, input=EmbeddingInput(texts=())
    )
    try:
        call = replace(call, input=_read_input(asked, body.parameters or _NO_PARAMETERS))
    except ParameterInvalid as refusal:
        call = replace(call, refusal=refusal)
    return Exchange(call=call, answer=TextEmbedding(call))


def _read_input(wire: WireInput, parameters: WireParameters) -> EmbeddingInput:
    kind = parameters.text_type or TextKind.DOCUMENT.value
    if kind not in _KINDS:
        raise ParameterInvalid(
            f"'{shown(kind)}' is not one of ['query', 'document'] - 'text_type'", parameter="text_type"
        )
    if parameters.output_type not in {None, "", "dense"}:
        raise ParameterInvalid(
            'The output_type parameter must be "dense": sparse vectors are not served', parameter="output_type"
        )
    return EmbeddingInput(
        texts=read_texts(wire.texts, "texts"),
        kind=_KINDS[kind],
        dimension=parameters.dimension,
        instruct=parameters.instruct or "",
    )


EMBEDDING_OPERATIONS: tuple[Operation, ...] = (
    CallOperation(
        name="text-embedding",
        method="POST",
        path="/api/v1/services/embeddings/text-embedding/text-embedding",
        decode=decode_text_embedding,
        streams=False,
        description=Description(
            summary="Turn texts into vectors",
            body=TextEmbeddingRequest,
            required=("model", "input"),
            example={"model": "text-embedding-v4", "input": {"texts": ["How do I get home?"]}},
            answer=EmbeddingResult,
        ),
    ),
)
