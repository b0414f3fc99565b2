"""What one settlement becomes in the books: a call of the history and its posting."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.printable import printable
from qwenport.core.usage import Usage
from qwenport.metering.bounded_usage import bounded_usage, clamp
from qwenport.metering.ledger_accounts import REVENUE, customer
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Outcome, Settlement, billed_part
from qwenport.storage.call_rows import LAST_MOMENT_MS
from qwenport.storage.records import CallRecord, Posting

MAX_COST_NANOS = 1_000_000_000_000_000
"""A million units of a currency, more than any call can cost."""

MAX_TEXT_LENGTH = 500

CLAMPED = "clamped"
"""Usage source of a call whose counts could not be true and were brought into range."""

_VOID = frozenset({Outcome.EXPIRED, Outcome.LOST})
_NOTHING = Usage()


class Booked(Struct, frozen=True, gc=False):
    """The two rows of one call, and what it takes from a free quota."""

    call: CallRecord
    posting: Posting
    free_tokens: int


class _Cost(Struct, frozen=True, gc=False):
    """What a call is billed; no nanos for a call without a price."""

    nanos: int | None = 0
    source: str = ""
    exchange: str = ""


_FREE = _Cost()


def booked(settlement: Settlement, prices: PriceBook) -> Booked:
    """Return the rows of a call; what cannot be true is brought into range and flagged, and never credits anybody."""
    hold = settlement.hold
    usage, believed = _usage(settlement)
    cost, plausible = _cost(settlement, usage, prices, believed=believed)
    counted = usage.total_tokens + usage.images + usage.pages
    consumed = counted > 0 or bool(usage.items) or bool(cost.nanos)
    call = _call(settlement, usage, cost if consumed else _FREE, clamped=not (believed and plausible))
    posting = Posting(
        request_id=hold.id,
        call_at=call.at,
        at=_milliseconds(settlement.at),
        kind="post" if consumed else "void",
        account_id=hold.account_id,
        debit=customer(hold.account_id),
        credit=REVENUE,
        currency=hold.currency,
        hold_nanos=hold.cost_nanos,
        # An unpriced call moves no money; that it is not free is said by its empty cost in the call history.
        amount_nanos=call.cost_nanos or 0,
        exchange=cost.exchange,
    )
    free_tokens = billed_part(usage.total_tokens, clamp(settlement.billed_percent, 100)) if hold.grant else 0
    return Booked(call, posting, free_tokens)


def _call(settlement: Settlement, usage: Usage, cost: _Cost, *, clamped: bool) -> CallRecord:
    hold = settlement.hold
    return CallRecord(
        request_id=hold.id,
        at=_milliseconds(hold.at),
        key_id=hold.key_id,
        account_id=hold.account_id,
        workspace_id=hold.workspace_id,
        model=_text(hold.model),
        face=hold.face,
        operation=hold.operation,
        streams=hold.streams,
        batch=hold.batch,
        served_by=_text(settlement.served_by),
        outcome=settlement.outcome,
        status=settlement.status,
        error=_text(settlement.error),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        image_tokens=usage.image_tokens,
        cache_creation_tokens=usage.cache_creation_tokens,
        explicitly_cached_tokens=usage.explicitly_cached_tokens,
        images=usage.images,
        pages=usage.pages,
        usage_source=CLAMPED if clamped else "" if usage is _NOTHING else settlement.usage_source,
        cost_nanos=cost.nanos,
        currency=hold.currency,
        price_source=cost.source,
        grant_id=hold.grant,
        queue_ms=settlement.queue_ms,
        first_event_ms=settlement.first_event_ms,
        total_ms=settlement.total_ms,
        items=_items_text(usage.items),
    )


def _items_text(items: tuple[tuple[str, int], ...]) -> str:
    """Return items as the books keep them, such as `image_count 2, duration 5`."""
    return _text(", ".join(f"{name} {count}" for name, count in items)) if items else ""


def _usage(settlement: Settlement) -> tuple[Usage, bool]:
    """Return what is billed and whether it is what was said; a void settlement bills nothing, whatever it says."""
    if settlement.outcome in _VOID:
        return _NOTHING, True
    said = Usage(
        input_tokens=settlement.input_tokens,
        output_tokens=settlement.output_tokens,
        cached_tokens=settlement.cached_tokens,
        reasoning_tokens=settlement.reasoning_tokens,
        image_tokens=settlement.image_tokens,
        cache_creation_tokens=settlement.cache_creation_tokens,
        explicitly_cached_tokens=settlement.explicitly_cached_tokens,
        images=settlement.images,
        pages=settlement.pages,
        items=tuple((name, count) for name, count in settlement.items if count),
    )
    bounded = bounded_usage(said, most_items=settlement.hold.items)
    return bounded, bounded is said or bounded == said


def _cost(settlement: Settlement, usage: Usage, prices: PriceBook, *, believed: bool) -> tuple[_Cost, bool]:
    """Return the cost and whether it can be true.

    What was decided when the call ended holds, unless it was decided on counts that are not believed; what a free quota
    covers never costs anything.
    """
    if settlement.outcome in _VOID:
        return _FREE, True
    if settlement.priced and (believed or settlement.hold.grant):
        nanos = settlement.cost_nanos
        source, exchange = _text(settlement.price_source), _text(settlement.exchange)
    else:
        nanos, source, exchange = _priced(settlement.hold, usage, prices)
    bounded = None if nanos is None else clamp(nanos, MAX_COST_NANOS)
    return _Cost(bounded, source, exchange), bounded == nanos


def _priced(hold: Hold, usage: Usage, prices: PriceBook) -> tuple[int | None, str, str]:
    card = prices.card(hold.model)
    if card is None:
        return None, "", ""
    day = datetime.fromtimestamp(_milliseconds(hold.at) // 1000, UTC).date()
    tariff = prices.tariff(card, hold.currency, FULL_PRICE_PPM, day, batch=hold.batch)
    if tariff is None:
        return None, "", ""
    return tariff.cost_nanos(usage), tariff.price_source, tariff.exchange


def _text(text: str) -> str:
    """Return a text that every database takes: an upstream's odd name must not keep a whole batch out of the books."""
    return printable(text[:MAX_TEXT_LENGTH]) if text else text


def _milliseconds(timestamp: float) -> int:
    at_ms = round(timestamp * 1000)
    return at_ms if 0 <= at_ms <= LAST_MOMENT_MS else clamp(at_ms, LAST_MOMENT_MS)
