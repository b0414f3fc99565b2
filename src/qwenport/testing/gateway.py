"""A whole gateway in one process: everything real, from the sockets to the books, but for the engines."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from qwenport.accounts.accounts import Accounts
from qwenport.accounts.api_keys import ApiKeys
from qwenport.app.bookkeeper import Bookkeeper, BookkeeperParts
from qwenport.app.counting import begin_from_books
from qwenport.app.followed import Followed
from qwenport.app.house import Ground, House
from qwenport.app.http_server import HttpServer
from qwenport.app.serving import most_tokens
from qwenport.app.task_keeper import Home, TaskKeeper
from qwenport.catalog.catalog import Catalog
from qwenport.core.clock import Clock
from qwenport.core.errors import Draining
from qwenport.core.ids import Ids, RandomIds
from qwenport.core.limits import Limit
from qwenport.core.secret import Secret
from qwenport.engines.engine import Engine
from qwenport.faces.face import Face
from qwenport.faces.registry import FACES
from qwenport.files import FileFolder, clean_up
from qwenport.gate.admission import Gate, Rules
from qwenport.gate.counters import Counters
from qwenport.gate.identify import Identify
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.permit import Permit
from qwenport.metering.backlog import Backlog
from qwenport.metering.body_queue import BodyQueue
from qwenport.metering.flush import Books
from qwenport.metering.journal import Journal
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Settlement
from qwenport.metering.replay import replay
from qwenport.metering.settlement_counts import count_settlement
from qwenport.observability.metrics import Metrics
from qwenport.observability.traces import Traces
from qwenport.pipeline.serve import Parts
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.target import Target
from qwenport.server.admin.parts import AdminParts
from qwenport.server.asgi import ASGIApp
from qwenport.server.client_address import ClientAddress
from qwenport.server.endpoint import FaceParts
from qwenport.server.health import HealthParts
from qwenport.server.idempotency import IdempotentRequests
from qwenport.server.response import Patience
from qwenport.server.routes import Access, PublicParts, operator_application, public_application
from qwenport.settings.configuration_file import ConfigurationFile, RetryTable
from qwenport.storage.database import Database
from qwenport.testing.clock import CountingIds, FakeClock
from qwenport.testing.raw_client import RawClient

KEY = "sk-a-key-that-tests-show-to-the-gateway"

SEGMENT_BYTES = 1 << 18
"""Small, so that a journal is made quickly and goes on to a second file within a test."""

OPERATOR_TOKEN = Secret("the-token-of-the-operator-in-tests")

CLOSED_TO_PAGES = Access(operator_token=OPERATOR_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a gateway is made of where a test wants it otherwise."""

    engines: Sequence[Engine]
    limits: Sequence[Limit] = ()
    """Limits beside those that the database holds."""
    counters: Counters | None = None
    """With what is counted; None for counters of the process."""
    regions: Mapping[str, str] = field(default_factory=dict)
    """Where engines run, by target."""
    upstreams: Mapping[str, str] = field(default_factory=dict)
    """Names of upstreams, by target; what is not here is an engine of the house, which has no breaker."""
    open_database: Callable[[], Database] | None = None
    """Opens books that exist; None for new ones with one account and one key, in SQLite."""
    clock: Clock = field(default_factory=FakeClock)
    ids: Ids = field(default_factory=CountingIds)
    patience: Patience = field(default_factory=lambda: Patience(drain_s=1.0))
    body_limit_bytes: int = 1 << 20
    faces: Sequence[Face] = FACES
    retries: RetryTable = field(default_factory=lambda: RetryTable(tries=1))
    """Engines are not tried again but where a test is about that."""
    catalog: Catalog = field(default_factory=functools.cache(Catalog.load))
    access: Access = CLOSED_TO_PAGES
    configuration: ConfigurationFile = field(default_factory=ConfigurationFile)
    trusted_proxies: Sequence[IPv4Network | IPv6Network] = ()
    public_url: str = ""
    """Address that clients are told; empty for the gateway's own."""
    traces: Traces | None = None
    task_homes: Mapping[str, Home] = field(default_factory=dict)
    """Upstreams that make asynchronous tasks, by name; nothing follows these tasks but `Gateway.tasks.keep`."""
    tls: ssl.SSLContext | None = None
    """What the public address serves HTTPS with."""


class _Server(HttpServer):
    """Ends when it is told to; uvicorn looks at a flag every 0.1 s, too slow for hundreds of tests."""

    def __init__(
        self, application: ASGIApp, listener: socket.socket, patience: Patience, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(application, listener, patience=patience, tls=tls)
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        self.listening.set()
        await self.leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        if tasks := tuple(self.server_state.tasks):
            _, late = await asyncio.wait(tasks, timeout=self.config.timeout_graceful_shutdown)
            for task in late:
                task.cancel()


class Gateway:
    """One gateway on an ephemeral port of this machine, and on a Unix socket for its operator."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.metrics = Metrics()
        self.database = self._open_database()
        self.rules = Rules(limits=LimitBook(), prices=PriceBook(plan.catalog.cards))
        self.books = Books(self.database, self.rules.prices)
        replay(folder / "journal", self.books.post, plan.clock)
        self.journal = Journal(folder / "journal", segment_bytes=SEGMENT_BYTES)
        self.backlog = Backlog(self.journal, plan.clock)
        self.followed = Followed(self.database, plan.clock, self.rules, plan.limits)
        self.counters = plan.counters or LocalCounters(plan.clock)
        self.gate = Gate(self.journal, plan.clock, self.rules, self.counters, on_settled=self._count)
        self.router = Router(
            [_target(engine, plan) for engine in plan.engines],
            plan.catalog.routes_of,
            RoutingParts(
                clock=plan.clock,
                bound=most_tokens,
                retries=plan.retries,
                call_s=plan.patience.call_s,
                on_try=self.metrics.count_try,
            ),
        )
        self.keeper = Bookkeeper(
            BookkeeperParts(
                gate=self.gate,
                books=self.books,
                followed=self.followed,
                keys=ApiKeys(self.database, plan.clock, plan.ids),
                metrics=self.metrics,
                backlog=self.backlog,
            )
        )
        self.followed.take_in(self.followed.read(), self.counters)
        if isinstance(self.counters, LocalCounters):
            begin_from_books(self.counters, self.rules.limits, self.database, plan.clock)
        self.bodies = BodyQueue(self.database, self.keeper.run, on_dropped=self.metrics.count_dropped_body)
        clean_up(self.database, FileFolder(folder / "files"), owns_rows=True)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self.house = House(self._ground())
        self.tasks = TaskKeeper(self._ground(), self.gate, self.followed.keys.caller, plan.task_homes)
        self.idempotency = IdempotentRequests(self.database, plan.clock, self.keeper.run)
        self.parts = self._face_parts()
        health = HealthParts(
            engines=self.router.engines,
            ping_storage=self.database.ping,
            is_draining=lambda: self.gate.draining,
            metrics=self.metrics,
            maintenance=self.followed.maintenance,
        )
        admin = self._admin_parts()
        parts = PublicParts(faces=self.parts, upload_host=self.house.upload_host, health=health, admin=admin)
        self.application = public_application(plan.faces, parts, plan.access)
        self.public = _Server(self.application, listener, plan.patience, plan.tls)
        self.admin_socket = folder / "admin.sock"
        self.operator = _Server(operator_application(health, admin), _unix_listener(self.admin_socket), plan.patience)

    @asynccontextmanager
    async def client(self, *, receive_buffer_bytes: int | None = None) -> AsyncIterator[RawClient]:
        """Give a connection to the public address; a small buffer makes a client that does not read felt at once."""
        connection = socket.socket()
        if receive_buffer_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        connection.setblocking(False)  # noqa: FBT003 - as sockets have it
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=connection)
        client = RawClient(reader, writer)
        try:
            yield client
        finally:
            await client.close()

    @asynccontextmanager
    async def operator_client(self) -> AsyncIterator[RawClient]:
        """Give a connection to the admin socket."""
        reader, writer = await asyncio.open_unix_connection(str(self.admin_socket))
        client = RawClient(reader, writer)
        try:
            yield client
        finally:
            await client.close()

    async def idle(self) -> None:
        """Wait until every request is through, and every limit has got back what was taken."""
        while tasks := [*self.public.server_state.tasks, *self.operator.server_state.tasks]:
            await asyncio.wait(tasks)
        await self.gate.drain()

    def break_off(self) -> None:
        """Break off every call, as a shutdown does with those that take too long."""
        self.gate.draining = True
        for watch in tuple(self.parts.in_flight):
            watch.abort(Draining())
        self.house.break_off()

    async def run(self) -> None:
        """Serve until `leave`, then wait for what is under way and bring the books up to date."""
        try:
            await asyncio.gather(self.public.serve_listener(), self.operator.serve_listener())
        finally:
            await self.house.close()
            await self.bodies.flush()
            await self.idempotency.close()
            await self.keeper.close()
            self.journal.close()
            self.database.close()

    def leave(self) -> None:
        """Stop serving."""
        self.public.leaving.set()
        self.operator.leaving.set()

    def _ground(self) -> Ground:
        plan = self.plan
        return Ground(
            database=self.database,
            run=self.keeper.run,
            clock=plan.clock,
            ids=plan.ids,
            metrics=self.metrics,
            resolve=plan.catalog.resolve,
            configuration=plan.configuration,
            files_dir=self.folder / "files",
            models_dir=self.folder / "models",
            address=plan.public_url or f"http://127.0.0.1:{self.port}",
            maintenance=self.followed.maintenance,
        )

    def _face_parts(self) -> FaceParts:
        plan = self.plan
        return FaceParts(
            identify=Identify(self.followed.keys, plan.clock),
            client_address=ClientAddress(plan.trusted_proxies),
            pipeline=Parts(
                resolve=plan.catalog.resolve,
                permit=Permit(self.counters.is_spent, plan.clock),
                admit=self.gate.admit,
                prepare=self.house.prepare,
                let_go=self.house.let_go,
                route=self.router,
            ),
            cards=plan.catalog.cards,
            clock=plan.clock,
            ids=plan.ids,
            metrics=self.metrics,
            patience=plan.patience,
            body_limit_bytes=plan.body_limit_bytes,
            desk={**self.house.desk, **self.tasks.desk()},
            uploads=self.house.uploads,
            maintenance=self.followed.maintenance,
            keep_body=self.bodies.keep,
            idempotency=self.idempotency,
            traces=plan.traces,
        )

    def _admin_parts(self) -> AdminParts:
        return AdminParts(
            run=self.keeper.run,
            read_aside=self.keeper.read_aside,
            post=self.keeper.post_all,
            follow=self.keeper.follow,
            database=self.database,
            clock=self.plan.clock,
            ids=self.plan.ids,
            catalog=self.plan.catalog,
            prices=self.rules.prices,
            members=self.followed.members,
            open_books=self.keeper.open_books,
            engines=self.router.engines,
            timezone="UTC",
            gateway_bytes=lambda: 0,
        )

    def _open_database(self) -> Database:
        if self.plan.open_database is not None:
            return self.plan.open_database()
        path = self.folder / "qwenport.db"
        path.write_bytes(_first_books())
        return Database.open(path)

    def _count(self, settlement: Settlement) -> None:
        self.backlog.settled()
        count_settlement(self.metrics, settlement)


@asynccontextmanager
async def running_gateway(folder: Path, plan: Plan) -> AsyncIterator[Gateway]:
    """Run a gateway while the block lasts."""
    gateway = Gateway(folder, plan)
    serving = asyncio.create_task(gateway.run())
    try:
        await gateway.public.listening.wait()
        await gateway.operator.listening.wait()
        yield gateway
    finally:
        gateway.leave()
        await serving


def _target(engine: Engine, plan: Plan) -> Target:
    region, upstream = plan.regions.get(engine.target, ""), plan.upstreams.get(engine.target, "")
    return Target(engine=engine, region=region, upstream=upstream)


@functools.cache
def _first_books() -> bytes:
    """Return the file of new books with one account and one key; made once, since it takes a while."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "first.db"
        with Database.open(path) as database:
            Accounts(database, FakeClock(), RandomIds()).bootstrap(KEY)
        return path.read_bytes()


def _unix_listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    listener.listen()
    return listener


def bearer(key: str = KEY) -> Mapping[str, str]:
    """Return the header that shows a key."""
    return {"authorization": f"Bearer {key}"}
