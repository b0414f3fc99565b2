"""What an upstream says that a call consumed, as far as it can be true.

Spellings: `prompt_tokens` and `completion_tokens` of the compatible face, `input_tokens` and `output_tokens` of the
native one, with their details (https://www.alibabacloud.com/help/en/model-studio/context-cache for those of caches).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from qwenport.core.usage import Usage, UsageSource

MOST_TOKENS = 1_000_000_000
"""More than any call can consume."""


class Told(Struct, frozen=True, kw_only=True, gc=False):
    """Counts of an upstream; None for what it does not say, or what cannot be true."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0
    reasoning_tokens: int | None = None
    image_tokens: int = 0
    cache_creation_tokens: int = 0
    explicitly_cached_tokens: int = 0


NOTHING = Told()

_PLAIN = frozenset({"prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"})


def told(usage: object) -> Told:
    """Return the counts in a usage of any shape."""
    if type(usage) is not dict:
        return NOTHING
    into = _first(usage, "prompt_tokens", "input_tokens")
    out = _first(usage, "completion_tokens", "output_tokens")
    if usage.keys() <= _PLAIN:
        return Told(input_tokens=into, output_tokens=out)
    of_input = {**_table(usage, "input_tokens_details"), **_table(usage, "prompt_tokens_details")}
    of_output = {**_table(usage, "output_tokens_details"), **_table(usage, "completion_tokens_details")}
    cached = _count(of_input.get("cached_tokens")) or 0
    return Told(
        input_tokens=into,
        output_tokens=out,
        cached_tokens=cached,
        reasoning_tokens=_count(of_output.get("reasoning_tokens")),
        image_tokens=_count(of_input.get("image_tokens")) or _count(usage.get("image_tokens")) or 0,
        cache_creation_tokens=_count(of_input.get("cache_creation_input_tokens")) or 0,
        explicitly_cached_tokens=cached if of_input.get("cache_type") == "ephemeral" else 0,
    )


def settled(said: Told, *, input_tokens: int, output_tokens: int, reasoned: int, image_tokens: int = 0) -> Usage:
    """Return what a generating call consumed; the figures given are the gateway's own, for what was not told.

    No input at all, or no output where there was some, is no count either.
    """
    into, out = said.input_tokens or input_tokens, said.output_tokens
    if out is None or (out == 0 and output_tokens > 0):
        out = output_tokens
    is_believed = bool(said.input_tokens) and out == said.output_tokens
    cached = min(said.cached_tokens, into)
    return Usage(
        input_tokens=into,
        output_tokens=out,
        cached_tokens=cached,
        reasoning_tokens=min(reasoned if said.reasoning_tokens is None else said.reasoning_tokens, out),
        image_tokens=min(said.image_tokens or image_tokens, into),
        cache_creation_tokens=min(said.cache_creation_tokens, into - cached),
        explicitly_cached_tokens=min(said.explicitly_cached_tokens, cached),
        source=UsageSource.ENGINE if is_believed else UsageSource.COUNTED,
    )


def total_told(usage: object) -> int | None:
    """Return the tokens of an answer that generates nothing; None where they are not told."""
    if not isinstance(usage, dict):
        return None
    return _first(usage, "prompt_tokens", "input_tokens", "total_tokens") or _count(usage.get("total_tokens"))


def _first(usage: Mapping[str, object], *names: str) -> int | None:
    for name in names:
        if name in usage:
            return _count(usage[name])
    return None


def _count(value: object) -> int | None:
    # A bool is an `int` to Python, and no count.
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def _table(usage: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = usage.get(name)
    return value if isinstance(value, dict) else {}
