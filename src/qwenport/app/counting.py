"""With what a worker counts: in its own memory, or in Valkey beside other workers."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from qwenport.app.refusal import StartRefused
from qwenport.core.clock import Clock
from qwenport.core.ids import RequestId
from qwenport.core.limits import Limit
from qwenport.gate.charges import Consumed
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.restore import consumed_of, restore
from qwenport.gate.valkey_counters import Lookup, ValkeyCounters
from qwenport.gate.valkey_epoch import ReadFacts, Rebuild
from qwenport.settings.settings import Settings
from qwenport.storage.counter_rows import CounterFacts, consumed_by, read_counter_facts
from qwenport.storage.database import Database
from qwenport.storage.valkey import Valkey, installation_of

OnShadow = Callable[[Limit], None]


def local_counters(clock: Clock, zone: tzinfo, on_shadow: OnShadow) -> LocalCounters:
    """Return counters of this process alone; `begin_from_books` fills them."""
    return LocalCounters(clock, zone, on_shadow=on_shadow)


def begin_from_books(counters: LocalCounters, limits: LimitBook, database: Database, clock: Clock) -> None:
    """Count what the books say was used before this start; blocking, raises `StorageUnavailable`."""
    restore(counters, limits, counter_facts(database, clock, counters.zone))


def counter_facts(database: Database, clock: Clock, zone: tzinfo, open_holds: Sequence[RequestId] = ()) -> CounterFacts:
    """Return what counters begin with; blocking, raises `StorageUnavailable`."""
    with database.read() as transaction:
        at_ms = round(clock.timestamp() * 1000)
        return read_counter_facts(transaction, at_ms=at_ms, zone=zone, open_holds=open_holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedBy:
    """The worker that shares counters with others."""

    settings: Settings
    slot: int
    clock: Clock
    on_shadow: OnShadow


def shared_counters(worker: SharedBy, limits: LimitBook, read_facts: ReadFacts) -> ValkeyCounters:
    """Return counters in the Valkey that the settings name.

    Raises:
        StartRefused: the address is none.
    """
    settings = worker.settings
    valkey = connected_valkey(settings)
    # The slot of this data directory on this machine: the same again after a restart.
    owner = f"{socket.gethostname()}:{settings.data_dir.absolute()}:{worker.slot}"
    rebuild = Rebuild(owner=owner, limits=limits, read_facts=read_facts, zone=ZoneInfo(settings.timezone))
    return ValkeyCounters(valkey, worker.clock, rebuild, on_shadow=worker.on_shadow)


def connected_valkey(settings: Settings) -> Valkey:
    """Return a handle on the Valkey that the settings name; raises `StartRefused` for an address that is none."""
    url = settings.database_url
    place = str(settings.database.absolute()) if url is None else url.reveal()
    try:
        return Valkey.connect(
            "" if settings.valkey_url is None else settings.valkey_url.reveal(), installation_of(place)
        )
    except ValueError as error:
        raise StartRefused(f"QWENPORT_VALKEY_URL: {error}") from error


def lookup_in(database: Database, run: Callable[[Callable[[], object]], Awaitable[object]]) -> Lookup:
    """Return what tells counters how much calls of an earlier worker have consumed."""

    async def lookup(ids: Sequence[RequestId]) -> Mapping[RequestId, Consumed]:
        found: dict[RequestId, Consumed] = {}

        def look() -> None:
            with database.read() as transaction:
                booked = consumed_by(transaction, ids)
            found.update({request_id: consumed_of(call) for request_id, call in booked.items()})

        await run(look)
        return found

    return lookup
