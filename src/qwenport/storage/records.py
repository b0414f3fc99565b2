"""What the tables hold, as the rest of the house sees it: frozen, with the house's own types."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from qwenport.core.ids import AccountId, KeyId, RequestId


class AccountRecord(Struct, frozen=True, kw_only=True):
    """An account: whoever pays for the calls of its keys, in one currency."""

    id: AccountId
    email: str
    name: str
    kind: str
    """`metered`: nothing is checked before a call; `prepaid`: the balance is."""
    currency: str
    created_at: datetime
    state: str = "active"


class KeyRecord(Struct, frozen=True, kw_only=True):
    """An API key without the key itself; times are aware and in UTC."""

    id: KeyId
    account_id: AccountId
    currency: str
    """Currency of the account."""
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
    rotates_to: KeyId | None
    """The key that replaces this one."""
    revision: int
    """Number of the last change; a later change of any key has a greater one."""

    def __repr__(self) -> str:
        """Leave out the digest: a short key that an operator chose could be guessed from it."""
        return f"KeyRecord(id={self.id!r}, account_id={self.account_id!r}, name={self.name!r}, prefix={self.prefix!r})"


class CallRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One call in the history; times are milliseconds since 1970 in UTC."""

    request_id: RequestId
    at: int
    """When the call was admitted."""
    key_id: KeyId
    account_id: AccountId
    model: str
    face: str
    operation: str
    streams: bool
    served_by: str
    outcome: str
    status: int
    error: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    usage_source: str
    cost_nanos: int | None
    """Nano-units of the currency; None for a call without a price."""
    currency: str
    price_source: str
    first_event_ms: int | None
    total_ms: int


class LedgerEntry(Struct, frozen=True, kw_only=True, gc=False):
    """One line of the ledger; never changed once written."""

    request_id: RequestId
    account_id: AccountId
    currency: str
    amount_nanos: int
    kind: str
    """`post`: the hold became this amount; `void`: the hold became nothing."""
    at: int
    """When the call was settled, in milliseconds since 1970 in UTC."""


class UsageHour(Struct, frozen=True, kw_only=True, gc=False):
    """What the calls that were admitted within one hour consumed together, for one set of dimensions."""

    hour: int
    """Beginning of the hour, in milliseconds since 1970 in UTC."""
    account_id: AccountId
    key_id: KeyId
    model: str
    served_by: str
    currency: str
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_nanos: int
