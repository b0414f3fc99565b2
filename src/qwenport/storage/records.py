"""What the tables hold, as the rest of the house sees it: frozen, with the house's own types."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from qwenport.core.caller import AccountKind, AccountTerms, BodyKeeping
from qwenport.core.ids import AccountId, EntryId, GrantId, KeyId, MemberId, RequestId, WorkspaceId
from qwenport.core.limits import Limit


class AccountRecord(Struct, frozen=True, kw_only=True):
    """An account: whoever pays for the calls of its keys, in one currency."""

    id: AccountId
    email: str
    name: str
    currency: str
    created_at: datetime
    terms: AccountTerms = AccountTerms()
    revision: int = 0

    @property
    def kind(self) -> AccountKind:
        """Return whether the balance is checked before a call."""
        return self.terms.kind


class WorkspaceRecord(Struct, frozen=True, kw_only=True):
    """A part of an account, with keys of its own."""

    id: WorkspaceId
    account_id: AccountId
    name: str
    created_at: datetime


class MemberRecord(Struct, frozen=True, kw_only=True):
    """Somebody who manages an account through the admin API."""

    id: MemberId
    account_id: AccountId
    workspace_id: WorkspaceId | None
    """The only workspace that the member may see; None for all."""
    email: str
    name: str
    role: str
    digest: str
    """SHA-256 of the token, hexadecimal."""
    prefix: str
    """First and last characters of the token."""
    created_at: datetime
    expires_at: datetime | None
    disabled: bool
    deleted: bool
    revision: int

    def __repr__(self) -> str:
        """Leave out the digest."""
        return f"MemberRecord(id={self.id!r}, account_id={self.account_id!r}, role={self.role!r})"


class KeyHours(Struct, frozen=True, kw_only=True):
    """The hours of the day in which a key may be used; an end before the beginning is on the next day."""

    begin: str
    """Hour and minute, as `08:00`."""
    end: str
    """First minute that does not belong any more."""
    timezone: str
    days: tuple[int, ...] = ()
    """Days of the week on which the hours begin, 1 for Monday to 7; empty for every day."""


class KeyRecord(Struct, frozen=True, kw_only=True):
    """An API key without the key itself; times are aware and in UTC."""

    id: KeyId
    account_id: AccountId
    workspace_id: WorkspaceId
    name: str
    description: str
    digest: str
    """SHA-256 of the key, hexadecimal."""
    prefix: str
    """First seven and last four characters of the key, for people to recognise it."""
    created_at: datetime
    expires_at: datetime | None
    disabled: bool
    deleted: bool
    last_used_at: datetime | None
    models: tuple[str, ...]
    """Names of the models that the key is restricted to; empty for all."""
    ip_ranges: tuple[str, ...]
    """CIDR ranges that the key may be used from; empty for all."""
    hours: KeyHours | None
    rotate_after_days: int | None
    """Age in days at which the list of keys reminds of a rotation."""
    bodies: BodyKeeping | None
    regions: tuple[str, ...] = ()
    """Regions that its calls may be answered in; empty for anywhere."""
    priority: int = 0
    """From -10 to 10: whose calls wait less for an engine."""
    cache_s: int | None = None
    """How old an answer from the response cache may be; None for what the route says."""
    rotates_to: KeyId | None
    """The key that replaces this one."""
    revision: int
    """Number of the last change; a later change of any key has a greater one."""

    def __repr__(self) -> str:
        """Leave out the digest: a short key that an operator chose could be guessed from it."""
        return f"KeyRecord(id={self.id!r}, account_id={self.account_id!r}, name={self.name!r}, prefix={self.prefix!r})"


class LevelRecord(Struct, frozen=True, kw_only=True):
    """A named bundle of limits."""

    name: str
    description: str
    created_at: datetime


class LimitRecord(Struct, frozen=True, kw_only=True):
    """A stored limit."""

    limit: Limit
    created_at: datetime


class RateRecord(Struct, frozen=True, kw_only=True):
    """One unit of `base` costs `rate` of `quote` from a day on."""

    base: str
    quote: str
    since: str
    """Day, as `2026-01-31`."""
    rate: str
    """Exact decimal, above 0."""
    source: str


class AuditRecord(Struct, frozen=True, kw_only=True):
    """One change that somebody made."""

    id: int
    at: datetime
    actor: str
    """`operator` or the id of a member."""
    action: str
    """What was done, such as `key.disable`."""
    object_kind: str
    object_id: str
    account_id: str
    """Empty for what belongs to the house."""
    before: str
    """JSON without secrets; empty where there was nothing."""
    after: str


class CallRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One call in the history; times are milliseconds since 1970 in UTC."""

    request_id: RequestId
    at: int
    """When the call was admitted."""
    key_id: KeyId
    account_id: AccountId
    workspace_id: WorkspaceId
    model: str
    face: str
    operation: str
    streams: bool
    batch: bool
    served_by: str
    outcome: str
    status: int
    error: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    image_tokens: int
    cache_creation_tokens: int
    explicitly_cached_tokens: int
    images: int
    pages: int
    usage_source: str
    cost_nanos: int | None
    """Nano-units of the currency; None for a call without a price."""
    currency: str
    price_source: str
    grant_id: GrantId
    """The free quota that covered the call; empty for none."""
    queue_ms: int | None
    first_event_ms: int | None
    total_ms: int
    items: str = ""
    """What a native service reported beyond tokens, such as `image_count 2, duration 5`; empty for nothing."""


class Posting(Struct, frozen=True, kw_only=True, gc=False):
    """What became of one call's hold: an amount from the customer to the house, or nothing; never changed."""

    request_id: RequestId
    call_at: int
    """When the call was admitted, which decides its month."""
    at: int
    """When the call was settled, in milliseconds since 1970 in UTC."""
    kind: str
    """`post`: the hold became this amount; `void`: the hold became nothing."""
    account_id: AccountId
    debit: str
    credit: str
    currency: str
    hold_nanos: int | None
    """What was held; None for a call without a price."""
    amount_nanos: int
    exchange: str
    """The rate by which the price was converted; empty for none."""


class LedgerEntry(Struct, frozen=True, kw_only=True, gc=False):
    """One movement of money that is no call; never changed once written."""

    id: EntryId
    at: int
    """In milliseconds since 1970 in UTC."""
    kind: str
    """`credit`, `debit`, `refund`, `correction`, or `carried` for the sum of a month that was dropped."""
    account_id: AccountId
    debit: str
    """Ledger account that the amount leaves."""
    credit: str
    """Ledger account that it goes to."""
    currency: str
    amount_nanos: int
    """Above 0."""
    request_id: str
    """The call that is refunded or corrected; empty for none."""
    note: str
    actor: str


class Balance(Struct, frozen=True, kw_only=True, gc=False):
    """The sums of one ledger account in one currency."""

    ledger_account: str
    currency: str
    moved_nanos: int
    """By movements that are no calls."""
    used_nanos: int
    """By calls."""
    revision: int
    """Of the last movement that was no call."""

    @property
    def nanos(self) -> int:
        """Return what there is; below 0 for what is owed."""
        return self.moved_nanos - self.used_nanos


class UsageCounts(Struct, frozen=True, kw_only=True, gc=False):
    """What was consumed."""

    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    image_tokens: int
    images: int
    pages: int
    cost_nanos: int


class UsageHour(UsageCounts, frozen=True, kw_only=True, gc=False):
    """What was consumed within one hour of UTC."""

    hour: int
    """Its first millisecond; -1 for all that months held which are no longer kept (`storage/retention_rows.py`)."""
    account_id: AccountId
    key_id: KeyId
    model: str
    served_by: str
    currency: str


class UsageDay(UsageCounts, frozen=True, kw_only=True, gc=False):
    """What was consumed on one day of the server's time zone."""

    day: str
    """As `2026-01-31`."""
    account_id: AccountId
    key_id: KeyId
    model: str
    served_by: str
    currency: str


class FreeTokens(Struct, frozen=True, kw_only=True, gc=False):
    """How many tokens of a free quota an account has used of one model."""

    account_id: AccountId
    grant_id: GrantId
    model: str
    tokens: int
