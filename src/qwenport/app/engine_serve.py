"""One engine host for gateways on other machines: the host kept running, a door before it, drained when told to end."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import secrets
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from qwenport.app.data_dir import DataDirectory
from qwenport.app.engine_door import EngineDoor
from qwenport.app.engine_hosts import EngineHost
from qwenport.app.refusal import StartRefused
from qwenport.app.sockets import make_runtime_dir
from qwenport.catalog.engine_model import EngineModel
from qwenport.core.secret import Secret
from qwenport.engines.connections import Connections
from qwenport.engines.engine import Site
from qwenport.engines.host_address import peer_of
from qwenport.engines.registry import KINDS

_DRAIN_S = 30.0
_LEAST_SECRET = 16
_SENDABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOrder:
    """What is served, and where."""

    model: EngineModel
    models_dir: Path
    data_dir: Path
    host: str
    port: int
    secret_env: str
    """Environment variable that held the secret; for messages."""
    secret: Secret | None


def check_order(order: EngineOrder) -> None:
    """Refuse to serve to whom it may not be served.

    Raises:
        StartRefused: the model's host runs elsewhere, or the secret is missing or unfit.
    """
    if order.model.url:
        raise StartRefused(f"the host of `{order.model.name}` runs at {order.model.url}, as its model file says")
    if order.secret is None:
        if not _is_loopback(order.host):
            raise StartRefused(
                f"{order.host} can be reached by others, so {order.secret_env} must hold a secret: set it to the "
                "output of `openssl rand -hex 32`, here and where the gateway runs"
            )
        return
    if len(order.secret.reveal()) < _LEAST_SECRET or not _SENDABLE.fullmatch(order.secret.reveal()):
        raise StartRefused(
            f"{order.secret_env} must have at least {_LEAST_SECRET} characters, ASCII and without spaces: set it to "
            "the output of `openssl rand -hex 32`"
        )


class EngineServer:
    """One engine host with its door."""

    def __init__(self, order: EngineOrder, announce: Callable[[int], None]) -> None:
        """Start nothing yet; `announce` is told the port once gateways are let in, before the model has loaded.

        Raises:
            StartRefused: see `check_order`.
        """
        check_order(order)
        self._order = order
        self._announce = announce
        self._folder = DataDirectory(order.data_dir)
        self._stopping = asyncio.Event()
        self._breaking_off = asyncio.Event()

    async def run(self) -> int:
        """Serve until a signal asks to stop; return the exit code.

        Raises:
            StartRefused: something that the operator can mend is in the way.
        """
        self._folder.prepare()
        runtime_dir = make_runtime_dir()
        try:
            await self._run(
                Site(runtime_dir=runtime_dir, models_dir=self._order.models_dir, secret=secrets.token_urlsafe(32))
            )
        finally:
            shutil.rmtree(runtime_dir, ignore_errors=True)
        return 0

    async def _run(self, site: Site) -> None:
        model = self._order.model
        log_file = self._folder.logs / f"engine-{model.kind}-{model.name}.log"
        connections = Connections(peer_of(model, site))
        runner = EngineDoor(connections, self._order.secret).runner(drain_s=_DRAIN_S)
        await runner.setup()
        keeping = asyncio.create_task(EngineHost(KINDS[model.kind], model, site, log_file).keep())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            self._heed_signals()
            self._announce(await self._listen(runner))
            await asyncio.wait((stopping, keeping), return_when=asyncio.FIRST_COMPLETED)
            await self._drain(runner, connections)
        finally:
            await connections.close()
            await runner.cleanup()
            for task in (stopping, keeping):
                task.cancel()
            results = await asyncio.gather(keeping, stopping, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    def _heed_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        """Drain on the first signal; on the second break off what still runs."""
        if self._stopping.is_set():
            self._breaking_off.set()
        self._stopping.set()

    async def _listen(self, runner: web.AppRunner) -> int:
        """Let gateways in; return the port."""
        order = self._order
        try:
            await web.TCPSite(runner, order.host, order.port).start()
        except OSError as error:
            raise StartRefused(
                f"cannot listen on {order.host}:{order.port} ({error.strerror or error}): choose a free `--port`, or "
                "a `--host` that is this machine's"
            ) from error
        return int(runner.addresses[0][1])

    async def _drain(self, runner: web.AppRunner, connections: Connections) -> None:
        """Let nobody in any more, and wait for what is under way."""
        closing = asyncio.create_task(runner.cleanup())
        hurrying = asyncio.create_task(self._breaking_off.wait())
        await asyncio.wait((closing, hurrying), return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
        await connections.close()
        await closing


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
