"""The steps of a task in the table: each is made once, whoever tries it."""

from __future__ import annotations

from msgspec import structs

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.storage import task_rows
from qwenport.storage.database import Database
from qwenport.storage.task_rows import TaskEnd, TaskRecord, TaskStep

ACCOUNT = AccountId("acc-1")


def task_of(number: int) -> TaskRecord:
    return TaskRecord(
        upstream="studio",
        task_id=f"t-{number}",
        account_id=ACCOUNT,
        key_id=KeyId("key-1"),
        request_id=RequestId(f"r-{number}"),
        target="studio/m",
        model="m",
        made_at=number,
        hold=b"{}",
        rate_ppm=1_000_000,
        next_look_at=100 + number,
    )


def end_of(task: TaskRecord, state: TaskStep) -> TaskEnd:
    return TaskEnd(state=state, status="SUCCEEDED", ended_at=200, leased_until=300, usage=b"u", body=task.hold)


def test_a_task_is_leased_by_one_until_the_lease_runs_out(any_database: Database) -> None:
    one, two = task_of(1), task_of(2)
    with any_database.write() as transaction:
        for each in (one, two):
            task_rows.add(transaction, each)
    with any_database.write() as transaction:
        first = task_rows.lease(transaction, 101, 161, 10)
        second = task_rows.lease(transaction, 102, 162, 10)
        none = task_rows.lease(transaction, 150, 210, 10)
        again = task_rows.lease(transaction, 161, 221, 10)

    assert first == [structs.replace(one, leased_until=161)]
    assert second == [structs.replace(two, leased_until=162)]
    assert (none, [each.task_id for each in again]) == ([], ["t-1"])


def test_the_end_is_written_once_and_the_bill_closes_the_task(any_database: Database) -> None:
    task = task_of(1)
    with any_database.write() as transaction:
        task_rows.add(transaction, task)
        ends = [task_rows.end(transaction, task, end_of(task, TaskStep.DUE)) for _ in range(2)]
        due = task_rows.find(transaction, ACCOUNT, "t-1")
        task_rows.put_off(transaction, task, "RUNNING", 999)
        unleased = task_rows.lease(transaction, 299, 400, 10)
        left = task_rows.lease(transaction, 300, 400, 10)
        task_rows.close(transaction, task)
        closed = task_rows.find(transaction, ACCOUNT, "t-1")

    ended = structs.replace(task, **structs.asdict(end_of(task, TaskStep.DUE)))
    assert (ends, due, unleased) == ([True, False], ended, [])
    assert [each.state for each in left] == [TaskStep.DUE]
    assert closed is not None
    assert (closed.state, closed.leased_until) == (TaskStep.ENDED, 0)


def test_a_task_that_goes_on_is_looked_at_later(any_database: Database) -> None:
    task = task_of(1)
    with any_database.write() as transaction:
        task_rows.add(transaction, task)
        task_rows.put_off(transaction, task, "RUNNING", 500)
        found = task_rows.find(transaction, ACCOUNT, "t-1")
        task_rows.look_soon(transaction, task, 300)

        assert found == structs.replace(task, status="RUNNING", looks=1, next_look_at=500)
        assert [each.task_id for each in task_rows.lease(transaction, 300, 400, 10)] == ["t-1"]


def test_tasks_are_listed_by_account_status_and_model_and_forgotten_when_done(any_database: Database) -> None:
    with any_database.write() as transaction:
        for number in (1, 2, 3):
            task_rows.add(transaction, task_of(number))
        task_rows.end(transaction, task_of(2), end_of(task_of(2), TaskStep.ENDED))

        def listed(*filters: str, account: AccountId = ACCOUNT, start: int = 0) -> tuple[list[str], int]:
            status, model = filters
            found, total = task_rows.page(transaction, account, (status, model), start, 2)
            return [each.task_id for each in found], total

        assert listed("", "") == (["t-3", "t-2"], 3)
        assert listed("", "", start=2) == (["t-1"], 3)
        assert listed("SUCCEEDED", "m") == (["t-2"], 1)
        assert listed("", "other") == ([], 0)
        assert listed("", "", account=AccountId("acc-2")) == ([], 0)
        assert task_rows.find(transaction, AccountId("acc-2"), "t-1") is None
        assert (task_rows.forget(transaction, 3), listed("", "")) == (1, (["t-3", "t-1"], 2))
