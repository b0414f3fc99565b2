"""Text reranking on the native face."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from qwenport.core.call import Call, RerankInput
from qwenport.core.errors import ParameterInvalid
from qwenport.core.events import Event
from qwenport.faces.body import JSON_HEADERS, read_body
from qwenport.faces.dashscope.answers import RerankResult
from qwenport.faces.dashscope.envelope import refuse_asynchronous, require
from qwenport.faces.description import Description
from qwenport.faces.face import CallOperation, Cards, Exchange, Operation, Reply, Request
from qwenport.faces.ranking import Ranking, WireRanking, read_rerank

_ENCODE = Encoder().encode
_RESULT = b'{"output":{"results":%b},"usage":{"total_tokens":%d},"request_id":%b}'
_NOTHING = RerankInput(query="", documents=())


class WireInput(Struct, frozen=True, kw_only=True):
    """What `input` holds."""

    query: str | None = None
    documents: list[str] | None = None


class TextRerankRequest(Struct, frozen=True, kw_only=True):
    """The body."""

    model: str | None = None
    input: WireInput | None = None
    parameters: WireRanking | None = None


_DECODER = Decoder(TextRerankRequest)
_NO_PARAMETERS = WireRanking()


class TextRerank:
    """A native result with documents in order."""

    def __init__(self, call: Call, ranking: Ranking) -> None:
        self._call = call
        self._ranking = ranking

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self._ranking.add(event)

    def reply(self) -> Reply:
        """Return the result."""
        tokens = self._ranking.usage.total_tokens
        body = _RESULT % (self._ranking.encode_results(), tokens, _ENCODE(self._call.id))
        return Reply(status=200, headers=JSON_HEADERS, body=body)


def decode_text_rerank(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and its encoder.

    Raises:
        AsynchronousRefused, BodyNotJson, ModelMissing, InputMissing, ParameterInvalid: the body cannot be understood.
        What is wrong with its content is left in the call: the model and the right to use it are looked at first.
    """
    refuse_asynchronous(request)
    body = read_body(_DECODER, request.body)
    model, asked = require(body)
    parameters = body.parameters or _NO_PARAMETERS
    call = Call(id=request.id, face="dashscope", operation="text-rerank", model=model, input=_NOTHING)
    try:
        order = read_rerank(asked.query, asked.documents, parameters)
    except ParameterInvalid as refusal:
        answer = TextRerank(call, Ranking(_NOTHING, parameters))
        return Exchange(call=replace(call, refusal=refusal), answer=answer)
    return Exchange(call=replace(call, input=order), answer=TextRerank(call, Ranking(order, parameters)))


RERANK_OPERATIONS: tuple[Operation, ...] = (
    CallOperation(
        name="text-rerank",
        method="POST",
        path="/api/v1/services/rerank/text-rerank/text-rerank",
        decode=decode_text_rerank,
        streams=False,
        description=Description(
            summary="Order documents by how well they answer a query",
            body=TextRerankRequest,
            required=("model", "input"),
            example={
                "model": "qwen3-rerank",
                "input": {"query": "Which is warmer?", "documents": ["Ice.", "Fire."]},
                "parameters": {"top_n": 1, "return_documents": True},
            },
            answer=RerankResult,
        ),
    ),
)
