"""What a call consumed."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class UsageSource(StrEnum):
    """Who counted the tokens of a usage."""

    ENGINE = "engine"
    """The engine's own final count."""
    COUNTED = "counted"
    """The gateway added up the events it saw, because the call ended early."""
    CACHE = "cache"
    """The answer is one from the response cache; these are the counts of the call that it was made for."""


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """Tokens that a call consumed; counts, never negative."""

    input_tokens: int = 0
    output_tokens: int = 0
    """All that was generated, reasoning included."""
    cached_tokens: int = 0
    """How many of the input tokens the engine found in its prompt cache."""
    reasoning_tokens: int = 0
    """How many of the output tokens were reasoning."""
    image_tokens: int = 0
    """How many of the input tokens are those of images."""
    cache_creation_tokens: int = 0
    """How many of the input tokens were put into an explicit cache; none of them is a cached token."""
    explicitly_cached_tokens: int = 0
    """How many of the cached tokens were found in an explicit cache; the rest were found by themselves."""
    images: int = 0
    """How many images were read."""
    pages: int = 0
    """How many pages of documents were read."""
    source: UsageSource = UsageSource.ENGINE
    items: tuple[tuple[str, int], ...] = ()
    """What a native service reports beyond tokens, by name: images made, characters read, seconds of sound."""

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens
