"""What one call wants of the host, how its tokens count, and what each vector that comes back stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qwenport.core.call import EmbeddingInput, RerankInput, TextKind
from qwenport.core.events import Embedded, Ranked
from qwenport.engines.embed.scores import Vector, cosine, score_of, vector_of
from qwenport.engines.embed.wire import EmbedRequest


class Work(Protocol):
    """One call as the host sees it."""

    def request(self, longest: int) -> EmbedRequest:
        """Return what is asked of the host; no text may have more than `longest` tokens."""
        ...

    def input_tokens(self, counts: Sequence[int]) -> int:
        """Return what counts for the call, from the tokens of each text."""
        ...

    def event(self, vector: bytes) -> Embedded | Ranked | None:
        """Return what the next vector says, None where it says nothing by itself."""
        ...


class Embedding:
    """Each text becomes a vector."""

    def __init__(self, asked: EmbeddingInput) -> None:
        self._asked = asked
        self._seen = 0

    def request(self, longest: int) -> EmbedRequest:
        """Return the texts, all of one kind; one that is too long is refused, since a vector of a part would lie."""
        if self._asked.kind is TextKind.QUERY:
            return EmbedRequest(queries=self._asked.texts, longest=longest)
        return EmbedRequest(documents=self._asked.texts, longest=longest)

    def input_tokens(self, counts: Sequence[int]) -> int:
        """Return the tokens of all texts."""
        return sum(counts)

    def event(self, vector: bytes) -> Embedded:
        """Return the vector of the next text."""
        self._seen += 1
        return Embedded(index=self._seen - 1, vector=vector)


class Reranking:
    """Each document is compared with the query."""

    def __init__(self, asked: RerankInput) -> None:
        self._asked = asked
        self._query: Vector | None = None
        self._seen = 0

    def request(self, longest: int) -> EmbedRequest:
        """Return query and documents; what is too long is cut, as Model Studio's reranking does it."""
        return EmbedRequest(queries=(self._asked.query,), documents=self._asked.documents, longest=longest, cuts=True)

    def input_tokens(self, counts: Sequence[int]) -> int:
        """Return the tokens as Model Studio counts them: the query's once for each document, and the documents'."""
        query, *documents = counts
        return query * len(documents) + sum(documents)

    def event(self, vector: bytes) -> Ranked | None:
        """Keep the query's vector, which comes first; return the score of each document."""
        values = vector_of(vector)
        if self._query is None:
            self._query = values
            return None
        self._seen += 1
        return Ranked(index=self._seen - 1, score=score_of(cosine(self._query, values)))
