"""Asynchronous tasks of native services that are handed on: what callers may ask about theirs."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from qwenport.core.call import Call
from qwenport.core.ids import KeyId, RequestId
from qwenport.core.queries import Query

KEPT_FOR = timedelta(hours=24)
"""How long the result of a task can be asked for, as Model Studio has it."""


class TaskEntry(Struct, frozen=True, kw_only=True):
    """One task of a list."""

    id: str
    model: str
    status: str
    request_id: RequestId
    """Of the request that made it."""
    key_id: KeyId
    made_at: datetime
    ended_at: datetime | None


class TaskPage(Struct, frozen=True, kw_only=True):
    """A page of a list, the newest first."""

    entries: tuple[TaskEntry, ...]
    total: int
    """On all pages."""


class KeepTask(Query, frozen=True, kw_only=True):
    """Answer: None. Writes down a task that was just made. Raises `EngineFailed`: it could not be written."""

    call: Call
    served_by: str
    """Target that made it."""
    task_id: str
    status: str


class FindTask(Query, frozen=True, kw_only=True):
    """Answer: `bytes`, the upstream's JSON object; None for a task that is unknown or of another account.

    Raises `ModelUnavailable`: the upstream does not say how it is doing.
    """

    id: str


class ListTasks(Query, frozen=True, kw_only=True):
    """Answer: `TaskPage`."""

    start: int
    size: int
    status: str = ""
    """Empty for all."""
    model: str = ""
    """Empty for all."""


class CancelTask(Query, frozen=True, kw_only=True):
    """Answer: None. Raises `TaskNotCancellable` for one that does not wait or is unknown, and `ModelUnavailable`."""

    id: str
