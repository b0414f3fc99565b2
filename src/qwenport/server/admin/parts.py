"""What the admin API is given by the composition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from msgspec import Struct

from qwenport.accounts.members import MemberRing
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.current import CurrentCatalog
from qwenport.core.clock import Clock
from qwenport.core.ids import Ids
from qwenport.engines.engine import Condition, Engine
from qwenport.engines.upstream.place import Place
from qwenport.engines.upstream.upstream_keys import KeyKind
from qwenport.metering.price_book import PriceBook
from qwenport.routing.standing import TargetStanding
from qwenport.storage.database import Database

Run = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs blocking work in a thread."""


class OpenBooks(Struct, frozen=True, kw_only=True):
    """What the journals hold that the books do not."""

    open_holds: int = 0
    """Calls that are running."""
    stale_holds: int = 0
    """Holds that are past their expiry."""
    unposted: int = 0
    """Settlements that are not in the books yet."""
    backlog_bytes: int = 0
    """Size of the journals."""


class Reloaded(Struct, frozen=True, kw_only=True):
    """What reading the configuration again gave."""

    changed: tuple[str, ...] = ()
    """What is other than before and in force now, in words."""
    needs_restart: tuple[str, ...] = ()
    """What is other than when the server started, and stays as it was until it starts again."""
    error: str = ""
    """Why the configuration cannot be used; everything stays as it was then."""


class KnownUpstream(Protocol):
    """One upstream, as far as operators ask after it."""

    @property
    def place(self) -> Place:
        """Where it is."""
        ...

    def condition(self) -> Condition:
        """Tell how it was when it was last heard of."""
        ...

    async def probe(self) -> Condition:
        """Ask it now whether it is well."""
        ...


class KnownUpstreams(Protocol):
    """The upstreams that are in force."""

    @property
    def by_name(self) -> Mapping[str, KnownUpstream]:
        """All of them."""
        ...

    def key_kind(self, name: str) -> KeyKind:
        """Tell what kind of key one is given."""
        ...


class NoUpstreams:
    """None: every call is answered by the house's own engines."""

    by_name: Mapping[str, KnownUpstream] = MappingProxyType({})

    def key_kind(self, name: str) -> KeyKind:
        """There is none of this name."""
        raise KeyError(name)


NO_UPSTREAMS = NoUpstreams()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminParts:
    """What the admin API works on."""

    run: Run
    """For short work of the database: changes and look-ups."""
    read_aside: Run
    """For long reads, in a thread of their own, so that they hold up neither posting nor the following of changes."""
    post: Callable[[], Awaitable[None]]
    """Brings the books up to the journals, so that an answer holds every call that has ended."""
    follow: Callable[[], Awaitable[None]]
    """Puts changes in force."""
    database: Database
    clock: Clock
    ids: Ids
    catalog: Catalog | CurrentCatalog
    prices: PriceBook
    members: MemberRing
    open_books: Callable[[], OpenBooks]
    engines: Mapping[str, Engine]
    timezone: str
    gateway_bytes: Callable[[], int]
    upstreams: KnownUpstreams = NO_UPSTREAMS
    standing: Callable[[], Sequence[TargetStanding]] = tuple
    """How routing finds each target."""
    reload: Callable[[], Awaitable[Reloaded]] | None = None
    """Reads the configuration again and puts it in force, in every worker; None where no server runs."""
    running: bool = True
    """Whether calls may come in meanwhile; not where the command line works on the database itself."""
