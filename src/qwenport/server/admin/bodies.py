"""The bodies that the admin API takes, as JSON; unknown fields are refused by name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from qwenport.core.caller import AccountKind
from qwenport.core.ids import AccountId, KeyId, RequestId, WorkspaceId
from qwenport.core.limits import Dimension, Mode, Unit, Window

Amount = Annotated[str, Meta(min_length=1, max_length=40, description="Exact decimal above 0, such as `10.00`.")]
Count = Annotated[int, Meta(ge=0, le=2**62)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Priority = Annotated[int, Meta(ge=-10, le=10)]
CacheSeconds = Annotated[int, Meta(ge=0, le=31_536_000)]
Words = Annotated[str, Meta(max_length=2_000)]
Texts = Annotated[tuple[str, ...], Meta(max_length=10_000)]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any body; a field that is not named keeps its default or, in a change, its value."""


class NewAccountBody(Body, frozen=True, kw_only=True):
    """A new account."""

    email: str
    name: str = ""
    kind: AccountKind = AccountKind.PREPAID
    currency: str = "CNY"
    level: str = ""
    free_tokens: Count | None = None
    """Of each model; None for what new accounts of the kind get."""
    free_days: Days | None = None


class ChangeAccountBody(Body, frozen=True, kw_only=True):
    """What changes of an account; what is not named stays."""

    name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    kind: AccountKind | UnsetType = UNSET
    level: str | UnsetType = UNSET


class FreeQuotaBody(Body, frozen=True, kw_only=True):
    """Tokens of each model that need not be paid for; 0 takes the free quota away."""

    tokens: Count
    days: Days = 90


class SwitchBody(Body, frozen=True, kw_only=True):
    """On or off."""

    on: bool


class DiscountsBody(Body, frozen=True, kw_only=True):
    """The part of the list price that is billed, by model or `*` for the others; null removes, the rest stays."""

    models: dict[str, str | None]


class ActivationBody(Body, frozen=True, kw_only=True):
    """Models and regions that an account may or may not use; what is not named stays."""

    models: dict[str, bool] = {}
    regions: dict[str, bool] = {}


class MovementBody(Body, frozen=True, kw_only=True):
    """Money that is credited to an account or debited from it."""

    amount: Amount
    currency: str
    note: Words = ""
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """The same key moves the money once, however often it is sent."""


class RefundBody(Body, frozen=True, kw_only=True):
    """A call whose cost is given back."""

    request_id: RequestId
    amount: Amount | None = None
    """None for all of it that was not given back yet."""
    note: Words = ""


class CorrectionBody(Body, frozen=True, kw_only=True):
    """What a call ought to have cost; the difference is moved by a new entry."""

    request_id: RequestId
    cost: Annotated[str, Meta(min_length=1, max_length=40, description="Exact decimal; `0` for nothing.")]
    note: Words = ""


class WorkspaceBody(Body, frozen=True, kw_only=True):
    """A workspace's name."""

    name: str


class NewMemberBody(Body, frozen=True, kw_only=True):
    """A new member of an account."""

    email: str
    name: str = ""
    role: str
    workspace_id: WorkspaceId | None = None
    """The only workspace that the member may see; None for all."""
    expires_at: datetime | None = None


class ChangeMemberBody(Body, frozen=True, kw_only=True):
    """What changes of a member; what is not named stays, and null clears."""

    email: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    role: str | UnsetType = UNSET
    workspace_id: WorkspaceId | UnsetType | None = UNSET
    expires_at: datetime | UnsetType | None = UNSET


class HoursBody(Body, frozen=True, kw_only=True):
    """The hours of the day in which a key may be used; an end before the beginning is on the next day."""

    begin: str
    """Hour and minute, as `08:00`."""
    end: str
    """First minute that does not belong any more."""
    timezone: str = "UTC"
    days: Annotated[tuple[int, ...], Meta(max_length=7)] = ()
    """Days of the week on which the hours begin, 1 for Monday to 7; empty for every day."""


class KeepingBody(Body, frozen=True, kw_only=True):
    """How much of requests and answers is stored, and how long."""

    most_bytes: Count
    """Of the request, and as much of the answer."""
    days: Days


class NewKeyBody(Body, frozen=True, kw_only=True):
    """A new key, with the limits that are to bind it."""

    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    name: str = ""
    description: str = ""
    expires_at: datetime | None = None
    models: tuple[str, ...] = ()
    ip_ranges: tuple[str, ...] = ()
    hours: HoursBody | None = None
    rotate_after_days: Days | None = None
    bodies: KeepingBody | None = None
    regions: tuple[str, ...] = ()
    """Regions that its calls may be answered in; empty for anywhere."""
    priority: Priority = 0
    cache_s: CacheSeconds | None = None
    """How old an answer from the response cache may be; 0 for none of it, null for what the route says."""
    rpm: Count | None = None
    """Requests a minute."""
    tpm: Count | None = None
    """Input and output tokens a minute."""
    concurrency: Count | None = None
    daily_requests: Count | None = None
    monthly_spend: str | None = None
    """Exact decimal in the account's currency."""


class ChangeKeyBody(Body, frozen=True, kw_only=True):
    """What changes of a key; what is not named stays, and null or an empty list clears."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    models: tuple[str, ...] | UnsetType = UNSET
    ip_ranges: tuple[str, ...] | UnsetType = UNSET
    hours: HoursBody | UnsetType | None = UNSET
    rotate_after_days: Days | UnsetType | None = UNSET
    bodies: KeepingBody | UnsetType | None = UNSET
    regions: tuple[str, ...] | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    cache_s: CacheSeconds | UnsetType | None = UNSET


class RotateBody(Body, frozen=True, kw_only=True):
    """How a key is replaced."""

    overlap_s: float = 86_400.0
    """How long the old key stays valid."""


class RevokeBody(Body, frozen=True, kw_only=True):
    """Texts in which keys may stand that became known to others; they are neither kept nor logged."""

    texts: Texts
    account_id: AccountId | None = None
    """Only keys of this account; None for those of all."""


class NewLimitBody(Body, frozen=True, kw_only=True):
    """A new limit. It binds the calls that fit everything it names; what it leaves empty fits all."""

    unit: Unit
    window: Window
    cap: Annotated[str, Meta(max_length=40)] | Count
    """A whole number; of money an exact decimal, as text."""
    mode: Mode = Mode.ENFORCE
    name: str = ""
    currency: str = ""
    burst_ms: Count | None = None
    level: str = ""
    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    key_id: KeyId | None = None
    model: str = ""
    per: tuple[Dimension, ...] = ()


class ChangeLimitBody(Body, frozen=True, kw_only=True):
    """What changes of a limit; what is not named stays."""

    version: Count
    """The one that the change was made from; another one is refused with 409."""
    cap: Annotated[str, Meta(max_length=40)] | Count | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    name: str | UnsetType = UNSET
    burst_ms: Count | UnsetType | None = UNSET


class PublishedLimitsBody(Body, frozen=True, kw_only=True):
    """To whom the limits that the models' maker publishes are applied: an account, or a level."""

    account_id: AccountId | None = None
    level: str | None = None
    region: str = "beijing"


class LevelBody(Body, frozen=True, kw_only=True):
    """A named bundle of limits."""

    name: str
    description: str = ""


class RateBody(Body, frozen=True, kw_only=True):
    """An exchange rate: one unit of `base` costs `rate` of `quote` from a day on."""

    base: str
    quote: str
    since: str
    """Day, as `2026-01-31`."""
    rate: Amount
    source: str = ""


class MaintenanceBody(Body, frozen=True, kw_only=True):
    """Whether the faces are closed, and what they say meanwhile."""

    on: bool
    words: Annotated[str, Meta(max_length=500)] = ""


class RetentionBody(Body, frozen=True, kw_only=True):
    """How many whole months of calls are kept, beside the current one."""

    keep_months: Annotated[int, Meta(ge=1, le=1_200)]
    keep_audit_months: Annotated[int, Meta(ge=1, le=1_200)] | None = None
    """None keeps the whole audit log."""
