"""From llama.cpp's log probabilities to those of the house."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qwenport.core.events import TokenLogprob, TopToken
from qwenport.engines.llama.wire import ChunkToken

_LEAST = -9999.0
"""What stands for "as good as impossible" on OpenAI's wire; llama.cpp says the least number of its type."""


def logprobs_of(tokens: Iterable[ChunkToken], alternatives: int) -> Iterator[TokenLogprob]:
    """Yield the log probability of each token, with as many alternatives as were asked for."""
    for each in tokens:
        yield TokenLogprob(
            token=each.token,
            logprob=max(each.logprob, _LEAST),
            bytes=each.bytes,
            top=tuple(
                TopToken(token=other.token, logprob=max(other.logprob, _LEAST), bytes=other.bytes)
                for other in each.top_logprobs[:alternatives]
            ),
        )
