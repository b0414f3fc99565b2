"""The hold that a call takes before it runs, and the settlement that replaces it exactly once.

What is billed, by how the call ended:
  finished   the usage that the engine counted
  failed     what was produced before the error; nothing when it came before the first event
  abandoned  what was produced before the client left; nothing when it left before the first event
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from qwenport.core.call import Call
from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import (
    Draining,
    EngineFailed,
    ModelUnavailable,
    Overloaded,
    QwenportError,
    Refused,
    StorageUnavailable,
    Throttled,
)
from qwenport.core.events import Event, Finished, Generated, Started
from qwenport.core.model_card import ModelCard
from qwenport.core.printable import printable
from qwenport.core.usage import UsageSource
from qwenport.gate.estimate import most_input_tokens, most_output_tokens
from qwenport.gate.limit import Limit, settle_all
from qwenport.metering.journal import Journal
from qwenport.metering.records import Hold, Outcome, Settlement

HOLD_SECONDS = 3600.0
"""After this time a hold that nobody settled is void; longer than any call may take."""

LONGEST_SERVED_BY = 100
"""Characters that the books keep of the name of engine and model."""

CLIENT_CLOSED_REQUEST = 499
"""Status, after nginx's habit, of a call whose client left."""


class Gate:
    """Admits calls: takes the limits, writes the hold, settles it."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        limits: Sequence[Limit] = (),
        *,
        on_settled: Callable[[Settlement], None] = lambda _settlement: None,
    ) -> None:
        """Keep holds in `journal`; `on_settled` hears of every settlement, once."""
        self.journal = journal
        self._on_settled = on_settled
        self.clock = clock
        self.limits = tuple(limits)
        self.draining = False
        """Whether the server is breaking off what still runs; such calls have failed, not been abandoned."""
        self.settling: set[asyncio.Task[None]] = set()
        """Settlements of limits that are still under way; shutdown waits for them."""

    def admit(self, caller: Caller, card: ModelCard, call: Call) -> Admission:
        """Return the admission of a call; entering it takes the hold.

        Entering raises:
            Draining: the server is breaking off what still runs.
            Throttled: a limit is used up.
            StorageUnavailable: the hold cannot be written down.
        """
        now = self.clock.timestamp()
        hold = Hold(
            id=call.id,
            at=now,
            expires_at=now + HOLD_SECONDS,
            key_id=caller.key_id,
            account_id=caller.account_id,
            currency=caller.currency,
            model=card.name,
            face=call.face,
            operation=call.operation,
            streams=call.streams,
            input_tokens=most_input_tokens(call, card),
            output_tokens=most_output_tokens(call, card),
        )
        return Admission(self, hold)

    def void_expired(self) -> int:
        """Settle the holds that outlived their time, as `expired`, and return how many there were."""
        now = self.clock.timestamp()
        expired = [hold for hold in self.journal.open_holds.values() if hold.expires_at <= now]
        for hold in expired:
            self.settle(Settlement(hold=hold, at=now, outcome=Outcome.EXPIRED, status=500, error="expired"))
        return len(expired)

    def settle(self, settlement: Settlement) -> None:
        """Write the settlement, and settle the limits; the first settlement of a hold counts."""
        if self.journal.settle(settlement):
            self._on_settled(settlement)
            self.settle_limits(self.limits, settlement.hold, settlement)

    async def take_limits(self, hold: Hold) -> None:
        """Take from every limit, or from none.

        Raises:
            Throttled: one of them has not enough left; what others gave is given back.
        """
        taken: list[Limit] = []
        try:
            for limit in self.limits:
                await limit.take(hold)
                taken.append(limit)
        except BaseException:
            self.settle_limits(taken, hold, None)
            raise

    def write_hold(self, hold: Hold) -> None:
        """Write the hold into the journal.

        Raises:
            Draining: the server is breaking off what still runs.
            StorageUnavailable: the hold cannot be written down.
        """
        if self.draining:
            raise Draining
        self.journal.hold(hold)

    def settle_limits(self, limits: Sequence[Limit], hold: Hold, settlement: Settlement | None) -> None:
        """Settle limits in a task of their own, which no cancellation of a call reaches; `drain` waits for it."""
        if limits:
            task = asyncio.get_running_loop().create_task(settle_all(limits, hold, settlement))
            self.settling.add(task)
            task.add_done_callback(self.settling.discard)

    async def drain(self) -> None:
        """Wait until every settlement is through."""
        while self.settling:
            await asyncio.wait(self.settling)


class Admission:
    """One admitted call. Observes its events, and settles when the block ends, however it ends."""

    def __init__(self, gate: Gate, hold: Hold) -> None:
        self._gate = gate
        self._hold = hold
        self._began = gate.clock.monotonic()
        self._first_event_ms: int | None = None
        self._served_by = ""
        self._input_tokens = 0
        self._cached_tokens = 0
        self._output_tokens = 0
        self._source = ""
        self._finished = False

    async def __aenter__(self) -> Self:
        gate = self._gate
        if gate.limits:
            await gate.take_limits(self._hold)
        try:
            # Nothing is awaited after the hold was written: a cancellation cannot fall between it and the block.
            gate.write_hold(self._hold)
        except (Draining, StorageUnavailable):
            gate.settle_limits(gate.limits, self._hold, None)
            raise
        return self

    def observe(self, event: Event) -> None:
        """Count what an event adds."""
        if isinstance(event, Generated):
            self._output_tokens += event.tokens
        elif isinstance(event, Started):
            self._first_event_ms = self._elapsed_ms()
            # In a form and length that a line of the journal has room for.
            self._served_by = printable(event.served_by[:LONGEST_SERVED_BY])
            self._input_tokens, self._cached_tokens = event.input_tokens, event.cached_tokens
            self._source = UsageSource.COUNTED
        elif isinstance(event, Finished):
            self._finished = True
            self._input_tokens, self._output_tokens = event.usage.input_tokens, event.usage.output_tokens
            self._cached_tokens, self._source = event.usage.cached_tokens, event.usage.source

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome, status, code = self._ending(error)
        self._gate.settle(
            Settlement(
                hold=self._hold,
                at=self._gate.clock.timestamp(),
                outcome=outcome,
                status=status,
                error=code,
                served_by=self._served_by,
                input_tokens=self._input_tokens,
                output_tokens=self._output_tokens,
                cached_tokens=self._cached_tokens,
                usage_source=self._source,
                first_event_ms=self._first_event_ms,
                total_ms=self._elapsed_ms(),
            )
        )

    def _ending(self, error: BaseException | None) -> tuple[Outcome, int, str]:
        if self._finished:
            return Outcome.FINISHED, 200, ""
        cause = error.args[0] if isinstance(error, asyncio.CancelledError) and error.args else error
        if isinstance(cause, QwenportError):
            return Outcome.FAILED, history_status(cause), cause.code
        if error is None:
            return Outcome.FAILED, 500, EngineFailed.code
        if isinstance(error, Exception):
            return Outcome.FAILED, 500, "internal"
        if self._gate.draining:
            return Outcome.FAILED, 503, Draining.code
        return Outcome.ABANDONED, CLIENT_CLOSED_REQUEST, "client_gone"

    def _elapsed_ms(self) -> int:
        return round((self._gate.clock.monotonic() - self._began) * 1000)


def history_status(error: QwenportError) -> int:
    """Return the HTTP status that stands for an error in the call history; a face's own table may be finer."""
    if isinstance(error, Throttled):
        return 429
    if isinstance(error, Refused):
        return 400
    if isinstance(error, ModelUnavailable | Overloaded | StorageUnavailable | Draining):
        return 503
    return 500
