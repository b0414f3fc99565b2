"""`qwenport serve`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import uvloop

from qwenport.app.supervisor import Standing, Supervisor
from qwenport.app.worker import run_worker
from qwenport.app.worker_order import VARIABLE, WorkerOrder
from qwenport.cli.banner import banner
from qwenport.cli.context import CommandFailed, settings
from qwenport.observability.log import configure_logging

log = logging.getLogger(__name__)


def serve() -> int:
    """Run the server until Ctrl-C or SIGTERM; what still runs then has 30 seconds to end.

    Settings come from the environment, `.env` and the configuration file; `qwenport doctor` checks them.
    """
    chosen = settings()
    configure_logging()

    def announce(standing: Standing) -> None:
        is_terminal = sys.stdout.isatty()
        sys.stdout.write(banner(standing, is_terminal=is_terminal))
        sys.stdout.flush()
        if is_terminal and standing.new_key is not None:
            try:
                chosen.first_key.unlink(missing_ok=True)
            except OSError as error:
                log.warning(
                    "the first API key stays in %s, which cannot be removed: %s", chosen.first_key, error.strerror
                )

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Supervisor(chosen, announce).run())


def worker() -> int:
    """Run one gateway worker; only `qwenport serve` starts it."""
    order = os.environ.pop(VARIABLE, None)
    if order is None:
        raise CommandFailed("workers are started by `qwenport serve`")
    run_worker(WorkerOrder.decode(order), settings())
    return 0
