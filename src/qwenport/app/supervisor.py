"""The process that starts everything else: binds once, starts engine hosts and workers, restarts and drains them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qwenport.accounts.accounts import Accounts
from qwenport.accounts.changes import read_changes
from qwenport.accounts.errors import LimitUnknown
from qwenport.accounts.errors import SettingInvalid as AccountSettingInvalid
from qwenport.app.data_dir import DataDirectory
from qwenport.app.database_place import open_database, place_of
from qwenport.app.engine_hosts import EngineHost, RemoteHost
from qwenport.app.first_key import leave_first_key
from qwenport.app.operators_catalog import is_routed
from qwenport.app.refusal import StartRefused
from qwenport.app.reload import read_configuration
from qwenport.app.sockets import bind_admin, bind_public, make_runtime_dir
from qwenport.app.terminal import Terminal
from qwenport.app.tls import open_tls
from qwenport.app.tracing import check_traces
from qwenport.app.worker_order import VARIABLE, WorkerOrder
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.engine_model import EngineModel
from qwenport.core.clock import SystemClock
from qwenport.core.errors import StorageUnavailable
from qwenport.core.exchange import ExchangeRateInvalid
from qwenport.core.ids import RandomIds
from qwenport.core.secret import Secret
from qwenport.engines.condition_file import read
from qwenport.engines.engine import EngineKind, EngineState, Site
from qwenport.engines.registry import KINDS
from qwenport.files import FileFolder, clean_up
from qwenport.metering.day_cut import cut_days_anew
from qwenport.metering.flush import Books
from qwenport.metering.price_book import PriceBook
from qwenport.metering.replay import replay
from qwenport.settings.settings import Settings
from qwenport.storage.database import Database

log = logging.getLogger(__name__)

WORKER_PAUSE_S = 1.0
READY_S = 60.0
ORPHANS_S = 10.0
SETTLE_S = 60.0

Listeners = tuple[socket.socket, socket.socket]
"""The public one and the operator's; every worker accepts from both."""


_ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}
"""What glibc is told, unless the operator says otherwise: one arena for all threads, and large blocks apart from small
ones. By itself it keeps what a busy minute took (docs/decisions/speed.md)."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a server that has started can tell of itself."""

    settings: Settings
    port: int
    new_key: Secret | None
    """The first API key, when this start made it."""
    catalog: Catalog
    site: Site


class Supervisor:
    """One server: its sockets, its engine hosts, its workers."""

    def __init__(self, settings: Settings, announce: Callable[[Standing], None]) -> None:
        self._settings = settings
        self._announce = announce
        self._folder = DataDirectory(settings.data_dir)
        self._stopping = asyncio.Event()
        self._workers: dict[int, asyncio.subprocess.Process] = {}
        self._readings = 0
        """How often the configuration was asked to be read again."""

    async def run(self) -> int:
        """Serve until a signal asks to stop; return the exit code.

        Raises:
            StartRefused: something that the operator can mend is in the way.
        """
        self._folder.prepare()
        self._folder.lock()
        await self._until_slots_are_free()
        runtime_dir = make_runtime_dir()
        self._folder.remember_runtime_dir(runtime_dir)
        public = admin = None
        try:
            public = bind_public(self._settings.host, self._settings.port)
            admin = bind_admin(self._settings.admin_socket, runtime_dir)
            site = Site(
                runtime_dir=runtime_dir,
                models_dir=self._settings.models_dir,
                secret=secrets.token_urlsafe(32),
                ocr=self._settings.file.ocr,
            )
            catalog = read_configuration(self._settings).catalog
            check_traces(self._settings)
            open_tls(self._settings)
            new_key = await asyncio.to_thread(self._prepare_books, catalog)
            standing = Standing(
                settings=self._settings,
                port=public.getsockname()[1],
                new_key=new_key,
                catalog=catalog,
                site=site,
            )
            return await self._serve(standing, public, admin)
        finally:
            for listener in (public, admin):
                if listener is not None:
                    listener.close()
            self._settings.admin_socket.unlink(missing_ok=True)
            shutil.rmtree(runtime_dir, ignore_errors=True)
            self._folder.forget_runtime_dir()

    def _prepare_books(self, catalog: Catalog) -> Secret | None:
        """Migrate, make the first account and key, and post what an earlier run left behind."""
        try:
            with open_database(self._settings) as database:
                cut_days_anew(database, self._settings.timezone)
                clean_up(
                    database, FileFolder(self._settings.stored_files), owns_rows=self._settings.database_url is None
                )
                chosen = self._settings.bootstrap_api_key
                made = Accounts(database, SystemClock(), RandomIds()).bootstrap(
                    chosen.reveal() if chosen else None,
                    email=self._settings.admin_email or "admin@localhost",
                    keep=partial(leave_first_key, self._settings.first_key),
                )
                changes = read_changes(database, {})
                PriceBook(catalog.cards, changes.rates or ())
                for slot in self._folder.slots():
                    post_left_behind(slot, books_of(database, catalog, self._settings))
                return made.key if made else None
        except AccountSettingInvalid as error:
            raise StartRefused(
                f"QWENPORT_BOOTSTRAP_API_KEY or QWENPORT_ADMIN_EMAIL cannot be used for the first account: {error}"
            ) from error
        except (LimitUnknown, ExchangeRateInvalid) as error:
            raise StartRefused(f"the database {place_of(self._settings)} holds what cannot be used: {error}") from error
        except StorageUnavailable as error:
            raise StartRefused(f"the database {place_of(self._settings)} cannot be used: {error}") from error

    def _replay_slot(self, slot: int, catalog: Catalog) -> bool:
        """Post what a worker left behind when it died; tell whether the books took it."""
        try:
            with open_database(self._settings) as database:
                post_left_behind(self._folder.slot(slot), books_of(database, catalog, self._settings))
        except StorageUnavailable as error:
            log.error("the journal of worker %d cannot be posted yet: %s", slot, error)  # noqa: TRY400 - no trace is needed
            return False
        return True

    async def _until_slots_are_free(self) -> None:
        """Wait for the workers of a supervisor that was killed; they end by themselves when it is gone."""
        deadline = asyncio.get_running_loop().time() + ORPHANS_S
        while not self._folder.slots_are_free():
            if asyncio.get_running_loop().time() > deadline:
                raise StartRefused(f"a worker of an earlier server still runs on {self._folder.path}; end it first")
            await asyncio.sleep(0.05)

    async def _serve(self, standing: Standing, public: socket.socket, admin: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        terminal = Terminal()
        loop.add_signal_handler(signal.SIGHUP, lambda: self._stop() if terminal.is_gone() else self._read_again())
        hosts = [
            asyncio.create_task(self._host(KINDS[model.kind], model, standing.site).keep())
            for target, model in standing.catalog.engine_models.items()
            if is_routed(target, standing.catalog)
        ]
        slots = range(1, self._settings.workers + 1)
        listening = {slot: asyncio.Event() for slot in slots}
        workers = [
            asyncio.create_task(self._keep_worker(slot, standing, (public, admin), listening[slot])) for slot in slots
        ]
        announcing = asyncio.create_task(self._announce_when_ready(standing, listening.values()))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((stopping, *workers), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping.set()
            stopping.cancel()
            announcing.cancel()
            # Each ends its worker gracefully, because `_stopping` is set; the engines stay until then.
            results = await asyncio.gather(*workers, return_exceptions=True)
            for task in hosts:
                task.cancel()
            await asyncio.gather(*hosts, return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error
        return 0

    def _stop(self) -> None:
        """Drain on the first signal; on the second break off what still runs."""
        again = self._stopping.is_set()
        self._stopping.set()
        for process in self._workers.values():
            if process.returncode is None:
                process.send_signal(signal.SIGINT if again else signal.SIGTERM)

    def _read_again(self) -> None:
        """Have every worker read the configuration again; one that is just starting does so when it is ready."""
        self._readings += 1
        for process in self._workers.values():
            if process.returncode is None:
                process.send_signal(signal.SIGHUP)

    async def _announce_when_ready(self, standing: Standing, listening: Iterable[asyncio.Event]) -> None:
        """Announce once, when every worker listens and the engines have loaded."""
        for each in listening:
            await each.wait()
        await self._until_engines_settle(standing)
        if not self._stopping.is_set():
            self._announce(standing)

    async def _keep_worker(self, slot: int, standing: Standing, listeners: Listeners, listening: asyncio.Event) -> None:
        """Run the worker of one slot; when it dies, post what its journal holds and start another."""
        while not self._stopping.is_set():
            readings = self._readings
            process, leash, is_ready = await self._start_worker(slot, standing, *listeners)
            self._workers[slot] = process
            if is_ready:
                listening.set()
                if readings != self._readings and process.returncode is None:
                    process.send_signal(signal.SIGHUP)
            if self._stopping.is_set() and process.returncode is None:
                process.send_signal(signal.SIGTERM)
            code = await process.wait()
            os.close(leash)
            if self._stopping.is_set():
                return
            log.error("worker %d ended with code %s and is started again", slot, code)
            if not listening.is_set():
                raise StartRefused("the gateway could not start; the lines above say why")
            # A worker that began without them would give out again what these calls have used.
            while not await asyncio.to_thread(self._replay_slot, slot, standing.catalog):
                await self._pause()
                if self._stopping.is_set():
                    return
            await self._pause()

    async def _pause(self) -> None:
        """Wait a moment, or until everything is to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WORKER_PAUSE_S):
                await self._stopping.wait()

    async def _until_engines_settle(self, standing: Standing) -> None:
        """Wait while engines load, so that what the announcement invites to works at once; not for ever."""
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        targets = [target for target in standing.catalog.engine_models if is_routed(target, standing.catalog)]
        while asyncio.get_running_loop().time() < deadline and not self._stopping.is_set():
            if all(read(standing.site, target).state is not EngineState.LOADING for target in targets):
                return
            await asyncio.sleep(0.05)

    async def _start_worker(
        self, slot: int, standing: Standing, public: socket.socket, admin: socket.socket
    ) -> tuple[asyncio.subprocess.Process, int, bool]:
        """Return the process, our end of its leash, and whether it listens."""
        watch, leash = os.pipe()
        ready, tell = os.pipe()
        order = WorkerOrder(
            slot=slot,
            workers=self._settings.workers,
            public_fd=public.fileno(),
            port=standing.port,
            admin_fd=admin.fileno(),
            watch_fd=watch,
            ready_fd=tell,
            supervisor=os.getpid(),
            runtime_dir=str(standing.site.runtime_dir),
            engine_secret=standing.site.secret,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "qwenport",
            "worker",
            env={**_ALLOCATOR, **os.environ, VARIABLE: order.encode()},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(order.public_fd, order.admin_fd, watch, tell),
            start_new_session=True,
        )
        os.close(watch)
        os.close(tell)
        return process, leash, await _reads_a_byte(ready)

    def _host(self, kind: EngineKind, model: EngineModel, site: Site) -> EngineHost | RemoteHost:
        if kind.host_command(model, site) is None:
            return RemoteHost(kind, model, site)
        return EngineHost(kind, model, site, self._folder.logs / f"{model.kind}-{model.name}.log")


async def _reads_a_byte(descriptor: int) -> bool:
    """Wait for a byte or the end of a pipe, whichever comes first."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[bool] = loop.create_future()

    def read() -> None:
        if not arrived.done():
            arrived.set_result(os.read(descriptor, 1) == b"1")

    loop.add_reader(descriptor, read)
    try:
        async with asyncio.timeout(READY_S):
            return await arrived
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def books_of(database: Database, catalog: Catalog, settings: Settings) -> Books:
    """Return the books; the prices are for lines of the journal that an earlier version has not priced."""
    return Books(database, PriceBook(catalog.cards), timezone=settings.timezone)


def post_left_behind(slot: Path, books: Books) -> None:
    """Post the journal of a slot whose worker has ended."""
    rows = replay(slot, books.post, SystemClock())
    if rows:
        log.info("%d calls of an earlier run were posted from %s", rows, slot.name)
