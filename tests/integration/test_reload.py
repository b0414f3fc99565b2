"""Another configuration for a server that runs: keys, upstreams, routes, retries and limits, without losing a call."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from msgspec.structs import force_setattr, replace

from qwenport.testing.faulty_upstream import Fault, FaultyUpstream, FaultyUpstreamThread, Manner, Script
from qwenport.testing.operated import CHAT, books
from qwenport.testing.upstream_tables import configure, route, table, upstream
from qwenport.testing.valkey import running_valkey
from qwenport.testing.worker_connections import client_of_each

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]
MODEL, OTHER_MODEL = "qwen-plus", "qwen-max"
TOKENS = 60
KEY_FILE = "far.key"


@pytest.fixture
def far() -> Iterator[FaultyUpstreamThread]:
    """Give an upstream that takes one key, and whose streams take a minute unless they are hurried."""
    manner = Manner(key="the-first-key", between_chunks_s=1.0)
    with FaultyUpstreamThread(FaultyUpstream(manner=manner)) as running:
        yield running


@pytest.fixture
def other() -> Iterator[FaultyUpstreamThread]:
    with FaultyUpstreamThread(FaultyUpstream()) as running:
        yield running


@pytest.fixture
def server(far: FaultyUpstreamThread, make_server: MakeServer) -> Server:
    server = make_server()
    configure(server.data_dir, first_upstream(far), route(MODEL, "far"))
    write_key(server, "the-first-key")
    server.start(until="/healthz")
    return server


def first_upstream(far: FaultyUpstreamThread) -> str:
    return upstream("far", far.url, api_key_file=KEY_FILE)


def write_key(server: Server, key: str) -> None:
    path = server.data_dir / KEY_FILE
    path.touch(mode=0o600)
    path.write_text(key)


def body(model: str = MODEL, **settings: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": TOKENS, **settings}


def ask(server: Server, model: str = MODEL, **settings: object) -> httpx.Response:
    return httpx.post(server.url + CHAT, json=body(model, **settings), headers=server.bearer, timeout=60)


def test_a_new_key_is_used_by_the_next_call_while_a_stream_goes_on_with_the_old_one(
    server: Server, far: FaultyUpstreamThread, eventually: Eventually
) -> None:
    with httpx.stream("POST", server.url + CHAT, json=body(stream=True), headers=server.bearer, timeout=60) as stream:
        lines = stream.iter_lines()
        seen = [next(line for line in lines if " word" in line)]
        manner_of_the_stream = far.upstream.manner
        far.upstream.manner = replace(manner_of_the_stream, key="the-second-key")
        write_key(server, "the-second-key")
        os.kill(server.pid, signal.SIGHUP)
        # A call that came before the reload may have been refused; that shuts the upstream, and a reload opens it.
        eventually(lambda: ask(server).status_code == 200, "the next call shows the new key")
        is_complete = far.upstream.served[0].is_complete
        force_setattr(manner_of_the_stream, "between_chunks_s", 0.0)
        seen += [line for line in lines if line.startswith("data:")]

    assert not is_complete
    assert sum(" word" in line for line in seen) == TOKENS
    assert seen[-1] == "data: [DONE]"
    assert "the-second-key" not in server.output
    eventually(lambda: books(server) == (True, 0, 0), "the books are complete")


def test_another_upstream_and_another_route_are_in_force_after_the_command(
    server: Server, far: FaultyUpstreamThread, other: FaultyUpstreamThread
) -> None:
    before = ask(server, OTHER_MODEL).status_code
    tables = (first_upstream(far), upstream("other", other.url), route(MODEL, "far"), route(OTHER_MODEL, "other"))
    configure(server.data_dir, *tables)
    done = server.run("reload")

    assert (done.returncode, done.stderr) == (0, "")
    assert before == 503
    assert ask(server, OTHER_MODEL).status_code == 200
    assert [served.asked for served in other.upstream.served] == ["Hi"]
    assert ask(server).status_code == 200

    configure(server.data_dir, upstream("other", other.url), route(MODEL, "other"))
    assert server.run("reload").returncode == 0
    asked = len(far.upstream.served)
    assert ask(server).status_code == 200
    assert (len(far.upstream.served), len(other.upstream.served)) == (asked, 2)


def test_a_file_with_a_mistake_changes_nothing_and_is_told(
    server: Server, far: FaultyUpstreamThread, eventually: Eventually
) -> None:
    configure(server.data_dir, first_upstream(far), route(MODEL, "nowhere"))
    done = server.run("reload")

    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert ask(server).status_code == 200
    os.kill(server.pid, signal.SIGHUP)
    eventually(lambda: server.output.count("nowhere") > 0, "the log says what is wrong")
    assert ask(server).status_code == 200


def test_other_retries_and_other_limits_are_in_force_and_old_ones_gone(
    server: Server, far: FaultyUpstreamThread, eventually: Eventually
) -> None:
    far.upstream.plan = Script([Fault.STATUS_500])
    assert ask(server).status_code == 200
    assert len(far.upstream.served) == 2

    limit = table("[[limits]]", name="few", unit="requests", window="day", cap=1, per=["key"])
    configure(server.data_dir, table("[retries]", tries=1), first_upstream(far), route(MODEL, "far"), limit)
    assert server.run("reload").returncode == 0
    far.upstream.reset()
    far.upstream.plan = Script([Fault.STATUS_500])
    assert [ask(server).status_code for _ in range(2)] == [500, 429]
    assert len(far.upstream.served) == 1

    configure(server.data_dir, first_upstream(far), route(MODEL, "far"))
    assert server.run("reload").returncode == 0
    eventually(lambda: ask(server).status_code == 200, "the limit is gone")


def test_every_worker_follows(far: FaultyUpstreamThread, make_server: MakeServer, eventually: Eventually) -> None:
    with tempfile.TemporaryDirectory(prefix="qwr") as short, running_valkey(Path(short)) as valkey:
        server = make_server(QWENPORT_WORKERS="2", QWENPORT_VALKEY_URL=valkey.url)
        configure(server.data_dir, first_upstream(far), route(MODEL, "far"))
        write_key(server, "the-first-key")
        server.start(until="/healthz")
        eventually(lambda: len(server.children("qwenport worker")) == 2, "both workers run")
        with client_of_each(server.url, server.children("qwenport worker")) as clients:

            def statuses(model: str) -> list[int]:
                return [
                    client.request("POST", CHAT, json=body(model), headers=server.bearer).status_code
                    for client in clients.values()
                ]

            assert (statuses(MODEL), statuses(OTHER_MODEL)) == ([200, 200], [503, 503])
            configure(server.data_dir, first_upstream(far), route(OTHER_MODEL, "far"))
            assert server.run("reload").returncode == 0
            eventually(lambda: statuses(OTHER_MODEL) == [200, 200], "both serve the new route")
            assert statuses(MODEL) == [503, 503]
