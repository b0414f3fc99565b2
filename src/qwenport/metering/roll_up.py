"""The sums that a batch of calls adds to the books: usage by hour and day, free quotas, balances of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from qwenport.core.ids import AccountId, GrantId, KeyId
from qwenport.metering.days import Days
from qwenport.metering.entry_of_call import Booked
from qwenport.storage.balance_rows import Used
from qwenport.storage.moments import HOUR_MS
from qwenport.storage.records import FreeTokens, UsageDay, UsageHour
from qwenport.storage.usage_rows import COUNTS

_DIMENSIONS = ("account_id", "key_id", "model", "served_by", "currency")
_Dimensions = tuple[AccountId, KeyId, str, str, str]
_Sums = list[int]
"""In the order of `COUNTS`."""
_Key = TypeVar("_Key")


class RollUp:
    """Adds calls up; a call that consumed nothing is history, not usage."""

    def __init__(self, days: Days) -> None:
        self._days = days
        self._usage: dict[tuple[int, str, _Dimensions], _Sums] = {}
        self._free: dict[tuple[AccountId, GrantId, str], int] = {}
        self._used: dict[tuple[str, str], int] = {}

    def add(self, booked: Booked) -> None:
        """Take a call and its posting in."""
        call, posting = booked.call, booked.posting
        if posting.kind == "void":
            return
        dimensions = (call.account_id, call.key_id, call.model, call.served_by, call.currency)
        key = (call.at - call.at % HOUR_MS, self._days.of(call.at), dimensions)
        sums = self._usage.get(key)
        if sums is None:
            sums = self._usage[key] = [0] * len(COUNTS)
        sums[0] += 1
        sums[1] += call.cost_nanos is None
        sums[2] += call.input_tokens
        sums[3] += call.output_tokens
        sums[4] += call.cached_tokens
        sums[5] += call.reasoning_tokens
        sums[6] += call.image_tokens
        sums[7] += call.images
        sums[8] += call.pages
        sums[9] += posting.amount_nanos
        if call.grant_id:
            free = (call.account_id, call.grant_id, call.model)
            self._free[free] = self._free.get(free, 0) + booked.free_tokens
        if posting.amount_nanos:
            for ledger_account, amount in (
                (posting.debit, posting.amount_nanos),
                (posting.credit, -posting.amount_nanos),
            ):
                balance = (ledger_account, posting.currency)
                self._used[balance] = self._used.get(balance, 0) + amount

    def hours(self) -> Sequence[UsageHour]:
        """Return the usage of each hour of UTC."""
        hours: dict[tuple[int, _Dimensions], _Sums] = {}
        for (hour, _, dimensions), sums in self._usage.items():
            _add_to(hours, (hour, dimensions), sums)
        return [UsageHour(hour=hour, **_named(dimensions, sums)) for (hour, dimensions), sums in hours.items()]

    def days(self) -> Sequence[UsageDay]:
        """Return the usage of each day of the time zone."""
        days: dict[tuple[str, _Dimensions], _Sums] = {}
        for (_, day, dimensions), sums in self._usage.items():
            _add_to(days, (day, dimensions), sums)
        return [UsageDay(day=day, **_named(dimensions, sums)) for (day, dimensions), sums in days.items()]

    def free_tokens(self) -> Sequence[FreeTokens]:
        """Return the tokens that free quotas covered."""
        return [
            FreeTokens(account_id=account_id, grant_id=grant_id, model=model, tokens=tokens)
            for (account_id, grant_id, model), tokens in self._free.items()
        ]

    def used(self) -> Sequence[Used]:
        """Return what calls take from each ledger account."""
        return [
            Used(ledger_account=ledger_account, currency=currency, used_nanos=nanos)
            for (ledger_account, currency), nanos in self._used.items()
        ]


def _add_to(groups: dict[_Key, _Sums], key: _Key, sums: _Sums) -> None:
    known = groups.get(key)
    groups[key] = sums if known is None else [mine + other for mine, other in zip(known, sums, strict=True)]


def _named(dimensions: _Dimensions, sums: _Sums) -> dict[str, Any]:
    return dict(zip(_DIMENSIONS, dimensions, strict=True)) | dict(zip(COUNTS, sums, strict=True))
