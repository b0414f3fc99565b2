"""The seam for everything that is counted before a call may run: limits, balances, free quotas."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

from qwenport.core.errors import (
    AccessDenied,
    AccountInArrears,
    BurstExceeded,
    ConcurrencyExceeded,
    FreeQuotaExceeded,
    FreeTierExhausted,
    QuotaExceeded,
    RateExceeded,
    Refused,
    Throttled,
)
from qwenport.core.ids import AccountId, GrantId, RequestId
from qwenport.core.limit_standing import Standing
from qwenport.core.limits import Unit
from qwenport.gate.charges import Ask, Beyond, Bound, Consumed, Kind, Taken
from qwenport.storage.records import Balance

SOON_S = 1
"""When to try again after calls under way were in the way: nobody knows when they end."""


class Counters(Protocol):
    """Counts what calls take and use. All of a call is taken at once, or none of it."""

    async def take(self, ask: Ask) -> Taken:
        """Take what the call may use at most; nothing is left taken when this raises or is cancelled.

        Raises:
            Throttled: a limit has not enough left, or calls under way hold what the call may cost.
            AccountInArrears: the balance is below 0, or does not cover what the call may cost.
            FreeTierExhausted, FreeQuotaExceeded, AccessDenied: no free quota covers it, and it cannot be paid for.
            StorageUnavailable: the counters cannot be reached, or are being rebuilt.
        """
        ...

    def settle(self, request_id: RequestId, consumed: Consumed | None) -> None:
        """Replace what was taken by what was consumed; None where the call was not admitted after all.

        A call is settled once; one that is not known changes nothing.
        """
        ...

    def follow(self, balances: Iterable[Balance]) -> None:
        """Take in what credits and other movements that are no calls have made of balances."""
        ...

    def is_spent(self, account_id: AccountId, currency: str, grant: tuple[GrantId, str, int] | None) -> bool:
        """Tell whether a balance is known to be below 0; with a grant (id, model, tokens), whether that is used up."""
        ...

    async def drain(self) -> None:
        """Wait until every settlement is through."""
        ...


def refusal_of(bound: Bound, wait_s: float) -> Throttled:
    """Return the error for a counter that has not enough left."""
    return _error(bound)(retry_after_s=max(1, math.ceil(wait_s)))


def _error(bound: Bound) -> type[Throttled]:
    if bound.is_burst:
        return BurstExceeded
    if bound.kind is Kind.AT_ONCE:
        return ConcurrencyExceeded
    return RateExceeded if bound.limit.unit is Unit.REQUESTS else QuotaExceeded


def refusal_beyond(beyond: Beyond) -> Refused:
    """Return the error for a call that neither a free quota covers nor anybody pays."""
    return _BEYOND[beyond]()


_BEYOND: dict[Beyond, type[Refused]] = {
    Beyond.PAID: AccountInArrears,
    Beyond.FREE_TIER_ONLY: FreeTierExhausted,
    Beyond.NO_PRICE_AFTER_GRANT: FreeQuotaExceeded,
    Beyond.NO_PRICE: AccessDenied,
}


def account_of(ledger_account: str) -> AccountId | None:
    """Return whose ledger account this is; None for those of the house."""
    kind, _, account_id = ledger_account.partition(":")
    return AccountId(account_id) if kind == "customer" else None


def tightest(shown: Iterable[tuple[Bound, int, float]]) -> tuple[Standing, ...]:
    """Return, for requests and for tokens, how the limit stands of which least is left.

    Each is a counter, what it has counted, and the seconds until all of it is there again.
    """
    least: dict[bool, tuple[int, int, float]] = {}
    for bound, counted, reset_s in shown:
        left = bound.cap - counted
        known = least.get(bound.is_requests)
        if known is None or left < known[0]:
            least[bound.is_requests] = (left, bound.cap, reset_s)
    return tuple(
        [
            Standing(is_requests=is_requests, cap=cap, left=max(0, left), reset_s=reset_s)
            for is_requests, (left, cap, reset_s) in least.items()
        ]
    )
