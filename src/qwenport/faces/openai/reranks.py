"""Reranking in the form that stands beside the OpenAI protocol at `/compatible-api/v1/reranks`."""

from __future__ import annotations

from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from qwenport.core.call import Call, RerankInput
from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.core.events import Event
from qwenport.faces.body import JSON_HEADERS, read_body
from qwenport.faces.description import Description
from qwenport.faces.face import CallOperation, Cards, Exchange, Operation, Reply, Request
from qwenport.faces.openai.answers import RankedList
from qwenport.faces.ranking import Ranking, WireRanking, read_rerank

RERANK_PREFIX = "/compatible-api/v1"
"""Model Studio serves reranking at an address of its own, not below `/compatible-mode`."""

_ENCODE = Encoder().encode
_WHOLE = b'{"id":%b,"object":"list","model":%b,"results":%b,"usage":{"total_tokens":%d}}'
_NOTHING = RerankInput(query="", documents=())


class RerankRequest(WireRanking, frozen=True, kw_only=True):
    """The body."""

    model: str | None = None
    query: str | None = None
    documents: list[str] | None = None


_DECODER = Decoder(RerankRequest)


class Reranks:
    """A list of results."""

    def __init__(self, call: Call, ranking: Ranking) -> None:
        self._call = call
        self._ranking = ranking

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self._ranking.add(event)

    def reply(self) -> Reply:
        """Return the list."""
        body = _WHOLE % (
            _ENCODE(self._call.id),
            _ENCODE(self._call.model),
            self._ranking.encode_results(),
            self._ranking.usage.total_tokens,
        )
        return Reply(status=200, headers=JSON_HEADERS, body=body)


def decode_reranks(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and its encoder.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood. What is wrong with its content is
        left in the call, because the model and the right to use it are looked at first.
    """
    body = read_body(_DECODER, request.body)
    if not body.model:
        raise ModelMissing
    call = Call(id=request.id, face="openai", operation="reranks", model=body.model, input=_NOTHING)
    try:
        asked = read_rerank(body.query, body.documents, body)
    except ParameterInvalid as refusal:
        return Exchange(call=replace(call, refusal=refusal), answer=Reranks(call, Ranking(_NOTHING, body)))
    return Exchange(call=replace(call, input=asked), answer=Reranks(call, Ranking(asked, body)))


RERANK_OPERATIONS: tuple[Operation, ...] = (
    CallOperation(
        name="reranks",
        method="POST",
        path=f"{RERANK_PREFIX}/reranks",
        decode=decode_reranks,
        streams=False,
        description=Description(
            summary="Order documents by how well they answer a query",
            body=RerankRequest,
            required=("model", "query", "documents"),
            example={"model": "qwen3-rerank", "query": "Which is warmer?", "documents": ["Ice.", "Fire."], "top_n": 1},
            answer=RankedList,
        ),
    ),
)
