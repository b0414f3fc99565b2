"""Which engine of a route takes a call."""

from __future__ import annotations

import pytest

from qwenport.core.call import (
    AnyJson,
    Call,
    EmbeddingInput,
    JsonSchema,
    PromptInput,
    RerankInput,
    Sampling,
)
from qwenport.core.capabilities import Capabilities
from qwenport.core.content import ImagePart, Message, Role, VideoPart
from qwenport.core.errors import ModelUnavailable, ModelUnpurchased, ParameterInvalid
from qwenport.core.model_card import ModelCard
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.engines.engine import Condition, EngineState
from qwenport.routing.choose import Routes
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.scripted_engine import ScriptedEngine


def card(*route: str) -> ModelCard:
    return model_card(
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
    choice = routes(first=first, second=second).choose(card("first/model", "second/model"), chat_call())

    assert choice.target == chosen


def test_targets_that_are_not_here_are_passed_over() -> None:
    choice = routes(second=EngineState.ABSENT).choose(card("first/model", "second/model"), chat_call())

    assert choice.target == "second/model"


def test_a_route_that_leads_nowhere_is_refused_with_the_models_name() -> None:
    with pytest.raises(ModelUnavailable, match="no engine here serves `qwen-plus`"):
        routes(other=EngineState.READY).choose(card("first/model"), chat_call())


IMAGE = Message(role=Role.USER, content=(ImagePart(url="data:,"),))
VIDEO = Message(role=Role.USER, content=(VideoPart(urls=("http://a/b.mp4",), is_frames=False),))
BLIND = Capabilities()
SEEING = Capabilities(vision=True)


def test_a_call_goes_to_the_first_engine_that_can_do_it() -> None:
    engines = [
        ScriptedEngine(lambda _: [], target="first/model", capabilities=BLIND),
        ScriptedEngine(lambda _: [], target="second/model", capabilities=SEEING),
    ]
    both = Routes({engine.target: engine for engine in engines})

    chosen = [
        both.choose(card("first/model", "second/model"), call).target
        for call in (
            chat_call(),
            chat_call(messages=(IMAGE,)),
        )
    ]

    assert chosen == ["first/model", "second/model"]


@pytest.mark.parametrize(
    ("asked", "able", "words"),
    [
        (chat_call(messages=(IMAGE,)), BLIND, "cannot see images"),
        (chat_call(messages=(VIDEO,)), SEEING, "cannot see videos"),
        (call_of(PromptInput(prompt="a")), BLIND, "does not do completions"),
        (call_of(EmbeddingInput(texts=("a",))), BLIND, "does not do embeddings"),
        (call_of(RerankInput(query="a", documents=("b",))), BLIND, "does not do reranks"),
        (
            chat_call(tools=(Tool(name="f"),), tool_choice=ToolChoice(use=ToolUse.REQUIRED)),
            BLIND,
            "cannot be held to a tool_choice of `required`",
        ),
        (chat_call(json=AnyJson()), Capabilities(json_object=False), "cannot be held to JSON"),
        (
            chat_call(json=JsonSchema(name="a", schema=b"{}")),
            Capabilities(json_schema=False),
            "cannot be held to a JSON Schema",
        ),
        (chat_call(sampling=Sampling(logprobs=0)), Capabilities(logprobs=False), "tells no log probabilities"),
        (chat_call(sampling=Sampling(choices=2)), Capabilities(several_choices=False), "makes one choice only"),
        (
            chat_call(messages=(Message(role=Role.ASSISTANT, content="a", is_partial=True),)),
            Capabilities(partial=False),
            "cannot go on from a prefix",
        ),
    ],
)
def test_a_call_that_no_engine_can_do_is_refused_with_what_is_missing(
    asked: Call, able: Capabilities, words: str
) -> None:
    engine = ScriptedEngine(lambda _: [], target="first/model", capabilities=able)
    with pytest.raises(ParameterInvalid) as refusal:
        Routes({engine.target: engine}).choose(card("first/model"), asked)

    assert refusal.value.message == f"The engine `first/model`, which answers for this model here, {words}."


@pytest.mark.parametrize(
    "asked",
    [
        chat_call(thinking=True),
        chat_call(tools=(Tool(name="f"),), tool_choice=ToolChoice(use=ToolUse.NONE)),
        chat_call(tool_choice=ToolChoice(use=ToolUse.REQUIRED)),
    ],
)
def test_what_an_engine_may_ignore_is_no_reason_to_refuse(asked: Call) -> None:
    engine = ScriptedEngine(lambda _: [], target="first/model", capabilities=Capabilities(tool_uses=()))

    assert Routes({engine.target: engine}).choose(card("first/model"), asked) is engine


def test_engines_in_regions_that_the_account_has_switched_off_are_passed_over() -> None:
    engines = [ScriptedEngine(lambda _: [], target=f"{name}/model") for name in ("first", "second", "here")]
    regions = {"first/model": "beijing", "second/model": "singapore"}
    routes = Routes({engine.target: engine for engine in engines}, regions=regions)
    both = card("first/model", "second/model")

    assert routes.choose(both, chat_call(), ("beijing",)).target == "second/model"
    assert routes.choose(both, chat_call(), ("frankfurt",)).target == "first/model"
    assert routes.choose(card("here/model"), chat_call(), ("beijing", "singapore")).target == "here/model"
    with pytest.raises(ModelUnpurchased):
        routes.choose(both, chat_call(), ("beijing", "singapore"))
