"""What operators are told of upstreams, and how the configuration is read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import structs

from qwenport.core.errors import StorageUnavailable
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.upstream.place import AccountPace, Place
from qwenport.engines.upstream.upstream_keys import KeyKind
from qwenport.routing.standing import TargetStanding
from qwenport.server.admin.parts import Reloaded

pytestmark = pytest.mark.anyio

ALIBABA = Place(
    name="alibaba",
    kind="alibaba",
    region="singapore",
    base_urls=("https://dashscope-intl.aliyuncs.com/compatible-mode/v1",),
    pace=AccountPace(account="main", requests_per_minute=600),
)
VLLM = Place(name="vllm", kind="openai", base_urls=("http://10.0.0.5/v1", "http://10.0.0.6/v1"))


@dataclass
class OneUpstream:
    """An upstream that is found well as soon as somebody asks."""

    place: Place
    probes: int = 0

    def condition(self) -> Condition:
        """Tell that nobody asked yet, or that it is well."""
        return Condition(state=EngineState.READY) if self.probes else Condition(state=EngineState.ENDED, reason="away")

    async def probe(self) -> Condition:
        """Count, and be well."""
        self.probes += 1
        return self.condition()


@dataclass
class Two:
    """Two upstreams."""

    by_name: Mapping[str, OneUpstream] = field(
        default_factory=lambda: {"vllm": OneUpstream(VLLM), "alibaba": OneUpstream(ALIBABA)}
    )

    def key_kind(self, name: str) -> KeyKind:
        """Return the kind of key that is usual."""
        return {"vllm": KeyKind.NONE, "alibaba": KeyKind.WORKSPACE}[name]


def standing(target: str, **figures: Any) -> TargetStanding:
    plain = TargetStanding(
        target=target,
        upstream=target.partition("/")[0],
        region="",
        state="ready",
        breaker="closed",
        under_way=0,
        waiting=0,
        tries=0,
        failures={},
        first_event_ms=None,
    )
    return structs.replace(plain, **figures)


@pytest.fixture
def with_upstreams(house: Any) -> Any:
    """Return a house with two upstreams, one of whose models has failed."""
    found = (
        standing("vllm/Qwen/Qwen3-8B", breaker="open", tries=9, failures={"engine_failed": 5}, first_event_ms=80.5),
        standing("alibaba/qwen-plus"),
        standing("llama/smollm2-135m-instruct", upstream="", breaker=""),
    )
    house.parts = dataclasses.replace(house.parts, upstreams=Two(), standing=lambda: found)
    return house


def reloading(house: Any, found: Reloaded) -> None:
    async def reload() -> Reloaded:
        return found

    house.parts = dataclasses.replace(house.parts, reload=reload)


async def test_upstreams_are_listed_by_name_with_what_routing_knows_of_their_models(with_upstreams: Any) -> None:
    answer = await with_upstreams.ask("operator", "GET", "/upstreams")

    plain = {"state": "ready", "under_way": 0, "waiting": 0}
    assert answer.json() == [
        {
            "name": "alibaba",
            "kind": "alibaba",
            "region": "singapore",
            "base_urls": ["https://dashscope-intl.aliyuncs.com/compatible-mode/v1"],
            "key_kind": "sk-ws-",
            "state": "ended",
            "reason": "away",
            "paced_as": "main",
            "requests_per_minute": 600,
            "tokens_per_minute": None,
            "concurrency": None,
            "models": [
                {
                    "model": "qwen-plus",
                    "breaker": "closed",
                    "tries": 0,
                    "failures": {},
                    "first_event_ms": None,
                    **plain,
                }
            ],
        },
        {
            "name": "vllm",
            "kind": "openai",
            "region": "",
            "base_urls": ["http://10.0.0.5/v1", "http://10.0.0.6/v1"],
            "key_kind": "none",
            "state": "ended",
            "reason": "away",
            "paced_as": "",
            "requests_per_minute": None,
            "tokens_per_minute": None,
            "concurrency": None,
            "models": [
                {
                    "model": "Qwen/Qwen3-8B",
                    "breaker": "open",
                    "tries": 9,
                    "failures": {"engine_failed": 5},
                    "first_event_ms": 80.5,
                    **plain,
                }
            ],
        },
    ]


async def test_a_check_asks_the_one_upstream_once(with_upstreams: Any) -> None:
    answer = await with_upstreams.ask("operator", "POST", "/upstreams/vllm/check")

    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (200, "ready", "")
    found = with_upstreams.parts.upstreams.by_name
    assert (found["vllm"].probes, found["alibaba"].probes) == (1, 0)


async def test_a_check_of_an_unknown_upstream_is_not_found(with_upstreams: Any) -> None:
    answer = await with_upstreams.ask("operator", "POST", "/upstreams/vlllm/check")

    assert (answer.status_code, answer.json()) == (
        404,
        {"code": "not_found", "message": "no upstream has the name `vlllm`; see `qwenport upstreams list`"},
    )


async def test_without_upstreams_the_list_is_empty(house: Any) -> None:
    assert (await house.ask("operator", "GET", "/upstreams")).json() == []


async def test_a_reload_tells_what_changed_and_stands_in_the_audit_log(house: Any) -> None:
    reloading(house, Reloaded(changed=("key of the upstream `alibaba`",), needs_restart=("[server]",)))
    answer = await house.ask("operator", "POST", "/reload")

    told = {"changed": ["key of the upstream `alibaba`"], "needs_restart": ["[server]"]}
    assert (answer.status_code, answer.json()) == (200, told)
    (row,) = (await house.ask("operator", "GET", "/audit", params={"action": "house.reload"})).json()
    assert (row["actor"], row["object_id"], row["after"]) == ("operator", "configuration", told)


async def test_a_configuration_that_cannot_be_used_is_told_and_not_logged_as_a_change(house: Any) -> None:
    reloading(house, Reloaded(error="upstream `a`: `region` is missing"))
    answer = await house.ask("operator", "POST", "/reload")

    assert (answer.status_code, answer.json()) == (
        409,
        {
            "code": "configuration_invalid",
            "message": "the configuration stays as it was: upstream `a`: `region` is missing",
        },
    )
    assert (await house.ask("operator", "GET", "/audit", params={"action": "house.reload"})).json() == []


async def test_a_reload_works_while_the_database_is_away(house: Any) -> None:
    async def fail(*_: Any) -> Any:
        raise StorageUnavailable("it was stopped")

    reloading(house, Reloaded(changed=("[retries]",)))
    house.parts = dataclasses.replace(house.parts, run=fail, follow=fail)

    assert (await house.ask("operator", "POST", "/reload")).json() == {"changed": ["[retries]"], "needs_restart": []}


async def test_where_no_server_runs_there_is_nothing_to_reload(house: Any) -> None:
    answer = await house.ask("operator", "POST", "/reload")

    assert (answer.status_code, answer.json()["message"]) == (
        409,
        "no server runs here; it reads the configuration when it starts",
    )
