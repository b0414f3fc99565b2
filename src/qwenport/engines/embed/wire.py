"""What the gateway and the host of an embedding model say to one another.

`POST /embed` takes an `EmbedRequest`. The answer is a line of JSON, `Counts`, which is sent before the work begins, and
then one vector after the other, of the queries and then of the documents: 32-bit floats, little-endian. A text that is
too long is answered with status 422 and `TooLong`. Where the texts have more than `MOST_TOKENS`, those after them are
not read, and no vector follows the counts. Closing the connection stops the work.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

PATH = "/embed"
TOO_LONG = 422

VECTOR_SIZE = 384
"""Values of a vector: those of multilingual-e5-small."""

MOST_TOKENS = 120_000
"""Tokens of one call: Model Studio's bound on reranking, and a minute's work for one core."""


class EmbedRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts that become vectors."""

    queries: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    longest: int
    """Tokens that a text may have."""
    cuts: bool = False
    """Whether a longer text is cut there; it is refused otherwise."""


class Counts(Struct, frozen=True, kw_only=True):
    """How many tokens each text has that was read, in the order of its vectors."""

    tokens: tuple[int, ...]


class TooLong(Struct, frozen=True, kw_only=True):
    """The first text that is longer than it may be."""

    index: int
    """Counted through queries and documents."""


encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(EmbedRequest).decode
decode_counts = msgspec.json.Decoder(Counts).decode
decode_too_long = msgspec.json.Decoder(TooLong).decode
