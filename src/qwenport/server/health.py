"""Is it alive, is it ready, how is it doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from qwenport.core.errors import StorageUnavailable
from qwenport.engines.engine import Condition, Engine, EngineState
from qwenport.observability.metrics import CONTENT_TYPE, Metrics
from qwenport.server.json_reply import json_reply
from qwenport.server.maintenance import Maintenance


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthParts:
    """What the health routes look at."""

    engines: Mapping[str, Engine]
    ping_storage: Callable[[], None]
    """Raises `StorageUnavailable`; may block, and is called in a thread."""
    is_draining: Callable[[], bool]
    upstreams: Collection[str] = ()
    """Names of what somebody else runs: it is told how they are, and no gateway is taken out of service for them."""
    metrics: Metrics
    maintenance: Maintenance = field(default_factory=Maintenance)
    counters_up: Callable[[], bool] = lambda: True
    """Whether calls can be counted; always, where that is done within the process."""


class Health:
    """The health routes."""

    def __init__(self, parts: HealthParts) -> None:
        self._parts = parts

    async def alive(self, request: Request) -> Response:
        """Answer 200 while the process runs."""
        return json_reply({"status": "alive"})

    async def ready(self, request: Request) -> Response:
        """Answer 200 when storage works and no engine is on its way; absent engines are named, not a failure."""
        conditions = {target: engine.condition() for target, engine in self._parts.engines.items()}
        storage = await self._storage()
        waits = [
            target
            for target, now in conditions.items()
            if now.state in {EngineState.LOADING, EngineState.ENDED}
            and target.partition("/")[0] not in self._parts.upstreams
        ]
        counted = self._parts.counters_up()
        status = self._status(works=storage == "ready" and counted and not waits)
        body = {
            "status": status,
            "storage": storage,
            "counters": "ready" if counted else "the counters of limits cannot be reached, or are being rebuilt",
            "engines": {target: _said(condition) for target, condition in conditions.items()},
        }
        return json_reply(body, 200 if status == "ready" else 503)

    async def metrics(self, request: Request) -> Response:
        """Answer with the metrics in Prometheus' text format."""
        return Response(self._parts.metrics.text(), media_type=CONTENT_TYPE)

    def _status(self, *, works: bool) -> str:
        """Return the word for all of it; why nothing is to be sent here on purpose goes before what does not work."""
        if self._parts.is_draining():
            return "draining"
        if self._parts.maintenance.is_on:
            return "maintenance"
        return "ready" if works else "not ready"

    async def _storage(self) -> str:
        try:
            async with asyncio.timeout(5):
                await asyncio.to_thread(self._parts.ping_storage)
        except StorageUnavailable as error:
            return error.message
        except TimeoutError:
            return "the database does not answer"
        return "ready"


def _said(condition: Condition) -> dict[str, object]:
    return {key: value for key, value in msgspec.to_builtins(condition).items() if value}
