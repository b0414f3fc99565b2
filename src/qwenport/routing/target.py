"""One place that calls can be sent to, as routing knows it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from qwenport.engines.engine import Engine


class Pace(Struct, frozen=True, kw_only=True):
    """What the upstream's own limits let pass; the gateway keeps to them instead of running into them."""

    account: str
    """Name by which upstreams that share one account are known together."""
    model: str
    """The model's name at the upstream."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Input and output together."""
    concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An engine, and what decides whether a call may and should go to it."""

    engine: Engine
    region: str = ""
    """Where it runs, by Model Studio's names of regions; empty for the operator's own ground, and where nobody said."""
    is_own_ground: bool = True
    """Whether one without a region runs on the operator's own ground, and not anywhere on the public internet."""
    upstream: str = ""
    """Name of the upstream that it belongs to; empty for an engine of the house."""
    pace: Pace | None = None

    @property
    def name(self) -> str:
        """Return `engine/model` or `upstream/model`, as routes name it."""
        return self.engine.target
