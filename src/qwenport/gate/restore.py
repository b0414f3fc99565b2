"""What counters begin with after a restart: from the books, so that no restart hands out a new hour, day or month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from qwenport.core.caller import AccountTerms, Caller
from qwenport.core.ids import KeyId
from qwenport.gate.charges import Bound, Consumed, Kind
from qwenport.gate.counters import account_of
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.storage.counter_rows import BookedCall, CountedCalls, CounterFacts


class Earlier(Struct, frozen=True, kw_only=True):
    """An amount that a counter must know of."""

    bound: Bound
    amount: int
    at_ms: int = 0
    """Of windows that slide."""
    period: str = ""
    """Day or month, of those of the calendar."""


def restore(counters: LocalCounters, limits: LimitBook, facts: CounterFacts) -> None:
    """Fill counters that are new; the journal was replayed and posted before the facts were read."""
    counters.follow(facts.balances)
    for balance in facts.balances:
        account_id = account_of(balance.ledger_account)
        if account_id is not None:
            counters.purse(account_id, balance.currency).used = balance.used_nanos
    for free in facts.free:
        counters.free_tokens(free.account_id, free.grant_id, free.model).used = free.tokens
    for earlier in earlier_amounts(facts, limits, counters.zone):
        if earlier.period:
            counters.count_in_period(earlier.bound, earlier.period, earlier.amount)
        else:
            counters.count_earlier(earlier.bound, earlier.amount, max(0.0, (facts.at_ms - earlier.at_ms) / 1000))


def earlier_amounts(facts: CounterFacts, limits: LimitBook, zone: tzinfo) -> Iterator[Earlier]:
    """Return what the limits of today would have counted of what the books hold, in the order of time."""
    resolved: dict[tuple[KeyId, str], tuple[Bound, ...]] = {}
    today = datetime.fromtimestamp(facts.at_ms / 1000, UTC).astimezone(zone).date().isoformat()
    for row in (*facts.days, *facts.last_hour):
        bounds = resolved.get((row.key_id, row.model))
        if bounds is None:
            bounds = resolved[row.key_id, row.model] = limits.resolve(_caller(row), row.model)
        yield from _of_row(row, bounds, facts.at_ms, today)


def consumed_of(call: BookedCall) -> Consumed:
    """Return what the counters learn from a call of the books."""
    return Consumed(
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        images=call.images,
        pages=call.pages,
        cost_nanos=call.cost_nanos,
    )


def _of_row(row: CountedCalls, bounds: Iterable[Bound], now_ms: int, today: str) -> Iterator[Earlier]:
    consumed = Consumed(
        requests=row.requests,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        images=row.images,
        pages=row.pages,
        cost_nanos=row.cost_nanos,
    )
    for bound in bounds:
        amount = bound.used(consumed)
        if not amount:
            continue
        if bound.kind is Kind.CALENDAR and row.day:
            period = row.day if bound.limit.window == "day" else row.day[:7]
            if today.startswith(period):
                yield Earlier(bound=bound, amount=amount, period=period)
        elif bound.kind is Kind.SLIDING and not row.day and row.at_ms > now_ms - bound.window_ms:
            yield Earlier(bound=bound, amount=amount, at_ms=row.at_ms)


def _caller(row: CountedCalls) -> Caller:
    return Caller(
        key_id=row.key_id,
        account_id=row.account_id,
        workspace_id=row.workspace_id,
        currency=row.currency,
        terms=AccountTerms(level=row.level),
    )
