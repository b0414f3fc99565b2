"""From the similarity of two vectors to the score of a document."""

from __future__ import annotations

import math
import struct
from operator import mul

from qwenport.engines.embed.wire import VECTOR_SIZE

_VECTOR = struct.Struct(f"<{VECTOR_SIZE}f")

# Fitted by `bench/embedding_quality.py` to its pairs: the score is how likely a passage is to answer a question rather
# than only to share its words. The cosines of this model lie close together, between 0.7 and 1.
_EVEN_COSINE = 0.846
_STEEPNESS = 12.6

Vector = tuple[float, ...]


def vector_of(content: bytes) -> Vector:
    """Return the values of a vector that is 32-bit floats, little-endian."""
    return _VECTOR.unpack(content)


def cosine(first: Vector, second: Vector) -> float:
    """Return the cosine of the angle between two vectors of length 1."""
    found: float = sum(map(mul, first, second))
    return found


def score_of(similarity: float) -> float:
    """Return a score from 0 to 1 that grows with the similarity."""
    return 1.0 / (1.0 + math.exp(_STEEPNESS * (_EVEN_COSINE - similarity)))
