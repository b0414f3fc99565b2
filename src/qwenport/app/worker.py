"""One gateway process: puts the parts together, listens on the sockets it was handed, drains when told to."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Mapping

import uvloop

from qwenport.accounts.accounts import Accounts
from qwenport.accounts.key_ring import KeyRing
from qwenport.app.background import every
from qwenport.app.bookkeeper import Bookkeeper
from qwenport.app.data_dir import DataDirectory
from qwenport.app.house import Ground, House
from qwenport.app.http_server import HttpServer
from qwenport.app.supervisor import is_routed, load_catalog
from qwenport.app.worker_order import WorkerOrder
from qwenport.catalog.catalog import Catalog
from qwenport.core.clock import SystemClock
from qwenport.core.errors import Draining
from qwenport.core.ids import RandomIds
from qwenport.engines.engine import Engine, Site
from qwenport.engines.registry import KINDS
from qwenport.faces.registry import FACES
from qwenport.gate.admission import Gate
from qwenport.gate.identify import Identify
from qwenport.gate.permit import permit
from qwenport.metering.flush import Books
from qwenport.metering.journal import Journal
from qwenport.metering.records import Settlement
from qwenport.observability.log import configure_logging
from qwenport.observability.memory import resident_bytes
from qwenport.observability.metrics import Metrics
from qwenport.pipeline.serve import Parts
from qwenport.routing.choose import Routes
from qwenport.server.admin.routes import AdminParts
from qwenport.server.asgi import ASGIApp
from qwenport.server.client_address import ClientAddress
from qwenport.server.endpoint import FaceParts
from qwenport.server.health import HealthParts
from qwenport.server.response import Patience
from qwenport.server.routes import Access, PublicParts, operator_application, public_application
from qwenport.settings.settings import Settings
from qwenport.storage.database import Database

log = logging.getLogger(__name__)

PURGE_S = 60.0
"""How often what has expired is removed."""


def run_worker(order: WorkerOrder, settings: Settings) -> None:
    """Serve until the supervisor says stop, or ends."""
    configure_logging()
    spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(order, settings).run())


def spare_the_collector() -> None:
    """Let garbage collection pass over what lives as long as the process, and look for cycles less often.

    Calls make no cycles of their own; at the default thresholds a tenth of the time under load went into looking.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class Worker:
    """The composition of one gateway process."""

    def __init__(self, order: WorkerOrder, settings: Settings) -> None:
        self._order = order
        self._settings = settings
        server = settings.file.server
        self._patience = Patience(
            keep_alive_s=server.keep_alive_s,
            stall_s=server.stall_s,
            body_s=server.body_s,
            headers_s=server.headers_s,
            call_s=server.call_s,
            drain_s=server.drain_s,
        )
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._database = Database.open(settings.database)
        folder = DataDirectory(settings.data_dir)
        folder.lock_slot(order.slot)
        self._journal = Journal(folder.slot(order.slot))
        self._gate = Gate(self._journal, self._clock, on_settled=self._count)
        self._catalog = load_catalog(settings)
        self._accounts = Accounts(self._database, self._clock, RandomIds())
        self._ring = KeyRing()
        self._ring.update(self._accounts.changed_since(0))
        site = Site(runtime_dir=order.runtime_path, models_dir=settings.models_dir, secret=order.engine_secret)
        self._routes = Routes(connect_engines(self._catalog, site))
        self._keeper = Bookkeeper(self._gate, Books(self._database, self._catalog.cards), self._accounts, self._ring)
        self._house = House(self._ground())
        self._faces = self._face_parts()
        self._draining = False

    async def run(self) -> None:
        """Serve."""
        self._metrics.watch(self._gauges)
        health = HealthParts(
            engines=self._routes.engines,
            ping_storage=self._database.ping,
            is_draining=lambda: self._draining,
            metrics=self._metrics,
        )
        admin = AdminParts(
            run=self._keeper.run,
            post=self._keeper.post,
            follow_keys=self._keeper.follow_keys,
            database=self._database,
            accounts=self._accounts,
            catalog=self._catalog,
            open_holds=lambda: len(self._journal.open_holds),
            engines=self._routes.engines,
            timezone=self._settings.timezone,
            gateway_bytes=lambda: resident_bytes(os.getpid()),
        )
        parts = PublicParts(faces=self._faces, upload_host=self._house.upload_host, health=health, admin=admin)
        access = Access(operator_token=self._settings.admin_token, cors_origins=self._settings.cors_origins)
        public = self._server(public_application(FACES, parts, access), self._order.public_fd)
        operator = self._server(operator_application(health, admin), self._order.admin_fd)
        self._listen_to_signals(public)
        keeping = asyncio.create_task(self._keeper.keep())
        purging = asyncio.create_task(every(PURGE_S, self._house.purge))
        serving = asyncio.create_task(operator.serve_listener())
        telling = asyncio.create_task(self._tell_ready(public, operator))
        try:
            await public.serve_listener()
        finally:
            operator.should_exit = True
            await serving
            for task in (keeping, purging, telling):
                task.cancel()
            await asyncio.gather(keeping, purging, telling, return_exceptions=True)
            await self._house.close()
            await self._keeper.close()
            for engine in self._routes.engines.values():
                await engine.close()
            self._journal.close()
            self._database.close()

    def _count(self, settlement: Settlement) -> None:
        self._metrics.count_settlement(
            settlement.hold.model, settlement.outcome, settlement.input_tokens, settlement.output_tokens
        )

    def _ground(self) -> Ground:
        settings = self._settings
        return Ground(
            database=self._database,
            run=self._keeper.run,
            clock=self._clock,
            ids=RandomIds(),
            metrics=self._metrics,
            resolve=self._catalog.resolve,
            configuration=settings.file,
            files_dir=settings.stored_files,
            models_dir=settings.models_dir,
            address=settings.address(self._order.port),
        )

    def _face_parts(self) -> FaceParts:
        return FaceParts(
            identify=Identify(self._ring, self._clock),
            client_address=ClientAddress(self._settings.trusted_proxies),
            pipeline=Parts(
                resolve=self._catalog.resolve,
                permit=permit,
                admit=self._gate.admit,
                prepare=self._house.prepare,
                route=self._routes,
            ),
            cards=self._catalog.cards,
            clock=self._clock,
            ids=RandomIds(),
            metrics=self._metrics,
            patience=self._patience,
            body_limit_bytes=self._settings.file.server.max_body_bytes,
            desk=self._house.desk,
            uploads=self._house.uploads,
        )

    def _server(self, application: ASGIApp, descriptor: int) -> HttpServer:
        listener = socket.socket(fileno=descriptor)
        return HttpServer(application, listener, patience=self._patience)

    def _listen_to_signals(self, public: HttpServer) -> None:
        loop = asyncio.get_running_loop()

        def drain() -> None:
            if not self._draining:
                self._draining = True
                public.should_exit = True
                loop.call_later(self._patience.drain_s, self._break_off)

        def hurry() -> None:
            drain()
            self._break_off()

        def orphaned() -> None:
            loop.remove_reader(self._order.watch_fd)
            hurry()

        loop.add_signal_handler(signal.SIGTERM, drain)
        loop.add_signal_handler(signal.SIGINT, hurry)
        # The supervisor's end of this pipe closes when it ends, however it ends: then nobody would stop us.
        loop.add_reader(self._order.watch_fd, orphaned)

    def _break_off(self) -> None:
        self._gate.draining = True
        for watch in tuple(self._faces.in_flight):
            watch.abort(Draining())
        self._house.break_off()

    async def _tell_ready(self, *servers: HttpServer) -> None:
        while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await asyncio.sleep(0.01)
        os.write(self._order.ready_fd, b"1")
        os.close(self._order.ready_fd)

    def _gauges(self) -> Mapping[str, tuple[str, Mapping[str, float]]]:
        slots = self._routes.slots
        engines = {target: engine.condition() for target, engine in self._routes.engines.items()}
        return {
            "qwenport_holds_open": ("Calls admitted and not settled", {"": len(self._journal.open_holds)}),
            "qwenport_settlements_unwritten": (
                "Settlements that the disk has refused so far",
                {"": len(self._journal.unwritten)},
            ),
            "qwenport_calls_waiting": (
                "Calls that wait for a slot of an engine",
                {target: each.waiting for target, each in slots.items()},
            ),
            "qwenport_engine_ready": (
                "Whether an engine is ready",
                {target: float(condition.state == "ready") for target, condition in engines.items()},
            ),
            "qwenport_engine_restarts": (
                "How often an engine was started again",
                {target: condition.restarts for target, condition in engines.items()},
            ),
            "qwenport_engine_resident_bytes": (
                "Memory that an engine holds",
                {target: condition.resident_bytes for target, condition in engines.items()},
            ),
            "qwenport_gateway_resident_bytes": ("Memory that this worker holds", {"": resident_bytes(os.getpid())}),
        }


def connect_engines(catalog: Catalog, site: Site) -> dict[str, Engine]:
    """Return the gateway's side of every engine that a route leads to."""
    return {
        target: KINDS[model.kind].connect(model, site)
        for target, model in catalog.engine_models.items()
        if is_routed(target, catalog)
    }
