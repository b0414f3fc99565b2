"""The hold that a call takes before it runs, and the settlement that replaces it exactly once.

What is billed, by how the call ended:
  finished   the usage that the engine counted
  failed     what was produced before the error; nothing when it came before the first event
  abandoned  what was produced before the client left; nothing when it left before the first event
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from qwenport.core.call import Call, NativeInput
from qwenport.core.caller import FULL_PRICE_PPM, Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import ContentBlocked, Draining, EngineFailed, QwenportError, StorageUnavailable
from qwenport.core.events import Event, Finished, Started
from qwenport.core.ids import RequestId
from qwenport.core.limit_standing import Standing
from qwenport.core.model_card import ModelCard
from qwenport.core.printable import printable
from qwenport.core.usage import Usage
from qwenport.gate.charges import Ask, Consumed, Funds, Kind, charges_of
from qwenport.gate.counters import Counters
from qwenport.gate.estimate import most_input_tokens, most_output_tokens, sent_media
from qwenport.gate.funding import funds_of
from qwenport.gate.history_status import CLIENT_CLOSED_REQUEST, history_status
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.native_bounds import most_items
from qwenport.gate.observed_usage import ObservedUsage
from qwenport.gate.paged import check_pages
from qwenport.metering.journal import Journal
from qwenport.metering.price_book import PriceBook, Tariff
from qwenport.metering.records import Hold, Outcome, Settlement, billed_part
from qwenport.settings.configuration_file import MediaTable

HOLD_SECONDS = 3600.0
"""After this time a hold that nobody settled is void; longer than any call may take."""

LONGEST_SERVED_BY = 100
"""Characters that the books keep of the name of engine and model."""

RESULT_OPERATION = "tasks.result"
"""Operation under which the books have what a task made."""

FREE_QUOTA = "free quota"
"""Price source of a call that a free quota covers."""

_A_DAY_S = 86_400

_FINISHED = Outcome.FINISHED  # a member that is looked up in its class costs as much as a call does


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what calls are measured."""

    limits: LimitBook
    prices: PriceBook
    max_pages: int = MediaTable().max_pages
    """Of the documents of one call together, each page of which is an image."""


class Result(Struct, frozen=True, kw_only=True):
    """What a task has used that was made for a caller earlier."""

    hold: Hold
    rate_ppm: int
    made_at: float
    """When the task was made, by which its price is dated."""
    usage: Usage
    served_by: str


class Gate:
    """Admits calls: takes what the counters have for them, writes the hold, settles it."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        rules: Rules,
        counters: Counters,
        *,
        on_settled: Callable[[Settlement], None] = lambda _settlement: None,
    ) -> None:
        """Keep holds in `journal`; `on_settled` hears of every settlement, once."""
        self.journal = journal
        self.clock = clock
        self.rules = rules
        self.counters = counters
        self._on_settled = on_settled
        self.draining = False
        """Whether the server is breaking off what still runs; such calls have failed, not been abandoned."""
        self.closed: StorageUnavailable | None = None
        """Why nothing is let through: the books cannot be written, and what is not in them cannot be billed."""
        self._days: tuple[int, date] = (-1, date.min)
        self._began = clock.timestamp() - clock.monotonic()

    def admit(self, caller: Caller, card: ModelCard, call: Call) -> Admission:
        """Return the admission of a call; entering it takes the hold.

        Entering raises:
            Draining: the server is breaking off what still runs.
            Refused: a limit, the balance or the free quota has not enough left; see `Counters.take`.
            StorageUnavailable: the hold cannot be written down, or the counters cannot be reached.
        """
        now = self.clock.timestamp()
        into, out = most_input_tokens(call, card), most_output_tokens(call, card)
        rate_ppm = rate_of(caller, card)
        tariff = self.rules.prices.tariff(card, caller.currency, rate_ppm, self._day(now), batch=call.batch)
        images, pages = sent_media(call, self.rules.max_pages)
        is_native = isinstance(call.input, NativeInput)
        items = most_items(call, tariff.most_units) if is_native and tariff is not None else ()
        hold = Hold(
            id=call.id,
            at=now,
            expires_at=self._steady() + HOLD_SECONDS,
            key_id=caller.key_id,
            account_id=caller.account_id,
            workspace_id=caller.workspace_id,
            currency=caller.currency,
            model=card.name,
            face=call.face,
            operation=call.operation,
            streams=call.streams,
            batch=call.batch,
            input_tokens=into,
            output_tokens=out,
            images=images,
            pages=pages,
            cost_nanos=None if tariff is None else tariff.most_nanos(into, out, items),
            items=items,
        )
        bounds = self.rules.limits.fitting(caller, card.name)
        funds = funds_of(caller, hold, is_native=is_native)
        ask = Ask(hold=hold, funds=funds, charges=charges_of(bounds, hold) if bounds else ())
        return Admission(self, ask, tariff)

    async def record(self, result: Result, card: ModelCard, caller: Caller | None) -> None:
        """Bill what was used beside any call: the result of a task, under the id that its hold has.

        It was used, so no limit and no balance refuses it; they count it. Limits of requests and of calls at a time
        have counted the call that made the task.

        Raises:
            Draining, StorageUnavailable: it is not billed yet; to be tried again.
        """
        hold = replace(result.hold, expires_at=self._steady() + HOLD_SECONDS)
        day = datetime.fromtimestamp(result.made_at, UTC).date()
        tariff = self.rules.prices.tariff(card, hold.currency, result.rate_ppm, day)
        bounds = self.rules.limits.fitting(caller, card.name) if caller is not None else ()
        counting = tuple(
            replace(bound, is_shadow=True)
            for bound in bounds
            if not bound.is_requests and bound.kind is not Kind.AT_ONCE
        )
        funds = Funds(
            account_id=hold.account_id, currency=hold.currency, is_checked=False, cost_nanos=hold.cost_nanos or 0
        )
        ask = Ask(hold=hold, funds=funds, charges=charges_of(counting, hold) if counting else ())
        async with Admission(self, ask, tariff) as admission:
            admission.routed()
            admission.observe(Started(served_by=result.served_by, input_tokens=0))
            admission.observe(Finished(usage=result.usage))

    def result_hold(self, caller: Caller, card: ModelCard, call: Call, result_id: RequestId) -> Hold:
        """Return what the result of the task that a call made may cost at most, to be kept until the task ends."""
        hold = self.admit(caller, card, call).hold
        return replace(hold, id=result_id, operation=RESULT_OPERATION)

    def void_expired(self) -> int:
        """Settle the holds that outlived their time, as `expired`, and return how many there were."""
        now, steady = self.clock.timestamp(), self._steady()
        expired = [hold for hold in self.journal.open_holds.values() if hold.expires_at <= steady]
        for hold in expired:
            self.settle(
                Settlement(
                    hold=hold,
                    at=now,
                    outcome=Outcome.EXPIRED,
                    status=500,
                    error="expired",
                    priced=True,
                    cost_nanos=0,
                )
            )
        return len(expired)

    def settle(self, settlement: Settlement) -> None:
        """Write the settlement, and settle the counters; the first settlement of a hold counts."""
        if self.journal.settle(settlement):
            self._on_settled(settlement)
            self.counters.settle(settlement.hold.id, consumed_in(settlement))

    def write_hold(self, hold: Hold) -> None:
        """Write the hold into the journal.

        Raises:
            Draining: the server is breaking off what still runs.
            StorageUnavailable: the hold cannot be written down.
        """
        if self.draining:
            raise Draining
        self.journal.hold(hold)

    async def drain(self) -> None:
        """Wait until every settlement is through."""
        await self.counters.drain()

    def _steady(self) -> float:
        """Return a time that no setting of the wall clock moves: else one set forward would make running calls free."""
        return self._began + self.clock.monotonic()

    def _day(self, now: float) -> date:
        """Return the day in UTC, by which prices are dated."""
        number = int(now // _A_DAY_S)
        if self._days[0] != number:
            self._days = (number, datetime.fromtimestamp(now, UTC).date())
        return self._days[1]


class Admission:
    """One admitted call. Observes its events, and settles when the block ends, however it ends."""

    __slots__ = (
        "_ask",
        "_began",
        "_first_event_ms",
        "_gate",
        "_hold",
        "_media",
        "_observed",
        "_queue_ms",
        "_served_by",
        "_tariff",
        "settlement",
        "standings",
    )

    def __init__(self, gate: Gate, ask: Ask, tariff: Tariff | None) -> None:
        self._gate = gate
        self._ask = ask
        self._hold = ask.hold
        self._tariff = tariff
        self._began = gate.clock.monotonic()
        self._queue_ms: int | None = None
        self._first_event_ms: int | None = None
        self._served_by = ""
        self._observed = ObservedUsage()
        self._media = (ask.hold.images, ask.hold.pages)
        self.standings: tuple[Standing, ...] = ()
        """Once entered: how far the tightest limits of requests and of tokens are used up, where some bind."""
        self.settlement: Settlement | None = None
        """Once the block has ended: what the books will say of the call."""

    async def __aenter__(self) -> Self:
        gate = self._gate
        if gate.closed is not None:
            raise gate.closed.with_traceback(None)
        taken = await gate.counters.take(self._ask)
        try:
            # Nothing is awaited after the hold was taken: a cancellation cannot fall between it and the block.
            if taken.is_covered and self._ask.funds.free is not None:
                self._hold = replace(self._hold, cost_nanos=0, grant=self._ask.funds.free.grant)
            self.standings = taken.standings
            gate.write_hold(self._hold)
        except (Draining, StorageUnavailable):
            gate.counters.settle(self._hold.id, None)
            raise
        return self

    @property
    def hold(self) -> Hold:
        """What is held for the call at most."""
        return self._hold

    def loaded(self, images: int, pages: int) -> None:
        """Note how many images and pages were loaded; raises `ParameterInvalid` for more pages than a limit counted."""
        check_pages(self._ask, pages)
        self._media = images, pages

    def routed(self) -> None:
        """Note that an engine has taken the call."""
        self._queue_ms = self._elapsed_ms()

    def observe(self, event: Event) -> None:
        """Count what an event adds."""
        self._observed.add(event)
        if type(event) is Started:
            self._first_event_ms = self._elapsed_ms()
            # In a form and length that a line of the journal has room for.
            self._served_by = printable(event.served_by[:LONGEST_SERVED_BY])

    def restart(self) -> None:
        """Forget what was observed: nothing of it reached the client, who does not pay for it."""
        self._observed = ObservedUsage()
        self._first_event_ms = None
        self._served_by = ""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome, status, code = self._ending(error)
        if outcome is Outcome.FAILED and self._is_lost(error):
            self.restart()
        usage, source = self._observed.usage(self._hold, self._media)
        cost_nanos, price_source, exchange = self._price(usage)
        self.settlement = Settlement(
            hold=self._hold,
            at=self._gate.clock.timestamp(),
            outcome=outcome,
            status=status,
            error=code,
            served_by=self._served_by,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            image_tokens=usage.image_tokens,
            cache_creation_tokens=usage.cache_creation_tokens,
            explicitly_cached_tokens=usage.explicitly_cached_tokens,
            images=usage.images,
            pages=usage.pages,
            items=usage.items,
            usage_source=source,
            priced=True,
            cost_nanos=cost_nanos,
            price_source=price_source,
            exchange=exchange,
            billed_percent=100 if self._observed.billed_percent is None else self._observed.billed_percent,
            queue_ms=self._queue_ms,
            first_event_ms=self._first_event_ms,
            total_ms=self._elapsed_ms(),
        )
        self._gate.settle(self.settlement)

    def _price(self, usage: Usage) -> tuple[int | None, str, str]:
        """Return what the call costs, by which list, and at which rate of exchange."""
        if not usage.total_tokens and not usage.items:
            return 0, "", ""
        percent = self._observed.billed_percent
        if self._hold.grant:
            return 0, FREE_QUOTA if percent is None else f"{FREE_QUOTA}, cached answer at {percent}%", ""
        tariff = self._tariff
        if tariff is None:
            return None, "", ""
        if percent is None:
            return tariff.cost_nanos(usage), tariff.price_source, tariff.exchange
        nanos = billed_part(tariff.cost_nanos(usage), percent)
        return nanos, f"{tariff.price_source}, cached answer at {percent}%", tariff.exchange

    def _ending(self, error: BaseException | None) -> tuple[Outcome, int, str]:
        cause = error.args[0] if isinstance(error, asyncio.CancelledError) and error.args else error
        if self._observed.is_finished and not isinstance(cause, QwenportError):
            return _FINISHED, 200, ""
        if isinstance(cause, QwenportError):
            return Outcome.FAILED, history_status(cause), cause.code
        if error is None:
            return Outcome.FAILED, 500, EngineFailed.code
        if isinstance(error, Exception):
            return Outcome.FAILED, 500, "internal"
        if self._gate.draining:
            return Outcome.FAILED, 503, Draining.code
        return Outcome.ABANDONED, CLIENT_CLOSED_REQUEST, "client_gone"

    def _is_lost(self, error: BaseException | None) -> bool:
        """Tell whether nothing of a failed call reached its client: a whole answer leaves at its end or not at all.

        One that was blocked was made for its caller, who asked for what may not be said.
        """
        return not self._hold.streams and not isinstance(error, ContentBlocked)

    def _elapsed_ms(self) -> int:
        return round((self._gate.clock.monotonic() - self._began) * 1000)


def rate_of(caller: Caller, card: ModelCard) -> int:
    """Return the part of the list price that a caller's calls to a model are billed, in parts per million."""
    return caller.terms.rate_ppm(card.name) if caller.terms.discounts else FULL_PRICE_PPM


def consumed_in(settlement: Settlement) -> Consumed:
    """Return what the counters learn from a settlement."""
    return Consumed(
        input_tokens=settlement.input_tokens,
        output_tokens=settlement.output_tokens,
        images=settlement.images,
        pages=settlement.pages,
        cost_nanos=settlement.cost_nanos or 0,
        billed_percent=settlement.billed_percent,
    )
