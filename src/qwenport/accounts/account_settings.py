"""What may be asked of an account, checked and put into its stored form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import UNSET, Struct, UnsetType, structs

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.keys import MAX_DAYS, checked_models, chosen
from qwenport.accounts.money import plain_decimal
from qwenport.accounts.texts import (
    MAX_NAME_LENGTH,
    checked_currency,
    checked_email,
    checked_number,
    checked_text,
    shown,
)
from qwenport.core.caller import EVERY_MODEL, FULL_PRICE_PPM, AccountKind, AccountTerms, FreeQuota
from qwenport.core.ids import GrantId, Ids
from qwenport.storage.records import AccountRecord

FREE_TOKENS = 1_000_000
"""Of each model, for a new prepaid account; Model Studio gives new users as many."""
FREE_DAYS = 90
MOST_FREE_TOKENS = 10**15
HIGHEST_RATE = 10
"""A price may be raised, for a house that resells, but a slip of the decimal point must not pass."""


class CreateAccount(Struct, frozen=True, kw_only=True):
    """What a new account shall be."""

    email: str
    name: str = ""
    kind: AccountKind = AccountKind.PREPAID
    currency: str = "CNY"
    level: str = ""
    free_tokens: int | None = None
    """Of each model; None for what new accounts of the kind get: 1,000,000 if prepaid, none if metered."""
    free_days: int = FREE_DAYS


class ChangeAccount(Struct, frozen=True, kw_only=True):
    """What changes of an account; what is not set stays."""

    name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    kind: AccountKind | UnsetType = UNSET
    level: str | UnsetType = UNSET
    """Name of a level; empty for none."""

    @property
    def touches_terms(self) -> bool:
        """Tell whether the operator alone may ask for this."""
        return self.kind is not UNSET or self.level is not UNSET


def new_account(wish: CreateAccount, now: datetime, ids: Ids) -> AccountRecord:
    """Return the account that is wished for; raises `SettingInvalid`. Whether the level exists is not looked at."""
    kind = _kind(wish.kind)
    tokens = (FREE_TOKENS if kind is AccountKind.PREPAID else 0) if wish.free_tokens is None else wish.free_tokens
    free = free_quota(tokens, wish.free_days, now, ids)
    return AccountRecord(
        id=ids.account_id(),
        email=checked_email(wish.email),
        name=checked_text("name of an account", wish.name, MAX_NAME_LENGTH),
        currency=checked_currency(wish.currency),
        created_at=now,
        terms=AccountTerms(kind=kind, level=wish.level, free_quota=free),
    )


def changed(account: AccountRecord, wish: ChangeAccount) -> AccountRecord:
    """Return an account as it shall be; raises `SettingInvalid`."""
    terms = structs.replace(
        account.terms,
        kind=_kind(chosen(wish.kind, account.terms.kind)),
        level=chosen(wish.level, account.terms.level),
    )
    return structs.replace(
        account,
        name=checked_text("name of an account", chosen(wish.name, account.name), MAX_NAME_LENGTH),
        email=account.email if isinstance(wish.email, UnsetType) else checked_email(wish.email),
        terms=terms,
    )


def free_quota(tokens: int, days: int, now: datetime, ids: Ids) -> FreeQuota | None:
    """Return a new grant of free tokens, or None for 0 of them; raises `SettingInvalid`."""
    checked_number("number of free tokens", tokens, least=0, most=MOST_FREE_TOKENS)
    checked_number("number of days of the free quota", days, least=1, most=MAX_DAYS)
    if tokens == 0:
        return None
    return FreeQuota(grant=GrantId(ids.short_id("grant")), tokens=tokens, until=now + timedelta(days=days))


def discounted(terms: AccountTerms, rates: Mapping[str, str | None]) -> AccountTerms:
    """Return terms with other discounts, by model or `*`; None removes, what is not named stays.

    Raises `SettingInvalid`.
    """
    ppm = dict(terms.discounts)
    for model, rate in rates.items():
        ppm.pop(model, None)
        if rate is not None:
            ppm[model] = rate_ppm(rate)
    checked_models(tuple(model for model in ppm if model != EVERY_MODEL))
    return structs.replace(terms, discounts=tuple(sorted(ppm.items())))


def rate_ppm(rate: str) -> int:
    """Return a part of the list price, a decimal such as `0.9`, in parts per million; raises `SettingInvalid`."""
    value = plain_decimal(rate, 6)
    if value is None or not 0 < value <= HIGHEST_RATE:
        raise SettingInvalid(
            f"the rate {shown(rate)} of a discount is no decimal above 0 and up to {HIGHEST_RATE} with at most 6 "
            "places; write `0.9` to bill nine tenths of the list price"
        )
    return int(value * FULL_PRICE_PPM)


def activated(terms: AccountTerms, models: Mapping[str, bool], regions: Mapping[str, bool]) -> AccountTerms:
    """Return terms with these models and regions switched on or off; what is not named stays."""
    return structs.replace(
        terms,
        deactivated_models=_switched(terms.deactivated_models, models),
        deactivated_regions=_switched(terms.deactivated_regions, regions),
    )


def _switched(off: tuple[str, ...], wishes: Mapping[str, bool]) -> tuple[str, ...]:
    left = {name for name in off if not wishes.get(name, False)}
    return tuple(sorted(left | set(checked_models(tuple(name for name, on in wishes.items() if not on)))))


def _kind(kind: str) -> AccountKind:
    try:
        return AccountKind(kind)
    except ValueError as error:
        raise SettingInvalid(f"{shown(kind)} is no kind of account; it is `prepaid` or `metered`") from error
