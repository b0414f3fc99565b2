"""Five hundred clients where there is room for exactly so many calls, tokens or yuan, on one worker and on four."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwenport.core.ids import LimitId
from qwenport.core.limits import Dimension, Limit, Unit, Window
from qwenport.faces.registry import FACES
from qwenport.testing.clock import FakeClock
from qwenport.testing.crowd import all_at_once
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.operated import books, call_bytes, knows, new_key, new_limit, prepaid_account, told
from qwenport.testing.plain_call import every_plain_call
from qwenport.testing.scripted_engine import ScriptedEngine
from qwenport.testing.scripted_engine import answer as engine_answer
from qwenport.testing.scripted_host import COST_NANOS, INPUT_TOKENS, OUTPUT_TOKENS, ScriptedHost, chat
from qwenport.testing.valkey import running_valkey
from qwenport.testing.worker_connections import client_of_each

if TYPE_CHECKING:
    from tests.conftest import Server

CLIENTS = 500
K = 23
"""How many calls there is room for."""
ONE_CALL = Decimal(COST_NANOS).scaleb(-9)
"""What a call costs, in yuan."""

RATE = (429, "limit_requests")
QUOTA = (429, "insufficient_quota")
ARREARAGE = (400, "Arrearage")
BURST = (429, "limit_burst_rate")

CALL = every_plain_call(FACES)[0]

Eventually = Callable[..., None]
InForce = Callable[["Server"], None]
ServerOf = Callable[[int], "Server"]


@pytest.fixture(scope="module")
def server_of(server_class: type[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerOf]:
    """Give servers by their number of workers, each started when it is wanted first."""
    started: dict[int, Server] = {}
    with ExitStack() as stack:
        host = stack.enter_context(ScriptedHost())

        def give(workers: int) -> Server:
            if workers not in started:
                settings = {"QWENPORT_WORKERS": str(workers)}
                if workers > 1:
                    short = stack.enter_context(tempfile.TemporaryDirectory(prefix="qwv"))
                    valkey = stack.enter_context(running_valkey(Path(short)))
                    settings["QWENPORT_VALKEY_URL"] = valkey.url
                folder = tmp_path_factory.mktemp("server")
                server = server_class(folder, folder / "no-models", settings)
                stack.callback(server.close)
                host.add_model(server.data_dir)
                server.start(until="/healthz")
                started[workers] = server
            return started[workers]

        yield give


@pytest.fixture
def until_in_force(eventually: Eventually) -> InForce:
    """Give what waits until every worker has taken in all that was changed: the last of it is a further key."""

    def wait(server: Server) -> None:
        _, key = new_key(server)
        with client_of_each(server.url, server.children("qwenport worker")) as clients:
            eventually(lambda: all(knows(client, key) for client in clients.values()), "the changes are in force")

    return wait


def crowd(server: Server, key: str, clients: int = CLIENTS) -> Counter[tuple[int, str]]:
    """Return how often each answer came to clients that all call at once."""
    return Counter(told(answer) for answer in all_at_once(server.port, [call_bytes(key, chat())] * clients))


def used(server: Server, key_id: str) -> tuple[int, int, int, Decimal]:
    """Return requests, tokens in and out, and cost of a key, as the command line tells them."""
    rows = json.loads(server.run("usage", "--by", "key", "--json").stdout)
    [row] = [row for row in rows if row["key_id"] == key_id]
    return row["requests"], row["input_tokens"], row["output_tokens"], Decimal(row["cost"])


EXACTLY = (K, K * INPUT_TOKENS, K * OUTPUT_TOKENS, K * ONE_CALL)


def check(server: Server) -> tuple[int, tuple[bool, int, int]]:
    """Return the exit code of `ledger check`, and what is open."""
    return server.run("ledger", "check").returncode, books(server)


@pytest.mark.parametrize("workers", [1, 4])
def test_exactly_so_many_calls_pass_as_a_day_has_room_for(
    server_of: ServerOf, until_in_force: InForce, workers: int
) -> None:
    server = server_of(workers)
    key_id, key = new_key(server)
    new_limit(server, key_id=key_id, unit="requests", window="day", cap=K)
    until_in_force(server)

    seen = crowd(server, key)

    assert seen == {(200, ""): K, RATE: CLIENTS - K}
    assert used(server, key_id) == EXACTLY
    assert check(server) == (0, (True, 0, 0))


@pytest.mark.parametrize("workers", [1, 4])
def test_exactly_so_many_calls_pass_as_there_are_tokens_for(
    server_of: ServerOf, until_in_force: InForce, workers: int
) -> None:
    server = server_of(workers)
    key_id, key = new_key(server)
    # One token more than for K calls is none for another call.
    room = K * (INPUT_TOKENS + OUTPUT_TOKENS) + 1
    new_limit(server, key_id=key_id, unit="total_tokens", window="day", cap=room)
    until_in_force(server)

    seen = crowd(server, key)

    assert seen == {(200, ""): K, QUOTA: CLIENTS - K}
    assert used(server, key_id) == EXACTLY
    assert check(server) == (0, (True, 0, 0))


@pytest.mark.parametrize("workers", [1, 4])
def test_exactly_so_many_calls_pass_as_were_paid_for(
    server_of: ServerOf, until_in_force: InForce, eventually: Eventually, workers: int
) -> None:
    server = server_of(workers)
    account = prepaid_account(server, credit=str(K * ONE_CALL))
    key_id, key = new_key(server, account_id=account)
    until_in_force(server)
    # What was credited comes into shared counters a little later than the key comes to the workers.
    eventually(lambda: crowd(server, key, clients=1) == {(200, ""): 1}, "one of the calls passes")

    seen = crowd(server, key)

    # Who comes while the last of the money is held may try again; who comes when it is spent must pay first.
    assert seen.keys() <= {(200, ""), QUOTA, ARREARAGE}
    assert (seen[200, ""], seen.total()) == (K - 1, CLIENTS)
    assert used(server, key_id) == EXACTLY
    assert Decimal(server.operator("GET", f"/accounts/{account}/balance").json()["balance"]) == 0
    assert crowd(server, key, clients=1) == {ARREARAGE: 1}
    assert check(server) == (0, (True, 0, 0))


@pytest.mark.parametrize("workers", [1, 4])
def test_of_two_hundred_at_once_exactly_sixty_pass_where_sixty_a_minute_may(
    server_of: ServerOf, until_in_force: InForce, workers: int
) -> None:
    server = server_of(workers)
    key_id, key = new_key(server, rpm=60)
    until_in_force(server)

    seen = crowd(server, key, clients=200)

    assert seen == {(200, ""): 60, RATE: 140}
    assert used(server, key_id)[0] == 60


@pytest.mark.parametrize("workers", [1, 4])
def test_of_two_hundred_at_once_one_passes_where_a_second_may_have_one(
    server_of: ServerOf, until_in_force: InForce, workers: int
) -> None:
    server = server_of(workers)
    key_id, key = new_key(server)
    # Calls that were sent in one moment may take this machine longer than a second: the window is an hour's.
    new_limit(server, key_id=key_id, unit="requests", window="hour", cap=60, burst_ms=60_000)
    until_in_force(server)

    assert crowd(server, key, clients=200) == {(200, ""): 1, BURST: 199}


def a_minute(*, burst_ms: int | None = None) -> Limit:
    """Return the limit of sixty calls a minute."""
    return Limit(
        id=LimitId("limit-1"),
        unit=Unit.REQUESTS,
        window=Window.MINUTE,
        cap=60,
        burst_ms=burst_ms,
        per=(Dimension.KEY,),
    )


@asynccontextmanager
async def gateway_with(folder: Path, limit: Limit) -> AsyncIterator[tuple[Gateway, FakeClock]]:
    """Run a gateway in this process, on a clock that moves when it is told to."""
    clock = FakeClock()
    engine = ScriptedEngine(lambda _: engine_answer("Hello"), target="llama/smollm2-135m-instruct")
    async with running_gateway(folder, Plan(engines=[engine], limits=[limit], clock=clock)) as gateway:
        yield gateway, clock


async def statuses(gateway: Gateway, clients: int) -> Counter[int]:
    """Return how often each status came to clients that all call at once."""
    ready = asyncio.Barrier(clients)

    async def one() -> int:
        async with gateway.client() as client:
            await ready.wait()
            await client.send(CALL.request(KEY))
            return (await client.answer()).status

    found = Counter(await asyncio.gather(*(one() for _ in range(clients))))
    await gateway.idle()
    return found


@pytest.mark.anyio
async def test_sixty_pass_in_a_minute_and_sixty_in_the_next(tmp_path: Path) -> None:
    async with gateway_with(tmp_path, a_minute()) as (gateway, clock):
        first = await statuses(gateway, 200)
        clock.advance(59.9)
        before_the_minute_is_over = await statuses(gateway, 20)
        clock.advance(0.1)
        second = await statuses(gateway, 200)

    assert (first, before_the_minute_is_over, second) == ({200: 60, 429: 140}, {429: 20}, {200: 60, 429: 140})


@pytest.mark.anyio
async def test_a_burst_lets_one_of_a_crowd_pass_and_whoever_keeps_the_pace_always(tmp_path: Path) -> None:
    async with gateway_with(tmp_path, a_minute(burst_ms=1000)) as (gateway, clock):
        crowd = await statuses(gateway, 200)
        paced = Counter[int]()
        for _ in range(61):
            clock.advance(1)
            paced += await statuses(gateway, 1)

    assert (crowd, paced) == ({200: 1, 429: 199}, {200: 61})
