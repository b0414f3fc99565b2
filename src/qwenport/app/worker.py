"""One gateway process: puts the parts together, listens on the sockets it was handed, drains when told to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import uvloop

from qwenport.accounts.api_keys import ApiKeys
from qwenport.app.background import every
from qwenport.app.bookkeeper import Bookkeeper, BookkeeperParts
from qwenport.app.counting import (
    SharedBy,
    begin_from_books,
    connected_valkey,
    counter_facts,
    local_counters,
    lookup_in,
    shared_counters,
)
from qwenport.app.data_dir import DataDirectory
from qwenport.app.database_place import open_database
from qwenport.app.followed import Followed
from qwenport.app.freed_memory import keep_giving_back
from qwenport.app.gauges import GaugeParts, HouseGauges
from qwenport.app.house import Ground, House
from qwenport.app.http_server import HttpServer
from qwenport.app.live_reload import LiveReload
from qwenport.app.reload import Configuration, Reload, read_configuration
from qwenport.app.serving import Serving, ServingGround
from qwenport.app.spared_collector import spare_the_collector
from qwenport.app.task_keeper import TaskKeeper
from qwenport.app.tls import LOOK_S, Tls, open_tls
from qwenport.app.tracing import open_traces
from qwenport.app.upkeep import BALANCES_S, Upkeep
from qwenport.app.worker_order import WorkerOrder
from qwenport.app.worker_signals import WorkerSignals
from qwenport.core.clock import SystemClock
from qwenport.core.errors import Draining, StorageUnavailable
from qwenport.core.ids import RandomIds
from qwenport.core.limits import Limit
from qwenport.faces.registry import FACES
from qwenport.gate.admission import Gate, Rules
from qwenport.gate.identify import Identify
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.permit import Permit
from qwenport.gate.valkey_counters import ValkeyCounters
from qwenport.metering.backlog import Backlog
from qwenport.metering.body_queue import BodyQueue
from qwenport.metering.flush import Books
from qwenport.metering.journal import Journal
from qwenport.metering.neighbour import Neighbour
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Settlement
from qwenport.metering.settlement_counts import count_settlement
from qwenport.observability.log import configure_logging
from qwenport.observability.memory import resident_bytes
from qwenport.observability.metrics import Metrics
from qwenport.observability.metrics_board import MetricsBoard
from qwenport.pipeline.serve import Parts
from qwenport.routing.shared_pacing import SharedPaces
from qwenport.server.admin.parts import AdminParts
from qwenport.server.asgi import ASGIApp
from qwenport.server.client_address import ClientAddress
from qwenport.server.endpoint import FaceParts
from qwenport.server.health import HealthParts
from qwenport.server.idempotency import IdempotentRequests
from qwenport.server.response import Patience
from qwenport.server.routes import Access, PublicParts, operator_application, public_application
from qwenport.settings.settings import Settings
from qwenport.storage.counter_rows import CounterFacts

log = logging.getLogger(__name__)

PURGE_S = 60.0
"""How often what has expired is removed."""
BODIES_S = 1.0
PUBLISH_S = 5.0
"""How often a worker writes its metrics down for the others."""
COUNTERS_S = 0.5
COUNTERS_WAIT_S = 5.0
"""How long a start waits for counters; with Valkey away calls are refused in words, and everything else works."""
RENEW_S = 20.0
"""How often requests that run tell that they do, to those that repeat them."""
HEALTH_S = 1.0
TASKS_S = 1.0
RETENTION_S = 3600.0


def run_worker(order: WorkerOrder, settings: Settings) -> None:
    """Serve until the supervisor says stop, or ends."""
    configure_logging()
    spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(order, settings).run())


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
        self._metrics = Metrics(MetricsBoard(order.runtime_path / "metrics", order.slot, self._clock))
        self._database = open_database(settings)
        self._folder = DataDirectory(settings.data_dir)
        self._folder.lock_slot(order.slot)
        self._journal = Journal(self._folder.slot(order.slot))
        self._backlog = Backlog(self._journal, self._clock)
        configuration = read_configuration(settings)
        prices = PriceBook(configuration.catalog.cards)
        self._rules = Rules(limits=LimitBook(), prices=prices, max_pages=settings.file.media.max_pages)
        self._followed = Followed(self._database, self._clock, self._rules, configuration.limits)
        self._counters = self._make_counters()
        self._gate = Gate(self._journal, self._clock, self._rules, self._counters, on_settled=self._count)
        self._paces = self._make_paces()
        self._traces = open_traces(settings, self._metrics, order.slot)
        self._tls = open_tls(settings)
        self._serving = Serving(
            configuration,
            ServingGround(
                site=order.site(settings),
                clock=self._clock,
                metrics=self._metrics,
                data_dir=settings.data_dir,
                workers=order.workers,
                shared=self._paces,
                traces=self._traces,
                rates=lambda: prices.rates,
            ),
        )
        self._reload = LiveReload(Reload(configuration), self._apply, supervisor=order.supervisor)
        books = Books(self._database, prices, timezone=settings.timezone)
        slots = range(1, order.workers + 1)
        self._keeper = Bookkeeper(
            BookkeeperParts(
                gate=self._gate,
                books=books,
                followed=self._followed,
                keys=ApiKeys(self._database, self._clock, RandomIds()),
                metrics=self._metrics,
                backlog=self._backlog,
                neighbours=[Neighbour(self._folder.slot(slot), books.post) for slot in slots if slot != order.slot],
                grace_s=settings.file.books.storage_grace_s,
            )
        )
        self._take_in_everything()
        self._house = House(self._ground())
        callers, upstreams = self._followed.keys.caller, self._serving.upstreams.by_name
        self._tasks = TaskKeeper(self._ground(), self._gate, callers, upstreams, self._serving.check_result)
        self._idempotency = IdempotentRequests(self._database, self._clock, self._keeper.run)
        self._bodies = BodyQueue(self._database, self._keeper.run, on_dropped=self._metrics.count_dropped_body)
        self._faces = self._face_parts()

    async def run(self) -> None:
        """Serve."""
        self._metrics.watch(HouseGauges(self._gauge_parts()))
        health = HealthParts(
            engines=self._serving.router.engines,
            upstreams=self._serving.upstreams.by_name,
            ping_storage=self._database.ping,
            is_draining=lambda: self._signals.is_draining,
            metrics=self._metrics,
            maintenance=self._followed.maintenance,
            counters_up=self._counters_up,
        )
        admin = self._admin_parts()
        if isinstance(self._counters, ValkeyCounters):
            await self._counters.start(lookup_in(self._database, self._keeper.run))
            await self._until_counted(self._counters)
        parts = PublicParts(faces=self._faces, upload_host=self._house.upload_host, health=health, admin=admin)
        access = Access(operator_token=self._settings.admin_token, cors_origins=self._settings.cors_origins)
        public = self._server(public_application(FACES, parts, access), self._order.public_fd, self._tls)
        operator = self._server(operator_application(health, admin), self._order.admin_fd)

        def stop() -> None:
            public.should_exit = True

        self._signals = WorkerSignals(
            stop=stop, break_off=self._break_off, read_again=self._reload.again, drain_s=self._patience.drain_s
        )
        self._signals.listen(self._order.watch_fd)
        serving = asyncio.create_task(operator.serve_listener())
        beside = [asyncio.create_task(work) for work in (*self._work_beside(), self._tell_ready(public, operator))]
        try:
            await public.serve_listener()
        finally:
            operator.should_exit = True
            await serving
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._close()

    def _work_beside(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what goes on beside the calls until the end."""
        yield self._keeper.keep()
        yield every(PURGE_S, self._house.purge)
        yield every(BODIES_S, self._bodies.flush)
        yield every(PUBLISH_S, self._publish)
        if self._tls is not None:
            yield every(LOOK_S, self._tls.look)
        yield every(RENEW_S, self._idempotency.renew)
        yield every(HEALTH_S, self._serving.health.keep)
        yield every(TASKS_S, self._tasks.keep)
        yield keep_giving_back()
        if isinstance(self._counters, ValkeyCounters):
            yield every(COUNTERS_S, self._counters.keep)
        if self._paces is not None:
            yield every(HEALTH_S, self._paces.keep)
        if self._order.slot == 1:  # what one worker does for all
            upkeep = Upkeep(self._database, self._keeper.run, self._clock, self._metrics, self._settings.file.books)
            yield every(BALANCES_S, upkeep.look_at_balances)
            yield every(RETENTION_S, upkeep.retain)
            yield every(PURGE_S, self._idempotency.purge_expired)
            yield every(RETENTION_S, self._tasks.forget)

    async def _close(self) -> None:
        await self._house.close()
        with contextlib.suppress(StorageUnavailable):  # bodies are for looking at, and end with the process
            await self._bodies.flush()
        await self._idempotency.close()
        await self._keeper.close()
        if isinstance(self._counters, ValkeyCounters):
            await self._counters.close()
        await self._serving.close()
        if self._traces is not None:
            await self._traces.close()
        if self._paces is not None:
            await self._paces.drain()
            await self._paces.valkey.close()
        self._metrics.leave()
        self._journal.close()
        self._database.close()

    def _make_counters(self) -> LocalCounters | ValkeyCounters:
        def on_shadow(limit: Limit) -> None:
            self._metrics.count_shadow_refusal(limit.id)

        if self._settings.valkey_url is None:
            return local_counters(self._clock, ZoneInfo(self._settings.timezone), on_shadow)
        shared = SharedBy(settings=self._settings, slot=self._order.slot, clock=self._clock, on_shadow=on_shadow)
        return shared_counters(shared, self._rules.limits, self._read_facts)

    def _make_paces(self) -> SharedPaces | None:
        """Return how the workers pace together; None for one worker that shares with nobody."""
        if self._settings.valkey_url is None:
            return None
        return SharedPaces(connected_valkey(self._settings), self._clock, workers=self._order.workers)

    async def _apply(self, configuration: Configuration) -> None:
        """Put another configuration in force."""
        await self._serving.apply(configuration)
        self._followed.configure(configuration.limits)

    def _take_in_everything(self) -> None:
        """Take in what the database says, before the first call."""
        self._followed.take_in(self._followed.read(), self._counters)
        if isinstance(self._counters, LocalCounters):
            begin_from_books(self._counters, self._rules.limits, self._database, self._clock)

    async def _read_facts(self) -> tuple[CounterFacts, Sequence[Hold]]:
        """Return what the books and the journals say, for counters that were lost."""
        await self._keeper.post_all()
        holds = self._keeper.open_holds()
        zone = ZoneInfo(self._settings.timezone)
        facts = await self._keeper.run(
            lambda: counter_facts(self._database, self._clock, zone, [hold.id for hold in holds])
        )
        return facts, holds

    async def _until_counted(self, counters: ValkeyCounters) -> None:
        """Wait while another worker fills the counters, so that nobody is refused who asks at once; not for ever."""
        deadline = self._clock.monotonic() + COUNTERS_WAIT_S
        while not counters.is_up and self._clock.monotonic() < deadline:
            await asyncio.sleep(0.1)
            await counters.keep()

    def _counters_up(self) -> bool:
        return not isinstance(self._counters, ValkeyCounters) or self._counters.is_up

    def _count(self, settlement: Settlement) -> None:
        self._backlog.settled()
        count_settlement(self._metrics, settlement)

    async def _publish(self) -> None:
        self._metrics.publish()

    def _gauge_parts(self) -> GaugeParts:
        return GaugeParts(
            journal=self._journal,
            backlog=self._backlog,
            router=self._serving.router,
            clock=self._clock,
            data_dir=self._settings.data_dir,
            maintenance=self._followed.maintenance,
            storage_up=lambda: self._keeper.storage_up,
            counters_up=self._counters_up,
            connections_in_use=lambda: self._database.connections_in_use,
            cache_bytes=self._serving.cache_bytes,
        )

    def _admin_parts(self) -> AdminParts:
        return AdminParts(
            run=self._keeper.run,
            read_aside=self._keeper.read_aside,
            post=self._keeper.post_all,
            follow=self._keeper.follow,
            database=self._database,
            clock=self._clock,
            ids=RandomIds(),
            catalog=self._serving.catalog,
            prices=self._rules.prices,
            members=self._followed.members,
            open_books=self._keeper.open_books,
            engines=self._serving.router.engines,
            upstreams=self._serving.upstreams,
            standing=self._serving.router.standing,
            reload=self._reload.for_operator,
            timezone=self._settings.timezone,
            gateway_bytes=lambda: resident_bytes(os.getpid()),
        )

    def _ground(self) -> Ground:
        settings = self._settings
        return Ground(
            database=self._database,
            run=self._keeper.run,
            clock=self._clock,
            ids=RandomIds(),
            metrics=self._metrics,
            resolve=self._serving.catalog.resolve,
            configuration=settings.file,
            files_dir=settings.stored_files,
            models_dir=settings.models_dir,
            address=settings.address(self._order.port),
            maintenance=self._followed.maintenance,
        )

    def _face_parts(self) -> FaceParts:
        pipeline = Parts(
            resolve=self._serving.catalog.resolve,
            permit=Permit(self._counters.is_spent, self._clock),
            admit=self._gate.admit,
            prepare=self._house.prepare,
            let_go=self._house.let_go,
            route=self._serving,
        )
        self._serving.text_model.use(pipeline)
        return FaceParts(
            identify=Identify(self._followed.keys, self._clock),
            client_address=ClientAddress(self._settings.trusted_proxies),
            pipeline=pipeline,
            cards=self._serving.catalog.cards,
            clock=self._clock,
            ids=RandomIds(),
            metrics=self._metrics,
            patience=self._patience,
            body_limit_bytes=self._settings.file.server.max_body_bytes,
            desk={**self._house.desk, **self._tasks.desk()},
            uploads=self._house.uploads,
            maintenance=self._followed.maintenance,
            keep_body=self._bodies.keep,
            idempotency=self._idempotency,
            traces=self._traces,
        )

    def _server(self, application: ASGIApp, descriptor: int, tls: Tls | None = None) -> HttpServer:
        listener = socket.socket(fileno=descriptor)
        return HttpServer(application, listener, patience=self._patience, tls=None if tls is None else tls.context)

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
