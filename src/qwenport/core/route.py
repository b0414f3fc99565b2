"""Where the calls of a model may go, and how one of several targets is chosen."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Choice(StrEnum):
    """How the first target of a call is chosen among those that can take it; failures go on to the next best."""

    ORDERED = "ordered"
    """The first that is healthy."""
    WEIGHTED = "weighted"
    """By chance, in proportion to the weights."""
    LEAST_BUSY = "least_busy"
    """The one with the fewest calls under way for what it can take."""
    LOWEST_LATENCY = "lowest_latency"
    """The one whose first events came soonest of late."""
    CHEAPEST = "cheapest"
    """The one whose upstream costs least for this call, by the prices of its region."""


class Route(Struct, frozen=True, kw_only=True):
    """Targets of one model, for all callers or for those of one account or key."""

    targets: tuple[str, ...]
    """Each `engine/model` or `upstream/model`."""
    choose: Choice = Choice.ORDERED
    weights: tuple[int, ...] = ()
    """One for each target where `choose` is `weighted`; empty where not."""
    account: str = ""
    """Identifier of the account whose calls go this way; empty for all."""
    key: str = ""
    """Identifier of the key whose calls go this way; empty for all."""
    cache_s: int = 0
    """How old an answer from the response cache may be in seconds; 0 for none of it."""
