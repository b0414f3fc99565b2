"""From the log probabilities of an upstream to those of the house."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, zip_longest

from qwenport.core.events import TokenLogprob, TopToken
from qwenport.engines.upstream.wire import WireLogprobs, WireToken, WireTopToken

_LEAST = -9999.0
"""What stands for "as good as impossible" on OpenAI's wire."""


def logprobs_of(told: WireLogprobs, alternatives: int) -> Iterator[TokenLogprob]:
    """Yield the log probability of each token, with as many alternatives as were asked for."""
    for each in told.content or ():
        top = (
            TopToken(token=other.token, logprob=_bounded(other.logprob), bytes=_bytes(other))
            for other in (each.top_logprobs or ())[:alternatives]
        )
        yield TokenLogprob(token=each.token, logprob=_bounded(each.logprob), bytes=_bytes(each), top=tuple(top))
    yield from _of_completion(told, alternatives)


def _of_completion(told: WireLogprobs, alternatives: int) -> Iterator[TokenLogprob]:
    """Read the lists of `completions`, which may be null or of unequal length."""
    tokens = told.tokens or ()
    columns = zip_longest(tokens, told.token_logprobs or (), told.top_logprobs or ())
    for token, logprob, others in islice(columns, len(tokens)):
        top = (
            TopToken(token=other, logprob=_bounded(value), bytes=_encoded(other))
            for other, value in islice((others or {}).items(), alternatives)
        )
        yield TokenLogprob(token=token, logprob=_bounded(logprob), bytes=_encoded(token), top=tuple(top))


def _bytes(told: WireToken | WireTopToken) -> tuple[int, ...]:
    return tuple(told.bytes or _encoded(told.token))


def _encoded(token: str) -> tuple[int, ...]:
    return tuple(token.encode("utf-8", "replace"))


def _bounded(logprob: float | None) -> float:
    return _LEAST if logprob is None else max(logprob, _LEAST)
