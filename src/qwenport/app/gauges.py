"""What is read of the house at every scrape."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qwenport.core.clock import Clock
from qwenport.core.money import NANOS
from qwenport.engines.engine import EngineState
from qwenport.metering.backlog import Backlog
from qwenport.metering.journal import Journal
from qwenport.observability.memory import resident_bytes
from qwenport.routing.gauges import routing_gauges
from qwenport.routing.router import Router
from qwenport.server.maintenance import Maintenance

Shown = Mapping[str, tuple[str, Mapping[str, float]]]
"""Name of a gauge to its help text and its values by label value; the empty label value stands alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeParts:
    """What is looked at."""

    journal: Journal
    backlog: Backlog
    router: Router
    clock: Clock
    data_dir: Path
    maintenance: Maintenance
    storage_up: Callable[[], bool]
    """Whether the database answered when it was last asked."""
    counters_up: Callable[[], bool]
    """Whether the counters of limits did; those within the process always do."""
    connections_in_use: Callable[[], int]
    """Connections to the database that are given out."""
    cache_bytes: Callable[[], int | None]
    """Disk that the response cache takes; None where there is none."""


class HouseGauges:
    """The gauges of one gateway worker; called, it reads them."""

    def __init__(self, parts: GaugeParts) -> None:
        self._parts = parts

    def __call__(self) -> Shown:
        """Return every gauge."""
        return {**self._books(), **self._machine(), **self._engines()}

    def _books(self) -> Shown:
        parts = self._parts
        now = parts.clock.timestamp()
        holds = tuple(parts.journal.open_holds.values())
        held: dict[str, float] = defaultdict(float)
        for hold in holds:
            held[hold.currency] += (hold.cost_nanos or 0) / NANOS
        return {
            "qwenport_holds_open": _alone("Calls admitted and not settled", len(holds)),
            "qwenport_holds_stale": _alone(
                "Holds that nobody settled in their time", sum(hold.expires_at <= now for hold in holds)
            ),
            "qwenport_held": ("Most that the open holds may cost, in units, by currency", held),
            "qwenport_settlements_unwritten": _alone(
                "Settlements that the disk has refused so far", len(parts.journal.unwritten)
            ),
            "qwenport_settlements_unposted": _alone(
                "Settlements that the books do not hold yet", parts.backlog.settlements
            ),
            "qwenport_oldest_unposted_seconds": _alone(
                "How long the oldest settlement waits for the books", parts.backlog.oldest_s
            ),
            "qwenport_journal_backlog_bytes": _alone(
                "How much of the journal the books do not hold yet", parts.backlog.size_bytes
            ),
        }

    def _machine(self) -> Shown:
        parts = self._parts
        cache_bytes = parts.cache_bytes()
        cache = (
            {} if cache_bytes is None else {"qwenport_cache_bytes": _alone("Disk of the response cache", cache_bytes)}
        )
        return {
            **cache,
            "qwenport_storage_up": _alone("Whether the database answers", parts.storage_up()),
            "qwenport_counters_up": _alone("Whether the counters of limits answer", parts.counters_up()),
            "qwenport_database_connections": _alone("Connections to the database in use", parts.connections_in_use()),
            "qwenport_disk_free_bytes": _alone("Free space for the data directory", _free_bytes(parts.data_dir)),
            "qwenport_maintenance": _alone("Whether the faces are switched off", parts.maintenance.is_on),
            "qwenport_gateway_resident_bytes": _alone("Memory that this worker holds", resident_bytes(os.getpid())),
            "qwenport_gateway_tasks": _alone("Tasks under way in this worker", _tasks()),
        }

    def _engines(self) -> Shown:
        engines = {target: engine.condition() for target, engine in self._parts.router.engines.items()}
        return {
            **routing_gauges(self._parts.router),
            "qwenport_engine_ready": (
                "Whether an engine is ready",
                {target: float(now.state is EngineState.READY) for target, now in engines.items()},
            ),
            "qwenport_engine_restarts": (
                "How often an engine was started again",
                {target: now.restarts for target, now in engines.items()},
            ),
            "qwenport_engine_resident_bytes": (
                "Memory that an engine holds",
                {target: now.resident_bytes for target, now in engines.items()},
            ),
        }


def _alone(help_text: str, value: float) -> tuple[str, Mapping[str, float]]:
    return help_text, {"": value}


def _tasks() -> int:
    """Return how many tasks the running event loop has; 0 outside of one."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0


def _free_bytes(folder: Path) -> int:
    """Return the free space; 0 for a folder that is gone, which is as bad as full."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
