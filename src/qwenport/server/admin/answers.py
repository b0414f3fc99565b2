"""What the admin API answers, as JSON: amounts are exact decimals, times ISO 8601 in UTC; hashes are never among it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Raw, Struct

from qwenport.core.caller import AccountKind, AccountState, BodyKeeping
from qwenport.core.ids import AccountId, KeyId, LimitId, MemberId, RequestId, WorkspaceId
from qwenport.core.limits import Dimension, Mode, Unit, Window
from qwenport.engines.engine import Condition
from qwenport.storage.records import KeyHours


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """Every refusal."""

    code: str
    message: str
    """What happened, which value, what to do."""


class FreeQuotaAnswer(Struct, frozen=True, kw_only=True):
    """Tokens that an account may use of each model without paying."""

    tokens: int
    until: datetime


class AccountAnswer(Struct, frozen=True, kw_only=True):
    """An account and the terms on which it calls."""

    id: AccountId
    email: str
    name: str
    currency: str
    created_at: datetime
    kind: AccountKind
    state: AccountState
    level: str
    """Name of its bundle of limits; empty for none."""
    workspace_id: WorkspaceId
    """The workspace that it has from the beginning."""
    free_quota: FreeQuotaAnswer | None
    free_tier_only: bool
    discounts: Mapping[str, str]
    """Part of the list price that is billed, by model; `*` stands for all others."""
    deactivated_models: tuple[str, ...]
    deactivated_regions: tuple[str, ...]


class FreeLeftAnswer(Struct, frozen=True, kw_only=True):
    """What is left of the free quota of one model that was used."""

    model: str
    used: int
    left: int


class AccountDetailAnswer(AccountAnswer, frozen=True, kw_only=True):
    """One account with its money and what is left of its free quota."""

    balance: str | None
    """Exact decimal in the account's currency, below 0 for what it owes; None for whoever may not read of money."""
    free_left: tuple[FreeLeftAnswer, ...]
    """By model that was used; of every other one all tokens are left."""


class MemberAnswer(Struct, frozen=True, kw_only=True):
    """Somebody who manages an account."""

    id: MemberId
    account_id: AccountId
    workspace_id: WorkspaceId | None
    email: str
    name: str
    role: str
    prefix: str
    """First and last characters of the token."""
    created_at: datetime
    expires_at: datetime | None
    disabled: bool


class NewMemberAnswer(Struct, frozen=True, kw_only=True):
    """The one answer that holds a member's token."""

    id: MemberId
    token: str


class MeAnswer(Struct, frozen=True, kw_only=True):
    """Who is asking, and what they may."""

    actor: str
    """`operator` or the id of a member."""
    role: str
    account_id: AccountId | None
    workspace_id: WorkspaceId | None
    permissions: tuple[str, ...]


class KeyAnswer(Struct, frozen=True, kw_only=True):
    """An API key without the key itself."""

    id: KeyId
    account_id: AccountId
    workspace_id: WorkspaceId
    currency: str
    """The account's."""
    name: str
    description: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    disabled: bool
    last_used_at: datetime | None
    models: tuple[str, ...]
    ip_ranges: tuple[str, ...]
    hours: KeyHours | None
    rotate_after_days: int | None
    needs_rotation: bool
    bodies: BodyKeeping | None
    regions: tuple[str, ...]
    priority: int
    cache_s: int | None
    rotates_to: KeyId | None


class NewKeyAnswer(Struct, frozen=True, kw_only=True):
    """The one answer that holds a key."""

    id: KeyId
    key: str


class RevokedAnswer(Struct, frozen=True, kw_only=True):
    """What became of keys that are known to others."""

    revoked: tuple[KeyId, ...]
    """Keys that are disabled now."""
    unknown: int
    """How many texts of the form of a key are none of this server's."""


class DeletedAnswer(Struct, frozen=True, kw_only=True):
    """Something is gone."""

    id: str
    deleted: bool = True


class LimitAnswer(Struct, frozen=True, kw_only=True):
    """A limit."""

    id: LimitId
    name: str
    unit: Unit
    window: Window
    cap: str
    """A whole number; of money an exact decimal."""
    mode: Mode
    currency: str
    burst_ms: int | None
    level: str
    account_id: AccountId | None
    workspace_id: WorkspaceId | None
    key_id: KeyId | None
    model: str
    per: tuple[Dimension, ...]
    version: int
    created_at: datetime


class LevelAnswer(Struct, frozen=True, kw_only=True):
    """A named bundle of limits."""

    name: str
    description: str
    created_at: datetime


class RateAnswer(Struct, frozen=True, kw_only=True):
    """One unit of `base` costs `rate` of `quote` from a day on."""

    base: str
    quote: str
    since: str
    rate: str
    source: str


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """A model of the catalog."""

    name: str
    route: tuple[str, ...]
    stands_in: bool
    """Whether another model answers for it."""
    currencies: tuple[str, ...]
    """In which it has a price of its own today."""


class CallBodyAnswer(Struct, frozen=True, kw_only=True):
    """What a call said, as far as it was kept."""

    request_id: RequestId
    at: datetime
    expires_at: datetime
    request: str
    """Text; what is no UTF-8 is shown as `\\xff`."""
    answer: str
    request_bytes: int
    """Size before it was cut."""
    answer_bytes: int


class AuditAnswer(Struct, frozen=True, kw_only=True):
    """One change that somebody made."""

    id: int
    at: datetime
    actor: str
    action: str
    object_kind: str
    object_id: str
    account_id: AccountId | None
    """None for what belongs to the house."""
    before: Raw
    """JSON of what it was; null where there was nothing."""
    after: Raw


class StatusAnswer(Struct, frozen=True, kw_only=True):
    """How the server and its engines are."""

    gateway_resident_bytes: int
    engines: Mapping[str, Condition]
    open_holds: int
    stale_holds: int
    unposted: int
    backlog_bytes: int


class UpstreamModelAnswer(Struct, frozen=True, kw_only=True):
    """One model of an upstream, as the worker that answers has found it."""

    model: str
    state: str
    """What it can do, and why not."""
    breaker: str
    """`closed`, `open` or `half_open`."""
    under_way: int
    waiting: int
    tries: int
    failures: Mapping[str, int]
    """Tries that failed, by the error's code."""
    first_event_ms: float | None
    """Moving average of the time to the first event; null before the first one."""


class UpstreamAnswer(Struct, frozen=True, kw_only=True):
    """An upstream; its key is told by kind alone."""

    name: str
    kind: str
    region: str
    """Empty for the operator's own ground."""
    base_urls: tuple[str, ...]
    """The main one, then its replicas."""
    key_kind: str
    """`none`, `sk-`, `sk-ws-`, `sk-sp-` or `other`."""
    state: str
    reason: str
    """Why it is not ready, and what to do."""
    paced_as: str
    """The account that it is paced with; empty where nothing is paced."""
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None
    models: tuple[UpstreamModelAnswer, ...]
    """Those that routes lead to."""


class ReloadAnswer(Struct, frozen=True, kw_only=True):
    """What is other than before, after the configuration was read again."""

    changed: tuple[str, ...]
    """What is in force now."""
    needs_restart: tuple[str, ...]
    """What stays as it was until the server starts again."""
