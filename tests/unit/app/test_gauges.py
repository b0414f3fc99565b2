"""What a scrape says of the house, and that the alert rules ask for nothing else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # its stubs are a package of their own, for this one call
from prometheus_client.parser import text_string_to_metric_families

from qwenport.app.gauges import GaugeParts, HouseGauges
from qwenport.core import errors
from qwenport.core.errors import QwenportError
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.engines.engine import Condition, EngineState
from qwenport.metering.backlog import Backlog
from qwenport.metering.journal import Journal
from qwenport.metering.records import Hold
from qwenport.observability.metrics import Metrics
from qwenport.routing.gauges import routing_gauges
from qwenport.routing.shared_pacing import SharedPaces
from qwenport.server.maintenance import Maintenance
from qwenport.storage.valkey import Valkey
from qwenport.testing.clock import FakeClock
from qwenport.testing.routing import router_to
from qwenport.testing.scripted_engine import ScriptedEngine

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yml"
SEVERITIES = {"critical", "warning", "info"}


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[GaugeParts]:
    journal = Journal(tmp_path, segment_bytes=8192)
    clock = FakeClock()
    yield GaugeParts(
        journal=journal,
        backlog=Backlog(journal, clock),
        router=router_to(ScriptedEngine(lambda _: [], target="llama/x"), clock=clock),
        clock=clock,
        data_dir=tmp_path,
        maintenance=Maintenance(),
        storage_up=lambda: True,
        counters_up=lambda: True,
        connections_in_use=lambda: 2,
        cache_bytes=lambda: 4096,
    )
    journal.close()


def hold(number: int, clock: FakeClock, *, currency: str = "CNY", cost_nanos: int | None = None) -> Hold:
    return Hold(
        id=RequestId(f"request-{number}"),
        at=clock.timestamp(),
        expires_at=clock.timestamp() + 3600,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency=currency,
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=1,
        output_tokens=1,
        cost_nanos=cost_nanos,
    )


def value(parts: GaugeParts, name: str) -> dict[str, float]:
    return dict(HouseGauges(parts)()[name][1])


def test_holds_are_counted_with_what_they_may_cost_by_currency(parts: GaugeParts) -> None:
    clock = FakeClock()
    parts.journal.hold(hold(1, clock, cost_nanos=1_500_000_000))
    parts.journal.hold(hold(2, clock, currency="USD", cost_nanos=500_000_000))
    parts.journal.hold(hold(3, clock))

    assert value(parts, "qwenport_holds_open") == {"": 3}
    assert value(parts, "qwenport_held") == {"CNY": 1.5, "USD": 0.5}


def test_a_hold_is_stale_once_its_time_is_over(parts: GaugeParts) -> None:
    clock = FakeClock()
    parts.journal.hold(hold(1, clock))
    late = FakeClock()
    late.advance(3600)

    assert value(parts, "qwenport_holds_stale") == {"": 0}
    assert value(replace(parts, clock=late), "qwenport_holds_stale") == {"": 1}


def test_the_backlog_is_told_in_settlements_seconds_and_bytes(parts: GaugeParts) -> None:
    clock = FakeClock()
    backlog = Backlog(parts.journal, clock)
    parts.journal.hold(hold(1, clock))
    backlog.settled()
    clock.advance(4)
    behind = replace(parts, backlog=backlog)

    assert value(behind, "qwenport_settlements_unposted") == {"": 1}
    assert value(behind, "qwenport_oldest_unposted_seconds") == {"": 4.0}
    assert value(behind, "qwenport_journal_backlog_bytes") == {"": parts.journal.offset}


def test_what_does_not_answer_is_told(parts: GaugeParts) -> None:
    down = replace(parts, storage_up=lambda: False, counters_up=lambda: False, maintenance=Maintenance(is_on=True))

    names = ("qwenport_storage_up", "qwenport_counters_up", "qwenport_maintenance", "qwenport_database_connections")
    assert [value(parts, name) for name in names] == [{"": 1}, {"": 1}, {"": 0}, {"": 2}]
    assert [value(down, name) for name in names] == [{"": 0}, {"": 0}, {"": 1}, {"": 2}]


def test_free_space_is_that_of_the_data_directory_and_none_where_it_is_gone(parts: GaugeParts) -> None:
    gone = replace(parts, data_dir=parts.data_dir / "gone")

    assert value(parts, "qwenport_disk_free_bytes")[""] > 0
    assert value(gone, "qwenport_disk_free_bytes") == {"": 0}


def test_an_engine_is_ready_or_not(parts: GaugeParts) -> None:
    ended = ScriptedEngine(lambda _: [], target="llama/x")
    ended.state = Condition(state=EngineState.ENDED, restarts=3, resident_bytes=5)
    broken = replace(parts, router=router_to(ended))

    assert value(parts, "qwenport_engine_ready") == {"llama/x": 1.0}
    assert value(broken, "qwenport_engine_ready") == {"llama/x": 0.0}
    assert value(broken, "qwenport_engine_restarts") == {"llama/x": 3}
    assert value(broken, "qwenport_engine_resident_bytes") == {"llama/x": 5}


def rules() -> list[dict[str, Any]]:
    content = yaml.safe_load(RULES.read_text("utf-8"))
    assert set(content) == {"groups"}
    assert all(set(group) == {"name", "rules"} for group in content["groups"])
    return [rule for group in content["groups"] for rule in group["rules"]]


def codes(kind: type[QwenportError] = QwenportError) -> Iterator[str]:
    yield kind.code
    for below in kind.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from codes(below)


def test_every_alert_has_what_prometheus_needs_and_words_for_the_operator() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(names) == len(set(names)) > 15
    for rule in rules():
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in SEVERITIES
        assert "{{ $labels." in rule["annotations"]["summary"]


def test_alerts_ask_only_for_metrics_that_a_scrape_shows(parts: GaugeParts) -> None:
    metrics = Metrics()
    metrics.watch(HouseGauges(parts))
    metrics.count_shadow_refusal("lim-1")
    shown = {
        name
        for family in text_string_to_metric_families(metrics.text().decode())
        for name in (family.name, f"{family.name}_total" if family.type == "counter" else f"{family.name}_bucket")
    }
    shared = SharedPaces(Valkey.connect("redis://127.0.0.1:1/0", "tests"), FakeClock(), workers=2)
    parts.router.parts = replace(parts.router.parts, shared=shared)
    shown |= routing_gauges(parts.router).keys()  # some have values only where there are upstreams and several workers
    asked = {name for rule in rules() for name in re.findall(r"qwenport_[a-z_]+", rule["expr"])}

    assert asked - shown == set()
    assert "qwenport_journal_backlog_bytes" in asked


def test_alerts_ask_only_for_codes_that_errors_have() -> None:
    asked = {
        code
        for rule in rules()
        for listed in re.findall(r'code=~?"([^"]*)"', rule["expr"])
        for code in listed.split("|")
    }

    assert asked
    assert asked - set(codes()) == set()


def test_the_response_cache_tells_its_size_where_there_is_one(parts: GaugeParts) -> None:
    off = replace(parts, cache_bytes=lambda: None)

    assert value(parts, "qwenport_cache_bytes") == {"": 4096}
    assert "qwenport_cache_bytes" not in HouseGauges(off)()


@pytest.mark.anyio
async def test_the_tasks_of_the_worker_are_counted(parts: GaugeParts) -> None:
    before = value(parts, "qwenport_gateway_tasks")[""]
    ended = asyncio.Event()
    task = asyncio.create_task(ended.wait())

    during = value(parts, "qwenport_gateway_tasks")[""]
    ended.set()
    await task

    assert (during, value(parts, "qwenport_gateway_tasks")[""]) == (before + 1, before)
