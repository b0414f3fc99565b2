"""How a caller stands with a limit, as callers are told."""

from __future__ import annotations

from msgspec import Struct


class Standing(Struct, frozen=True, kw_only=True, gc=False):
    """How far a limit that binds a call is used up."""

    is_requests: bool
    """Whether it counts requests; tokens otherwise."""
    cap: int
    left: int
    reset_s: float
    """Time until all of it is there again."""
