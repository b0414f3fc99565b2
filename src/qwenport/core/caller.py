"""Who is calling."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from qwenport.core.ids import AccountId, GrantId, KeyId, WorkspaceId

FULL_PRICE_PPM = 1_000_000
"""A rate of the list price in parts per million: this much is all of it."""

EVERY_MODEL = "*"
"""Stands for all models that are not named."""


class AccountKind(StrEnum):
    """What is checked before a call of an account."""

    METERED = "metered"
    """Nothing: what was used is billed afterwards."""
    PREPAID = "prepaid"
    """Whether the balance covers what the call may cost at most."""


class AccountState(StrEnum):
    """Whether an account may call."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """Switched off by the operator."""
    IN_ARREARS = "in_arrears"
    """The operator waits for money; a prepaid account that owes some is in arrears without this too."""
    CLOSED = "closed"
    """For good; only its books are kept."""


class FreeQuota(Struct, frozen=True, kw_only=True):
    """Tokens that an account may use of each model without paying."""

    grant: GrantId
    tokens: int
    """Of each model, input and output together."""
    until: datetime


class AccountTerms(Struct, frozen=True, kw_only=True):
    """On what terms an account calls."""

    kind: AccountKind = AccountKind.METERED
    state: AccountState = AccountState.ACTIVE
    level: str = ""
    """Name of the bundle of limits that holds for the account; empty for none."""
    deactivated_models: tuple[str, ...] = ()
    deactivated_regions: tuple[str, ...] = ()
    free_quota: FreeQuota | None = None
    free_tier_only: bool = False
    """Whether calls beyond the free quota are refused instead of paid for."""
    discounts: tuple[tuple[str, int], ...] = ()
    """Model (or `*`) and the part of the list price that is billed, in parts per million."""

    def rate_ppm(self, model: str) -> int:
        """Return the part of the list price that a model's calls are billed at, in parts per million."""
        rates = dict(self.discounts)
        return rates.get(model, rates.get(EVERY_MODEL, FULL_PRICE_PPM))


class BodyKeeping(Struct, frozen=True, kw_only=True):
    """How much of requests and answers is stored, and how long."""

    most_bytes: int
    """Of the request, and as much of the answer."""
    days: int


class Caller(Struct, frozen=True, kw_only=True):
    """A key that was found valid, and what it may do."""

    key_id: KeyId
    account_id: AccountId
    workspace_id: WorkspaceId = WorkspaceId("")
    currency: str
    """Currency of the account, an ISO 4217 code."""
    models: tuple[str, ...] = ()
    """Names of the models that the key is restricted to; empty for all."""
    terms: AccountTerms = AccountTerms()
    bodies: BodyKeeping | None = None
    """Whether what the key's calls say is stored; None, the default, for never."""
    regions: tuple[str, ...] = ()
    """Regions that the key's calls may be answered in (data residency); empty for anywhere.

    An engine without a region is on the operator's own ground, where calls may always go.
    """
    priority: int = 0
    """Whose calls wait less where calls wait for an upstream: from -10, the last, to 10, the first."""
    cache_s: int | None = None
    """How old an answer from the response cache may be in seconds; 0 for none of it, None for what the route says."""

    def may_use(self, model: str) -> bool:
        """Tell whether the key is allowed to call the model of this name."""
        return not self.models or model in self.models
