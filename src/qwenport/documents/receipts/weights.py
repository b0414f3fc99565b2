"""Weights of what speaks for a line or an amount to be what is sought."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files

import msgspec
from msgspec import Struct

Features = Mapping[str, float]
"""What is seen of one candidate, by name; what is left out is 0."""


class Weights(Struct, frozen=True, kw_only=True):
    """One weight for each name of a feature; what is not named weighs nothing."""

    company: dict[str, float]
    date: dict[str, float]
    address: dict[str, float]
    total: dict[str, float]


@functools.cache
def shipped_weights() -> Weights:
    """Return the weights that come with the package."""
    return msgspec.json.decode((files(__package__) / "weights.json").read_bytes(), type=Weights)


def weigh(features: Features, weights: Mapping[str, float]) -> float:
    """Return the sum of the weighted features."""
    return sum(value * weights.get(name, 0.0) for name, value in features.items())


def shares(scores: Sequence[float]) -> list[float]:
    """Return how likely each of some candidates is, given that one of them is right."""
    highest = max(scores, default=0.0)
    powers = [math.exp(score - highest) for score in scores]
    whole = sum(powers)
    return [power / whole for power in powers]


def likelihood(score: float) -> float:
    """Return how likely a candidate is that stands for itself."""
    return 1 / (1 + math.exp(-min(max(score, -60.0), 60.0)))
