"""How a target stands, in words and figures for an operator."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class TargetStanding(Struct, frozen=True, kw_only=True):
    """One target as one worker sees it."""

    target: str
    upstream: str
    """Empty for an engine of the house."""
    region: str
    state: str
    """What it can do, and why not."""
    breaker: str
    """`closed`, `open` or `half_open`; empty for an engine of the house, whose own process tells how it is."""
    under_way: int
    waiting: int
    tries: int
    failures: Mapping[str, int]
    """Tries that failed, by the error's code."""
    first_event_ms: float | None
    """Moving average; None before the first one."""
