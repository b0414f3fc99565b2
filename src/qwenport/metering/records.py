"""The lines of the journal: a hold before a call runs, one settlement after it.

Fields are added with a default, so that the journal that an earlier version left behind is still read.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.ids import AccountId, GrantId, KeyId, RequestId, WorkspaceId


class Outcome(StrEnum):
    """How a call ended, as its caller and its bill see it.

    `finished`   the whole answer was made: posted
    `failed`     an error after admission: what was produced before it is posted, nothing otherwise
    `abandoned`  the client left: what was produced is posted, nothing before the first event
    `expired`    nobody settled the hold in time: void
    `lost`       the gateway's process ended in the middle: void
    """

    FINISHED = "finished"
    FAILED = "failed"
    ABANDONED = "abandoned"
    EXPIRED = "expired"
    LOST = "lost"


class Hold(Struct, frozen=True, kw_only=True, gc=False, tag="hold", tag_field="line", omit_defaults=True):
    """Admission took this much at most; times are seconds since 1970 in UTC."""

    id: RequestId
    at: float
    expires_at: float
    key_id: KeyId
    account_id: AccountId
    workspace_id: WorkspaceId = WorkspaceId("")
    currency: str
    model: str
    face: str
    operation: str
    streams: bool
    batch: bool = False
    input_tokens: int
    """Upper bound of the input."""
    output_tokens: int
    """Upper bound of the output of all choices."""
    images: int = 0
    pages: int = 0
    cost_nanos: int | None = None
    """Upper bound of the cost in nano-units of the currency; None for a call without a price."""
    grant: GrantId = GrantId("")
    """The free quota that covers the call; empty for a call that is paid for."""
    items: tuple[tuple[str, int], ...] = ()
    """Upper bounds of what a native service may report beyond tokens, by name; of what has a price."""


class Settlement(Struct, frozen=True, kw_only=True, gc=False, tag="settle", tag_field="line", omit_defaults=True):
    """What replaced a hold, whole in itself: all that the books and the call history need."""

    hold: Hold
    at: float
    outcome: Outcome
    status: int
    """HTTP status that stands for the outcome: 200, the error's, or 499 for a client that left."""
    error: str = ""
    """Code of the error that ended the call, empty for none."""
    served_by: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    image_tokens: int = 0
    cache_creation_tokens: int = 0
    explicitly_cached_tokens: int = 0
    images: int = 0
    pages: int = 0
    usage_source: str = ""
    """`engine`, `counted` or `clamped`; empty where nothing was consumed."""
    priced: bool = False
    """Whether the three fields below were decided when the call ended; where not, the books decide them."""
    cost_nanos: int | None = None
    """Nano-units of the hold's currency; None for a call without a price."""
    price_source: str = ""
    """Region and date of the price list, or `free quota`, or `route price 0`."""
    exchange: str = ""
    """The rate by which a price in another currency was converted, such as `USD/CNY 7.12 2026-11-01`."""
    billed_percent: int = 100
    """Part that is billed, in money or of a free quota; less for an answer from the cache."""
    queue_ms: int | None = None
    """From admission until an engine took the call; None where none did."""
    first_event_ms: int | None = None
    """From admission to the first event; None where none came."""
    total_ms: int = 0
    items: tuple[tuple[str, int], ...] = ()
    """What a native service reported beyond tokens, by name."""


def billed_part(amount: int, percent: int) -> int:
    """Return the part of nano-units or tokens that is billed, rounded half up."""
    return (amount * percent + 50) // 100
