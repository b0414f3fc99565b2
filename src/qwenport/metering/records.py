"""The lines of the journal: a hold before a call runs, one settlement after it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.ids import AccountId, KeyId, RequestId


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


class Hold(Struct, frozen=True, kw_only=True, tag="hold", tag_field="line"):
    """Admission took this much at most; times are seconds since 1970 in UTC."""

    id: RequestId
    at: float
    expires_at: float
    key_id: KeyId
    account_id: AccountId
    currency: str
    model: str
    face: str
    operation: str
    streams: bool
    input_tokens: int
    """Upper bound of the input."""
    output_tokens: int
    """Upper bound of the output of all choices."""


class Settlement(Struct, frozen=True, kw_only=True, tag="settle", tag_field="line"):
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
    usage_source: str = ""
    """`engine` or `counted`; empty where nothing was consumed."""
    first_event_ms: int | None = None
    """From admission to the first event; None where none came."""
    total_ms: int = 0
