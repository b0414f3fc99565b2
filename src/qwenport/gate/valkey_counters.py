"""Counters in Valkey, shared by all workers of all machines: one script takes all of a call, or nothing.

Failure policy: while Valkey cannot be reached, is slow, or has come back empty, nothing is let through. Settlements
are kept meanwhile, one for each call that ran, and each is applied once. What a take may have taken before its caller
left or lost patience is void. A Valkey that came back empty, or with an older copy of its data, begins a new epoch: one
worker writes it from the books (`valkey_epoch`), the others add the calls that they have under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib import resources

import msgspec
from msgspec import Struct

from qwenport.core.clock import Clock
from qwenport.core.errors import AccountInArrears, QuotaExceeded, StorageUnavailable
from qwenport.core.ids import AccountId, GrantId, RequestId
from qwenport.core.limit_standing import Standing
from qwenport.core.limits import Limit, Unit
from qwenport.gate.calendar import Calendar
from qwenport.gate.charges import Ask, Charge, Consumed, Kind, Taken
from qwenport.gate.counters import SOON_S, account_of, refusal_beyond, refusal_of, tightest
from qwenport.gate.valkey_epoch import EpochKeys, Rebuild
from qwenport.storage.records import Balance
from qwenport.storage.valkey import Script, ScriptsForgotten, Valkey

log = logging.getLogger(__name__)

LEASE_MS = 3_660_000
"""A hold that nobody settled is freed after this time: a minute after the gate itself voids it."""

SETTLED_AT_ONCE = 100
TOLD_AT_ONCE = 500
_REBUILDING_S = 1


def _script(name: str) -> Script:
    folder = resources.files("qwenport.gate") / "scripts"
    return Script(
        (folder / "counters.lua").read_text(encoding="utf-8") + (folder / f"{name}.lua").read_text(encoding="utf-8")
    )


TAKE, SETTLE, SWEEP, FOLLOW, OPEN = (_script(name) for name in ("take", "settle", "sweep", "follow", "open"))


class _Answer(Struct):
    """What the script `take` says; empty lists come as empty objects."""

    epoch: str | None = None
    void: bool = False
    clock_ms: str | None = None
    funds: str | None = None
    owes: bool = False
    refused: int | None = None
    wait_ms: float = 0
    is_covered: bool = False
    shadows: list[int] | dict[str, int] = []
    counted: list[tuple[int, float, float]] | dict[str, int] = []


_DECODER = msgspec.json.Decoder(_Answer)
_ENCODER = msgspec.json.Encoder()

Lookup = Callable[[Sequence[RequestId]], Awaitable[Mapping[RequestId, Consumed]]]
"""What those of some calls that are in the books have consumed."""


class ValkeyCounters:
    """The counters of a gateway of several workers, as one of them sees them."""

    def __init__(
        self,
        valkey: Valkey,
        clock: Clock,
        rebuild: Rebuild,
        *,
        on_shadow: Callable[[Limit], None] = lambda _limit: None,
    ) -> None:
        """Count in `valkey`; `on_shadow` hears of calls that a limit would have refused."""
        self._valkey = valkey
        self._clock = clock
        self._rebuild = rebuild
        self._calendar = Calendar(rebuild.zone)
        self._on_shadow = on_shadow
        self._keys = EpochKeys(valkey.prefix, "")
        self._open: dict[RequestId, tuple[Ask, bool]] = {}
        self._unsettled: dict[RequestId, Consumed | None] = {}
        self._balances: dict[tuple[AccountId, str], Balance] = {}
        self._spent: set[tuple[AccountId, str]] = set()
        self._sending: asyncio.Task[None] | None = None
        self._keeping = asyncio.Lock()
        self._lookup: Lookup | None = None
        self._away: StorageUnavailable | None = None
        """Why Valkey could not be reached the last time; None where it answered."""
        self.is_up = False
        """Whether the counters answered the last time, and are those of the present epoch."""

    async def start(self, lookup: Lookup) -> None:
        """Begin; what this worker's slot left held is settled as the books have it, as soon as Valkey is there."""
        self._lookup = lookup
        await self.keep()

    async def keep(self) -> None:
        """See that everything is in order; called every half second, and never raises."""
        async with self._keeping:
            try:
                await self._join()
                await self._recover()
                await self._tell_balances()
                await self._send()
                await self._valkey.run(SWEEP, (self._keys.epoch, self._keys.leases), (self._keys.name, self._keys.hold))
            except ScriptsForgotten:
                self.is_up = False
            except StorageUnavailable as error:
                self._went_down(error)

    async def take(self, ask: Ask) -> Taken:
        """Take all that the call may use at most, or nothing; raises as `Counters.take` does."""
        if not self.is_up:
            raise self._unavailable()
        try:
            answer = await self._take(ask, force=False, is_covered=False)
        except StorageUnavailable as error:
            # It may have come through all the same.
            self._void(ask.hold.id)
            self._went_down(error)
            raise
        except BaseException:
            self._void(ask.hold.id)
            raise
        self._note_standing(ask, answer)
        self._raise_refusal(ask, answer)
        self._open[ask.hold.id] = (ask, answer.is_covered)
        for place in answer.shadows:
            self._on_shadow(ask.charges[int(place) - 1].bound.limit)
        return Taken(is_covered=answer.is_covered, standings=_standings(ask, answer))

    def settle(self, request_id: RequestId, consumed: Consumed | None) -> None:
        """Replace what was taken by what was consumed, in a task of its own; kept while Valkey is away."""
        if self._open.pop(request_id, None) is not None:
            self._unsettled[request_id] = consumed
            self._send_soon()

    def follow(self, balances: Iterable[Balance]) -> None:
        """Take in movements that are no calls; they are told to Valkey in the next round of `keep`."""
        for balance in balances:
            account_id = account_of(balance.ledger_account)
            if account_id is not None:
                self._balances[account_id, balance.currency] = balance
                self._spent.discard((account_id, balance.currency))

    def is_spent(self, account_id: AccountId, currency: str, grant: tuple[GrantId, str, int] | None) -> bool:
        """Tell whether the last call of this account here was refused because of its balance; grants are not known."""
        return grant is None and (account_id, currency) in self._spent

    async def drain(self) -> None:
        """Wait until every settlement is through, or has to wait for Valkey."""
        while self._sending is not None:
            await asyncio.wait((self._sending,))

    async def close(self) -> None:
        """Send what can be sent, and close the connections."""
        await self.drain()
        await self._valkey.close()

    @property
    def unsettled(self) -> int:
        """How many settlements wait for Valkey."""
        return len(self._unsettled)

    async def _take(self, ask: Ask, *, force: bool, is_covered: bool) -> _Answer:
        keys = self._keys
        free = ask.funds.free
        names = (
            keys.epoch,
            keys.hold + ask.hold.id,
            keys.leases,
            keys.owner(self._rebuild.owner),
            keys.void + ask.hold.id,
            keys.purse(ask.funds.account_id, ask.funds.currency),
            keys.free(ask.funds.account_id, "" if free is None else free.grant, "" if free is None else free.model),
            *(keys.counter + charge.bound.key for charge in ask.charges),
        )
        sent = self._ask(ask, force=force, is_covered=is_covered)
        return _DECODER.decode(await self._valkey.run(TAKE, names, (keys.name, sent)))

    def _ask(self, ask: Ask, *, force: bool, is_covered: bool) -> str:
        funds = ask.funds
        free = None if funds.free is None else {"tokens": str(funds.free.tokens), "amount": str(funds.free.amount)}
        return _ENCODER.encode(
            {
                "id": ask.hold.id,
                "lease_ms": LEASE_MS,
                "force": force,
                "is_covered": is_covered,
                "is_checked": funds.is_checked,
                "cost": str(funds.cost_nanos),
                "free": free,
                "is_paid": funds.beyond == "paid",
                "charges": [self._charge(charge) for charge in ask.charges],
            }
        ).decode()

    def _charge(self, charge: Charge) -> dict[str, object]:
        bound = charge.bound
        said: dict[str, object] = {
            "kind": bound.kind,
            "amount": str(charge.amount),
            "cap": str(bound.cap),
            "unit": bound.limit.unit,
            "burst": bound.is_burst,
            "shadow": bound.is_shadow,
            "shown": bound.is_shown,
        }
        if bound.kind is Kind.SLIDING:
            said["width_us"] = bound.window_ms * 1000
        elif bound.kind is Kind.CALENDAR:
            said["periods"] = self._periods(bound.limit)
        return said

    def _periods(self, limit: Limit) -> list[tuple[str, int, int]]:
        """Return the present period and its neighbours: the server's clock decides which of them it is."""
        now = self._clock.timestamp()
        here = self._calendar.period(limit.window, now)
        around = Calendar(self._calendar.zone)
        three = (around.period(limit.window, here.begin_s - 1), here, around.period(limit.window, here.end_s))
        return [(period.id, round(period.begin_s * 1000), round(period.end_s * 1000)) for period in three]

    def _note_standing(self, ask: Ask, answer: _Answer) -> None:
        owner = (ask.funds.account_id, ask.funds.currency)
        if answer.owes:
            self._spent.add(owner)
        else:
            self._spent.discard(owner)

    def _raise_refusal(self, ask: Ask, answer: _Answer) -> None:
        if answer.refused is not None:
            raise refusal_of(ask.charges[answer.refused - 1].bound, answer.wait_ms / 1000)
        if answer.funds == "arrears":
            raise AccountInArrears
        if answer.funds == "busy":
            raise QuotaExceeded(retry_after_s=SOON_S)
        if answer.funds is not None:
            raise refusal_beyond(ask.funds.beyond)
        if answer.clock_ms is not None:
            raise StorageUnavailable("the clocks of Valkey and of this machine are days apart")
        if answer.epoch is not None or answer.void:
            self.is_up = False
            raise _rebuilding()

    def _void(self, request_id: RequestId) -> None:
        self._unsettled[request_id] = None
        self._send_soon()

    def _send_soon(self) -> None:
        if self._sending is None and self.is_up:
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            await self._send()
        except StorageUnavailable as error:
            self._went_down(error)
        finally:
            self._sending = None

    async def _send(self) -> None:
        """Settle what has ended, in the order in which it ended; what Valkey does not take stays."""
        keys = self._keys
        while self._unsettled:
            some = list(self._unsettled.items())[:SETTLED_AT_ONCE]
            calls = [
                (
                    (keys.epoch, keys.hold + request_id, keys.leases, keys.void + request_id),
                    (keys.name, request_id, "" if consumed is None else _amounts(consumed)),
                )
                for request_id, consumed in some
            ]
            answers = await self._valkey.run_each(SETTLE, calls)
            if any(answer == -1 for answer in answers):
                self.is_up = False
                return
            for request_id, _ in some:
                self._unsettled.pop(request_id, None)

    async def _join(self) -> None:
        """Find the present epoch, or have one made; then add the calls that are under way here."""
        if self.is_up:
            return
        await self._valkey.load((TAKE, SETTLE, SWEEP, FOLLOW, OPEN))
        self._away = None
        name = await self._rebuild.epoch(self._valkey, OPEN, self._force)
        if not name:
            return
        self._keys = EpochKeys(self._valkey.prefix, name)
        for ask, is_covered in list(self._open.values()):
            await self._take(ask, force=True, is_covered=is_covered)
        self.is_up = True

    async def _force(self, keys: EpochKeys, ask: Ask, *, is_covered: bool) -> None:
        """Count a call of the journals in an epoch that is being written."""
        self._keys = keys
        await self._take(ask, force=True, is_covered=is_covered)

    async def _recover(self) -> None:
        """Settle what an earlier process of this slot has left held."""
        if self._lookup is None or not self.is_up:
            return
        [left] = await self._valkey.send([("SMEMBERS", self._keys.owner(self._rebuild.owner))])
        ids = [RequestId(name) for name in left if name not in self._open and name not in self._unsettled]
        if ids:
            booked = await self._lookup(ids)
            self._unsettled.update({each: booked.get(each, Consumed()) for each in ids})
        self._lookup = None

    async def _tell_balances(self) -> None:
        told = list(self._balances.items()) if self.is_up else []
        keys = self._keys
        for start in range(0, len(told), TOLD_AT_ONCE):
            some = told[start : start + TOLD_AT_ONCE]
            calls = [
                ((keys.epoch, keys.purse(*owner)), (keys.name, str(balance.moved_nanos), str(balance.revision)))
                for owner, balance in some
            ]
            answers = await self._valkey.run_each(FOLLOW, calls)
            for (owner, balance), answer in zip(some, answers, strict=True):
                if answer == 1 and self._balances.get(owner) is balance:
                    del self._balances[owner]

    def _went_down(self, error: StorageUnavailable) -> None:
        if self.is_up:
            log.error("%s", error.message)
        self.is_up = False
        self._away = error

    def _unavailable(self) -> StorageUnavailable:
        """Return why nothing is counted: Valkey is away, or another worker fills counters that were lost."""
        return _rebuilding() if self._away is None else self._away.with_traceback(None)


def _rebuilding() -> StorageUnavailable:
    error = StorageUnavailable("the counters are being rebuilt")
    error.retry_after_s = _REBUILDING_S
    return error


def _amounts(consumed: Consumed) -> str:
    return _ENCODER.encode(
        {
            Unit.REQUESTS: str(consumed.requests),
            Unit.INPUT_TOKENS: str(consumed.input_tokens),
            Unit.OUTPUT_TOKENS: str(consumed.output_tokens),
            Unit.TOTAL_TOKENS: str(consumed.total_tokens),
            Unit.IMAGES: str(consumed.images),
            Unit.PAGES: str(consumed.pages),
            Unit.MONEY: str(consumed.cost_nanos),
            "free_tokens": str(consumed.free_tokens),
        }
    ).decode()


def _standings(ask: Ask, answer: _Answer) -> tuple[Standing, ...]:
    if not isinstance(answer.counted, list):
        return ()
    return tightest(
        (ask.charges[place - 1].bound, int(counted), reset_ms / 1000) for place, counted, reset_ms in answer.counted
    )
