"""Asynchronous tasks of native services that are handed on: written down when made, followed to their end, billed once.

Whoever sees first that a task has succeeded, the keeper or a client who asks, writes it with one statement and then
bills it; a worker that dies in between leaves a row that another takes up (docs/decisions/forwarded-tasks.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

import msgspec

from qwenport.app.house import Ground
from qwenport.core.caller import Caller
from qwenport.core.errors import (
    EngineFailed,
    ModelUnavailable,
    QwenportError,
    StorageUnavailable,
    TaskNotCancellable,
)
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.native_tasks import KEPT_FOR, CancelTask, FindTask, KeepTask, ListTasks, TaskEntry, TaskPage
from qwenport.core.queries import Desk
from qwenport.core.usage import Usage
from qwenport.engines.upstream.native_tasks import TaskState
from qwenport.gate.admission import Gate, Result, rate_of
from qwenport.metering.records import Hold
from qwenport.storage import call_rows, task_rows
from qwenport.storage.moments import moment
from qwenport.storage.task_rows import TaskEnd, TaskRecord, TaskStep
from qwenport.storage.transaction import Transaction

log = logging.getLogger(__name__)

SUCCEEDED = "SUCCEEDED"
ENDINGS = frozenset({SUCCEEDED, "FAILED", "CANCELED"})
"""States that a task does not leave; one that is UNKNOWN may be known again a little later."""

LEASE_MS = 60_000
"""How long one worker looks at a task alone; longer than an upstream's answer is waited for."""
FIRST_LOOK_MS = 2_000
LONGEST_PAUSE_MS = 60_000
KEPT_MS = round(KEPT_FOR.total_seconds() * 1000)
FORGOTTEN_AFTER_MS = 2 * KEPT_MS
AT_A_TIME = 20
FRESH_S = 1.0
"""How long an upstream's answer is good for those who ask again."""
MOST_REMEMBERED = 1_000

T = TypeVar("T")


class Tasks(Protocol):
    """The tasks at one upstream."""

    async def find(self, task_id: str) -> TaskState:
        """Return how a task is doing; raises `ModelUnavailable`."""
        ...

    async def cancel(self, task_id: str) -> None:
        """Cancel a task that waits; raises `TaskNotCancellable`, `ModelUnavailable`."""
        ...


class Home(Protocol):
    """An upstream."""

    @property
    def tasks(self) -> Tasks:
        """Its tasks."""
        ...


CallerOf = Callable[[AccountId, KeyId], Caller | None]
"""Finds who calls with a key; None for one that was deleted."""
CheckResult = Callable[[RequestId, str, bytes], Awaitable[None]]
"""Raises where what a task says, made by a request and a model, may not be seen."""


async def _unchecked(_request_id: RequestId, _model: str, _content: bytes) -> None:
    """Let everything be seen."""


class TaskKeeper:
    """Answers for tasks, and follows them while the gateway runs."""

    def __init__(
        self,
        ground: Ground,
        gate: Gate,
        caller_of: CallerOf,
        upstreams: Mapping[str, Home],
        check_result: CheckResult = _unchecked,
    ) -> None:
        """Follow the tasks that `upstreams`, those in force by their names, make; bill them at the gate."""
        self._ground = ground
        self._gate = gate
        self._caller_of = caller_of
        self._upstreams = upstreams
        self._check_result = check_result
        self._fresh: dict[tuple[str, str], tuple[float, bytes]] = {}
        self._billed: dict[tuple[str, str], None] = {}
        """What this process has billed already, for the case that closing the row failed afterwards."""

    def desk(self) -> Desk:
        """Return the queries that are answered here."""
        return {KeepTask: self.add, FindTask: self.find, ListTasks: self.list, CancelTask: self.cancel}

    async def add(self, caller: Caller, query: KeepTask) -> None:
        """Write down a task that was just made; raises `EngineFailed`: a client must not have what nobody can bill."""
        ground = self._ground
        card = ground.resolve(query.call.model)
        now = self._now()
        task = TaskRecord(
            upstream=query.served_by.partition("/")[0],
            task_id=query.task_id,
            account_id=caller.account_id,
            key_id=caller.key_id,
            request_id=query.call.id,
            target=query.served_by,
            model=card.name,
            made_at=now,
            hold=msgspec.json.encode(self._gate.result_hold(caller, card, query.call, ground.ids.request_id())),
            rate_ppm=rate_of(caller, card),
            status=query.status,
            next_look_at=now + FIRST_LOOK_MS,
        )
        try:
            await self._write(lambda transaction: task_rows.add(transaction, task))
        except StorageUnavailable as error:
            log.exception("task `%s` at `%s` was made and could not be written down", task.task_id, task.upstream)
            raise EngineFailed("the task was made and could not be written down; make another one later") from error

    async def find(self, caller: Caller, query: FindTask) -> bytes | None:
        """Return what the upstream says of a task of the account; None for one that is unknown."""
        task = await self._read(lambda transaction: task_rows.find(transaction, caller.account_id, query.id))
        if task is None or task.state == TaskStep.GIVEN_UP:
            return None
        body = await self._told_of(task) if task.state == TaskStep.OPEN else task.body
        await self._check_result(task.request_id, task.model, body)
        return body

    async def list(self, caller: Caller, query: ListTasks) -> TaskPage:
        """Return a page of the account's tasks."""
        filters = (query.status, query.model)
        found, total = await self._read(
            lambda transaction: task_rows.page(transaction, caller.account_id, filters, query.start, query.size)
        )
        return TaskPage(entries=tuple(map(_entry, found)), total=total)

    async def cancel(self, caller: Caller, query: CancelTask) -> None:
        """Cancel a task of the account that waits."""
        task = await self._read(lambda transaction: task_rows.find(transaction, caller.account_id, query.id))
        if task is None or task.state != TaskStep.OPEN:
            raise TaskNotCancellable
        await self._home(task).tasks.cancel(task.task_id)
        self._fresh.pop((task.upstream, task.task_id), None)
        now = self._now()
        await self._write(lambda transaction: task_rows.look_soon(transaction, task, now))

    async def keep(self) -> None:
        """Look at the tasks whose time has come; never raises."""
        now = self._now()
        try:
            due = await self._write(lambda transaction: task_rows.lease(transaction, now, now + LEASE_MS, AT_A_TIME))
        except StorageUnavailable as error:
            log.warning("tasks cannot be looked at: %s", error)
            return
        await asyncio.gather(*(self._look(task) for task in due))

    async def forget(self) -> None:
        """Delete tasks whose results nobody can ask for any more; raises `StorageUnavailable`."""
        made_before = self._now() - FORGOTTEN_AFTER_MS
        await self._write(lambda transaction: task_rows.forget(transaction, made_before))

    async def _told_of(self, task: TaskRecord) -> bytes:
        """Return what the upstream says of an open task, or has just said; what ends it is written and billed."""
        key = (task.upstream, task.task_id)
        known = self._fresh.get(key)
        if known is not None and self._ground.clock.monotonic() < known[0]:
            return known[1]
        state = await self._home(task).tasks.find(task.task_id)
        if len(self._fresh) >= MOST_REMEMBERED:
            self._fresh.clear()
        self._fresh[key] = (self._ground.clock.monotonic() + FRESH_S, state.body)
        if state.answer.task_status in ENDINGS:
            await self._end(task, state)
        return state.body

    async def _look(self, task: TaskRecord) -> None:
        try:
            if task.state == TaskStep.DUE:
                await self._bill(task)
                return
            status = await self._ask(task)
            if status not in ENDINGS:
                await self._go_on(task, status)
        except QwenportError as error:
            # The lease runs out by itself, and the task is looked at again.
            log.warning("task `%s` at `%s` is looked at again later: %s", task.task_id, task.upstream, error)

    async def _ask(self, task: TaskRecord) -> str:
        """Ask how a task is doing, write down that it ended where it did, and return its state."""
        try:
            state = await self._home(task).tasks.find(task.task_id)
        except ModelUnavailable as error:
            log.info("task `%s` at `%s`: %s", task.task_id, task.upstream, error)
            return task.status if task.status not in ENDINGS else "UNKNOWN"
        if state.answer.task_status in ENDINGS:
            await self._end(task, state)
        return state.answer.task_status

    async def _go_on(self, task: TaskRecord, status: str) -> None:
        now = self._now()
        if now - task.made_at < KEPT_MS:
            pause = min(LONGEST_PAUSE_MS, FIRST_LOOK_MS << min(task.looks, 10))
            await self._write(lambda transaction: task_rows.put_off(transaction, task, status, now + pause))
            return
        seen = TaskEnd(state=TaskStep.GIVEN_UP, status="UNKNOWN", ended_at=now, leased_until=0, usage=b"", body=b"")
        if await self._write(lambda transaction: task_rows.end(transaction, task, seen)):
            log.error(
                "task `%s` at `%s` (account `%s`, model `%s`) has not ended for 24 hours and was not billed: "
                "look at the upstream's own bill",
                *(task.task_id, task.upstream, task.account_id, task.model),
            )
            self._ground.metrics.count_task("given_up")

    async def _end(self, task: TaskRecord, state: TaskState) -> None:
        """Write that a task has ended, and bill it where it succeeded; the first who writes it does."""
        now, status = self._now(), state.answer.task_status
        has_succeeded = status == SUCCEEDED
        usage = state.answer.consumed() if has_succeeded else Usage()
        seen = TaskEnd(
            state=TaskStep.DUE if has_succeeded else TaskStep.ENDED,
            status=status,
            ended_at=now,
            leased_until=now + LEASE_MS if has_succeeded else 0,
            usage=msgspec.json.encode(usage),
            body=state.body,
        )
        if not await self._write(lambda transaction: task_rows.end(transaction, task, seen)):
            return
        self._ground.metrics.count_task(status.lower())
        if has_succeeded:
            fields = {name: getattr(seen, name) for name in TaskEnd.__struct_fields__}
            try:
                await self._bill(msgspec.structs.replace(task, **fields))
            except QwenportError as error:
                # It is written that it is due: the keeper bills it as soon as it can, and the client has its result.
                log.warning("task `%s` at `%s` is billed later: %s", task.task_id, task.upstream, error)

    async def _bill(self, task: TaskRecord) -> None:
        """Put the result of a task into the journal, unless it is in the books, and close its row."""
        key = (task.upstream, task.task_id)
        hold = msgspec.json.decode(task.hold, type=Hold)
        is_booked = key in self._billed or await self._read(
            lambda transaction: call_rows.find(transaction, hold.id) is not None
        )
        if not is_booked:
            result = Result(
                hold=msgspec.structs.replace(hold, at=(task.ended_at or self._now()) / 1000),
                rate_ppm=task.rate_ppm,
                made_at=task.made_at / 1000,
                usage=msgspec.json.decode(task.usage, type=Usage),
                served_by=task.target,
            )
            caller = self._caller_of(task.account_id, task.key_id)
            await self._gate.record(result, self._ground.resolve(task.model), caller)
            if len(self._billed) >= MOST_REMEMBERED:
                self._billed.pop(next(iter(self._billed)))
            self._billed[key] = None
        await self._write(lambda transaction: task_rows.close(transaction, task))

    def _home(self, task: TaskRecord) -> Home:
        home = self._upstreams.get(task.upstream)
        if home is None:
            raise ModelUnavailable(f"the upstream `{task.upstream}`, which made the task, is not configured any more")
        return home

    def _now(self) -> int:
        return round(self._ground.clock.timestamp() * 1000)

    async def _read(self, work: Callable[[Transaction], T]) -> T:
        def blocking() -> T:
            with self._ground.database.read() as transaction:
                return work(transaction)

        return await self._ground.run(blocking)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        def blocking() -> T:
            with self._ground.database.write() as transaction:
                return work(transaction)

        return await self._ground.run(blocking)


def _entry(task: TaskRecord) -> TaskEntry:
    return TaskEntry(
        id=task.task_id,
        model=task.model,
        status=task.status,
        request_id=task.request_id,
        key_id=task.key_id,
        made_at=moment(task.made_at),
        ended_at=None if task.ended_at is None else moment(task.ended_at),
    )
