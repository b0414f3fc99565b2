"""From settlements to the books: call history, ledger and hourly usage of a batch land in one transaction.

Posting is idempotent by request id: the first settlement posted for a request counts, every other changes nothing.
The journal may therefore be replayed at will, by several processes at once too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.printable import printable
from qwenport.core.usage import Usage
from qwenport.metering.pricing import price_call
from qwenport.metering.records import Outcome, Settlement
from qwenport.storage import call_rows, ledger_rows, usage_rows
from qwenport.storage.database import Database
from qwenport.storage.moments import HOUR_MS
from qwenport.storage.records import CallRecord, LedgerEntry, UsageHour

BATCH = 500
"""Settlements in one transaction: few enough that another writer waits for milliseconds only."""

MAX_TOKENS = 1_000_000_000
"""More than any call can consume; a count above it is a defect of whoever counted."""

MAX_TEXT_LENGTH = 500

CLAMPED = "clamped"
"""Usage source of a call whose counts could not be true and were brought into range."""

_Dimensions = tuple[int, AccountId, KeyId, str, str, str]

_VOID = frozenset({Outcome.EXPIRED, Outcome.LOST})


class Books:
    """Posts settlements at the prices of the model cards."""

    def __init__(self, database: Database, cards: Mapping[str, ModelCard]) -> None:
        self._database = database
        self._cards = cards

    def post(self, settlements: Sequence[Settlement]) -> int:
        """Write what is not in the books yet; return how many calls were new.

        A batch is written whole or not at all. Raises `StorageUnavailable`; the batches before the failing one stay.
        """
        new = 0
        for start in range(0, len(settlements), BATCH):
            new += self._post_batch(settlements[start : start + BATCH])
        return new

    def _post_batch(self, batch: Sequence[Settlement]) -> int:
        first_of_each: dict[RequestId, Settlement] = {}
        for settlement in batch:
            first_of_each.setdefault(settlement.hold.id, settlement)
        # The write lock is held from here on, so nobody can add one of these calls between the look and the writing.
        with self._database.write() as transaction:
            known = call_rows.known(transaction, list(first_of_each))
            settled = [settlement for request_id, settlement in first_of_each.items() if request_id not in known]
            calls = [_call(settlement, self._cards.get(settlement.hold.model)) for settlement in settled]
            call_rows.add(transaction, calls)
            ledger_rows.add(
                transaction, [_entry(call, settlement) for call, settlement in zip(calls, settled, strict=True)]
            )
            usage_rows.add(transaction, _by_hour(calls))
        return len(calls)


def _call(settlement: Settlement, card: ModelCard | None) -> CallRecord:
    hold = settlement.hold
    usage, source = _usage(settlement)
    cost = price_call(card, hold.currency, usage, datetime.fromtimestamp(hold.at, UTC).date())
    return CallRecord(
        request_id=hold.id,
        at=_milliseconds(hold.at),
        key_id=hold.key_id,
        account_id=hold.account_id,
        model=_text(hold.model),
        face=hold.face,
        operation=hold.operation,
        streams=hold.streams,
        served_by=_text(settlement.served_by),
        outcome=settlement.outcome,
        status=settlement.status,
        error=_text(settlement.error),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        usage_source=source,
        cost_nanos=None if cost is None else cost.nanos,
        currency=hold.currency,
        price_source="" if cost is None else cost.source,
        first_event_ms=settlement.first_event_ms,
        total_ms=settlement.total_ms,
    )


def _usage(settlement: Settlement) -> tuple[Usage, str]:
    """Return what is billed and who counted it; a void settlement bills nothing, whatever it says."""
    if settlement.outcome in _VOID:
        return Usage(), ""
    input_tokens = _clamp(settlement.input_tokens, MAX_TOKENS)
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=_clamp(settlement.output_tokens, MAX_TOKENS),
        cached_tokens=_clamp(settlement.cached_tokens, input_tokens),
    )
    said = (settlement.input_tokens, settlement.output_tokens, settlement.cached_tokens)
    believed = said == (usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    return usage, settlement.usage_source if believed else CLAMPED


def _clamp(count: int, limit: int) -> int:
    return max(0, min(count, limit))


def _text(text: str) -> str:
    """Return a text that every database takes: an upstream's odd name must not keep a whole batch out of the books."""
    return printable(text[:MAX_TEXT_LENGTH])


def _entry(call: CallRecord, settlement: Settlement) -> LedgerEntry:
    consumed = call.input_tokens + call.output_tokens > 0
    return LedgerEntry(
        request_id=call.request_id,
        account_id=call.account_id,
        currency=call.currency,
        # An unpriced call moves no money; that it is not free is said by its empty cost in the call history.
        amount_nanos=call.cost_nanos or 0,
        kind="post" if consumed else "void",
        at=_milliseconds(settlement.at),
    )


def _by_hour(calls: Sequence[CallRecord]) -> list[UsageHour]:
    """Group what was consumed by hour; a call that consumed nothing is history, not usage."""
    groups: dict[_Dimensions, list[CallRecord]] = {}
    for call in calls:
        if not call.input_tokens + call.output_tokens:
            continue
        hour = call.at - call.at % HOUR_MS
        key = (hour, call.account_id, call.key_id, call.model, call.served_by, call.currency)
        groups.setdefault(key, []).append(call)
    return [_sum(dimensions, group) for dimensions, group in groups.items()]


def _sum(dimensions: _Dimensions, calls: Sequence[CallRecord]) -> UsageHour:
    hour, account_id, key_id, model, served_by, currency = dimensions
    return UsageHour(
        hour=hour,
        account_id=account_id,
        key_id=key_id,
        model=model,
        served_by=served_by,
        currency=currency,
        requests=len(calls),
        unpriced_requests=sum(call.cost_nanos is None for call in calls),
        input_tokens=sum(call.input_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
        cached_tokens=sum(call.cached_tokens for call in calls),
        cost_nanos=sum(call.cost_nanos or 0 for call in calls),
    )


def _milliseconds(timestamp: float) -> int:
    return round(timestamp * 1000)
