"""Which target of a route takes a call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from msgspec.structs import replace

from qwenport.catalog.catalog import Catalog
from qwenport.core.call import (
    AnyJson,
    Call,
    EmbeddingInput,
    JsonSchema,
    NativeInput,
    PromptInput,
    RerankInput,
    Sampling,
)
from qwenport.core.caller import AccountTerms, Caller
from qwenport.core.capabilities import Capabilities
from qwenport.core.content import ImagePart, Message, Role, VideoPart
from qwenport.core.errors import AccessDenied, ModelUnavailable, ModelUnpurchased, ParameterInvalid, QwenportError
from qwenport.core.events import Event
from qwenport.core.exchange import ExchangeRate, exchange_rate
from qwenport.core.ids import AccountId, KeyId
from qwenport.core.model_card import ModelCard, Price
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Choice, Route
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.engines.engine import Condition, EngineState
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.target import Pace, Target
from qwenport.testing.calls import CALLER, call_of, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.quick_loop import LoopClock
from qwenport.testing.scripted_engine import ALL_CAPABILITIES, ScriptedEngine, answer

pytestmark = pytest.mark.anyio

CARD = model_card()


class Silent:
    """Hears everything, and says nothing."""

    def routed(self) -> None: ...
    def observe(self, event: object) -> None: ...
    def restart(self) -> None: ...


def engine(
    target: str, state: EngineState = EngineState.READY, capabilities: Capabilities = ALL_CAPABILITIES
) -> ScriptedEngine:
    """Return an engine that says its own name."""
    made = ScriptedEngine(lambda _: answer(target, served_by=target), target=target, capabilities=capabilities)
    made.state = Condition(state=state)
    return made


def router(
    targets: Sequence[Target],
    *routes: Route,
    seed: int = 1,
    rates: Sequence[ExchangeRate] = (),
    bound: tuple[int, int] = (100, 100),
) -> Router:
    """Return a router of these targets, by default in this order for everybody."""
    found = routes or (Route(targets=tuple(target.name for target in targets)),)
    parts = RoutingParts(clock=LoopClock(), bound=lambda _call, _card: bound, chance=Random(seed), rates=lambda: rates)
    return Router(targets, lambda _: found, parts)


async def taker(by: Router, call: Call | None = None, caller: Caller = CALLER, card: ModelCard = CARD) -> str:
    """Return the target that takes a call."""
    prepared = PreparedCall(call=call or chat_call(), max_input_tokens=100)
    async with by(caller, card, prepared, Silent()) as given:
        return given.begun[0].served_by  # type: ignore[union-attr] # the first event is `Started`


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
async def test_the_first_that_is_ready_or_can_become_so_takes_the_call(
    first: EngineState, second: EngineState, chosen: str
) -> None:
    both = [Target(engine=engine("first/model", first)), Target(engine=engine("second/model", second))]

    assert await taker(router(both)) == chosen


async def test_targets_that_are_not_here_are_passed_over() -> None:
    only = [Target(engine=engine("second/model"))]

    assert await taker(router(only, Route(targets=("first/model", "second/model")))) == "second/model"


@pytest.mark.parametrize("routes", [(Route(targets=("first/model",)),), (Route(targets=("a/b",), key="another"),)])
async def test_a_route_that_leads_nowhere_is_refused_with_the_models_name(routes: tuple[Route, ...]) -> None:
    with pytest.raises(ModelUnavailable, match="no engine here serves `qwen-plus`") as caught:
        await taker(router([Target(engine=engine("other/model"))], *routes))

    assert not caught.value.passes


@pytest.mark.parametrize("routes", [(Route(targets=("first/model",)),), (Route(targets=("a/b",), key="another"),)])
async def test_a_service_that_nobody_hands_on_is_none_that_can_be_bought_here(routes: tuple[Route, ...]) -> None:
    asked = call_of(NativeInput(service="audio/asr/transcription", body=b"{}"))

    with pytest.raises(ModelUnpurchased, match="this server hands `qwen-plus` on to no upstream"):
        await taker(router([Target(engine=engine("other/model"))], *routes), asked)


async def test_a_route_of_the_key_goes_before_one_of_the_account_and_that_before_the_one_for_all() -> None:
    targets = [Target(engine=engine(f"{name}/model")) for name in ("key", "account", "all")]
    by = router(
        targets,
        Route(targets=("key/model",), key="key-1"),
        Route(targets=("account/model",), account="acc-1"),
        Route(targets=("all/model",)),
    )
    callers = [
        CALLER,
        replace(CALLER, key_id=KeyId("2")),
        replace(CALLER, key_id=KeyId("2"), account_id=AccountId("2")),
    ]

    assert [await taker(by, caller=caller) for caller in callers] == ["key/model", "account/model", "all/model"]


IMAGE = Message(role=Role.USER, content=(ImagePart(url="data:,"),))
VIDEO = Message(role=Role.USER, content=(VideoPart(urls=("http://a/b.mp4",), is_frames=False),))
BLIND = Capabilities()
SEEING = Capabilities(vision=True)


async def test_a_call_goes_to_the_first_engine_that_can_do_it() -> None:
    by = router(
        [
            Target(engine=engine("first/model", capabilities=BLIND)),
            Target(engine=engine("second/model", capabilities=SEEING)),
        ]
    )

    assert [await taker(by, call) for call in (chat_call(), chat_call(messages=(IMAGE,)))] == [
        "first/model",
        "second/model",
    ]


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
async def test_a_call_that_no_engine_can_do_is_refused_with_what_the_first_lacks(
    asked: Call, able: Capabilities, words: str
) -> None:
    by = router([Target(engine=engine(f"{name}/model", capabilities=able)) for name in ("first", "second")])
    with pytest.raises(ParameterInvalid) as refusal:
        await taker(by, asked)

    assert refusal.value.message == f"The engine `first/model`, which answers for this model here, {words}."


@pytest.mark.parametrize(
    "asked",
    [
        chat_call(thinking=True),
        chat_call(tools=(Tool(name="f"),), tool_choice=ToolChoice(use=ToolUse.NONE)),
        chat_call(tool_choice=ToolChoice(use=ToolUse.REQUIRED)),
    ],
)
async def test_what_an_engine_may_ignore_is_no_reason_to_refuse(asked: Call) -> None:
    by = router([Target(engine=engine("first/model", capabilities=Capabilities(tool_uses=())))])

    assert await taker(by, asked) == "first/model"


REGIONS = [
    Target(engine=engine("first/model"), region="beijing", upstream="first"),
    Target(engine=engine("second/model"), region="singapore", upstream="second"),
]
HERE = Target(engine=engine("here/model"))


def without(*regions: str) -> Caller:
    """Return the caller of an account that has switched regions off."""
    return replace(CALLER, terms=AccountTerms(deactivated_regions=regions))


async def test_targets_in_regions_that_the_account_has_switched_off_are_passed_over() -> None:
    by = router(REGIONS)

    assert await taker(by, caller=without("beijing")) == "second/model"
    assert await taker(by, caller=without("frankfurt")) == "first/model"
    assert await taker(router([HERE]), caller=without("beijing", "singapore")) == "here/model"
    with pytest.raises(ModelUnpurchased):
        await taker(by, caller=without("beijing", "singapore"))


async def test_a_key_that_is_bound_to_regions_is_answered_there_or_on_the_operators_own_ground() -> None:
    bound = replace(CALLER, regions=("singapore",))

    assert await taker(router(REGIONS), caller=bound) == "second/model"
    assert await taker(router([REGIONS[0], HERE]), caller=bound) == "here/model"
    with pytest.raises(AccessDenied) as refusal:
        await taker(router(REGIONS[:1]), caller=bound)
    assert refusal.value.message == (
        "Access denied. The data residency rule of this API-key lets its calls be answered in singapore only, and "
        "`qwen-plus` is not served there."
    )


async def test_a_key_that_is_bound_to_regions_does_not_go_where_nobody_knows_the_region() -> None:
    somewhere = Target(engine=engine("somewhere/model"), upstream="somewhere", is_own_ground=False)
    bound = replace(CALLER, regions=("singapore",))

    assert await taker(router([somewhere, HERE]), caller=bound) == "here/model"
    assert await taker(router([somewhere, HERE])) == "somewhere/model"
    with pytest.raises(AccessDenied):
        await taker(router([somewhere]), caller=bound)


async def takers(by: Router, count: int, card: ModelCard = CARD) -> Counter[str]:
    """Return how many of so many calls each target takes."""
    return Counter([await taker(by, card=card) for _ in range(count)])


def three(*, upstream: bool = True) -> list[Target]:
    """Return targets a, b and c."""
    return [Target(engine=engine(f"{name}/m"), upstream=name if upstream else "") for name in "abc"]


async def test_weights_are_kept_and_a_target_of_no_weight_is_for_when_nothing_else_is_left() -> None:
    route = Route(targets=("a/m", "b/m", "c/m"), choose=Choice.WEIGHTED, weights=(3, 1, 0))
    targets = three()
    found = await takers(router(targets, route), 2000)

    assert set(found) == {"a/m", "b/m"}
    assert 1400 < found["a/m"] < 1600
    for target in targets[:2]:
        target.engine.state = Condition(state=EngineState.ENDED)  # type: ignore[attr-defined] # a scripted engine
    assert await takers(router(targets, route), 3) == {"c/m": 3}


async def test_the_least_busy_is_the_one_with_the_fewest_calls_for_its_places() -> None:
    large, small = engine("large/m"), engine("small/m")
    large.slots, small.slots = 4, 1
    by = router(
        [Target(engine=small), Target(engine=large)],
        Route(targets=("small/m", "large/m"), choose=Choice.LEAST_BUSY),
    )
    prepared = PreparedCall(call=chat_call(streams=True), max_input_tokens=100)
    opened = []
    for _ in range(5):
        passage = by(CALLER, CARD, prepared, Silent())
        given = await passage.__aenter__()
        opened.append((passage, given.begun[0].served_by))  # type: ignore[union-attr] # `Started`
    for passage, _ in opened:
        await passage.__aexit__(None, None, None)

    assert [name for _, name in opened] == ["small/m", "large/m", "large/m", "large/m", "large/m"]


async def test_a_paced_target_is_as_busy_as_its_concurrency_says() -> None:
    wide = engine("wide/m")
    paced = Target(engine=wide, upstream="wide", pace=Pace(account="wide", model="m", concurrency=2))
    by = router([paced])
    async with by(CALLER, CARD, PreparedCall(call=chat_call(streams=True), max_input_tokens=100), Silent()):
        assert by.lanes["wide/m"].load == 0.5


async def test_the_lowest_latency_wins_once_every_target_was_asked_and_others_are_still_tried_now_and_then() -> None:
    waits = {"a/m": 3.0, "b/m": 1.0, "c/m": 2.0}

    class Slow(ScriptedEngine):
        async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
            await asyncio.sleep(waits[self.target])
            async for event in super().run(prepared):
                yield event

    targets = [
        Target(engine=Slow(lambda _, name=name: answer(served_by=name), target=name), upstream=name)  # type: ignore[misc] # a default binds the name
        for name in waits
    ]
    by = router(targets, Route(targets=tuple(waits), choose=Choice.LOWEST_LATENCY))
    found = await takers(by, 400)

    assert found["b/m"] > 360
    assert found["a/m"] >= 2
    assert found["c/m"] >= 2
    assert by.lanes["b/m"].first_event_s == pytest.approx(1.0)


def price(region: str, currency: str, amount: str, up_to: int | None = None, since: date = date(2025, 1, 1)) -> Price:
    """Return a price of so much for a thousand tokens."""
    return Price(
        region=region,
        currency=currency,
        input=Decimal(amount),
        output=Decimal(amount),
        per_tokens=1000,
        since=since,
        source="test",
        up_to_input_tokens=up_to,
    )


async def test_the_cheapest_is_the_one_whose_region_costs_least_for_this_call() -> None:
    targets = [
        Target(engine=engine("none/m"), region="tokyo", upstream="none"),
        Target(engine=engine("dear/m"), region="singapore", upstream="dear"),
        Target(engine=engine("cheap/m"), region="us", upstream="cheap"),
    ]
    route = Route(targets=("none/m", "dear/m", "cheap/m"), choose=Choice.CHEAPEST)
    # For short calls singapore is the cheaper one; this call has a hundred tokens of input.
    card = model_card(
        prices=(
            price("singapore", "USD", "3"),
            price("singapore", "USD", "1", up_to=50),
            price("us", "USD", "2"),
            price("beijing", "CNY", "1"),
        )
    )
    assert await taker(router(targets, route), card=card) == "cheap/m"
    assert await taker(router([*targets, HERE], replace(route, targets=(*route.targets, "here/model"))), card=card) == (
        "here/model"
    )


async def test_prices_are_compared_as_they_are_today() -> None:
    targets = [Target(engine=engine(f"{name}/m"), region=name, upstream=name) for name in ("singapore", "us")]
    card = model_card(
        prices=(
            price("singapore", "USD", "9"),
            price("singapore", "USD", "1", since=date(2025, 6, 1)),
            price("singapore", "USD", "9", since=date(2030, 1, 1)),
            price("us", "USD", "2"),
        )
    )
    by = router(targets, Route(targets=("us/m", "singapore/m"), choose=Choice.CHEAPEST))

    assert await taker(by, card=card) == "singapore/m"


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ((), "beijing/m"),
        ((exchange_rate("USD", "CNY", "2025-01-01", "7"),), "beijing/m"),
        ((exchange_rate("CNY", "USD", "2025-01-01", "0.5"),), "singapore/m"),
        (
            (exchange_rate("USD", "CNY", "2025-01-01", "7"), exchange_rate("USD", "CNY", "2025-06-01", "2")),
            "singapore/m",
        ),
        ((exchange_rate("USD", "CNY", "2030-01-01", "2"),), "beijing/m"),
    ],
    ids=["no rate", "dear dollar", "inverse", "newer", "later"],
)
async def test_prices_in_two_currencies_are_compared_by_the_rate_of_the_day(
    rates: Sequence[ExchangeRate], chosen: str
) -> None:
    targets = [Target(engine=engine(f"{name}/m"), region=name, upstream=name) for name in ("singapore", "beijing")]
    route = Route(targets=("singapore/m", "beijing/m"), choose=Choice.CHEAPEST)
    card = model_card(prices=(price("beijing", "CNY", "3"), price("singapore", "USD", "1")))

    assert await taker(router(targets, route, rates=rates), card=card) == chosen


@pytest.mark.parametrize(("model", "chosen"), [("qwen-plus", "beijing/m"), ("qwen-max", "singapore/m")])
async def test_the_cheapest_is_found_by_the_prices_that_are_shipped(model: str, chosen: str) -> None:
    """Qwen-Max was dearer in Beijing than in Singapore on the day of this clock, Qwen-Plus cheaper."""
    targets = [Target(engine=engine(f"{name}/m"), region=name, upstream=name) for name in ("singapore", "beijing")]
    route = Route(targets=("singapore/m", "beijing/m"), choose=Choice.CHEAPEST)
    by = router(targets, route, rates=(exchange_rate("USD", "CNY", "2025-01-01", "7"),))

    assert await taker(by, card=Catalog.load().cards[model]) == chosen


async def test_a_public_target_without_a_region_has_no_price_and_is_not_the_cheapest() -> None:
    targets = [
        Target(engine=engine("anywhere/m"), upstream="anywhere", is_own_ground=False),
        Target(engine=engine("dear/m"), region="singapore", upstream="dear"),
    ]
    by = router(targets, Route(targets=("anywhere/m", "dear/m"), choose=Choice.CHEAPEST))

    assert await taker(by, card=model_card(prices=(price("singapore", "USD", "3"),))) == "dear/m"


async def test_of_targets_that_cost_the_same_the_first_takes_the_call() -> None:
    targets = [Target(engine=engine(f"{name}/m"), region="us", upstream=name) for name in "ab"]
    card = model_card(prices=(price("us", "USD", "2"),))
    by = router(targets, Route(targets=("b/m", "a/m"), choose=Choice.CHEAPEST))
    assert await taker(by, card=card) == "b/m"


async def test_the_error_of_a_call_that_finds_only_one_engine_is_the_engines_own() -> None:
    absent = ScriptedEngine(lambda _: [ModelUnavailable("no weights", passes=False)], target="first/model")
    with pytest.raises(QwenportError, match="no weights"):
        await taker(router([Target(engine=absent)]))
    assert len(absent.calls) == 1
