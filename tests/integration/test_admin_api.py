"""The admin API on real sockets: what it changes is in force with its answer, and what it says is what calls did."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from qwenport.client.admin_client import AdminError, by_socket, from_afar
from qwenport.core.events import ChoiceFinished, Event, Finished, FinishReason, Started
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.metering.flush import Books
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.testing.gateway import KEY, OPERATOR_TOKEN, Gateway, Plan, bearer, running_gateway
from qwenport.testing.plain_call import every_plain_call
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


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    engine = ScriptedEngine(lambda _: WHOLE, target=TARGET)
    async with running_gateway(tmp_path, Plan(engines=[engine])) as running:
        yield running


async def ask(
    gateway: Gateway, method: str, path: str, body: object = None, headers: Mapping[str, str] = TOKEN
) -> tuple[int, Any]:
    """Ask over TCP, by default as the operator."""
    async with gateway.client() as client:
        content = b"" if body is None else json.dumps(body).encode()
        answer = await client.ask(method, f"/admin/v1{path}", headers, content)
        return answer.status, json.loads(answer.body)


async def call_with(gateway: Gateway, key: str) -> int:
    async with gateway.client() as client:
        await client.send(CALL.request(key))
        return (await client.answer()).status


async def account_of(gateway: Gateway) -> str:
    _, accounts = await ask(gateway, "GET", "/accounts")
    return str(accounts[0]["id"])


def fill(gateway: Gateway, count: int, account: str) -> None:
    """Put calls into the books that were never made."""
    hold = Hold(
        id=RequestId("x"),
        at=gateway.plan.clock.timestamp(),
        expires_at=0,
        key_id=KeyId("key-x"),
        account_id=AccountId(account),
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=1,
        output_tokens=1,
        cost_nanos=1,
    )
    settlements = [
        Settlement(
            hold=Hold(
                **{**{name: getattr(hold, name) for name in hold.__struct_fields__}, "id": RequestId(f"r-{n:06d}")}
            ),
            at=hold.at,
            outcome=Outcome.FINISHED,
            status=200,
            served_by=TARGET,
            priced=True,
            cost_nanos=1,
            price_source="test",
        )
        for n in range(count)
    ]
    Books(gateway.database, gateway.rules.prices).post(settlements)


async def test_a_limit_binds_from_the_answer_on_that_made_it(gateway: Gateway) -> None:
    _, key = await ask(gateway, "POST", "/keys", {"name": "bounded"})
    assert await call_with(gateway, key["key"]) == 200
    status, limit = await ask(
        gateway, "POST", "/limits", {"unit": "requests", "window": "day", "cap": 0, "key_id": key["id"]}
    )

    assert status == 201
    assert await call_with(gateway, key["key"]) == 429
    await ask(gateway, "DELETE", f"/limits/{limit['id']}")
    assert await call_with(gateway, key["key"]) == 200


async def test_a_suspended_account_does_not_call_and_a_resumed_one_does(gateway: Gateway) -> None:
    account = await account_of(gateway)
    await ask(gateway, "POST", f"/accounts/{account}/suspend")
    assert await call_with(gateway, KEY) == 403
    await ask(gateway, "POST", f"/accounts/{account}/resume")

    assert await call_with(gateway, KEY) == 200


async def test_a_prepaid_account_calls_when_money_is_there(gateway: Gateway) -> None:
    _, account = await ask(gateway, "POST", "/accounts", {"email": "p@example.com", "free_tokens": 0})
    _, key = await ask(gateway, "POST", "/keys", {"account_id": account["id"]})
    before = await call_with(gateway, key["key"])
    await ask(gateway, "POST", f"/accounts/{account['id']}/credit", {"amount": "100", "currency": "CNY"})
    after = await call_with(gateway, key["key"])
    _, balance = await ask(gateway, "GET", f"/accounts/{account['id']}/balance")
    _, (call,) = await ask(gateway, "GET", f"/calls?account={account['id']}&status=200")

    assert before != 200
    assert after == 200
    assert balance["balance"] != "100.00"
    assert call["cost"] is not None


async def test_a_member_uses_the_api_with_a_token_of_their_own(gateway: Gateway) -> None:
    account = await account_of(gateway)
    body = {"email": "m@example.com", "role": "owner"}
    _, member = await ask(gateway, "POST", f"/accounts/{account}/members", body)
    token = bearer(member["token"])

    assert (await ask(gateway, "GET", "/me", headers=token))[1]["account_id"] == account
    assert (await ask(gateway, "GET", "/status", headers=token))[0] == 403
    async with gateway.client() as client:
        assert (await client.ask("GET", "/metrics", token)).status == 401
        assert (await client.ask("GET", "/v1/models", token)).status == 401


async def test_keys_open_no_admin_address_and_the_socket_needs_no_token(gateway: Gateway) -> None:
    client = by_socket(gateway.admin_socket)
    me = await client.get("/me")
    await client.close()

    assert (await ask(gateway, "GET", "/me", headers=bearer()))[0] == 401
    assert (me["actor"], me["role"]) == ("operator", "operator")


async def test_an_export_is_whole_and_a_client_that_leaves_it_harms_nobody(gateway: Gateway) -> None:
    fill(gateway, 3_000, await account_of(gateway))
    client = from_afar(f"http://127.0.0.1:{gateway.port}", OPERATOR_TOKEN.reveal())
    async with client.stream("/calls/export", {"format": "csv"}) as blocks:
        await anext(blocks)
    async with client.stream("/calls/export", {"format": "csv"}) as blocks:
        text = b"".join([block async for block in blocks]).decode()
    with pytest.raises(AdminError, match="it must be one of csv, ndjson") as error:
        async with client.stream("/calls/export", {"format": "xml"}) as blocks:
            await anext(blocks)
    await client.close()

    assert len({row["request_id"] for row in csv.DictReader(io.StringIO(text))}) == 3_000
    assert error.value.status == 400
    await gateway.idle()


async def test_of_many_who_edit_one_limit_at_once_one_succeeds(gateway: Gateway) -> None:
    _, limit = await ask(
        gateway, "POST", "/limits", {"unit": "requests", "window": "day", "cap": 1, "model": "qwen-max"}
    )
    changes = [ask(gateway, "PATCH", f"/limits/{limit['id']}", {"version": 1, "cap": n}) for n in range(2, 12)]
    answers = await asyncio.gather(*changes)

    assert sorted(status for status, _ in answers) == [200, *[409] * 9]
    (won,) = [body for status, body in answers if status == 200]
    assert (await ask(gateway, "GET", f"/limits/{limit['id']}"))[1] == won


async def test_a_credit_that_is_sent_many_times_at_once_is_made_once(gateway: Gateway) -> None:
    account = await account_of(gateway)
    body = {"amount": "5", "currency": "CNY", "idempotency_key": "one"}
    answers = await asyncio.gather(*(ask(gateway, "POST", f"/accounts/{account}/credit", body) for _ in range(10)))
    _, balance = await ask(gateway, "GET", f"/accounts/{account}/balance")

    assert len({answer["id"] for _, answer in answers}) == 1
    assert balance["balance"] == "5.00"


async def test_the_api_stays_open_while_the_faces_are_closed(gateway: Gateway) -> None:
    await ask(gateway, "PUT", "/maintenance", {"on": True, "words": "back at noon"})
    closed = await call_with(gateway, KEY)
    state = await ask(gateway, "GET", "/maintenance")
    await ask(gateway, "PUT", "/maintenance", {"on": False})

    assert (closed, state[0], state[1]["on"]) == (503, 200, True)
    assert await call_with(gateway, KEY) == 200
