"""Another configuration in one worker while calls run, and in all workers through the supervisor.

A worker reads again when the supervisor sends it SIGHUP, and when an operator asks it to: then it asks the supervisor
in turn, which sends SIGHUP to all. Whoever finds nothing new changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable

from qwenport.app.reload import Configuration, Reload
from qwenport.server.admin.parts import Reloaded

log = logging.getLogger(__name__)

Apply = Callable[[Configuration], Awaitable[None]]
"""Puts a configuration in force in this worker."""


class LiveReload:
    """Reads, applies and notes, one reading after another."""

    def __init__(self, reload: Reload, apply: Apply, *, supervisor: int) -> None:
        """Take the supervisor's process id, 0 where there is none."""
        self._reload = reload
        self._apply = apply
        self._supervisor = supervisor
        self._turn = asyncio.Lock()

    async def again(self) -> Reloaded:
        """Read again and put in force what differs; what was found is also in the log."""
        async with self._turn:
            configuration, found = await asyncio.to_thread(self._reload.read)
            if found.changed:
                await self._apply(configuration)
                self._reload.take(configuration)
        _tell(found)
        return found

    async def for_operator(self) -> Reloaded:
        """Do so here, where mistakes can be answered, and have every other worker do so too."""
        found = await self.again()
        if not found.error and self._supervisor:
            ask_supervisor(self._supervisor)
        return found


def ask_supervisor(supervisor: int) -> bool:
    """Ask the supervisor to have every worker read again; tell whether it is there to be asked."""
    # When it has ended, its number may be that of any other process.
    if os.getppid() != supervisor:
        return False
    os.kill(supervisor, signal.SIGHUP)
    return True


def _tell(found: Reloaded) -> None:
    if found.error:
        log.error("the configuration was read again and stays as it was: %s", found.error)
        return
    log.info("the configuration was read again; changed: %s", "; ".join(found.changed) or "nothing")
    if found.needs_restart:
        log.warning("changed, but read at the start alone: %s", "; ".join(found.needs_restart))
