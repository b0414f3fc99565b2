"""Fields that a text model chooses: what is asked, what is billed, and what stands where it cannot be asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from qwenport.app.text_model import TextModel
from qwenport.core.call import Call, ChatInput, JsonSchema, Sampling
from qwenport.core.content import Message, Picture, Role
from qwenport.core.errors import EngineFailed, ModelNotFound, QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ids import AccountId
from qwenport.core.model_card import ModelCard
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.documents.page import Line, Page
from qwenport.engines.ocr.value_places import ValuePlace, encode_places
from qwenport.gate.admission import Gate, Rules
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.permit import Permit
from qwenport.metering.journal import Journal
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Outcome, Settlement
from qwenport.pipeline.fields_by_model import FieldsByModelRoute
from qwenport.pipeline.prepare import Prepare
from qwenport.pipeline.serve import Parts, Route, serve
from qwenport.testing.calls import CALLER, call_of
from qwenport.testing.clock import CountingIds, FakeClock
from qwenport.testing.models import model_card
from qwenport.testing.routing import router_to
from qwenport.testing.scripted_engine import ALL_CAPABILITIES, ScriptedEngine, Step, Wait, answer

pytestmark = pytest.mark.anyio

READER = "qwen-vl-ocr"
CHOOSER = "qwen-turbo"
CARDS = {
    READER: model_card(
        name=READER,
        family="qwen-vl-ocr",
        modalities=("text", "image"),
        capabilities=replace(ALL_CAPABILITIES, ocr_tasks=tuple(OcrTask)),
    ),
    CHOOSER: model_card(name=CHOOSER, max_output_tokens=5000, max_input_tokens=5000, context_tokens=10_000),
}
PICTURE = Picture(data=b"an image", media_type="image/png", width=100, height=100, tokens=10)
TASK = OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=b'{"train": "", "fare": ""}')
QUAD = (10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0)
FARE_QUAD = (10.0, 50.0, 90.0, 50.0, 90.0, 70.0, 10.0, 70.0)
BY_RULES_QUAD = (12.0, 12.0, 40.0, 12.0, 40.0, 28.0, 12.0, 28.0)
BY_RULES_PLACE = ValuePlace(path=("train",), quads=(BY_RULES_QUAD,), score=0.5)
PAGE = Page(
    width=100,
    height=100,
    lines=(Line(text="Train G1948", quad=QUAD, score=1), Line(text="553.00", quad=FARE_QUAD, score=0.75)),
)
BY_RULES = '{\n    "train": "G1",\n    "fare": ""\n}'
FOUND = {"f1": {"lines": [1], "value": "G1948"}, "f2": {"lines": [2], "value": "999.99"}}
CHOSEN = [
    Delta(text="```json\n", tokens=2),
    Delta(text="{\n", tokens=1),
    Delta(text='    "train": "G1948",\n', tokens=5),
    Delta(text='    "fare": ""\n', tokens=4),
    Delta(text="}\n", tokens=1),
    Delta(text="```", tokens=0),
]


def read(_: PreparedCall, *, page: bytes = msgspec.msgpack.encode(PAGE), tells_places: bool = False) -> list[Step]:
    return [
        Started(served_by="ocr/reader", input_tokens=12, image_tokens=10),
        Delta(text="```json\n", tokens=2),
        Delta(text=f"{BY_RULES}\n```", tokens=6),
        Recognized(
            result=b'{"kv_result":{"train":"G1","fare":""}' + (b',"kv_places":[]}' if tells_places else b"}"),
            page=page,
            places=encode_places((BY_RULES_PLACE,)),
        ),
        ChoiceFinished(reason=FinishReason.STOP),
        Finished(usage=Usage(input_tokens=12, output_tokens=8, image_tokens=10)),
    ]


async def load(account_id: AccountId, call: Call, card: ModelCard) -> ChatInput:
    assert isinstance(call.input, ChatInput)
    return call.input


async def text_of(tokens: Sequence[int]) -> str:
    raise AssertionError("there are no tokens to stop at")


def resolve(name: str) -> ModelCard:
    if name not in CARDS:
        raise ModelNotFound(name)
    return CARDS[name]


class House:
    """Everything from permission to settlement around two engines: one that reads, one that chooses."""

    def __init__(self, folder: Path, chooser: str = CHOOSER, most_s: float = 60.0) -> None:
        self.clock = FakeClock()
        self.journal = Journal(folder, segment_bytes=1 << 16)
        self.settled: list[Settlement] = []
        able = replace(ALL_CAPABILITIES, ocr_tasks=tuple(OcrTask))
        self.reader = ScriptedEngine(read, target="ocr/reader", capabilities=able)
        found = answer(json.dumps(FOUND), served_by="llama/chooser")
        self.text = ScriptedEngine(lambda _: found, target="llama/chooser")
        rules = Rules(limits=LimitBook(), prices=PriceBook(CARDS))
        gate = Gate(self.journal, self.clock, rules, LocalCounters(self.clock), on_settled=self.settled.append)
        text_model = TextModel(CountingIds())
        self.parts = Parts(
            resolve=resolve,
            permit=Permit(lambda *_: False, self.clock),
            admit=gate.admit,
            prepare=Prepare(load, text_of),
            route=FieldsByModelRoute(self._route(), partial(text_model.ask, chooser), most_s=most_s),
        )
        text_model.use(self.parts)

    def _route(self) -> Route:
        routers = {READER: router_to(self.reader, clock=self.clock), CHOOSER: router_to(self.text, clock=self.clock)}
        return lambda caller, card, prepared, observer: routers[card.name](caller, card, prepared, observer)

    async def ask(
        self, options: OcrOptions | None = TASK, *, streams: bool = False, sampling: Sampling | None = None
    ) -> list[Event]:
        asked = ChatInput(messages=(Message(role=Role.USER, content=(PICTURE,)),), ocr=options)
        call = replace(call_of(asked, streams=streams, sampling=sampling or Sampling()), model=READER)
        async with aclosing(serve(CALLER, call, self.parts)) as events:
            return [event async for event in events]

    def billed(self) -> list[tuple[str, str, Outcome, int, int]]:
        """Return model, operation, outcome and tokens of the calls that were settled."""
        return [
            (each.hold.model, each.hold.operation, each.outcome, each.input_tokens, each.output_tokens)
            for each in self.settled
        ]


Make = Callable[..., House]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[House] = []

    def build(**changes: Any) -> House:
        made.append(House(tmp_path, **changes))
        return made[-1]

    yield build
    for house in made:
        assert (house.reader.open_runs, house.text.open_runs, house.journal.open_holds) == (0, 0, {})
        house.journal.close()


READ = (READER, "chat.completions", Outcome.FINISHED, 12, 8)


@pytest.mark.parametrize("streams", [False, True])
async def test_values_that_the_model_chose_stand_in_the_answer_and_both_calls_are_billed(
    make: Make, *, streams: bool
) -> None:
    house = make()
    events = await house.ask(streams=streams)

    assert events == [
        Started(served_by="ocr/reader", input_tokens=12, image_tokens=10),
        *CHOSEN,
        Recognized(result=b'{"kv_result":{"train":"G1948","fare":""}}'),
        ChoiceFinished(reason=FinishReason.STOP),
        Finished(usage=Usage(input_tokens=12, output_tokens=13, image_tokens=10)),
    ]
    assert house.billed() == [(CHOOSER, "fields", Outcome.FINISHED, 7, 1), (*READ[:3], 12, 13)]
    assert [settled.hold.key_id for settled in house.settled] == [CALLER.key_id] * 2
    assert [settled.served_by for settled in house.settled] == ["llama/chooser", "ocr/reader"]


@pytest.mark.parametrize(
    ("chosen", "values", "places"),
    [
        (
            {"f1": {"lines": [1], "value": "G1948"}},
            {"train": "G1948", "fare": ""},
            [{"path": ["train"], "locations": [[10, 10, 90, 10, 90, 30, 10, 30]], "score": 1.0}],
        ),
        (
            {"f2": {"lines": [2], "value": "553.00"}},
            {"train": "G1", "fare": "553.00"},
            [
                {"path": ["train"], "locations": [[12, 12, 40, 12, 40, 28, 12, 28]], "score": 0.5},
                {"path": ["fare"], "locations": [[10, 50, 90, 50, 90, 70, 10, 70]], "score": 0.75},
            ],
        ),
    ],
    ids=["of the model", "of the rules and of the model"],
)
async def test_each_value_carries_the_box_of_who_found_it(
    make: Make, chosen: dict[str, Any], values: dict[str, str], places: list[Any]
) -> None:
    house = make()
    house.reader.script = partial(read, tells_places=True)
    house.text.script = lambda _: answer(json.dumps(chosen))
    events = await house.ask()

    [told] = [event for event in events if isinstance(event, Recognized)]
    assert msgspec.json.decode(told.result) == {"kv_result": values, "kv_places": places}
    assert (told.page, told.places) == (b"", b"")


@pytest.mark.parametrize(
    ("sampling", "told", "reason"),
    [
        (
            Sampling(stop=('G1948",\n',)),
            [
                *CHOSEN[:2],
                Delta(text='    "train": "', tokens=3),
                Recognized(result=b'{"kv_result":{"train":"G1948","fare":""}}'),
            ],
            FinishReason.STOP,
        ),
        (Sampling(max_tokens=4), [*CHOSEN[:2], Delta(text='    "t', tokens=1)], FinishReason.LENGTH),
    ],
    ids=["stop", "bound"],
)
async def test_what_the_model_chose_is_told_as_far_as_the_caller_wants_it(
    make: Make, sampling: Sampling, told: list[Event], reason: FinishReason
) -> None:
    house = make()
    events = await house.ask(sampling=sampling)

    output_tokens = sum(event.tokens for event in told if isinstance(event, Delta))
    assert events[1:] == [
        *told,
        ChoiceFinished(reason=reason),
        Finished(usage=Usage(input_tokens=12, output_tokens=output_tokens, image_tokens=10)),
    ]
    assert house.billed()[-1] == (*READ[:3], 12, output_tokens)


async def test_the_model_is_shown_the_lines_and_held_to_a_shape(make: Make) -> None:
    house = make()
    await house.ask()

    [prepared] = house.text.calls
    asked = prepared.call.input
    assert isinstance(asked, ChatInput)
    assert "[1] Train G1948\n[2] 553.00" in asked.messages[0].text
    assert isinstance(asked.json, JsonSchema)
    assert list(msgspec.json.decode(asked.json.schema)["properties"]) == ["f1", "f2"]
    assert (asked.thinking, prepared.call.sampling.temperature) == (False, 0.0)
    assert prepared.call.sampling.max_tokens == 2 * 48 + 51


async def test_a_long_answer_ends_where_the_models_answers_end(make: Make) -> None:
    house = make()
    names = {f"field {number}": "" for number in range(150)}
    await house.ask(replace(TASK, result_schema=json.dumps(names).encode()))

    assert [each.call.sampling.max_tokens for each in house.text.calls] == [CARDS[CHOOSER].max_output_tokens]


WITHOUT_PAGE = [
    Started(served_by="ocr/reader", input_tokens=12, image_tokens=10),
    Delta(text="```json\n", tokens=2),
    Delta(text=f"{BY_RULES}\n```", tokens=6),
    Recognized(result=b'{"kv_result":{"train":"G1","fare":""}}'),
    ChoiceFinished(reason=FinishReason.STOP),
    Finished(usage=Usage(input_tokens=12, output_tokens=8, image_tokens=10)),
]


@pytest.mark.parametrize("streams", [False, True])
async def test_the_rules_stand_where_the_model_fails(make: Make, *, streams: bool) -> None:
    house = make()
    house.text.script = lambda _: [EngineFailed("it broke")]

    assert await house.ask(streams=streams) == WITHOUT_PAGE
    assert house.billed() == [(CHOOSER, "fields", Outcome.FAILED, 0, 0), READ]


async def test_the_rules_stand_where_the_model_takes_too_long(make: Make) -> None:
    house = make(most_s=0.001)
    house.text.script = lambda _: [Started(served_by="llama/chooser", input_tokens=7), Wait()]

    assert await house.ask() == WITHOUT_PAGE
    assert house.billed() == [(CHOOSER, "fields", Outcome.ABANDONED, 7, 0), READ]


async def test_the_rules_stand_where_the_model_is_not_there(make: Make) -> None:
    house = make(chooser="qwen-none")

    assert await house.ask() == WITHOUT_PAGE
    assert house.billed() == [READ]


async def test_the_rules_stand_where_the_model_says_nothing_of_use(make: Make) -> None:
    house = make()
    house.text.script = lambda _: answer("I see a ticket.")
    events = await house.ask()

    assert "".join(event.text for event in events if isinstance(event, Delta)) == f"```json\n{BY_RULES}\n```"
    assert WITHOUT_PAGE[3] in events


@pytest.mark.parametrize(
    ("options", "page"),
    [
        (TASK, b""),
        (TASK, msgspec.msgpack.encode(Page(width=9, height=9))),
        (replace(TASK, result_schema=b""), msgspec.msgpack.encode(PAGE)),
        (OcrOptions(task=OcrTask.TEXT_RECOGNITION), msgspec.msgpack.encode(PAGE)),
        (None, msgspec.msgpack.encode(PAGE)),
    ],
    ids=["several pages", "blank page", "all fields", "another task", "no task"],
)
async def test_a_model_is_asked_for_fields_of_a_schema_on_one_page_alone(
    make: Make, options: OcrOptions | None, page: bytes
) -> None:
    house = make()
    house.reader.script = partial(read, page=page)
    events = await house.ask(options)

    assert "".join(event.text for event in events if isinstance(event, Delta)) == f"```json\n{BY_RULES}\n```"
    assert (house.text.calls, house.billed()) == ([], [READ])


async def test_a_page_that_was_not_read_fails_as_ever(make: Make) -> None:
    house = make()
    house.reader.script = lambda _: [EngineFailed("it broke")]
    with pytest.raises(QwenportError):
        await house.ask()

    assert (house.text.calls, house.billed()) == ([], [(READER, "chat.completions", Outcome.FAILED, 0, 0)])
