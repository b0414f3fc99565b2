"""The gateway's side against a host that replies as it is told, over a real socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from qwenport.core.call import AnyJson, JsonSchema, Sampling
from qwenport.core.content import Message, Part, Picture, Role, TextPart
from qwenport.core.errors import EngineFailed, EngineTimedOut, ModelUnavailable, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.documents.page import Page
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.host_address import host_peer
from qwenport.engines.ocr.asked import Asked
from qwenport.engines.ocr.engine import OcrEngine
from qwenport.engines.ocr.value_places import ValuePlace, encode_places
from qwenport.engines.ocr.wire import Failure, PageAnswer, PageFailed, PageOrder
from qwenport.settings.configuration_file import OcrTable
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.reading_host import FakeReadingHost, Step
from qwenport.testing.routing import router_to
from qwenport.testing.scripted_engine import Wait

pytestmark = pytest.mark.anyio

KIE = OcrTask.KEY_INFORMATION_EXTRACTION
PLACES = OcrTask.ADVANCED_RECOGNITION
READY = Condition(state=EngineState.READY)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def picture(data: bytes, **fields: Any) -> Picture:
    return Picture(data=data, media_type="image/png", width=10, height=10, tokens=100, **fields)


def prepared(*parts: Part, sampling: Sampling | None = None, **chat: Any) -> PreparedCall:
    messages = (Message(role=Role.USER, content=parts),)
    return PreparedCall(
        call=chat_call(sampling=sampling or Sampling(), messages=messages, **chat), max_input_tokens=30_000
    )


@asynccontextmanager
async def serving(
    replies: Mapping[bytes, Step], table: OcrTable | None = None, **host: Any
) -> AsyncIterator[tuple[OcrEngine, FakeReadingHost]]:
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "s"
        engine = OcrEngine(
            target="ocr/small",
            slots=2,
            peer=host_peer("http://ocr", socket=socket, secret="s", keeps_connections=False),
            read_condition=lambda: READY,
            table=table or OcrTable(),
        )
        async with FakeReadingHost(replies, **host).listening(socket) as fake:
            yield engine, fake
            await engine.close()


class Unheard:
    """Nobody hears what a call consumes."""

    def routed(self) -> None: ...

    def observe(self, event: Event) -> None: ...

    def restart(self) -> None: ...


async def all_of(engine: OcrEngine, call: PreparedCall) -> list[Event]:
    async with aclosing(engine.run(call)) as events:
        return [event async for event in events]


def json_of(schema: dict[str, Any]) -> JsonSchema:
    return JsonSchema(name="wanted", schema=msgspec.json.encode(schema))


QUAD = (1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 1.0, 4.0)


def fields(**values: str) -> PageAnswer:
    result = msgspec.json.encode({"kv_result": values})
    return PageAnswer(
        text=msgspec.json.format(msgspec.json.encode(values), indent=4).decode(),
        fence="json",
        result=result,
        places=tuple(ValuePlace(path=(name,), quads=(QUAD,), score=0.9) for name, value in values.items() if value),
    )


def placed(name: str, **page: int) -> dict[str, Any]:
    return {"path": [name], "locations": [[1, 2, 3, 2, 3, 4, 1, 4]], "score": 0.9, **page}


def places(*texts: str) -> PageAnswer:
    words = [{"text": text, "location": [0] * 8, "rotate_rect": [1, 2, 3, 4, 0]} for text in texts]
    return PageAnswer(text="[]", fence="json", result=msgspec.json.encode({"words_info": words}))


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def found(events: list[Event]) -> list[Any]:
    return [msgspec.json.decode(event.result) for event in events if isinstance(event, Recognized)]


async def test_pictures_are_read_as_they_were_sent_and_told_in_order() -> None:
    replies = {b"1": PageAnswer(text="one\ntwo"), b"2": PageAnswer(text="three")}
    async with serving(replies) as (engine, host):
        events = await all_of(
            engine, prepared(TextPart(text="Read it"), picture(b"1", most_pixels=9, rotates=True), picture(b"2"))
        )

    assert events == [
        Started(served_by="ocr/small", input_tokens=202, image_tokens=200),
        Delta(text="one\n", tokens=1),
        Delta(text="two", tokens=1),
        Delta(text="\n", tokens=0),
        Delta(text="\n", tokens=1),
        Delta(text="three", tokens=1),
        ChoiceFinished(reason=FinishReason.STOP, tokens=0),
        Finished(usage=Usage(input_tokens=202, output_tokens=4, image_tokens=200, images=2, pages=2)),
    ]
    assert sorted(host.orders, key=lambda order: order.image) == [
        PageOrder(image=b"1", prompt="Read it", most_pixels=9, rotates=True),
        PageOrder(image=b"2", prompt="Read it"),
    ]


async def test_the_second_of_two_pages_is_told_when_it_comes_first() -> None:
    second = Wait()
    second.go.set()
    replies = {b"1": PageAnswer(text="one"), b"2": PageAnswer(text="two")}
    async with serving(replies, waits={b"2": second}, after={b"1": second}) as (engine, _):
        assert said(await all_of(engine, prepared(picture(b"1"), picture(b"2")))) == "one\n\ntwo"


async def test_no_more_than_two_pages_of_a_call_are_read_at_once() -> None:
    first, names = Wait(), [b"1", b"2", b"3", b"4"]
    replies = {name: PageAnswer(text=name.decode()) for name in names}
    async with serving(replies, waits={b"1": first}) as (engine, host):
        asked = asyncio.create_task(all_of(engine, prepared(*(picture(name) for name in names))))
        await first.arrives()
        async with asyncio.timeout(10):
            while len(host.orders) < 2:  # noqa: ASYNC110 - the host notes each order by itself
                await asyncio.sleep(0.001)
        seen = [order.image for order in host.orders]
        first.go.set()

        assert said(await asked) == "1\n\n2\n\n3\n\n4"
    assert sorted(seen) == [b"1", b"2"]


async def test_places_on_several_pages_tell_their_page() -> None:
    async with serving({b"1": places("a"), b"2": places("b", "c")}) as (engine, _):
        call = prepared(picture(b"1", page=1), picture(b"2", page=2), ocr=OcrOptions(task=PLACES))
        events = await all_of(engine, call)

    (result,) = found(events)
    assert [(each["page"], each["text"]) for each in result["words_info"]] == [(1, "a"), (2, "b"), (2, "c")]
    assert result["pages"] == [{"page": 1, "width": 10, "height": 10}, {"page": 2, "width": 10, "height": 10}]
    assert [each["text"] for each in msgspec.json.decode(said(events)[8:-4])] == ["a", "b", "c"]
    assert [event.usage for event in events if isinstance(event, Finished)] == [
        Usage(input_tokens=200, output_tokens=events[-1].usage.output_tokens, image_tokens=200, images=0, pages=2)  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize(("page", "beside"), [(0, {}), (1, {"pages": [{"page": 1, "width": 10, "height": 10}]})])
async def test_one_page_has_no_page_among_its_places_and_a_size_where_it_was_drawn(
    page: int, beside: dict[str, Any]
) -> None:
    async with serving({b"1": places("a")}) as (engine, _):
        (result,) = found(await all_of(engine, prepared(picture(b"1", page=page), ocr=OcrOptions(task=PLACES))))

    [word] = result["words_info"]
    assert (word.keys(), result) == ({"text", "location", "rotate_rect"}, {"words_info": [word], **beside})


async def test_fields_of_several_pages_are_merged_first_found() -> None:
    async with serving({b"1": fields(No="", Total="5"), b"2": fields(No="A1", Total="7")}) as (engine, host):
        options = OcrOptions(task=KIE, result_schema=b'{"No": "", "Total": ""}')
        events = await all_of(engine, prepared(picture(b"1", page=1), picture(b"2", page=2), ocr=options))

    assert found(events) == [{"kv_result": {"No": "A1", "Total": "5"}}]
    assert said(events) == '```json\n{\n    "No": "A1",\n    "Total": "5"\n}\n```'
    assert {(order.task, order.result_schema) for order in host.orders} == {(KIE, options.result_schema)}


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ((0,), {"kv_places": [placed("Total")]}),
        (
            (1, 2),
            {
                "kv_places": [placed("Total", page=1), placed("No", page=2)],
                "pages": [{"page": 1, "width": 10, "height": 10}, {"page": 2, "width": 10, "height": 10}],
            },
        ),
    ],
)
async def test_who_asks_for_places_is_told_where_each_value_stands(
    pages: tuple[int, ...], expected: dict[str, Any]
) -> None:
    options = OcrOptions(task=KIE, result_schema=b'{"No": "", "Total": ""}', result_places=True)
    async with serving({b"0": fields(No="", Total="5"), b"1": fields(No="A1", Total="7")}) as (engine, host):
        pictures = (picture(str(number).encode(), page=page) for number, page in enumerate(pages))
        (result,) = found(await all_of(engine, prepared(*pictures, ocr=options)))

    values = {"No": "A1" if len(pages) > 1 else "", "Total": "5"}
    assert result == {"kv_result": values, **expected}
    assert {(order.wants_places, order.wants_page) for order in host.orders} == {(True, False)}


async def test_an_answer_that_is_cut_says_so_and_tells_no_result() -> None:
    async with serving({b"1": fields(Total="553.00"), b"2": fields(Total="1")}) as (engine, _):
        call = prepared(picture(b"1"), picture(b"2"), sampling=Sampling(max_tokens=2), ocr=OcrOptions(task=KIE))
        events = await all_of(engine, call)

    assert events[1:] == [
        Delta(text="```json\n", tokens=2),
        ChoiceFinished(reason=FinishReason.LENGTH, tokens=0),
        Finished(usage=Usage(input_tokens=200, output_tokens=2, image_tokens=200, images=2, pages=2)),
    ]


@pytest.mark.parametrize("sampling", [Sampling(max_tokens=2), Sampling(stop=("f a page",))], ids=["bound", "stop"])
async def test_an_answer_that_has_ended_waits_for_no_further_page(sampling: Sampling) -> None:
    reply = PageAnswer(text="a text of a page")
    never = Wait()
    async with serving({b"1": reply, b"2": reply}, waits={b"2": never}, after={b"1": never}) as (engine, host):
        events = await all_of(engine, prepared(picture(b"1"), picture(b"2"), picture(b"3"), sampling=sampling))
        await ended(host)

    assert said(events) == "a text o"
    assert {order.image for order in host.orders} == {b"1", b"2"}


async def test_a_prompt_that_lists_fields_is_answered_with_bare_json() -> None:
    bare = PageAnswer(text='{"No": "A1"}', result=b'{"kv_result": {"No": "A1"}}')
    async with serving({b"1": bare}) as (engine, host):
        events = await all_of(engine, prepared(picture(b"1"), TextPart(text='Extract: {"No": ""}')))

    assert (said(events), found(events)) == ('{"No": "A1"}', [])
    assert [order.prompt for order in host.orders] == ['Extract: {"No": ""}']


async def test_json_of_any_shape_is_asked_of_the_host() -> None:
    async with serving({b"1": fields(No="A1")}) as (engine, host):
        await all_of(engine, prepared(picture(b"1"), json=AnyJson()))

    assert [(order.is_json, order.task, order.result_schema) for order in host.orders] == [(True, None, b"")]


async def test_json_of_a_schema_has_the_types_of_the_schema() -> None:
    shape = {
        "type": "object",
        "properties": {"Total": {"type": "number", "description": "with tax"}, "Paid": {"type": ["string", "null"]}},
    }
    async with serving({b"1": fields(Total="1,553.50", Paid="")}) as (engine, host):
        call = prepared(picture(b"1"), json=JsonSchema(name="bill", schema=msgspec.json.encode(shape)))
        events = await all_of(engine, call)

    assert msgspec.json.decode(said(events)) == {"Total": 1553.5, "Paid": None}
    assert [msgspec.json.decode(order.result_schema) for order in host.orders] == [{"Total": "with tax", "Paid": ""}]


@pytest.mark.parametrize(
    ("parts", "chat", "tokens"),
    [
        ((TextPart(text="12345678"),), {}, 2),
        ((TextPart(text="12345678"),), {"json": AnyJson()}, 2),
        ((TextPart(text="12345678"),), {"json": JsonSchema(name="any", schema=b'{"title":""}')}, 2 + 3),
        ((), {"json": JsonSchema(name="any", schema=b'{"title":""}')}, 3),
        ((), {"ocr": OcrOptions(task=KIE, result_schema=b'{"No":""}')}, 3),
        ((TextPart(text="not asked"),), {"ocr": OcrOptions(task=KIE, result_schema=b'{"No":""}')}, 3),
    ],
)
def test_the_prompt_and_the_schema_count_as_they_were_written(
    parts: tuple[Part, ...], chat: dict[str, Any], tokens: int
) -> None:
    asked = Asked(prepared(picture(b"1"), *parts, **chat).call)

    assert (asked.image_tokens, asked.input_tokens) == (100, 100 + tokens)


def test_fields_of_a_schema_are_asked_for_by_their_names_and_descriptions() -> None:
    properties = {
        "total": {"anyOf": [{"type": "number", "description": "with tax"}, {"type": "null"}]},
        "buyer": {"$ref": "#/$defs/Buyer"},
        "taxes": {"type": "array", "items": {"type": "integer"}},
    }
    buyer = {"type": "object", "properties": {"name": {"type": "string", "description": "of the buyer"}}}
    wanted = json_of({"type": "object", "properties": properties, "$defs": {"Buyer": buyer}})

    [order] = Asked(prepared(picture(b"1"), json=wanted).call).orders()

    assert msgspec.json.decode(order.result_schema) == {
        "total": "with tax",
        "buyer": {"name": "of the buyer"},
        "taxes": [""],
    }


def test_a_schema_that_cannot_be_asked_for_is_refused_by_its_parameter() -> None:
    endless = json_of({"$ref": "#/$defs/Node", "$defs": {"Node": {"properties": {"a": {"$ref": "#/$defs/Node"}}}}})

    with pytest.raises(ParameterInvalid, match="The schema of response_format cannot be used: ") as refused:
        Asked(prepared(picture(b"1"), json=endless).call)
    assert refused.value.parameter == "response_format"


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (
            PageFailed(failure=Failure.IMAGE_UNREADABLE, reason="no image"),
            ParameterInvalid,
            "cannot be opened (no image)",
        ),
        (PageFailed(failure=Failure.SCHEMA_INVALID, reason="no JSON"), ParameterInvalid, "cannot be used: no JSON"),
        (
            PageFailed(failure=Failure.TOO_SLOW, reason="it took 9 seconds"),
            EngineTimedOut,
            "(reading this page: it took 9 seconds, `[ocr].page_s`)",
        ),
        (PageFailed(failure=Failure.OUT_OF_MEMORY), EngineFailed, "too little memory for this page"),
        (PageFailed(failure=Failure.CRASHED, reason="signal 9"), EngineFailed, "ended on this page: signal 9"),
        (PageFailed(failure=Failure.NO_READER, reason="no file"), EngineFailed, "could not be started: no file"),
        (PageFailed(failure=Failure.TASK_UNAVAILABLE, reason="x"), ModelUnavailable, "cannot do this task: x"),
        (web.Response(status=503), ModelUnavailable, "`small` is loading"),
        (web.Response(status=500), EngineFailed, "answered with status 500"),
        (web.Response(body=b"\x01"), EngineFailed, "sent what is no answer"),
    ],
    ids=lambda each: each.failure.value if isinstance(each, PageFailed) else "",
)
async def test_each_way_of_failing_is_its_own_error_before_anything_is_said(
    reply: Step, error: type[Exception], words: str
) -> None:
    async with serving({b"1": reply}) as (engine, _):
        events = engine.run(prepared(picture(b"1")))
        with pytest.raises(error) as raised:
            await anext(events)

    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("failure", "error", "tries"),
    [
        (Failure.TOO_SLOW, EngineTimedOut, 1),
        (Failure.OUT_OF_MEMORY, EngineFailed, 1),
        (Failure.CRASHED, EngineFailed, 1),
        (Failure.TASK_UNAVAILABLE, ModelUnavailable, 1),
        (Failure.NO_READER, EngineFailed, 3),
    ],
)
async def test_what_the_page_itself_makes_fail_is_not_read_again(
    failure: Failure, error: type[Exception], tries: int
) -> None:
    async with serving({b"1": PageFailed(failure=failure, reason="it took 9 seconds")}) as (engine, host):
        route = router_to(engine, tries=3)
        with pytest.raises(error):
            async with route(CALLER, model_card(), prepared(picture(b"1")), Unheard()):
                pytest.fail("nothing was answered")

    assert [order.image for order in host.orders] == [b"1"] * tries


async def test_a_later_page_that_fails_ends_the_call_and_its_other_pages() -> None:
    third = Wait()
    replies: dict[bytes, Step] = {
        b"1": PageAnswer(text="one"),
        b"2": PageFailed(failure=Failure.CRASHED),
        b"3": PageAnswer(text="three"),
    }
    async with serving(replies, waits={b"3": third}, after={b"2": third}) as (engine, host):
        events = engine.run(prepared(picture(b"1"), picture(b"2"), picture(b"3")))
        begun = [await anext(events), await anext(events)]
        with pytest.raises(EngineFailed):
            await anext(events)
        await ended(host)

    assert said(begun) == "one"


async def test_nobody_behind_the_socket_is_a_model_that_is_not_available() -> None:
    peer = host_peer("http://ocr", socket=Path("/nowhere/s"), secret="s", keeps_connections=False)
    engine = OcrEngine(target="ocr/small", slots=2, peer=peer, read_condition=lambda: READY)

    with pytest.raises(ModelUnavailable):
        await all_of(engine, prepared(picture(b"1")))


async def test_a_caller_who_leaves_closes_every_connection() -> None:
    first = Wait()
    async with serving({b"1": PageAnswer(text="")}, waits={b"1": first}) as (engine, host):
        asked = asyncio.create_task(all_of(engine, prepared(picture(b"1"), picture(b"1"), picture(b"1"))))
        await first.arrives()

        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

        await ended(host)


@pytest.mark.parametrize(("model", "tells"), [("qwen3", True), ("", False)])
async def test_the_page_is_told_for_who_chooses_anew(model: str, *, tells: bool) -> None:
    page = Page(width=10, height=10)
    reply = msgspec.structs.replace(fields(No="A1"), page=page if tells else None)
    async with serving({b"1": reply}, table=OcrTable(fields_model=model)) as (engine, host):
        options = OcrOptions(task=KIE, result_schema=b'{"No": ""}')
        events = await all_of(engine, prepared(picture(b"1"), ocr=options))

    (told,) = [event for event in events if isinstance(event, Recognized)]
    assert told.page == (msgspec.msgpack.encode(page) if tells else b"")
    assert told.places == (encode_places(reply.places) if tells else b"")
    assert msgspec.json.decode(told.result) == {"kv_result": {"No": "A1"}}
    assert [order.wants_page for order in host.orders] == [tells]


async def ended(host: FakeReadingHost) -> None:
    """Wait until the host reads nothing."""
    async with asyncio.timeout(10):
        while host.open_pages:  # noqa: ASYNC110 - a count is what the host has
            await asyncio.sleep(0.001)
