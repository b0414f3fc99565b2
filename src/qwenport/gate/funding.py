"""Out of what a call is to be paid: a free quota, the balance, or nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime

from qwenport.core.caller import AccountKind, AccountTerms, Caller
from qwenport.gate.charges import Beyond, FreeShare, Funds
from qwenport.metering.records import Hold

# A member of an enumeration that is looked up in its class costs as much as a call does.
_PAID, _PREPAID = Beyond.PAID, AccountKind.PREPAID


def funds_of(caller: Caller, hold: Hold, *, is_native: bool = False) -> Funds:
    """Return what may pay for a call whose hold says what it costs at most.

    A free quota is one of tokens, and pays for no call of a native service: images and sounds would use none of it up.
    """
    terms = caller.terms
    costs_nothing = hold.cost_nanos == 0
    return Funds(
        account_id=hold.account_id,
        currency=hold.currency,
        is_checked=terms.kind is _PREPAID,
        cost_nanos=hold.cost_nanos or 0,
        free=None if costs_nothing or is_native or terms.free_quota is None else _free_share(terms, hold),
        beyond=_PAID if costs_nothing else beyond(terms, has_price=hold.cost_nanos is not None),
    )


def beyond(terms: AccountTerms, *, has_price: bool) -> Beyond:
    """Return what becomes of the calls that no free quota covers."""
    if terms.free_tier_only:
        return Beyond.FREE_TIER_ONLY
    if has_price:
        return _PAID
    if terms.free_quota is not None:
        return Beyond.NO_PRICE_AFTER_GRANT
    # Whoever pays afterwards may call what has no price yet; the books show it as unpriced.
    return Beyond.NO_PRICE if terms.kind is _PREPAID else _PAID


def _free_share(terms: AccountTerms, hold: Hold) -> FreeShare | None:
    quota = terms.free_quota
    if quota is None or quota.until <= datetime.fromtimestamp(hold.at, UTC):
        return None
    return FreeShare(
        grant=quota.grant, model=hold.model, tokens=quota.tokens, amount=hold.input_tokens + hold.output_tokens
    )
