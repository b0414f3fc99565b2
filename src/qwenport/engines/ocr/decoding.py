"""From what the recogniser computes of one line to its characters, how sure each is, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Character(Struct, frozen=True, gc=False):
    """One character of a line."""

    text: str
    score: float
    """From 0 to 1."""
    place: float
    """Where its middle about is, as a part of the line's width."""
    second: str = ""
    """What the recogniser would take next in its place."""
    second_score: float = 0.0


class Decoder:
    """Reads the recogniser's classes off, step by step along the line (connectionist temporal classification)."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = characters

    def read(self, chances: Floats, filled: float) -> tuple[Character, ...]:
        """Return the characters; `chances` are steps by classes, of which the first part `filled` shows the line."""
        best = chances.argmax(axis=1)
        starts = np.flatnonzero(np.diff(best, prepend=0) != 0)
        read: list[Character] = []
        for start, end in zip(starts, [*starts, len(best)][1:], strict=True):
            if best[start] != 0:
                read.append(self._character(chances[start:end], int(best[start]), int(start), filled * len(best)))
        return tuple(read)

    def _character(self, steps: Floats, chosen: int, start: int, width: float) -> Character:
        peak = int(steps[:, chosen].argmax())
        score = float(steps[peak, chosen])
        others = steps[peak].copy()
        others[chosen] = others[0] = 0.0
        second = int(others.argmax())
        place = min((start + (len(steps) - 1) / 2 + 0.5) / width, 1.0)
        return Character(self._characters[chosen], score, place, self._characters[second], float(others[second]))
