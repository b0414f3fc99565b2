"""Whole servers before an upstream that hangs and comes back: who waits, who is asked, and what stays open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from qwenport.testing.faulty_upstream import Fault, FaultyUpstream, FaultyUpstreamThread, Script
from qwenport.testing.operated import CHAT, books, calls
from qwenport.testing.upstream_tables import configure, route, table, upstream

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]
MODEL = "qwen-plus"
FAILURES = 3
PATIENCE_S = 20.0
"""What no call takes: two tries of half a second each, and two fifths of one for every token, and a pause."""


@pytest.fixture
def far() -> Iterator[FaultyUpstreamThread]:
    with FaultyUpstreamThread(FaultyUpstream()) as running:
        yield running


@pytest.fixture
def server(far: FaultyUpstreamThread, make_server: MakeServer) -> Server:
    """Give a server that waits a second for a first event, and opens a breaker after three failures."""
    return started(make_server(), far, first_event_s=1.0, total_s=5.0)


@pytest.fixture
def patient_server(far: FaultyUpstreamThread, make_server: MakeServer) -> Server:
    """Give one that waits long for a first event, and a second for the next, for tests whose answers begin well."""
    return started(make_server(), far, first_event_s=60.0, total_s=60.0)


def started(server: Server, far: FaultyUpstreamThread, **deadlines: float) -> Server:
    configure(
        server.data_dir,
        table("[retries]", tries=2, first_pause_s=0.01, breaker_failures=FAILURES, breaker_open_s=0.5),
        upstream("far", far.url, between_events_s=1.0, **deadlines),
        route(MODEL, "far"),
    )
    server.start(until="/healthz")
    return server


def ask(server: Server, **settings: object) -> httpx.Response:
    """Ask; a call that outlasts every deadline fails the test."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, **settings}
    return httpx.post(server.url + CHAT, json=body, headers=server.bearer, timeout=PATIENCE_S)


def standing(server: Server) -> dict[str, Any]:
    """Return how the model stands at the upstream."""
    [found] = server.operator("GET", "/upstreams").raise_for_status().json()
    model: dict[str, Any] = found["models"][0]
    return model


def open_files(server: Server) -> int:
    """Return how many files and sockets the worker holds."""
    [worker] = server.children("qwenport worker")
    return sum(1 for _ in Path(f"/proc/{worker}/fd").iterdir())


def test_an_upstream_that_hangs_is_left_alone_and_asked_again_when_it_is_back(
    server: Server, far: FaultyUpstreamThread, eventually: Eventually
) -> None:
    eventually(lambda: ask(server).status_code == 200, "the upstream answers")  # deadlines here are short
    before = open_files(server)

    far.upstream.plan = Script([Fault.HANG_BEFORE_HEAD], repeats_last=True)
    hung = [ask(server, stream=bool(number % 2)) for number in range(FAILURES)]
    assert {answer.json()["error"]["code"] for answer in hung} == {"request_timeout"}
    assert standing(server)["breaker"] == "open"
    eventually(lambda: standing(server)["under_way"] == 0, "no call is under way at the upstream")
    eventually(lambda: far.upstream.open_connections == 0, "no hung connection is left open")

    far.upstream.plan = Script(())
    eventually(lambda: ask(server).status_code == 200, "the upstream answers again")
    assert ask(server).status_code == 200

    found = standing(server)
    assert (found["breaker"], found["under_way"], found["waiting"]) == ("closed", 0, 0)
    assert far.upstream.open_connections <= 1
    eventually(lambda: open_files(server) <= before, "the worker holds no more files than before")
    eventually(lambda: books(server) == (True, 0, 0), "the books are complete")
    assert {row["output_tokens"] for row in calls(server) if row["outcome"] != "finished"} <= {0}


def test_while_a_breaker_is_open_calls_are_refused_at_once_and_the_upstream_is_not_asked(
    far: FaultyUpstreamThread, make_server: MakeServer
) -> None:
    far.upstream.plan = Script([Fault.STATUS_500], repeats_last=True)
    server = make_server()
    rules = table("[retries]", tries=1, breaker_failures=FAILURES, breaker_open_s=3600.0)
    configure(server.data_dir, rules, upstream("far", far.url), route(MODEL, "far"))
    server.start(until="/healthz")

    for _ in range(FAILURES):
        assert ask(server).status_code == 500
    refused = [ask(server, stream=streams) for streams in (False, True)]

    assert [answer.status_code for answer in refused] == [503, 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert len(far.upstream.served) == FAILURES


def test_a_hang_midway_ends_the_stream_in_an_error_and_bills_what_was_produced(
    patient_server: Server, far: FaultyUpstreamThread, eventually: Eventually
) -> None:
    server = patient_server
    far.upstream.plan = Script([Fault.HANG_MIDWAY])
    answer = ask(server, stream=True)

    assert answer.status_code == 200
    assert '"error"' in answer.text
    assert "[DONE]" not in answer.text
    eventually(lambda: far.upstream.open_connections == 0, "the hung connection is closed")
    eventually(lambda: books(server) == (True, 0, 0), "the books are complete")
    [row] = calls(server)
    assert (row["outcome"], row["usage_source"]) == ("failed", "counted")
    assert answer.text.count(" word") <= row["output_tokens"] <= 4
    assert [served.fault for served in far.upstream.served] == [Fault.HANG_MIDWAY]


def test_an_upstream_that_only_shows_signs_of_life_is_given_up_as_one_that_hangs(
    server: Server, far: FaultyUpstreamThread, eventually: Eventually
) -> None:
    far.upstream.plan = Script([Fault.ENDLESS_COMMENTS], repeats_last=True)
    answers = [ask(server, stream=streams) for streams in (False, True)]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert {answer.json()["error"]["code"] for answer in answers} == {"request_timeout"}
    eventually(lambda: far.upstream.open_connections == 0, "no connection is left open")
    eventually(lambda: books(server) == (True, 0, 0), "the books are complete")
    assert {(row["outcome"], row["output_tokens"]) for row in calls(server)} == {("failed", 0)}


def test_what_an_upstream_says_after_its_end_is_nobodys_and_holds_nobody_up(
    patient_server: Server, far: FaultyUpstreamThread, eventually: Eventually
) -> None:
    server = patient_server
    far.upstream.plan = Script([Fault.GOES_ON], repeats_last=True)
    whole, streamed = ask(server), ask(server, stream=True)
    far.upstream.plan = Script(())
    after = ask(server)

    text = " word0 word1 word2 word3"
    assert [each.json()["choices"][0]["message"]["content"] for each in (whole, after)] == [text, text]
    assert (streamed.text.count('"content":" word'), streamed.text.endswith("data: [DONE]\n\n")) == (4, True)
    eventually(lambda: far.upstream.open_connections <= 1, "only the connection of the last call is kept")
    eventually(lambda: books(server) == (True, 0, 0), "the books are complete")
    assert [(row["outcome"], row["output_tokens"]) for row in calls(server)] == [("finished", 4)] * 3
