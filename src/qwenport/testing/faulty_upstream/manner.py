"""How the faulty upstream behaves apart from its faults."""

from __future__ import annotations

import math
import random

from msgspec import Struct


class Latency(Struct, frozen=True, kw_only=True):
    """How long the head of an answer takes: always the same, or lognormal around a median."""

    median_s: float = 0.0
    sigma: float = 0.0
    """Of the logarithm; 0 for always the median. 0.5 lets one answer in a hundred take 3.2 times the median."""

    def draw(self, chance: random.Random) -> float:
        """Return the latency of one answer, in seconds."""
        if not self.median_s or not self.sigma:
            return self.median_s
        return chance.lognormvariate(math.log(self.median_s), self.sigma)


class Manner(Struct, frozen=True, kw_only=True):
    """What every answer has in common."""

    latency: Latency = Latency()
    between_chunks_s: float = 0.0
    """Pause after each chunk of a stream; 0 writes it at once."""
    tokens: int = 16
    """Length of an answer whose request sets none."""
    slow_s: float = 1.0
    """What `Fault.SLOW` adds."""
    drip_bytes: int = 7
    huge_bytes: int = 12 << 20
    """Of `Fault.HUGE_FRAME`, and of what a bomb of gzip becomes."""
    retry_after_s: float = 1.0
    key: str = ""
    """What must be shown as bearer; empty takes everybody."""
