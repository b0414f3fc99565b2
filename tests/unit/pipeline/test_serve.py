"""The way of a call: what is closed and settled when it is left, and in which order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput
from qwenport.core.caller import Caller
from qwenport.core.errors import EngineFailed, ModelNotFound, ParameterInvalid
from qwenport.core.ids import AccountId, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.gate.admission import Gate, Rules
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.permit import Permit
from qwenport.metering.journal import Journal
from qwenport.metering.price_book import PriceBook
from qwenport.pipeline.prepare import Prepare
from qwenport.pipeline.serve import Parts, serve
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.clock import FakeClock
from qwenport.testing.models import model_card
from qwenport.testing.routing import router_to
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

CARD = model_card(
    route=("scripted/model",),
)
CALL = chat_call()


def resolve(name: str) -> ModelCard:
    if name != CARD.name:
        raise ModelNotFound(name)
    return CARD


async def load(account_id: AccountId, call: Call, card: ModelCard) -> ChatInput:
    raise AssertionError("there is nothing to fetch")


async def text_of(tokens: Sequence[int]) -> str:
    raise AssertionError("there are no tokens to stop at")


def parts(journal: Journal, engine: ScriptedEngine) -> Parts:
    clock = FakeClock()
    rules = Rules(limits=LimitBook(), prices=PriceBook({CARD.name: CARD}))
    gate = Gate(journal, clock, rules, LocalCounters(clock))
    return Parts(
        resolve=resolve,
        permit=Permit(lambda *_: False, FakeClock()),
        admit=gate.admit,
        prepare=Prepare(load, text_of),
        route=router_to(engine, clock=clock),
    )


async def test_a_call_that_is_left_has_closed_its_engine_and_settled_before_anything_else_happens(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    engine = ScriptedEngine(lambda _: answer("a", "b"))
    async with aclosing(serve(CALLER, replace(CALL, streams=True), parts(journal, engine))) as events:
        await anext(events)
        assert (engine.open_runs, len(journal.open_holds)) == (1, 1)
    assert (engine.open_runs, len(journal.open_holds)) == (0, 0)
    journal.close()


async def test_a_model_that_nobody_knows_is_refused_before_anything_is_held(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    engine = ScriptedEngine(lambda _: answer("a"))
    unknown = replace(CALL, model="qwen-none")
    with pytest.raises(ModelNotFound):
        await anext(serve(CALLER, unknown, parts(journal, engine)))

    assert (journal.offset, engine.calls) == (0, [])
    journal.close()


@pytest.mark.parametrize("ending", ["finished", "left", "failed", "not prepared"])
async def test_what_was_loaded_for_a_call_is_let_go_when_it_ends_however_it_ends(ending: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    engine = ScriptedEngine(lambda _: [EngineFailed("broke")] if ending == "failed" else answer("a", "b"))
    let_go: list[RequestId] = []

    async def refuse(_caller: Caller, _call: Call, _card: ModelCard) -> PreparedCall:
        raise ParameterInvalid("no image", parameter="messages")

    made = dataclasses.replace(parts(journal, engine), let_go=let_go.append)
    if ending == "not prepared":
        made = dataclasses.replace(made, prepare=refuse)
    async with aclosing(serve(CALLER, replace(CALL, streams=True), made)) as events:
        with suppress(EngineFailed, ParameterInvalid):
            async for _ in events:
                assert let_go == []
                if ending == "left":
                    break

    assert let_go == [CALL.id]
    journal.close()
