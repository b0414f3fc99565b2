"""Everything that one run found, as it is written to `bench/results/`."""

from __future__ import annotations

from msgspec import Struct

from bench.books import GateCost
from bench.engine_speed import EngineSpeed
from bench.ledger_speed import LedgerSpeed
from bench.machine import Machine
from bench.places import Plan, Round
from bench.wire_cost import WireCost


class BooksCheck(Struct, frozen=True, kw_only=True):
    """What the gateway's books say after the run, beside what was sent."""

    balanced: bool
    open_holds: int
    unposted: int
    exact_sent: int
    """Calls of the load generator, which waits for every answer."""
    exact_counted: int
    tokens_sent: int
    """Output tokens of those calls."""
    tokens_counted: int
    wrk_answered: int
    wrk_under_way: int
    """At most so many calls of wrk were broken off when its time was up."""
    wrk_counted: int

    @property
    def agrees(self) -> bool:
        """Tell whether the books balance and hold every call, once."""
        counted = self.exact_counted == self.exact_sent and self.tokens_counted == self.tokens_sent
        most = self.wrk_answered + self.wrk_under_way
        settled = self.open_holds == 0 and self.unposted == 0
        return self.balanced and settled and counted and self.wrk_answered <= self.wrk_counted <= most


class Result(Struct, frozen=True, kw_only=True):
    """One run."""

    date: str
    command: str
    quick: bool
    machine: Machine
    layout: tuple[str, ...]
    """What ran where, in sentences."""
    plan: Plan
    rounds: tuple[Round, ...]
    memory_idle: dict[str, int]
    """Resident bytes of each server before its first call."""
    books: BooksCheck
    gate: GateCost
    engine: EngineSpeed | None
    skipped: dict[str, str]
    """What was not measured, and why."""
    rivals: dict[str, str]
    """Versions of the other gateways, and of what they run on."""
    seconds: float
    """How long the whole run took."""
    wire: WireCost
    ledger: LedgerSpeed | None = None
    """None where it was not measured."""
