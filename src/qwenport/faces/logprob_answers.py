"""Log probabilities in an answer, as types, alike on both faces that tell them."""

from __future__ import annotations

from msgspec import Struct


class TopLogprob(Struct, frozen=True, kw_only=True):
    """A token that might have been chosen."""

    token: str
    bytes: list[int]
    logprob: float


class TokenLogprob(TopLogprob, frozen=True, kw_only=True):
    """A token that was chosen, and the likeliest ones in its place."""

    top_logprobs: list[TopLogprob]


class Logprobs(Struct, frozen=True, kw_only=True):
    """How likely the tokens were."""

    content: list[TokenLogprob]
