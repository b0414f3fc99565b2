"""From text to the ids of pieces, as SentencePiece's unigram model does it.

Taku Kudo, "Subword Regularization" (2018): of all ways to cut a text into pieces, the likeliest one.
"""

from __future__ import annotations

import re

from qwenport.engines.embed.packed_weights import Vocabulary

_SPACES = re.compile(" {2,}")
_SLICE = 10_000
"""Characters that are normalized at once; one can become eighteen."""
_SPACE_MARK = "▁"
_UNKNOWN_PENALTY = 10.0
"""How much less likely an unknown character is than the least likely piece, as in SentencePiece."""


class Tokenizer:
    """Cuts texts into pieces of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._normalized = dict(vocabulary.normalized)
        marks = {vocabulary.begin, vocabulary.end, vocabulary.padding, vocabulary.unknown}
        # The marks have pieces too, such as `<s>`; a caller's text must not be able to say them.
        self._ids = {piece: number for number, piece in enumerate(vocabulary.pieces) if number not in marks}
        self._scores = vocabulary.scores
        self._unknown = vocabulary.unknown
        self._unknown_score = min(vocabulary.scores) - _UNKNOWN_PENALTY
        self.longest_piece = max(map(len, self._ids))
        """Characters of the longest piece: no text has fewer tokens than its length divided by this."""

    def normalize(self, text: str, most: int | None = None) -> str:
        """Return the text as pieces are looked for in it: in compatible characters, with marks in place of spaces.

        Of a text that has more than `most` characters then, at least one more than these is returned, but not all.
        """
        slices: list[str] = []
        size = 0
        for start in range(0, len(text), _SLICE):
            slices.append(_SPACES.sub(" ", text[start : start + _SLICE].translate(self._normalized)))
            size += len(slices[-1])
            # Where two slices meet, one more space may go.
            if most is not None and size > most + len(slices):
                break
        spaced = _SPACES.sub(" ", "".join(slices))
        return ("" if spaced.startswith(" ") else _SPACE_MARK) + spaced.replace(" ", _SPACE_MARK)

    def tokens(self, normalized: str) -> list[int]:
        """Return the ids of the likeliest pieces, without the marks of begin and end."""
        length = len(normalized)
        likeliest = [float("-inf")] * (length + 1)
        likeliest[0] = 0.0
        # The piece that ends at each place in the likeliest way, and where it begins.
        ids, begins = [0] * (length + 1), [0] * (length + 1)
        known, scores, longest = self._ids.get, self._scores, self.longest_piece
        for begin in range(length):
            before = likeliest[begin]
            for end in range(begin + 1, min(begin + longest, length) + 1):
                number = known(normalized[begin:end])
                if number is not None and (score := before + scores[number]) > likeliest[end]:
                    likeliest[end], ids[end], begins[end] = score, number, begin
            if (score := before + self._unknown_score) > likeliest[begin + 1]:
                likeliest[begin + 1], ids[begin + 1], begins[begin + 1] = score, self._unknown, begin
        return _backwards(ids, begins, length)


def _backwards(ids: list[int], begins: list[int], place: int) -> list[int]:
    found = []
    while place:
        found.append(ids[place])
        place = begins[place]
    found.reverse()
    return found
