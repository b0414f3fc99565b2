"""Embeddings and reranking: what is asked, and the events of the answer.

Model Studio's compatible face takes neither `text_type` nor `instruct`; calls that say them go to its native one
(https://www.alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api). Reranking has an address of its own,
which serves the models of Qwen3; `gte-rerank` is served natively alone.
"""

from __future__ import annotations

import math
import sys
from array import array
from base64 import b64decode
from collections.abc import Mapping, Sequence
from itertools import chain

import msgspec
from msgspec import Struct

from qwenport.core.call import EmbeddingInput, RerankInput, TextKind
from qwenport.core.errors import EngineFailed
from qwenport.core.events import Embedded, Event, Finished, Ranked, Started
from qwenport.core.usage import Usage, UsageSource
from qwenport.engines.upstream.usage import total_told

_NATIVE_EMBEDDING = "/services/embeddings/text-embedding/text-embedding"
_NATIVE_RERANK = "/services/rerank/text-rerank/text-rerank"


class WireVector(Struct, frozen=True):
    """One vector: numbers, or their bytes in base64."""

    embedding: list[float] | str
    index: int | None = None
    text_index: int | None = None


class WireScore(Struct, frozen=True):
    """One score."""

    index: int
    relevance_score: float | None = None
    score: float | None = None


class _Output(Struct, frozen=True):
    embeddings: list[WireVector] = []
    results: list[WireScore] = []


class WireVectors(Struct, frozen=True):
    """A list of vectors or scores, of the compatible face or of the native one."""

    data: list[WireVector] = []
    results: list[WireScore] = []
    output: _Output = _Output()
    usage: object = None


_decode = msgspec.json.Decoder(WireVectors | list[WireScore]).decode


class VectorRequest(Struct, frozen=True, kw_only=True):
    """Where a call goes, and its body."""

    url: str
    body: Mapping[str, object]


class Addresses(Struct, frozen=True, kw_only=True):
    """Where an upstream answers: each with its path, empty where there is none."""

    base: str
    native: str = ""
    rerank: str = ""


def embedding_request(asked: EmbeddingInput, model: str, at: Addresses) -> VectorRequest:
    """Return what is asked for vectors."""
    if at.native and (asked.kind is TextKind.QUERY or asked.instruct):
        told: dict[str, object] = {"text_type": asked.kind.value}
        if asked.dimension is not None:
            told["dimension"] = asked.dimension
        if asked.instruct:
            told["instruct"] = asked.instruct
        body = {"model": model, "input": {"texts": asked.texts}, "parameters": told}
        return VectorRequest(url=at.native + _NATIVE_EMBEDDING, body=body)
    plain: dict[str, object] = {"model": model, "input": asked.texts, "encoding_format": "float"}
    if asked.dimension is not None:
        plain["dimensions"] = asked.dimension
    return VectorRequest(url=f"{at.base}/embeddings", body=plain)


def rerank_request(asked: RerankInput, model: str, at: Addresses) -> VectorRequest:
    """Return what is asked for scores."""
    told: dict[str, object] = {"instruct": asked.instruct} if asked.instruct else {}
    if at.native and (not at.rerank or model.startswith("gte-rerank")):
        body = {"model": model, "input": {"query": asked.query, "documents": asked.documents}, "parameters": told}
        return VectorRequest(url=at.native + _NATIVE_RERANK, body=body)
    plain = {"model": model, "query": asked.query, "documents": asked.documents, **told}
    return VectorRequest(url=f"{at.rerank}/reranks" if at.rerank else f"{at.base}/rerank", body=plain)


def vector_events(asked: EmbeddingInput | RerankInput, body: bytes, target: str, estimate: int) -> Sequence[Event]:
    """Return the events of a whole answer; `estimate` are its tokens where the upstream tells none.

    Raises:
        EngineFailed: it is no answer to this.
    """
    try:
        wire = _decode(body)
        found = WireVectors(results=wire) if isinstance(wire, list) else wire
        if isinstance(asked, EmbeddingInput):
            events: Sequence[Event] = _embedded(asked, found.data or found.output.embeddings)
        else:
            events = _ranked(asked, found.results or found.output.results)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        kind = "vectors" if isinstance(asked, EmbeddingInput) else "scores"
        raise EngineFailed(f"the upstream of `{target}` sent what are no {kind} of these texts") from error
    tokens = total_told(found.usage)
    source = UsageSource.ENGINE if tokens else UsageSource.COUNTED
    usage = Usage(input_tokens=tokens or estimate, source=source)
    return [Started(served_by=target, input_tokens=usage.input_tokens), *events, Finished(usage=usage)]


def _embedded(asked: EmbeddingInput, wire: Sequence[WireVector]) -> list[Embedded]:
    vectors = [_floats(each.embedding) for each in wire]
    places = [_place(each, number) for number, each in enumerate(wire)]
    sizes = {len(vector) for vector in vectors}
    size = next(iter(sizes), 0)
    if sorted(places) != list(range(len(asked.texts))) or len(sizes) != 1 or size != (asked.dimension or size):
        raise ValueError("not one vector of one length a text")
    if not size or not all(map(math.isfinite, chain.from_iterable(vectors))):
        raise ValueError("a vector without values")
    return [Embedded(index=place, vector=_bytes(vector)) for place, vector in zip(places, vectors, strict=True)]


def _place(wire: WireVector, number: int) -> int:
    said = wire.index if wire.text_index is None else wire.text_index
    return number if said is None else said


def _ranked(asked: RerankInput, wire: Sequence[WireScore]) -> list[Ranked]:
    scores = {each.index: each.score if each.relevance_score is None else each.relevance_score for each in wire}
    if len(wire) != len(asked.documents) or set(scores) != set(range(len(asked.documents))):
        raise ValueError("not one score a document")
    known = {index: score for index, score in scores.items() if score is not None}
    if len(known) != len(scores):
        raise ValueError("a score without a value")
    if not all(0 <= score <= 1 for score in known.values()):
        # llama.cpp and some others tell the model's own figure, of which this keeps the order.
        known = {index: _probability(score) for index, score in known.items()}
    return [Ranked(index=index, score=score) for index, score in known.items()]


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-700.0, min(logit, 700.0))))


def _floats(embedding: list[float] | str) -> array[float]:
    if isinstance(embedding, list):
        return array("f", embedding)
    vector = array("f", b64decode(embedding, validate=True))
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def _bytes(vector: array[float]) -> bytes:
    if sys.byteorder == "big":
        vector.byteswap()
    return vector.tobytes()
