"""From texts to vectors: what is put before each text, how long ones are read, how many are worked on at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from qwenport.engines.embed.encoder import Encoder, unit
from qwenport.engines.embed.packed_weights import Floats, PackedWeights
from qwenport.engines.embed.tokenizer import Tokenizer
from qwenport.engines.embed.wire import EmbedRequest

QUERY_PREFIX = "query: "
DOCUMENT_PREFIX = "passage: "
"""The model was trained with these (model card of intfloat/multilingual-e5-small)."""

_MARKS = 2
"""Begin and end of a text."""
_BATCH_TOKENS = 512
"""Tokens that are worked on at once: a departed caller's work stops after them, and more are no faster."""


class TextTooLong(ValueError):
    """A text has more tokens than it may have."""

    def __init__(self, index: int) -> None:
        super().__init__(f"text {index} is too long")
        self.index = index


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text in tokens."""

    prefix: Sequence[int]
    """Tokens of what is put before it."""
    tokens: Sequence[int]
    """Its own tokens."""

    @property
    def count(self) -> int:
        """How many tokens the model reads for it, with the prefix and both marks."""
        return len(self.prefix) + len(self.tokens) + _MARKS


@dataclass(frozen=True, slots=True)
class _Window:
    """What the model reads at once: a text, or a part of one that is longer than the model can read."""

    text: int
    tokens: list[int]
    weight: int
    """How many tokens of the text it holds."""


class Embedder:
    """Embeds texts with one model."""

    def __init__(self, weights: PackedWeights) -> None:
        self._tokenizer = Tokenizer(weights.vocabulary)
        self._encoder = Encoder(weights)
        self._begin, self._end = weights.vocabulary.begin, weights.vocabulary.end
        self._prefixes = {
            prefix: self._tokenizer.tokens(self._tokenizer.normalize(prefix.rstrip()))
            for prefix in (QUERY_PREFIX, DOCUMENT_PREFIX)
        }

    def read(self, asked: EmbedRequest) -> Iterator[ReadText]:
        """Yield the texts in tokens, queries first.

        Raises:
            TextTooLong: a text is longer than it may be, and is not to be cut.
        """
        texts = [(QUERY_PREFIX, text) for text in asked.queries]
        texts += [(DOCUMENT_PREFIX, text) for text in asked.documents]
        for index, (prefix, text) in enumerate(texts):
            yield self._read(index, prefix, text, asked)

    def vectors(self, texts: Sequence[ReadText]) -> Iterator[list[bytes]]:
        """Yield after each batch the vectors that it completed, 32-bit floats, little-endian; there may be none."""
        batch: list[_Window] = []
        size = 0
        sums = np.zeros((len(texts), self._encoder.shape.vector_size), dtype=np.float32)
        for window in self._windows(texts):
            if batch and size + len(window.tokens) > _BATCH_TOKENS:
                yield self._completed(batch, sums, is_last_text_open=window.text == batch[-1].text)
                batch, size = [], 0
            batch.append(window)
            size += len(window.tokens)
        if batch:
            yield self._completed(batch, sums, is_last_text_open=False)

    def _read(self, index: int, prefix: str, text: str, asked: EmbedRequest) -> ReadText:
        most_characters = asked.longest * self._tokenizer.longest_piece
        normalized = self._tokenizer.normalize(prefix + text, most_characters)
        if len(normalized) > most_characters:
            # It has too many tokens, whichever they are: those that are looked at need not be more.
            if not asked.cuts:
                raise TextTooLong(index)
            normalized = normalized[:most_characters]
        before = self._prefixes[prefix]
        tokens = self._tokenizer.tokens(normalized)[len(before) :]
        most = max(asked.longest - len(before) - _MARKS, 0)
        if len(tokens) > most:
            if not asked.cuts:
                raise TextTooLong(index)
            tokens = tokens[:most]
        return ReadText(before, tokens)

    def _windows(self, texts: Sequence[ReadText]) -> Iterator[_Window]:
        for index, text in enumerate(texts):
            room = self._encoder.shape.longest - len(text.prefix) - _MARKS
            parts = max(math.ceil(len(text.tokens) / room), 1)
            # Parts of equal length: a last one of a few tokens would say little.
            length = max(math.ceil(len(text.tokens) / parts), 1)
            for begin in range(0, max(len(text.tokens), 1), length):
                part = text.tokens[begin : begin + length]
                yield _Window(index, [self._begin, *text.prefix, *part, self._end], max(len(part), 1))

    def _completed(self, batch: Sequence[_Window], sums: Floats, *, is_last_text_open: bool) -> list[bytes]:
        """Encode the windows of a batch and return the vectors of the texts that end in it.

        The vector of a text in several windows is their mean, each counting as much as it has tokens.
        """
        for window, vector in zip(batch, self._encoder.encode([window.tokens for window in batch]), strict=True):
            sums[window.text] += window.weight * vector
        first, last = batch[0].text, batch[-1].text
        done = unit(sums[first : last + (0 if is_last_text_open else 1)])
        return [vector.astype("<f4").tobytes() for vector in done]
