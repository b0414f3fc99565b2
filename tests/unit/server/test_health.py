"""Whether something may be sent here, and why not."""

from __future__ import annotations

import json

import pytest
from starlette.requests import Request

from qwenport.core.errors import StorageUnavailable
from qwenport.engines.engine import Condition, EngineState
from qwenport.observability.metrics import Metrics
from qwenport.server.health import Health, HealthParts
from qwenport.server.maintenance import Maintenance
from qwenport.testing.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.anyio

REQUEST = Request({"type": "http", "headers": []})


class Asked:
    """The health of a house of which one thing may be wrong."""

    def __init__(self) -> None:
        self.engine = ScriptedEngine(lambda _: [], target="llama/x")
        self.maintenance = Maintenance()
        self.is_draining = False
        self.counters_up = True
        self.storage_error: StorageUnavailable | None = None

    async def ready(self) -> tuple[int, str, str]:
        parts = HealthParts(
            engines={"llama/x": self.engine},
            ping_storage=self._ping,
            is_draining=lambda: self.is_draining,
            metrics=Metrics(),
            maintenance=self.maintenance,
            counters_up=lambda: self.counters_up,
        )
        answer = await Health(parts).ready(REQUEST)
        said = json.loads(bytes(answer.body))
        return answer.status_code, said["status"], said["storage"]

    def _ping(self) -> None:
        if self.storage_error is not None:
            raise self.storage_error


async def test_what_works_is_ready() -> None:
    assert await Asked().ready() == (200, "ready", "ready")


async def test_maintenance_is_told_by_its_name() -> None:
    asked = Asked()
    asked.maintenance.is_on = True

    assert await asked.ready() == (503, "maintenance", "ready")


async def test_a_server_that_ends_says_so_even_during_maintenance() -> None:
    asked = Asked()
    asked.maintenance.is_on = asked.is_draining = True

    assert await asked.ready() == (503, "draining", "ready")


async def test_a_database_that_does_not_answer_is_told_with_its_reason() -> None:
    asked = Asked()
    asked.storage_error = StorageUnavailable("no such host")
    status, word, storage = await asked.ready()

    assert (status, word) == (503, "not ready")
    assert "no such host" in storage


async def test_an_engine_that_loads_is_waited_for_and_an_absent_one_is_not() -> None:
    asked = Asked()
    asked.engine.state = Condition(state=EngineState.LOADING)
    loading = await asked.ready()
    asked.engine.state = Condition(state=EngineState.ABSENT)

    assert (loading, await asked.ready()) == ((503, "not ready", "ready"), (200, "ready", "ready"))


async def test_a_server_that_cannot_count_is_not_ready() -> None:
    asked = Asked()
    asked.counters_up = False

    assert await asked.ready() == (503, "not ready", "ready")
