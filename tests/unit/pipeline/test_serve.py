"""The way of a call: what is closed and settled when it is left, and in which order."""

from __future__ import annotations

from contextlib import aclosing
from datetime import date
from pathlib import Path

import pytest

from qwenport.core.call import Call, Message, Role
from qwenport.core.caller import Caller
from qwenport.core.errors import ModelNotFound
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.gate.admission import Gate
from qwenport.gate.permit import permit
from qwenport.metering.journal import Journal
from qwenport.pipeline.prepare import prepare
from qwenport.pipeline.serve import Parts, serve
from qwenport.routing.choose import Routes
from qwenport.testing.clock import FakeClock
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

CALLER = Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), currency="CNY")
CARD = ModelCard(
    name="qwen-plus",
    description="Balanced.",
    family="qwen-plus",
    released=date(2024, 12, 1),
    context_tokens=1000,
    max_input_tokens=900,
    max_output_tokens=100,
    route=("scripted/model",),
)
CALL = Call(
    id=RequestId("request-1"),
    face="openai",
    operation="chat.completions",
    model="qwen-plus",
    messages=(Message(role=Role.USER, content="Hi"),),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def resolve(name: str) -> ModelCard:
    if name != CARD.name:
        raise ModelNotFound(name)
    return CARD


def parts(journal: Journal, engine: ScriptedEngine) -> Parts:
    gate = Gate(journal, FakeClock())
    return Parts(
        resolve=resolve, permit=permit, admit=gate.admit, prepare=prepare, route=Routes({engine.target: engine})
    )


async def test_a_call_that_is_left_has_closed_its_engine_and_settled_before_anything_else_happens(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    engine = ScriptedEngine(lambda _: answer("a", "b"))
    async with aclosing(serve(CALLER, CALL, parts(journal, engine))) as events:
        await anext(events)
        assert (engine.open_runs, len(journal.open_holds)) == (1, 1)
    assert (engine.open_runs, len(journal.open_holds)) == (0, 0)
    journal.close()


async def test_a_model_that_nobody_knows_is_refused_before_anything_is_held(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    engine = ScriptedEngine(lambda _: answer("a"))
    unknown = Call(**{name: getattr(CALL, name) for name in CALL.__struct_fields__} | {"model": "qwen-none"})
    with pytest.raises(ModelNotFound):
        await anext(serve(CALLER, unknown, parts(journal, engine)))

    assert (journal.offset, engine.calls) == (0, [])
    journal.close()
