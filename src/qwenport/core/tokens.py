"""Counting tokens without running a model, by Qwen's own vocabulary."""

from __future__ import annotations

from msgspec import Struct

from qwenport.core.content import Message
from qwenport.core.queries import Query
from qwenport.core.tools import Tool


class Tokenize(Query, frozen=True, kw_only=True):
    """Answer: `Tokens`. Raises `ModelNotFound`, and `ModelUnavailable` where the vocabulary is not on this machine."""

    model: str
    text: str = ""
    messages: tuple[Message, ...] = ()
    """Tokenized in Qwen's chat template where there are any, and `text` is left aside."""


class Tokens(Struct, frozen=True, kw_only=True):
    """A text in tokens."""

    ids: tuple[int, ...]
    texts: tuple[str, ...]
    """The tokens as text; bytes that are no whole character become U+FFFD."""


class CountTokens(Query, frozen=True, kw_only=True):
    """Answer: how many tokens a conversation is, as `int`. Raises what `Tokenize` raises."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
