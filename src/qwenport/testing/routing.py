"""A router over engines that a test or a benchmark made, to each of which every model is routed in their order."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.app.serving import most_tokens
from qwenport.core.clock import Clock, SystemClock
from qwenport.core.route import Route
from qwenport.engines.engine import Engine
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.target import Target
from qwenport.settings.configuration_file import RetryTable


def router_to(*engines: Engine, clock: Clock | None = None, tries: int = 1) -> Router:
    """Return a router of the house's own engines; a failed call is not tried again unless `tries` says so."""
    routes: Sequence[Route] = (Route(targets=tuple(engine.target for engine in engines)),)
    parts = RoutingParts(clock=clock or SystemClock(), bound=most_tokens, retries=RetryTable(tries=tries))
    return Router([Target(engine=engine) for engine in engines], lambda _model: routes, parts)
