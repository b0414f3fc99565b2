"""Documents in the order of their scores, alike on both faces: what is asked, and how the answer is written."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.call import RerankInput
from qwenport.core.errors import ParameterInvalid
from qwenport.core.events import Event, Finished, Ranked
from qwenport.core.usage import Usage

_ENCODE = Encoder().encode


class WireRanking(Struct, frozen=True, kw_only=True):
    """How the answer is wanted; null is the same as absent, and unknown fields are ignored."""

    top_n: int | None = None
    return_documents: bool | None = None
    instruct: str | None = None


class _Document(Struct, frozen=True, kw_only=True):
    text: str


class _Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    index: int
    relevance_score: float
    document: _Document | None = None


class Ranking:
    """The scores of one call's documents and what they consumed."""

    def __init__(self, asked: RerankInput, wire: WireRanking) -> None:
        self._documents = asked.documents if wire.return_documents else None
        self._top_n = wire.top_n
        self._ranked: list[Ranked] = []
        self.usage = Usage()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, Ranked):
            self._ranked.append(event)
        elif isinstance(event, Finished):
            self.usage = event.usage

    def encode_results(self) -> bytes:
        """Return the best `top_n` as a JSON array, the best first; of equal ones the earlier document."""
        best = sorted(self._ranked, key=lambda ranked: (-ranked.score, ranked.index))[: self._top_n]
        return _ENCODE([self._result(ranked) for ranked in best])

    def _result(self, ranked: Ranked) -> _Result:
        document = None if self._documents is None else _Document(text=self._documents[ranked.index])
        return _Result(index=ranked.index, relevance_score=ranked.score, document=document)


def read_rerank(query: str | None, documents: list[str] | None, wire: WireRanking) -> RerankInput:
    """Return what is to be ordered; how many documents a model takes is the gate's to check.

    Raises:
        ParameterInvalid: no query, no documents, or a `top_n` below 1.
    """
    if not query:
        raise ParameterInvalid("'query' is a required property and must not be empty", parameter="query")
    if documents is None:
        raise ParameterInvalid("'documents' is a required property", parameter="documents")
    if not documents:
        raise ParameterInvalid("[] is too short - 'documents'", parameter="documents")
    if wire.top_n is not None and wire.top_n < 1:
        raise ParameterInvalid("The top_n parameter must be greater than or equal to 1", parameter="top_n")
    return RerankInput(query=query, documents=tuple(documents), instruct=wire.instruct or "")
