"""The metrics of all workers of a server: each writes its own into a file, whoever is asked adds them up.

The workers share one port, so that a scrape reaches any of them. `prometheus_client` has a mode for several processes
(https://prometheus.github.io/client_python/multiprocess/): it takes neither registries of one's own nor gauges that are
read at a scrape, and leaves a file of every process that ever was. Here each worker slot has one file. A worker that
is started again goes on from what its slot's file says, and what a scrape shows was written down before: so no counter
that anybody has seen goes back, not even when a worker is killed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from qwenport.core.clock import Clock
from qwenport.observability.families import Family, add_up, counters, of_worker

log = logging.getLogger(__name__)

FRESH_S = 30.0
"""Gauges of a worker that has written nothing for longer are left out: it hangs, or has ended."""


class _Sheet(Struct, frozen=True, kw_only=True):
    """What one worker has written."""

    at: float
    """On the machine's monotonic clock, which all processes share."""
    families: tuple[Family, ...]


class MetricsBoard:
    """One worker's place on the board; the folder lives as long as the server, and is its alone."""

    def __init__(self, folder: Path, worker: int, clock: Clock) -> None:
        """Go on from what an earlier worker of this number has left."""
        self._folder = folder
        self._worker = worker
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        left = self._read(self._path)
        self._left = () if left is None else tuple(counters(left.families))

    def publish(self, families: Sequence[Family]) -> list[Family]:
        """Write this worker's families down, and return them with what was there before it.

        A disk that does not take them is logged: what is counted is shown all the same.
        """
        whole = add_up([*self._left, *of_worker(families, self._worker)])
        sheet = msgspec.json.encode(_Sheet(at=self._clock.monotonic(), families=tuple(whole)))
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(sheet)
            fresh.replace(self._path)
        except OSError as error:
            log.warning("the metrics of worker %d cannot be written down: %s", self._worker, error.strerror)
        return whole

    def all_workers(self, families: Sequence[Family]) -> list[Family]:
        """Return the families of the whole server, this worker's as they are now and the others' as last written."""
        shown = self.publish(families)
        now = self._clock.monotonic()
        for path in sorted(self._folder.glob("worker-*.json")):
            sheet = self._read(path) if path != self._path else None
            if sheet is not None:
                shown += sheet.families if now - sheet.at <= FRESH_S else counters(sheet.families)
        return add_up(shown)

    @property
    def _path(self) -> Path:
        return self._folder / f"worker-{self._worker}.json"

    def _read(self, path: Path) -> _Sheet | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Sheet)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            log.warning("the metrics in %s cannot be read and are left out", path.name, exc_info=True)
            return None
