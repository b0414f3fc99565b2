"""An account that has switched a model or a region off is told so on every face, and pays nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwenport.core.errors import ModelUnpurchased
from qwenport.faces.registry import FACES
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.plain_call import PlainCall, every_generating_call
from qwenport.testing.raw_client import Answer
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
CALLS = [call for call in every_generating_call(FACES) if call.model == "qwen-plus"]


async def told(gateway: Gateway, call: PlainCall) -> Answer:
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        return await client.answer()


async def activate(gateway: Gateway, what: str, name: str, *, on: bool) -> None:
    """Switch a model or a region of the only account on or off."""
    async with gateway.operator_client() as operator:
        [account] = json.loads((await operator.ask("GET", "/admin/v1/accounts")).body)
        body = json.dumps({what: {name: on}}).encode()
        assert (await operator.ask("PUT", f"/admin/v1/accounts/{account['id']}/activation", {}, body)).status == 200


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
@pytest.mark.parametrize(("what", "name"), [("models", "qwen-plus"), ("regions", "singapore")])
async def test_what_is_switched_off_is_refused_until_it_is_on_again(
    tmp_path: Path, call: PlainCall, what: str, name: str
) -> None:
    engine = ScriptedEngine(lambda _: answer("a", served_by=TARGET), target=TARGET)
    async with running_gateway(tmp_path, Plan(engines=[engine], regions={TARGET: "singapore"})) as gateway:
        await activate(gateway, what, name, on=False)
        refused = await told(gateway, call)
        await activate(gateway, what, name, on=True)
        served = await told(gateway, call)

    expected = json.loads(call.refusal(ModelUnpurchased()).body)
    expected.pop("request_id", None)
    said = json.loads(refused.body)
    said.pop("request_id", None)
    assert (refused.status, said) == (403, expected)
    assert served.status == 200
    assert len(engine.calls) == 1
