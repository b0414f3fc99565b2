"""The operator's routes, health, and whose address is believed, on real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from qwenport.core.events import ChoiceFinished, Event, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.engines.engine import Condition, EngineState
from qwenport.faces.registry import FACES
from qwenport.server.routes import Access
from qwenport.testing.gateway import KEY, OPERATOR_TOKEN, Gateway, Plan, bearer, running_gateway
from qwenport.testing.plain_call import FIRST_ID, every_plain_call
from qwenport.testing.raw_client import Answer, RawClient
from qwenport.testing.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
WHOLE: tuple[Event, ...] = (
    Started(served_by=TARGET, input_tokens=7),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=1)),
)
CALL = every_plain_call(FACES)[0]
TOKEN = bearer(OPERATOR_TOKEN.reveal())
ADMIN_ADDRESSES = [
    ("GET", "/keys"),
    ("POST", "/keys"),
    ("POST", "/keys/key-1/disable"),
    ("GET", "/me"),
    ("GET", "/nothing"),
]
"""Of each kind one; that all of them ask who is there is tested beside the table."""


def engine() -> ScriptedEngine:
    return ScriptedEngine(lambda _: WHOLE, target=TARGET)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, Plan(engines=[engine()])) as running:
        yield running


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with gateway.client() as connected:
        yield connected


async def operate(client: RawClient, method: str, path: str, body: object = None) -> tuple[int, object]:
    content = b"" if body is None else json.dumps(body).encode()
    answer = await client.ask(method, f"/admin/v1{path}", TOKEN, content)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(("method", "path"), ADMIN_ADDRESSES)
@pytest.mark.parametrize("headers", [{}, bearer(), bearer("another token"), {"authorization": "Basic x"}])
async def test_over_tcp_nothing_of_the_admin_api_answers_without_the_token(
    client: RawClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await client.ask(method, f"/admin/v1{path}", headers)

    assert (answer.status, json.loads(answer.body)["code"]) == (401, "operator_token_invalid")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_metrics_need_the_token_over_tcp(client: RawClient) -> None:
    assert (await client.ask("GET", "/metrics")).status == 401
    answer = await client.ask("GET", "/metrics", TOKEN)

    assert (answer.status, b"qwenport_requests_total" in answer.body) == (200, True)


async def test_where_no_token_is_set_the_admin_api_is_closed_over_tcp(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, Plan(engines=[engine()], access=Access(operator_token=None))) as gateway,
        gateway.client() as client,
    ):
        answer = await client.ask("GET", "/admin/v1/keys", bearer(""))

    assert (answer.status, json.loads(answer.body)["code"]) == (401, "operator_token_unset")


async def test_the_admin_socket_needs_no_token_and_has_no_face(gateway: Gateway) -> None:
    async with gateway.operator_client() as operator:
        keys = await operator.ask("GET", "/admin/v1/keys")
        metrics = await operator.ask("GET", "/metrics")
        models = await operator.ask("GET", "/v1/models", bearer())

    assert (keys.status, metrics.status, models.status) == (200, 200, 404)


async def test_a_call_that_was_answered_is_in_the_history_at_once(client: RawClient) -> None:
    await client.send(CALL.request(KEY))
    await client.answer()

    status, call = await operate(client, "GET", f"/calls/{FIRST_ID}")
    assert status == 200
    assert isinstance(call, dict)
    assert (call["outcome"], call["input_tokens"], call["output_tokens"]) == ("finished", 7, 1)
    assert await operate(client, "GET", "/calls") == (200, [call])
    _, books = await operate(client, "GET", "/ledger/check")
    assert isinstance(books, dict)
    assert (books["balanced"], books["open_holds"], books["calls"]) == (True, 0, 1)


async def test_a_change_of_a_key_is_in_force_with_its_answer(client: RawClient) -> None:
    status, made = await operate(client, "POST", "/keys", {"name": "second", "models": ["qwen-max"]})
    assert isinstance(made, dict)
    key = made["key"]

    async def status_of_call() -> int:
        await client.send(CALL.request(key))
        return (await client.answer()).status

    assert status == 201
    assert await status_of_call() == 403
    await operate(client, "POST", f"/keys/{made['id']}/disable")
    assert (await client.ask("GET", "/api/v1/models", bearer(key))).status == 401


async def test_health_is_public_and_tells_of_engines_that_are_on_their_way(client: RawClient, gateway: Gateway) -> None:
    scripted = gateway.plan.engines[0]
    assert isinstance(scripted, ScriptedEngine)
    alive = await client.ask("GET", "/healthz")
    ready = await client.ask("GET", "/readyz")
    scripted.state = Condition(state=EngineState.ABSENT, reason="no weights")
    absent = await client.ask("GET", "/readyz")
    scripted.state = Condition(state=EngineState.LOADING)
    loading = await client.ask("GET", "/readyz")
    scripted.state = Condition(state=EngineState.READY)
    gateway.break_off()
    draining = await client.ask("GET", "/readyz")

    assert [answer.status for answer in (alive, ready, absent, loading, draining)] == [200, 200, 200, 503, 503]
    assert json.loads(absent.body)["engines"] == {TARGET: {"state": "absent", "reason": "no weights"}}
    assert json.loads(draining.body)["status"] == "draining"


async def ask_from_behind(folder: Path, forwarded: list[str], trusted: str, allowed: str) -> Answer:
    """Ask with a key that may be used from `allowed` only, through proxies that say `forwarded`."""
    networks = [ip_network(trusted)] if trusted else []
    plan = Plan(engines=[engine()], trusted_proxies=networks)
    async with running_gateway(folder, plan) as gateway, gateway.client() as client:
        _, made = await operate(client, "POST", "/keys", {"ip_ranges": [allowed]})
        assert isinstance(made, dict)
        lines = "".join(f"x-forwarded-for: {line}\r\n" for line in forwarded)
        head = f"GET /v1/models HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {made['key']}\r\n{lines}\r\n"
        await client.send(head.encode())
        return await client.answer()


@pytest.mark.parametrize(
    ("forwarded", "trusted", "allowed", "status"),
    [
        ([], "", "127.0.0.1/32", 200),
        ([], "", "203.0.113.0/24", 401),
        (["203.0.113.5"], "", "203.0.113.0/24", 401),
        (["203.0.113.5"], "10.0.0.0/8", "203.0.113.0/24", 401),
        (["203.0.113.5"], "127.0.0.0/8", "203.0.113.0/24", 200),
        (["203.0.113.5, 198.51.100.7"], "127.0.0.0/8", "203.0.113.0/24", 401),
        (["203.0.113.5, 127.0.0.9"], "127.0.0.0/8", "203.0.113.0/24", 200),
        (["203.0.113.5", "127.0.0.9"], "127.0.0.0/8", "203.0.113.0/24", 200),
        (["203.0.113.5", "198.51.100.7"], "127.0.0.0/8", "203.0.113.0/24", 401),
        (["203.0.113.5, "], "127.0.0.0/8", "203.0.113.0/24", 200),
        (["::ffff:203.0.113.5, ::ffff:127.0.0.9"], "127.0.0.0/8", "203.0.113.0/24", 200),
        (["no address"], "127.0.0.0/8", "203.0.113.0/24", 401),
    ],
)
async def test_an_address_is_believed_only_from_a_trusted_proxy(
    tmp_path: Path, forwarded: list[str], trusted: str, allowed: str, status: int
) -> None:
    assert (await ask_from_behind(tmp_path, forwarded, trusted, allowed)).status == status
