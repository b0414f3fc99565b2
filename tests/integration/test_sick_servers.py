"""Servers that are sick in ways that draw calls: one that fails at once, one that nobody waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx

from qwenport.testing.faulty_upstream import Fault, FaultyUpstream, FaultyUpstreamThread, Manner, Script
from qwenport.testing.faulty_upstream.manner import Latency
from qwenport.testing.operated import CHAT
from qwenport.testing.upstream_tables import configure, route, upstream

if TYPE_CHECKING:
    from tests.conftest import Server

MakeServer = Callable[..., "Server"]
SPOILT, SILENT = "qwen-plus", "qwen-max"


def test_a_sick_replica_and_a_silent_upstream_cost_their_callers_few_calls(make_server: MakeServer) -> None:
    sick = FaultyUpstream(plan=Script([Fault.STATUS_503], repeats_last=True))
    silent = FaultyUpstream(plan=Script([Fault.HANG_BEFORE_HEAD], repeats_last=True))
    # Only beside servers that take a while is one that fails at once the least busy.
    slow = Manner(latency=Latency(median_s=0.2))
    with (
        FaultyUpstreamThread(sick) as first,
        FaultyUpstreamThread(FaultyUpstream(manner=slow)) as second,
        FaultyUpstreamThread(silent) as third,
        FaultyUpstreamThread(FaultyUpstream()) as fourth,
    ):
        server = make_server()
        configure(
            server.data_dir,
            upstream("spoilt", first.url, replicas=[second.url]),
            upstream("silent", third.url),
            upstream("well", fourth.url),
            route(SPOILT, "spoilt"),
            route(SILENT, "silent", "well"),
        )
        server.start(until="/healthz")

        assert asked(server, SPOILT, calls=80, at_once=8, patience_s=60) == {"200": 80}
        impatient = asked(server, SILENT, calls=40, at_once=4, patience_s=5.0)

    assert len(sick.served) <= 40
    # Those that were on their way when the third one left are lost too, and now and then one that looks again.
    assert impatient["left"] <= 12
    assert impatient["200"] == 40 - impatient["left"]


def asked(server: Server, model: str, *, calls: int, at_once: int, patience_s: float) -> Counter[str]:
    """Return how calls ended, by status or by their clients having left."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}

    def ask(_number: int) -> str:
        try:
            return str(httpx.post(server.url + CHAT, json=body, headers=server.bearer, timeout=patience_s).status_code)
        except httpx.TimeoutException:
            return "left"

    with ThreadPoolExecutor(at_once) as pool:
        return Counter(pool.map(ask, range(calls)))
