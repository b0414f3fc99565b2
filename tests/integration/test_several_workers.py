"""Several workers behind one address and before one Valkey: they act as one server, also when one of them is killed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from qwenport.testing.faulty_upstream import FaultyUpstream, FaultyUpstreamThread, Manner
from qwenport.testing.operated import CHAT, books, calls, knows, new_key
from qwenport.testing.scripted_engine import Wait
from qwenport.testing.scripted_host import INPUT_TOKENS, OUTPUT_TOKENS, ScriptedHost, chat, exact_answer
from qwenport.testing.upstream_tables import configure, route, upstream
from qwenport.testing.valkey import running_valkey
from qwenport.testing.worker_connections import WorkerClient, client_of_each

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
WORKERS = 3
ONE_AT_A_TIME = "qwen-turbo"
MINUTES = {"rpm": ("qwen-plus", "qwen-max", "qwen-flash"), "tpm": ("qwen3-max", "qwen3.5-plus", "qwen3.5-flash")}
"""Models that an upstream paces, each in a minute of its own."""
SERVED_BY = "x-qwenport-served-by"
TOGETHER = re.compile(r"^qwenport_shared_paces_up\{.*\} 1\.0$", re.MULTILINE)
PACES_ALONE = "each worker keeps to its part of the pace until then"


@pytest.fixture(scope="module")
def host() -> Iterator[ScriptedHost]:
    with ScriptedHost() as running:
        yield running


@pytest.fixture(scope="module")
def far() -> Iterator[FaultyUpstreamThread]:
    with FaultyUpstreamThread(FaultyUpstream()) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    host: ScriptedHost,
    far: FaultyUpstreamThread,
    server_class: type[Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """Give a server of three workers; what a test makes there is its own key's."""
    with tempfile.TemporaryDirectory(prefix="qwv") as short, running_valkey(Path(short)) as valkey:
        folder = tmp_path_factory.mktemp("server")
        settings = {"QWENPORT_WORKERS": str(WORKERS), "QWENPORT_VALKEY_URL": valkey.url}
        server = server_class(folder, folder / "no-models", settings)
        host.add_model(server.data_dir)
        configure(
            server.data_dir,
            upstream("rpm", far.url, rpm=1),
            upstream("tpm", far.url, tpm=1),
            upstream("one", far.url, concurrency=1),
            upstream("rest", far.url),
            *(route(model, paced, "rest") for paced, models in MINUTES.items() for model in models),
            route(ONE_AT_A_TIME, "one", "rest"),
        )
        try:
            server.start(until="/healthz")
            yield server
        finally:
            server.close()


@pytest.fixture
def clients(server: Server, eventually: Eventually) -> Iterator[list[WorkerClient]]:
    """Give a client of each worker."""
    eventually(lambda: len(workers(server)) == WORKERS, "all workers run")
    with client_of_each(server.url, workers(server)) as each:
        yield list(each.values())


@pytest.fixture
def key(server: Server, clients: list[WorkerClient], eventually: Eventually) -> tuple[str, str]:
    """Give the id of a new key, and the key, which every worker knows."""
    made = new_key(server)
    eventually(lambda: all(knows(client, made[1]) for client in clients), "every worker knows the key")
    return made


def workers(server: Server) -> list[int]:
    return server.children("qwenport worker")


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def ask(client: WorkerClient, key: str) -> httpx.Response:
    return client.request("POST", CHAT, json=chat(), headers=bearer(key))


def operate(client: WorkerClient, server: Server, path: str) -> httpx.Response:
    return client.request("GET", path, headers=bearer(server.token)).raise_for_status()


def test_a_key_that_is_switched_off_is_refused_by_every_worker_until_it_is_switched_on(
    server: Server, clients: list[WorkerClient], key: tuple[str, str], eventually: Eventually
) -> None:
    key_id, shown = key

    def statuses() -> set[int]:
        return {ask(client, shown).status_code for client in clients}

    assert statuses() == {200}
    server.operator("POST", f"/keys/{key_id}/disable").raise_for_status()
    eventually(lambda: statuses() == {401}, "every worker refuses the key")
    server.operator("POST", f"/keys/{key_id}/enable").raise_for_status()
    eventually(lambda: statuses() == {200}, "every worker takes the key")


def test_whichever_worker_is_asked_the_books_hold_the_calls_of_all(
    server: Server, clients: list[WorkerClient], key: tuple[str, str]
) -> None:
    key_id, shown = key
    answered = []
    for number, client in enumerate(clients, start=1):
        answered.append(ask(client, shown).raise_for_status().json()["id"].removeprefix("chatcmpl-"))
        for reader in clients:
            [row] = operate(reader, server, f"/admin/v1/usage?by=key&key={key_id}").json()
            assert (row["requests"], row["input_tokens"]) == (number, number * INPUT_TOKENS)
            checked = operate(reader, server, "/admin/v1/ledger/check").json()
            assert (checked["balanced"], checked["open_holds"], checked["unposted"]) == (True, 0, 0)

    assert sorted(row["request_id"] for row in calls(server, key=key_id)) == sorted(answered)
    assert server.run("ledger", "check").returncode == 0


def test_whichever_worker_is_asked_the_metrics_count_the_calls_of_all(
    server: Server, clients: list[WorkerClient], key: tuple[str, str], eventually: Eventually
) -> None:
    before = [finished(operate(client, server, "/metrics").text) for client in clients]
    for client in clients:
        assert ask(client, key[1]).status_code == 200

    def grown() -> list[float]:
        return [finished(operate(client, server, "/metrics").text) for client in clients]

    eventually(lambda: len(set(grown())) == 1 and min(grown()) >= max(before) + WORKERS, "all show the calls of all")


def finished(metrics: str) -> float:
    """Return how many calls have finished."""
    lines = (line for line in metrics.splitlines() if line.startswith("qwenport_settlements_total{"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'outcome="finished"' in line)


@pytest.mark.parametrize("paced", MINUTES)
def test_the_minute_of_an_upstream_is_one_for_all_workers(
    paced: str, server: Server, clients: list[WorkerClient], key: tuple[str, str], eventually: Eventually
) -> None:
    passed = []
    for model in MINUTES[paced]:
        alone = server.output.count(PACES_ALONE)
        eventually(lambda: all(sees_all_together(client, server) for client in clients), "the workers pace together")
        passed = [served_by(client, key[1], model) for client in clients]
        # A worker that Valkey keeps waiting on a busy machine paces alone for a moment, and then this shows nothing.
        if server.output.count(PACES_ALONE) == alone:
            break

    assert passed == [paced, "rest", "rest"]


def sees_all_together(client: WorkerClient, server: Server) -> bool:
    """Tell whether a worker paces together with all others, by its own word and by what they last wrote."""
    return len(TOGETHER.findall(operate(client, server, "/metrics").text)) == WORKERS


def test_calls_at_a_time_at_an_upstream_are_counted_over_all_workers(
    far: FaultyUpstreamThread, clients: list[WorkerClient], key: tuple[str, str], eventually: Eventually
) -> None:
    far.upstream.manner = Manner(between_chunks_s=0.1)
    body = hello(ONE_AT_A_TIME) | {"stream": True, "max_tokens": 8_000}
    with clients[0].stream("POST", CHAT, json=body, headers=bearer(key[1])) as held:
        pieces = held.iter_raw()  # who lets go of them hangs up
        next(pieces)
        assert held.headers[SERVED_BY] == f"one/{ONE_AT_A_TIME}"
        # A worker that Valkey keeps waiting on a busy machine paces alone for a moment.
        for client in clients[1:]:
            eventually(lambda asked=client: served_by(asked, key[1], ONE_AT_A_TIME) == "rest", "the place is taken")
    far.upstream.manner = Manner()

    for client in clients[1:]:
        eventually(lambda asked=client: served_by(asked, key[1], ONE_AT_A_TIME) == "one", "the place is free again")


def hello(model: str) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}


def served_by(client: WorkerClient, key: str, model: str) -> str:
    """Ask a worker; return which upstream answered."""
    answer = client.request("POST", CHAT, json=hello(model), headers=bearer(key)).raise_for_status()
    return answer.headers[SERVED_BY].partition("/")[0]


def test_under_maintenance_every_worker_refuses_calls_in_words_and_the_admin_api_stays(
    server: Server, clients: list[WorkerClient], key: tuple[str, str], eventually: Eventually
) -> None:
    assert server.run("maintenance", "on", "--words", "back at noon").returncode == 0
    eventually(lambda: all(ask(client, key[1]).status_code == 503 for client in clients), "every worker refuses calls")

    refusals = [ask(client, key[1]) for client in clients]
    while_closed = [operate(client, server, "/admin/v1/keys").status_code for client in clients]
    alive = [client.request("GET", "/healthz").status_code for client in clients]
    assert server.run("maintenance", "off").returncode == 0

    assert [answer.headers["retry-after"] for answer in refusals] == ["30"] * WORKERS
    assert all("under maintenance" in answer.text and "back at noon" in answer.text for answer in refusals)
    assert (while_closed, alive) == ([200] * WORKERS, [200] * WORKERS)
    eventually(lambda: all(ask(client, key[1]).status_code == 200 for client in clients), "every worker takes calls")


def test_a_worker_that_is_killed_is_replaced_and_what_its_calls_held_is_free_again(
    server: Server, host: ScriptedHost, eventually: Eventually
) -> None:
    eventually(lambda: len(workers(server)) == WORKERS, "all workers run")
    key_id, key = new_key(server, concurrency=WORKERS)
    wait = Wait()
    host.fake.reply = exact_answer(wait)
    before = workers(server)
    with client_of_each(server.url, before) as clients, ExitStack() as streams:
        eventually(lambda: all(knows(client, key) for client in clients.values()), "every worker knows the key")
        open_streams = {worker: streams.enter_context(stream(client, key)) for worker, client in clients.items()}
        lines = {worker: begun(answer) for worker, answer in open_streams.items()}
        at_once = httpx.post(server.url + CHAT, json=chat(), headers=bearer(key), timeout=30)
        victim = before[0]
        server.kill(victim)
        with suppress(httpx.RemoteProtocolError):
            broken = "".join(lines[victim])
            assert "[DONE]" not in broken
        host.release(wait)
        rests = ["".join(lines[worker]) for worker in before[1:]]
    host.fake.reply = exact_answer()
    eventually(lambda: len(workers(server)) == WORKERS and victim not in workers(server), "another worker has started")

    assert at_once.status_code == 429
    assert all(rest.endswith("data: [DONE]") for rest in rests)
    eventually(lambda: books(server) == (True, 0, 0), "all calls are in the books")
    assert sorted((row["outcome"], row["input_tokens"], row["output_tokens"]) for row in calls(server, key=key_id)) == [
        *[("finished", INPUT_TOKENS, OUTPUT_TOKENS)] * (WORKERS - 1),
        ("lost", 0, 0),
    ]
    eventually(lambda: as_many_at_once_as_before(server, host, key), "what the killed worker held is free again")
    assert server.run("ledger", "check").returncode == 0


def as_many_at_once_as_before(server: Server, host: ScriptedHost, key: str) -> bool:
    """Tell whether so many calls can be under way again as the key may have at once."""
    wait = Wait()
    host.fake.reply = exact_answer(wait)
    with httpx.Client(base_url=server.url, timeout=30) as client, ExitStack() as stack:
        answers = [
            stack.enter_context(client.stream("POST", CHAT, json=chat(streams=True), headers=bearer(key)))
            for _ in range(WORKERS)
        ]
        found = [answer.status_code for answer in answers]
        host.release(wait)
        for answer in answers:
            answer.read()
    host.fake.reply = exact_answer()
    return found == [200] * WORKERS


def stream(client: WorkerClient, key: str) -> AbstractContextManager[httpx.Response]:
    return client.stream("POST", CHAT, json=chat(streams=True), headers=bearer(key))


def begun(answer: httpx.Response) -> Iterator[str]:
    """Return the lines of a stream after the first that holds text."""
    lines = (line for line in answer.iter_lines() if line)
    for line in lines:
        if json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content"):
            break
    return lines


def test_several_workers_without_valkey_are_refused_in_words(make_server: Callable[..., Server]) -> None:
    refused = make_server(QWENPORT_WORKERS="4").run("serve")

    assert refused.returncode != 0
    assert "QWENPORT_WORKERS is `4`" in refused.stderr
    assert "QWENPORT_VALKEY_URL" in refused.stderr
