"""The query strings that the admin API takes; unknown names are refused, and so is one that is given twice."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from qwenport.core.caller import AccountKind, AccountState
from qwenport.core.ids import AccountId, EntryId, KeyId, LimitId, RequestId, WorkspaceId
from qwenport.core.limits import Unit
from qwenport.metering.usage_report import By, Order

MOST_LISTED = 1_000
"""Things in one answer; `after` or `before` leads on."""

Listed = Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many are listed at most.")]
Tokens = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Month = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="As `2026-01`.")]


class Query(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any query string. A date alone is its first moment; where no zone is named, times are in UTC."""


class NoQuery(Query, frozen=True, kw_only=True):
    """Nothing can be asked for."""


class AccountsQuery(Query, frozen=True, kw_only=True):
    """Which accounts to list, in the order of their ids."""

    limit: Listed = MOST_LISTED
    after: AccountId | None = None
    """The last account of the page before."""
    account: AccountId | None = None
    """This one alone."""
    state: AccountState | None = None
    kind: AccountKind | None = None
    level: str | None = None
    email: str | None = None


class EntriesQuery(Query, frozen=True, kw_only=True):
    """Which movements of an account to list, newest first."""

    limit: Listed = 100
    since: datetime | None = None
    until: datetime | None = None
    before: EntryId | None = None
    """The last entry of the page before."""


class StatementQuery(Query, frozen=True, kw_only=True):
    """Which month's statement to give, and how."""

    month: Month
    format: Literal["json", "csv"] = "json"


class KeysQuery(Query, frozen=True, kw_only=True):
    """Which keys to list, oldest first."""

    limit: Listed = MOST_LISTED
    after: KeyId | None = None
    """The last key of the page before."""
    account: AccountId | None = None
    workspace: WorkspaceId | None = None


class LimitsQuery(Query, frozen=True, kw_only=True):
    """Which limits to list."""

    limit: Listed = MOST_LISTED
    after: LimitId | None = None
    """The last limit of the page before."""
    account: AccountId | None = None
    workspace: WorkspaceId | None = None
    key: KeyId | None = None
    model: str | None = None
    level: str | None = None
    unit: Unit | None = None


class PriceQuery(Query, frozen=True, kw_only=True):
    """What of a model is to be priced, for whom and on which day."""

    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_tokens: Tokens = 0
    explicitly_cached_tokens: Tokens = 0
    cache_creation_tokens: Tokens = 0
    reasoning_tokens: Tokens = 0
    image_tokens: Tokens = 0
    images: Tokens = 0
    pages: Tokens = 0
    currency: str | None = None
    """None for the account's, or CNY."""
    on: date | None = None
    """None for today."""
    batch: bool = False
    account: AccountId | None = None
    """Whose discount is applied."""


class UsageReportQuery(Query, frozen=True, kw_only=True):
    """Which usage to sum, and by what."""

    by: By = By.DAY
    since: datetime | None = None
    until: datetime | None = None
    account: AccountId | None = None
    workspace: WorkspaceId | None = None
    key: KeyId | None = None
    model: str | None = None
    served_by: str | None = None
    timezone: str | None = None
    """In which days are cut; the server's where none is named."""
    top: Annotated[int, Meta(ge=1, le=MOST_LISTED)] | None = None
    """Only so many, the greatest first."""
    order: Order = Order.COST
    """What the greatest have most of."""


class CallFilterQuery(Query, frozen=True, kw_only=True):
    """Which calls; what is not named does not restrict. Values are compared whole."""

    account: AccountId | None = None
    workspace: WorkspaceId | None = None
    key: KeyId | None = None
    model: str | None = None
    face: str | None = None
    outcome: str | None = None
    served_by: str | None = None
    upstream: str | None = None
    """First part of `served_by`, up to its slash."""
    least_cost: str | None = None
    """Exact decimal, in each call's own currency."""
    status: Annotated[int, Meta(ge=100, le=599)] | None = None
    since: datetime | None = None
    until: datetime | None = None


class CallsQuery(CallFilterQuery, frozen=True, kw_only=True):
    """Which calls to list, newest first."""

    limit: Listed = 50
    before: RequestId | None = None
    """The last call of the page before."""


class ExportQuery(CallFilterQuery, frozen=True, kw_only=True):
    """Which calls to export, newest first, and how."""

    format: Literal["csv", "ndjson"] = "csv"


class ExportedQuery(Query, frozen=True, kw_only=True):
    """Whose usage export is compared with the books, and in which columns it has what."""

    upstream: Annotated[str, Meta(min_length=1, max_length=200)]
    """First part of the calls' `served_by`, up to its slash."""
    columns: str = ""
    """Headings that are not understood by themselves, as `day=Booked on,model=Product`."""
    currency: str = ""
    """Of the export's amounts, where no column says it."""
    tolerance: str = "0.000001"
    """By how much amounts may differ."""
    timezone: str | None = None
    """In which the export cuts its days; the server's where none is named."""


class AuditQuery(Query, frozen=True, kw_only=True):
    """Which changes to list, newest first."""

    limit: Listed = 100
    before: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    """The last row of the page before."""
    actor: str | None = None
    action: str | None = None
    """Such as `key.disable`."""
    object: str | None = None
    """Id of what was changed."""
    account: AccountId | None = None
    since: datetime | None = None
    until: datetime | None = None
