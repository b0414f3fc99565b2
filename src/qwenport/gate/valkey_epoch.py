"""One life of the counters in Valkey: names of its keys, and how the next one is written from the books.

While the key `epoch` is missing, no script does anything. One worker takes a lock, reads the books and the journals,
writes every counter under the name of a new epoch, and opens it. Calls that settle meanwhile are found as open holds in
the journals, or in the books, never in both.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import islice
from typing import Protocol

from qwenport.core.caller import AccountTerms, Caller
from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId
from qwenport.gate.calendar import Calendar
from qwenport.gate.charges import Ask, Beyond, Bound, FreeShare, Funds, charges_of
from qwenport.gate.counters import account_of
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.restore import earlier_amounts
from qwenport.metering.records import Hold
from qwenport.storage.counter_rows import CounterFacts
from qwenport.storage.valkey import Script, Valkey

LOCK_MS = 60_000
"""How long one worker may take to read the books; after this another one tries."""

_COMMANDS_AT_ONCE = 1000
_THREE_DAYS_MS = 259_200_000

ReadFacts = Callable[[], Awaitable[tuple[CounterFacts, Sequence[Hold]]]]
"""Posts every journal that can be reached and returns the books, and what was open in the journals before."""

Command = tuple[str, ...]


class Force(Protocol):
    """Counts a call that was admitted before the counters were lost."""

    async def __call__(self, keys: EpochKeys, ask: Ask, *, is_covered: bool) -> None:
        """Count it without a check."""
        ...


class EpochKeys:
    """Names of the keys of one epoch."""

    def __init__(self, prefix: str, name: str) -> None:
        self.name = name
        self.epoch = f"{prefix}epoch"
        self.lock = f"{prefix}lock"
        self.hold = f"{prefix}{name}:hold:"
        self.void = f"{prefix}{name}:void:"
        self.leases = f"{prefix}{name}:leases"
        self.counter = f"{prefix}{name}:limit:"
        self._within = f"{prefix}{name}:"

    def owner(self, owner: str) -> str:
        """Return the key of the holds of one worker."""
        return f"{self._within}owner:{owner}"

    def purse(self, account_id: AccountId, currency: str) -> str:
        """Return the key of an account's money."""
        return f"{self._within}purse:{account_id}:{currency}"

    def free(self, account_id: AccountId, grant: str, model: str) -> str:
        """Return the key of what was used of a free quota."""
        return f"{self._within}free:{account_id}:{grant}:{model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """From what counters are rebuilt, and by whom."""

    owner: str
    """This worker's journal slot, on this machine, the same again after a restart."""
    limits: LimitBook
    read_facts: ReadFacts
    zone: tzinfo = UTC

    async def epoch(self, valkey: Valkey, opening: Script, force: Force) -> str:
        """Return the name of the present epoch; where there is none, write one, unless somebody else is at it (empty).

        Raises:
            StorageUnavailable: Valkey, the database or a journal cannot be reached.
        """
        run_id, keys = await valkey.run_id(), EpochKeys(valkey.prefix, "")
        [present] = await valkey.send([("GET", keys.epoch)])
        if present and present.startswith(f"{run_id}-"):
            return str(present)
        if present:
            # The server was started again and read an older copy of its data: what came after it is missing.
            await valkey.run(opening, (keys.epoch, keys.lock), (present, "", ""))
        token = secrets.token_hex(8)
        [locked] = await valkey.send([("SET", keys.lock, token, "NX", "PX", str(LOCK_MS))])
        if not locked:
            return ""
        [opened_meanwhile] = await valkey.send([("GET", keys.epoch)])
        if opened_meanwhile:
            await valkey.send([("DEL", keys.lock)])
            return ""
        name = f"{run_id}-{token}"
        try:
            await self._write(valkey, EpochKeys(valkey.prefix, name), force)
        except StorageUnavailable:
            # Where Valkey itself is away the lock runs out; where the books are, somebody may try again at once.
            await valkey.send([("DEL", keys.lock)])
            raise
        opened = await valkey.run(opening, (keys.epoch, keys.lock), ("", name, token))
        return name if opened else ""

    async def _write(self, valkey: Valkey, keys: EpochKeys, force: Force) -> None:
        facts, holds = await self.read_facts()
        [now] = await valkey.send([("TIME",)])
        now_us = int(now[0]) * 1_000_000 + int(now[1])
        commands = iter((*_funds(keys, facts), *self._counters(keys, facts, now_us)))
        while some := list(islice(commands, _COMMANDS_AT_ONCE)):
            await valkey.send(some)
        for hold in holds:
            if hold.id not in facts.posted:
                await force(keys, self._ask(hold, facts), is_covered=bool(hold.grant))

    def _counters(self, keys: EpochKeys, facts: CounterFacts, now_us: int) -> Iterator[Command]:
        windows: dict[str, tuple[Bound, dict[int, int]]] = {}
        periods: dict[tuple[str, str], tuple[Bound, int]] = {}
        for earlier in earlier_amounts(facts, self.limits, self.zone):
            bound = earlier.bound
            if earlier.period:
                before = periods.get((bound.key, earlier.period), (bound, 0))[1]
                periods[bound.key, earlier.period] = (bound, before + earlier.amount)
            else:
                moment = now_us - max(0, facts.at_ms - earlier.at_ms) * 1000
                buckets = windows.setdefault(bound.key, (bound, {}))[1]
                buckets[moment] = buckets.get(moment, 0) + earlier.amount
        for key, (bound, buckets) in windows.items():
            yield from _window(keys.counter + key, bound, buckets)
        calendar = Calendar(self.zone)
        for (key, period), (bound, amount) in periods.items():
            end_ms = round(calendar.period(bound.limit.window, facts.at_ms / 1000).end_s * 1000)
            yield ("SET", f"{keys.counter}{key}:{period}", str(amount), "PXAT", str(end_ms + _THREE_DAYS_MS))

    def _ask(self, hold: Hold, facts: CounterFacts) -> Ask:
        caller = Caller(
            key_id=hold.key_id,
            account_id=hold.account_id,
            workspace_id=hold.workspace_id,
            currency=hold.currency,
            terms=AccountTerms(level=facts.levels.get(hold.account_id, "")),
        )
        free = FreeShare(grant=hold.grant, model=hold.model, tokens=0, amount=hold.input_tokens + hold.output_tokens)
        funds = Funds(
            account_id=hold.account_id,
            currency=hold.currency,
            is_checked=False,
            cost_nanos=hold.cost_nanos or 0,
            free=free if hold.grant else None,
            beyond=Beyond.PAID,
        )
        return Ask(hold=hold, funds=funds, charges=charges_of(self.limits.resolve(caller, hold.model), hold))


def _funds(keys: EpochKeys, facts: CounterFacts) -> Iterator[Command]:
    for balance in facts.balances:
        account_id = account_of(balance.ledger_account)
        if account_id is not None:
            amounts = (str(balance.moved_nanos), "u", str(balance.used_nanos), "r", str(balance.revision))
            yield ("HSET", keys.purse(account_id, balance.currency), "m", *amounts)
    for free in facts.free:
        yield ("HSET", keys.free(free.account_id, free.grant_id, free.model), "u", str(free.tokens))


def _window(key: str, bound: Bound, buckets: dict[int, int]) -> Iterator[Command]:
    for moment, amount in buckets.items():
        yield ("ZADD", key, str(moment), str(moment))
        yield ("HSET", f"{key}:a", str(moment), str(amount))
    yield ("HSET", f"{key}:a", "s", str(sum(buckets.values())))
    for name in (key, f"{key}:a"):
        yield ("PEXPIRE", name, str(bound.window_ms + 1000))
