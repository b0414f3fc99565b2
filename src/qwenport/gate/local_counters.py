"""Counters in this process. Nothing is awaited between the look and the taking, so that both are one step.

Windows run on the monotonic clock, days and months on the wall clock. Whatever the wall clock does, what was used of a
day or a month stays used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, tzinfo

from qwenport.core.clock import Clock
from qwenport.core.errors import AccountInArrears, QuotaExceeded
from qwenport.core.ids import AccountId, GrantId, RequestId
from qwenport.core.limit_standing import Standing
from qwenport.core.limits import Limit, Window
from qwenport.gate.calendar import Calendar, Period
from qwenport.gate.charges import Ask, Beyond, Bound, Charge, Consumed, FreeShare, Funds, Kind, Taken
from qwenport.gate.counters import SOON_S, account_of, refusal_beyond, refusal_of, tightest
from qwenport.gate.purse import FreeTokens, Purse
from qwenport.gate.sliding_window import Bucket, SlidingWindow
from qwenport.storage.records import Balance

PERIODS_KEPT = 3
"""Days or months that a counter remembers, for a wall clock that is set back."""

_SWEEP_EVERY = 64
"""Calls between two looks for counters that nobody uses any more."""
_SWEPT = 256
"""Counters that are looked at each time."""

_A_WEEK_S = 7 * 86_400.0

# A member of an enumeration that is looked up in its class costs as much as a call does, and each call needs several.
_AT_ONCE, _SLIDING, _PAID = Kind.AT_ONCE, Kind.SLIDING, Beyond.PAID

_TAKEN = tuple[Bound, int, Bucket | str | None]
"""A counter, the amount that was taken, and where it was counted."""


class _Open:
    """What one call holds: an amount of money or of free tokens, and what it took from counters."""

    __slots__ = ("amount", "source", "taken")

    def __init__(self, source: Purse | FreeTokens, amount: int, taken: Sequence[_TAKEN]) -> None:
        self.source = source
        self.amount = amount
        self.taken = taken


class LocalCounters:
    """The counters of a gateway that is one process."""

    def __init__(
        self, clock: Clock, zone: tzinfo = UTC, *, on_shadow: Callable[[Limit], None] = lambda _limit: None
    ) -> None:
        """Cut days and months in `zone`; `on_shadow` hears of calls that a limit would have refused."""
        self._clock = clock
        self._calendar = Calendar(zone)
        self._on_shadow = on_shadow
        self._windows: dict[str, SlidingWindow] = {}
        self._periods: dict[str, dict[str, int]] = {}
        self._at_once: dict[str, int] = {}
        self._purses: dict[tuple[AccountId, str], Purse] = {}
        self._free: dict[tuple[AccountId, GrantId, str], FreeTokens] = {}
        self._open: dict[RequestId, _Open] = {}
        self._until_sweep = _SWEEP_EVERY
        self._sweeping: Iterator[str] = iter(())

    async def take(self, ask: Ask) -> Taken:
        """Take all that the call may use at most, or nothing; raises as `Counters.take` does."""
        funds, charges = ask.funds, ask.charges
        is_covered = self._is_covered(funds)
        taken: Sequence[_TAKEN] = ()
        standings: tuple[Standing, ...] = ()
        if charges:
            if is_covered:
                charges = tuple([Charge(each.bound, 0) if each.bound.is_money else each for each in charges])
            now, wall = round(self._clock.monotonic() * 1_000_000), self._clock.timestamp()
            self._check(charges, now, wall)
            taken, standings = self._count(charges, now, wall)
        source, amount = self._funds(funds, is_covered=is_covered)
        source.held += amount
        self._open[ask.hold.id] = _Open(source, amount, taken)
        return Taken(is_covered=is_covered, standings=standings)

    def settle(self, request_id: RequestId, consumed: Consumed | None) -> None:
        """Replace what was taken by what was consumed."""
        held = self._open.pop(request_id, None)
        if held is None:
            return
        source = held.source
        source.held -= held.amount
        if consumed is not None:
            source.used += consumed.cost_nanos if isinstance(source, Purse) else consumed.free_tokens
        if not held.taken:
            return
        now = round(self._clock.monotonic() * 1_000_000)
        for bound, amount, where in held.taken:
            used = 0 if consumed is None else bound.used(consumed)
            # A request stays one request: nothing to correct in most windows.
            if used != amount or where is None:
                self._correct(bound, where, used - amount, now)

    def follow(self, balances: Iterable[Balance]) -> None:
        """Take in movements that are no calls."""
        for balance in balances:
            account_id = account_of(balance.ledger_account)
            if account_id is not None:
                self.purse(account_id, balance.currency).moved = balance.moved_nanos

    def is_spent(self, account_id: AccountId, currency: str, grant: tuple[GrantId, str, int] | None) -> bool:
        """Tell whether a balance is below 0, or that a grant is used up."""
        if grant is None:
            purse = self._purses.get((account_id, currency))
            return purse is not None and purse.balance < 0
        free = self._free.get((account_id, grant[0], grant[1]))
        return free is not None and free.used >= grant[2]

    async def drain(self) -> None:
        """Return at once: settlements wait for nothing here."""

    @property
    def zone(self) -> tzinfo:
        """In which days and months are cut."""
        return self._calendar.zone

    @property
    def held(self) -> int:
        """How many calls hold something."""
        return len(self._open)

    @property
    def kept(self) -> int:
        """How many counters of limits are in memory."""
        return len(self._windows) + len(self._periods) + len(self._at_once)

    def purse(self, account_id: AccountId, currency: str) -> Purse:
        """Return an account's money."""
        purse = self._purses.get((account_id, currency))
        if purse is None:
            purse = self._purses[account_id, currency] = Purse()
        return purse

    def free_tokens(self, account_id: AccountId, grant: GrantId, model: str) -> FreeTokens:
        """Return what was used of a free quota."""
        free = self._free.get((account_id, grant, model))
        if free is None:
            free = self._free[account_id, grant, model] = FreeTokens()
        return free

    def count_earlier(self, bound: Bound, amount: int, age_s: float) -> None:
        """Count in a window what was used some time ago, in the order of time."""
        now = round((self._clock.monotonic() - age_s) * 1_000_000)
        self._window(bound).add(now, amount)

    def count_in_period(self, bound: Bound, period_id: str, amount: int) -> None:
        """Count what was used in a day or a month."""
        periods = self._periods.setdefault(bound.key, {})
        periods[period_id] = periods.get(period_id, 0) + amount

    def _is_covered(self, funds: Funds) -> bool:
        """Find out what pays for the call; raises where nothing does."""
        purse = self._purses.get((funds.account_id, funds.currency)) if funds.is_checked else None
        balance = purse.balance if purse is not None else 0
        if balance < 0:
            raise AccountInArrears
        if funds.free is not None and self._fits_free(funds, funds.free):
            return True
        if funds.beyond is not _PAID:
            raise refusal_beyond(funds.beyond)
        if funds.is_checked and funds.cost_nanos:
            if funds.cost_nanos > balance:
                raise AccountInArrears
            if purse is not None and funds.cost_nanos > balance - purse.held:
                raise QuotaExceeded(retry_after_s=SOON_S)
        return False

    def _fits_free(self, funds: Funds, free: FreeShare) -> bool:
        known = self._free.get((funds.account_id, free.grant, free.model))
        return free.amount <= free.tokens - (0 if known is None else known.used + known.held)

    def _funds(self, funds: Funds, *, is_covered: bool) -> tuple[Purse | FreeTokens, int]:
        """Return what pays for the call, and how much it may take of that."""
        free = funds.free
        if is_covered and free is not None:
            return self.free_tokens(funds.account_id, free.grant, free.model), free.amount
        return self.purse(funds.account_id, funds.currency), funds.cost_nanos

    def _check(self, charges: Sequence[Charge], now: int, wall: float) -> None:
        """Look at every counter; raises for the first that refuses, with the longest wait of all that do."""
        refusing: list[tuple[Bound, float]] = []
        windows = self._windows
        for charge in charges:
            bound, amount = charge.bound, charge.amount
            if not amount:
                continue
            if bound.window_ms:
                # What nearly every call finds, without a further step.
                window = windows.get(bound.key)
                if window is not None and window.look(now) + amount <= bound.cap:
                    continue
            wait_s = self._wait_s(bound, amount, now, wall)
            if wait_s > 0:
                refusing.append((bound, wait_s))
        if refusing:
            self._refuse(refusing)

    def _refuse(self, refusing: list[tuple[Bound, float]]) -> None:
        enforced = [each for each in refusing if not each[0].is_shadow]
        if enforced:
            raise refusal_of(enforced[0][0], max(wait_s for _, wait_s in enforced))
        for bound, _ in refusing:
            self._on_shadow(bound.limit)

    def _wait_s(self, bound: Bound, amount: int, now: int, wall: float) -> float:
        """Return after how many seconds an amount may fit; 0 where it does now."""
        cap = bound.cap
        if bound.kind is _SLIDING:
            window = self._windows.get(bound.key)
            counted = 0 if window is None else window.look(now)
            if counted + amount <= cap or (bound.is_burst and not counted and cap):
                return 0
            return bound.window_ms / 1000 if window is None else window.wait_us(now, amount, cap) / 1_000_000
        if bound.kind is _AT_ONCE:
            return 0 if self._at_once.get(bound.key, 0) + amount <= cap else SOON_S
        period = self._calendar.period(bound.limit.window, wall)
        periods = self._periods.get(bound.key)
        counted = 0 if periods is None else periods.get(period.id, 0)
        return 0 if counted + amount <= cap else period.end_s - wall

    def _count(self, charges: Sequence[Charge], now: int, wall: float) -> tuple[list[_TAKEN], tuple[Standing, ...]]:
        self._until_sweep -= 1
        if not self._until_sweep:
            self._sweep(now, wall)
        taken: list[_TAKEN] = []
        shown: list[tuple[Bound, int, float]] = []
        windows = self._windows
        for charge in charges:
            bound, amount = charge.bound, charge.amount
            where: Bucket | str | None = None
            if bound.window_ms:
                window = windows.get(bound.key) or self._window(bound)
                where = window.add(now, amount)
                if bound.is_shown:
                    shown.append((bound, window.total, window.reset_us(now) / 1_000_000))
            elif bound.kind is _AT_ONCE:
                self._at_once[bound.key] = self._at_once.get(bound.key, 0) + amount
            else:
                period = self._calendar.period(bound.limit.window, wall)
                where, counted = period.id, self._count_period(bound.key, period, amount)
                if bound.is_shown:
                    shown.append((bound, counted, period.end_s - wall))
            taken.append((bound, amount, where))
        return taken, tightest(shown) if shown else ()

    def _count_period(self, key: str, period: Period, amount: int) -> int:
        periods = self._periods.setdefault(key, {})
        counted = periods[period.id] = periods.get(period.id, 0) + amount
        if len(periods) > PERIODS_KEPT:
            del periods[min(periods)]
        return counted

    def _correct(self, bound: Bound, where: Bucket | str | None, difference: int, now: int) -> None:
        if isinstance(where, Bucket):
            if difference < 0 or (difference and not bound.is_burst):
                self._window(bound).correct(now, where, difference)
        elif where is None:
            # A slot is given back whatever the call consumed.
            left = self._at_once[bound.key] - 1
            if left:
                self._at_once[bound.key] = left
            else:
                del self._at_once[bound.key]
        elif difference:
            periods = self._periods.get(bound.key)
            if periods is not None and where in periods:
                periods[where] += difference

    def _window(self, bound: Bound) -> SlidingWindow:
        window = self._windows.get(bound.key)
        if window is None:
            window = self._windows[bound.key] = SlidingWindow(bound.window_ms * 1000)
        return window

    def _sweep(self, now: int, wall: float) -> None:
        """Forget counters that count nothing any more, a few at a time; a round over all of them never ends."""
        self._until_sweep = _SWEEP_EVERY
        for _ in range(_SWEPT):
            key = next(self._sweeping, None)
            if key is None:
                self._sweeping = iter([*self._windows, *self._periods])
                return
            window = self._windows.get(key)
            if window is not None:
                window.look(now)
                if window.is_empty:
                    del self._windows[key]
            elif (periods := self._periods.get(key)) is not None and self._are_over(periods, wall):
                del self._periods[key]

    def _are_over(self, periods: dict[str, int], wall: float) -> bool:
        """Tell whether a month has gone by since: even a clock that is set back a little does not need them."""
        month = Calendar(self._calendar.zone).period
        return max(periods)[:7] < month(Window.MONTH, wall - _A_WEEK_S).id
