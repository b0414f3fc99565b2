"""Which engine of a route takes a call."""

from __future__ import annotations

from datetime import date

import pytest

from qwenport.core.errors import ModelUnavailable
from qwenport.core.model_card import ModelCard
from qwenport.engines.engine import Condition, EngineState
from qwenport.routing.choose import Routes
from qwenport.testing.scripted_engine import ScriptedEngine


def card(*route: str) -> ModelCard:
    return ModelCard(
        name="qwen-plus",
        description="Balanced.",
        family="qwen-plus",
        released=date(2024, 12, 1),
        context_tokens=1000,
        max_input_tokens=900,
        max_output_tokens=100,
        route=route,
    )


def routes(**states: EngineState) -> Routes:
    """Return routes to the targets `first/model` and so on, whose engines are in these states."""
    engines = {}
    for name, state in states.items():
        engine = ScriptedEngine(lambda _: [], target=f"{name}/model")
        engine.state = Condition(state=state)
        engines[engine.target] = engine
    return Routes(engines)


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        (EngineState.READY, EngineState.READY, "first/model"),
        (EngineState.LOADING, EngineState.READY, "second/model"),
        (EngineState.ENDED, EngineState.READY, "second/model"),
        (EngineState.ENDED, EngineState.LOADING, "first/model"),
        (EngineState.LOADING, EngineState.ENDED, "first/model"),
        (EngineState.ABSENT, EngineState.LOADING, "second/model"),
        (EngineState.ABSENT, EngineState.READY, "second/model"),
        (EngineState.ABSENT, EngineState.ABSENT, "first/model"),
    ],
)
def test_the_first_that_is_ready_or_can_become_so_takes_the_call(
    first: EngineState, second: EngineState, chosen: str
) -> None:
    choice = routes(first=first, second=second).choose(card("first/model", "second/model"))

    assert choice.target == chosen


def test_targets_that_are_not_here_are_passed_over() -> None:
    choice = routes(second=EngineState.ABSENT).choose(card("first/model", "second/model"))

    assert choice.target == "second/model"


def test_a_route_that_leads_nowhere_is_refused_with_the_models_name() -> None:
    with pytest.raises(ModelUnavailable, match="no engine here serves `qwen-plus`"):
        routes(other=EngineState.READY).choose(card("first/model"))
