"""Whole servers that are killed, drained and left by their clients; most of them before an engine with a script."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from qwenport.testing.llama_host import DONE, Reply, answer, end, piece, progress
from qwenport.testing.scripted_engine import Wait
from qwenport.testing.scripted_host import ScriptedHost

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]
CHAT = "/v1/chat/completions"


@pytest.fixture
def host() -> Iterator[ScriptedHost]:
    with ScriptedHost(answer("Hel", "lo")) as host:
        yield host


@pytest.fixture
def server(host: ScriptedHost, make_server: MakeServer) -> Server:
    """Give a server that is up, with the model `fake` on the fake host and all others without weights."""
    server = make_server()
    host.add_model(server.data_dir)
    server.start(until="/healthz")
    return server


def paused() -> tuple[Reply, Wait]:
    """Return an answer that stops after its first two tokens."""
    wait = Wait()
    steps: list[bytes | Wait] = [progress(7), piece("Hel", 1), piece("lo", 2), wait, piece("!", 3), end(4), DONE]
    return Reply(steps=steps), wait


def body(**settings: object) -> dict[str, object]:
    return {"model": "fake", "messages": [{"role": "user", "content": "Hi"}], **settings}


def ask(server: Server, **settings: object) -> httpx.Response:
    return httpx.post(server.url + CHAT, json=body(**settings), headers=server.bearer, timeout=60)


@contextmanager
def streaming(server: Server, path: str = CHAT, **settings: object) -> Iterator[http.client.HTTPResponse]:
    """Give an open stream from which the first piece was read; leaving the block leaves the server."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", path, json.dumps(body(stream=True, **settings)), server.bearer)
        with connection.getresponse() as response:
            for line in response:
                if b'"content":' in line and b'"content":""' not in line:
                    break
            yield response


def calls(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.operator("GET", "/calls?limit=1000").json()
    return found


def outcomes(server: Server) -> list[tuple[str, int, int, int]]:
    """Return how calls ended, newest first: outcome, status, tokens in, tokens out."""
    return [(row["outcome"], row["status"], row["input_tokens"], row["output_tokens"]) for row in calls(server)]


def books(server: Server) -> tuple[bool, int, int]:
    found = server.operator("GET", "/ledger/check").json()
    return found["balanced"], found["open_holds"], found["unposted"]


def is_port_free(server: Server) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", server.port))
        except OSError:
            return False
    return True


def all_ended(*pids: int) -> bool:
    return not any(is_running(pid) for pid in pids)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan whose new parent never waits for it stays in the table as a zombie.
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_a_server_that_was_killed_has_every_finished_call_in_its_books_once(
    server: Server, host: ScriptedHost, eventually: Eventually
) -> None:
    finished = [ask(server).json()["id"].removeprefix("chatcmpl-") for _ in range(5)]
    host.fake.reply, wait = paused()
    with streaming(server):
        server.kill(server.pid, *server.children())
        server.wait()
    host.release(wait)
    eventually(lambda: is_port_free(server), "the port is free again")

    server.start(until="/healthz")
    rows = calls(server)

    assert sorted(row["request_id"] for row in rows if row["outcome"] == "finished") == sorted(finished)
    assert [(row["outcome"], row["output_tokens"]) for row in rows if row["outcome"] != "finished"] == [("lost", 0)]
    assert books(server) == (True, 0, 0)


def test_a_supervisor_that_was_killed_leaves_no_process_behind(
    make_server: MakeServer, models_dir: Path, eventually: Eventually
) -> None:
    server = make_server(models_dir)
    server.start()
    children = server.children()
    kinds = [bool(server.children(kind)) for kind in ("worker", "llama.host", "embed.host", "ocr.host")]
    server.kill(server.pid)
    server.wait()

    assert all(kinds)
    eventually(lambda: all_ended(*children), "worker and engine hosts end by themselves")
    assert is_port_free(server)


def test_a_worker_that_was_killed_is_replaced_and_its_calls_are_in_the_books(
    server: Server, host: ScriptedHost, eventually: Eventually
) -> None:
    assert ask(server).status_code == 200
    host.fake.reply, wait = paused()
    [worker] = server.children("worker")
    with streaming(server):
        server.kill(worker)
    host.release(wait)
    host.fake.reply = answer("Hello")
    eventually(lambda: server.children("worker") not in ([worker], []), "another worker runs")
    eventually(lambda: server.answers("/healthz"), "it answers")

    assert ask(server).json()["choices"][0]["message"]["content"] == "Hello"
    assert outcomes(server) == [("finished", 200, 7, 2), ("lost", 500, 0, 0), ("finished", 200, 7, 3)]
    assert books(server) == (True, 0, 0)


def test_a_killed_worker_is_not_replaced_before_the_books_have_taken_its_calls(
    server: Server, host: ScriptedHost, eventually: Eventually
) -> None:
    host.fake.reply, wait = paused()
    [worker] = server.children("worker")
    with closing(sqlite3.connect(server.data_dir / "qwenport.db", isolation_level=None)) as somebody:
        with streaming(server):
            somebody.execute("BEGIN IMMEDIATE")
            server.kill(worker)
            eventually(lambda: "cannot be posted yet" in server.output, "the books are locked")
        assert server.children("worker") == []
        somebody.execute("ROLLBACK")
    host.release(wait)
    eventually(lambda: server.answers("/healthz"), "another worker answers")

    assert outcomes(server) == [("lost", 500, 0, 0)]
    assert books(server) == (True, 0, 0)


def test_an_engine_that_was_killed_is_a_clean_503_and_comes_back(
    make_server: MakeServer, models_dir: Path, eventually: Eventually
) -> None:
    server = make_server(models_dir)
    server.start()
    settings: dict[str, Any] = {"model": "qwen-plus", "max_tokens": 3}
    answers = [ask(server, **settings)]

    def is_refused_while_the_engine_is_away() -> bool:
        """Kill it and ask; on a busy machine it may load again by then, and after each time it is away for longer."""
        eventually(lambda: server.answers("/readyz"), "the engine is ready")
        [engine] = server.children("llama.host")
        server.kill(engine)
        eventually(lambda: all_ended(engine), "the engine is dead")
        answers.append(ask(server, **settings))
        return "loading" not in answers[-1].text and answers[-1].status_code != 200

    eventually(is_refused_while_the_engine_is_away, "a call comes while the engine is away")
    refused = answers[-1]

    assert refused.status_code == 503, refused.text
    assert refused.json()["error"]["code"] == "ModelUnavailable"
    assert refused.json()["error"]["message"].startswith("Model is unavailable, please try again later. (")
    assert "ended" in refused.json()["error"]["message"]
    assert int(refused.headers["retry-after"]) > 0
    assert server.answers("/healthz")
    eventually(lambda: server.answers("/readyz"), "the engine is ready again")
    answers.append(ask(server, **settings))
    assert (answers[0].status_code, answers[-1].status_code) == (200, 200)
    told = {200: ("finished", 200), 503: ("failed", 503)}
    assert [row[:2] for row in outcomes(server)] == [told[answer.status_code] for answer in reversed(answers)]


def test_an_engine_killed_in_the_middle_is_an_error_inside_the_stream_and_bills_what_was_made(
    make_server: MakeServer, models_dir: Path
) -> None:
    server = make_server(models_dir)
    server.start()
    with streaming(server, model="qwen-plus", messages=LONG_STORY, max_tokens=2000) as response:
        server.kill(*server.children("llama.host"))
        rest = response.read().decode()
    [last] = [json.loads(line.removeprefix("data: ")) for line in rest.splitlines() if '"error"' in line]

    assert last["error"]["code"] == "internal_error"
    assert "[DONE]" not in rest
    [(outcome, status, input_tokens, output_tokens)] = outcomes(server)
    assert (outcome, status) == ("failed", 500)
    assert input_tokens > 0
    assert 0 < output_tokens < 2000
    assert books(server) == (True, 0, 0)


LONG_STORY = [{"role": "user", "content": "Tell me a very long story about a fisherman and count to a thousand in it."}]


def test_a_server_that_is_told_to_end_finishes_what_runs(
    server: Server, host: ScriptedHost, eventually: Eventually
) -> None:
    host.fake.reply, wait = paused()
    with streaming(server) as response:
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: not server.answers("/healthz"), "new connections are refused")
        assert not server.has_ended
        host.release(wait)
        rest = response.read().decode()

    assert rest.endswith("data: [DONE]\n\n")
    assert server.wait() == 0
    assert is_port_free(server)
    assert list(server.temporary.iterdir()) == []
    listed = json.loads(server.run("usage", "--by", "key", "--json").stdout)
    assert [(row["requests"], row["output_tokens"]) for row in listed] == [(1, 4)]


def test_a_second_interrupt_breaks_off_what_runs(server: Server, host: ScriptedHost, eventually: Eventually) -> None:
    host.fake.reply, wait = paused()
    with streaming(server) as response:
        os.kill(server.pid, signal.SIGINT)
        eventually(lambda: not server.answers("/healthz"), "new connections are refused")
        os.kill(server.pid, signal.SIGINT)
        rest = response.read().decode()
    host.release(wait)

    assert server.wait() == 0
    assert "The server is shutting down, please try again later." in rest
    assert json.loads(server.run("ledger", "check", "--json").stdout)["balanced"] is True
    listed = json.loads(server.run("calls", "--json").stdout)
    assert [(row["outcome"], row["status"], row["output_tokens"]) for row in listed] == [("failed", 503, 2)]


@pytest.mark.parametrize("streams", [True, False])
def test_a_client_that_leaves_stops_the_engine_and_pays_for_what_was_made(
    server: Server, host: ScriptedHost, eventually: Eventually, streams: bool
) -> None:
    host.fake.reply, wait = paused()
    if streams:
        with streaming(server) as response:
            # What the gateway has not seen yet when its client leaves is not billed.
            assert any(b'"lo"' in line for line in response)
    else:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            connection.request("POST", CHAT, json.dumps(body()), server.bearer)
            eventually(wait.reached.is_set, "the engine has made two tokens")
            # The gateway takes turns: when it has answered these, it has seen what the engine said before.
            assert all(server.answers("/healthz") for _ in range(3))
    eventually(host.fake.left.is_set, "the engine's connection is closed")
    eventually(lambda: calls(server), "the call is in the books")
    host.release(wait)

    assert outcomes(server) == [("abandoned", 499, 7, 2)]
    assert books(server) == (True, 0, 0)


def test_a_client_that_leaves_during_a_long_prompt_frees_the_engine(
    make_server: MakeServer, models_dir: Path, eventually: Eventually
) -> None:
    server = make_server(models_dir)
    server.start()
    long: dict[str, Any] = {"model": "qwen-plus", "messages": [{"role": "user", "content": "word " * 4000}]}
    with closing(socket.create_connection(("127.0.0.1", server.port))) as connection:
        content = json.dumps(long).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        eventually(lambda: open_holds(server) == 1, "the call runs")

    eventually(lambda: open_holds(server) == 0, "the call was given up")
    assert ask(server, model="qwen-plus", max_tokens=2).status_code == 200
    assert outcomes(server)[1] == ("abandoned", 499, 0, 0)
    assert books(server) == (True, 0, 0)


def open_holds(server: Server) -> float:
    metrics = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {server.token}"}, timeout=10).text
    [line] = [line for line in metrics.splitlines() if line.startswith("qwenport_holds_open")]
    return float(line.rpartition(" ")[2])


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="tells the environment of a process")
def test_a_worker_keeps_memory_tight_unless_the_operator_says_otherwise(make_server: MakeServer) -> None:
    server = make_server(MALLOC_TRIM_THRESHOLD_="4096")
    server.start(until="/healthz")
    [worker] = server.children("worker")
    environment = dict(
        entry.split("=", 1) for entry in Path(f"/proc/{worker}/environ").read_text().split("\0") if "=" in entry
    )
    told = {name: value for name, value in environment.items() if name.startswith("MALLOC_")}

    assert told == {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": "262144",
        "MALLOC_TRIM_THRESHOLD_": "4096",
    }
