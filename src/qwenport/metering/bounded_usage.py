"""What a usage can be at most: engines are believed only within it."""

from __future__ import annotations

from qwenport.core.usage import Usage

MAX_TOKENS = 1_000_000_000
"""More than any call can consume; a count above it is a defect of whoever counted."""


def bounded_usage(
    said: Usage,
    most_input: int = MAX_TOKENS,
    most_output: int = MAX_TOKENS,
    most_items: tuple[tuple[str, int], ...] = (),
) -> Usage:
    """Return a usage that can be true: nothing below 0 or above the bounds, no part greater than its whole.

    Returns the very same object for one that is as most are, in range and without images and explicit caches.
    """
    if _is_plain(said, most_input, most_output):
        return said
    into, out = clamp(said.input_tokens, most_input), clamp(said.output_tokens, most_output)
    cached = clamp(said.cached_tokens, into)
    return Usage(
        input_tokens=into,
        output_tokens=out,
        cached_tokens=cached,
        reasoning_tokens=clamp(said.reasoning_tokens, out),
        image_tokens=clamp(said.image_tokens, into),
        cache_creation_tokens=clamp(said.cache_creation_tokens, into - cached),
        explicitly_cached_tokens=clamp(said.explicitly_cached_tokens, cached),
        images=clamp(said.images, MAX_TOKENS),
        pages=clamp(said.pages, MAX_TOKENS),
        source=said.source,
        items=_bounded_items(said.items, most_items),
    )


def _bounded_items(
    said: tuple[tuple[str, int], ...], most_items: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    most = dict(most_items)
    return tuple((name, clamp(count, most.get(name, MAX_TOKENS))) for name, count in said)


def clamp(count: int, most: int) -> int:
    """Return a count brought into the range from 0 to `most`."""
    return max(0, min(count, most))


def _is_plain(said: Usage, most_input: int, most_output: int) -> bool:
    return (
        0 <= said.cached_tokens <= said.input_tokens <= most_input
        and 0 <= said.reasoning_tokens <= said.output_tokens <= most_output
        and not (said.image_tokens or said.cache_creation_tokens or said.explicitly_cached_tokens)
        and not (said.images or said.pages or said.items)
    )
