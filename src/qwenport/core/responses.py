"""Stored answers of the Responses API: what is kept of one, and what callers may ask about them."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from qwenport.core.queries import Query

KEPT_FOR = timedelta(days=7)
"""How long an answer can be gone on from, as Model Studio has it."""

LARGEST_STORED_BYTES = 16 << 20
"""Bound on one answer and the conversation before it; what is larger is answered, but not kept."""


class StoredResponse(Struct, frozen=True, kw_only=True):
    """One answer that is kept, and the conversation that it answered."""

    id: str
    """`resp_…`."""
    model: str
    created_at: datetime
    previous_id: str = ""
    """The answer that this one went on from; empty for the first of a conversation."""
    items: bytes
    """JSON array of every item of the conversation before the answer, oldest first, each with an id of its own."""
    body: bytes
    """The answer as it was given, a JSON object."""

    @property
    def size_bytes(self) -> int:
        """What it counts against the bounds."""
        return len(self.items) + len(self.body)


class FindResponse(Query, frozen=True, kw_only=True):
    """Answer: `StoredResponse`. Raises `ResponseNotFound` for one unknown, expired, or of another account."""

    id: str


class KeepResponse(Query, frozen=True, kw_only=True):
    """Answer: None. Makes room by removing the account's oldest."""

    response: StoredResponse


class DeleteResponse(Query, frozen=True, kw_only=True):
    """Answer: None. Raises `ResponseNotFound`. Answers that went on from it keep their conversation."""

    id: str


class CancelResponse(Query, frozen=True, kw_only=True):
    """Raises `ResponseNotFound`, else `ParameterInvalid`: no answer is made in the background."""

    id: str
