"""What a worker asks every second, and with every batch of calls, leaves nothing for garbage collection."""

from __future__ import annotations

import gc

from qwenport.storage import months, task_rows
from qwenport.storage.database import Database


def test_looking_for_tasks_and_for_months_leaves_no_circle(any_database: Database) -> None:
    with any_database.write() as transaction:
        months.ensure(transaction, "202601")

        def look() -> None:
            assert task_rows.lease(transaction, 101, 161, 10) == []
            months.ensure(transaction, "202601")
            assert months.exists(transaction, "202601")

        look()
        gc.collect()
        gc.disable()
        for _ in range(10):
            look()
        left = gc.collect()
        gc.enable()

    assert left == 0
