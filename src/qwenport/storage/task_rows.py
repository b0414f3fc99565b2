"""Statements on the table of asynchronous tasks. Every one that answers a caller names the account.

A task is `open` until its end was seen, `due` from then until its result is in the journal, and `ended`; one whose end
nobody could see in time is `given_up`. Each step is a statement that only one of several who try it makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, select, update

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.storage.tables import NATIVE_TASKS
from qwenport.storage.transaction import Transaction

_T = NATIVE_TASKS.c


class TaskStep(StrEnum):
    """How far a task has come here."""

    OPEN = "open"
    DUE = "due"
    """It succeeded, and its bill is not written yet."""
    ENDED = "ended"
    GIVEN_UP = "given_up"
    """Whether it succeeded could not be found out; it was not billed."""


_UNDER_WAY = (TaskStep.OPEN, TaskStep.DUE)
# Every worker asks each second: a statement that is made anew leaves circles for garbage collection.
_FREE = (
    select(NATIVE_TASKS)
    .where(_T.state.in_(_UNDER_WAY), _T.next_look_at <= bindparam("now"), _T.leased_until <= bindparam("now"))
    .order_by(_T.next_look_at)
    .limit(bindparam("most"))
)


class TaskRecord(Struct, frozen=True, kw_only=True):
    """One task; times are milliseconds since 1970 in UTC."""

    upstream: str
    task_id: str
    account_id: AccountId
    key_id: KeyId
    request_id: RequestId
    """Of the call that made it."""
    target: str
    model: str
    made_at: int
    hold: bytes
    """What its result may cost at most, as a line of the journal, under the id that the result is billed by."""
    rate_ppm: int
    """The part of the list price that the account was billed when the task was made, in parts per million."""
    state: str = TaskStep.OPEN
    status: str = "PENDING"
    """As the upstream said it last."""
    looks: int = 0
    """How often the keeper has asked in vain."""
    next_look_at: int
    leased_until: int = 0
    """Until then one worker looks at it alone."""
    ended_at: int | None = None
    usage: bytes = b""
    """What it consumed, once it has succeeded."""
    body: bytes = b""
    """The upstream's last word, once it has ended."""


class TaskEnd(Struct, frozen=True, kw_only=True):
    """What is known when a task has ended."""

    state: TaskStep
    status: str
    ended_at: int
    leased_until: int
    usage: bytes
    body: bytes


def add(transaction: Transaction, task: TaskRecord) -> None:
    """Write a task that was made."""
    transaction.connection.execute(insert(NATIVE_TASKS), structs.asdict(task))


def find(transaction: Transaction, account_id: AccountId, task_id: str) -> TaskRecord | None:
    """Return a task of an account."""
    query = select(NATIVE_TASKS).where(_T.account_id == account_id, _T.task_id == task_id).limit(1)
    row: Any = transaction.connection.execute(query).one_or_none()
    return None if row is None else _record(row)


def page(
    transaction: Transaction, account_id: AccountId, filters: tuple[str, str], start: int, size: int
) -> tuple[Sequence[TaskRecord], int]:
    """Return a page of an account's tasks of a status and a model (empty for all), newest first, and how many exist."""
    status, model = filters
    wanted = [_T.account_id == account_id]
    wanted += [_T.status == status] if status else []
    wanted += [_T.model == model] if model else []
    query = select(NATIVE_TASKS).where(*wanted).order_by(_T.made_at.desc(), _T.task_id).offset(start).limit(size)
    total = transaction.connection.execute(select(func.count()).select_from(NATIVE_TASKS).where(*wanted)).scalar_one()
    rows: Any = transaction.connection.execute(query)
    return [_record(row) for row in rows], int(total)


def lease(transaction: Transaction, now: int, leased_until: int, most: int) -> Sequence[TaskRecord]:
    """Take the tasks that it is time to look at and that nobody else looks at."""
    rows: Any = transaction.connection.execute(_FREE, {"now": now, "most": most}).all()
    if not rows:
        return []
    free = and_(_T.state.in_(_UNDER_WAY), _T.next_look_at <= now, _T.leased_until <= now)
    return [
        structs.replace(task, leased_until=leased_until)
        for task in map(_record, rows)
        if _changed(transaction, and_(_is(task), free), leased_until=leased_until)
    ]


def put_off(transaction: Transaction, task: TaskRecord, status: str, next_look_at: int) -> None:
    """Write that a task goes on, and when to look again."""
    condition = and_(_is(task), _T.state == task.state)
    _changed(transaction, condition, status=status, looks=task.looks + 1, next_look_at=next_look_at, leased_until=0)


def end(transaction: Transaction, task: TaskRecord, seen: TaskEnd) -> bool:
    """Write that an open task has ended; returns whether nobody has written it before."""
    return _changed(transaction, and_(_is(task), _T.state == TaskStep.OPEN), **structs.asdict(seen))


def close(transaction: Transaction, task: TaskRecord) -> None:
    """Write that the result of a task is in the journal."""
    _changed(transaction, and_(_is(task), _T.state == TaskStep.DUE), state=TaskStep.ENDED, leased_until=0)


def look_soon(transaction: Transaction, task: TaskRecord, now: int) -> None:
    """Write that an open task is to be looked at next."""
    _changed(transaction, and_(_is(task), _T.state == TaskStep.OPEN), next_look_at=now)


def forget(transaction: Transaction, made_before: int) -> int:
    """Delete tasks that were made before a moment and have come to their end here; returns how many."""
    finished = _T.state.in_((TaskStep.ENDED, TaskStep.GIVEN_UP))
    done = transaction.connection.execute(delete(NATIVE_TASKS).where(finished, _T.made_at < made_before))
    return done.rowcount


def _is(task: TaskRecord) -> ColumnElement[bool]:
    return and_(_T.upstream == task.upstream, _T.task_id == task.task_id)


def _changed(transaction: Transaction, condition: ColumnElement[bool], **values: object) -> bool:
    return transaction.connection.execute(update(NATIVE_TASKS).where(condition).values(values)).rowcount == 1


def _record(row: Any) -> TaskRecord:
    return TaskRecord(**row._mapping)  # noqa: SLF001 - how SQLAlchemy gives out rows as mappings
