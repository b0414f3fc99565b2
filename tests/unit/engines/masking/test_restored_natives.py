"""Masked native services: the caller finds its own values in what comes back, wherever a stream is cut into pieces."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from qwenport.core.call import NativeInput
from qwenport.core.errors import EngineFailed, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Event, Finished, FinishReason, Recognized, Relayed, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.masking.masked_engine import MaskedEngine
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.scripted_engine import ScriptedEngine, Step

pytestmark = pytest.mark.anyio

MAIL, PHONE = "jane@example.com", "13800138000"
BODY = f'{{"model":"m","input":{{"text":"Mail {MAIL}, ring {PHONE}"}}}}'
STARTED = Started(served_by="studio/model", input_tokens=0)
FINISHED = Finished(usage=Usage())


def relayed(output: object, tokens: int = 0) -> Relayed:
    return Relayed(piece=msgspec.json.encode({"output": output}), usage=Usage(output_tokens=tokens))


async def collect(engine: ScriptedEngine, events: list[Event], asked: NativeInput) -> None:
    """Put what the caller sees into `events`, up to an error."""
    prepared = PreparedCall(call=call_of(asked, streams=True), max_input_tokens=1000)
    async with aclosing(MaskedEngine(engine).run(prepared)) as run:
        async for event in run:
            events.append(event)  # noqa: PERF401 - what came before an error counts


async def answered(*steps: Step, body: str = BODY) -> tuple[ScriptedEngine, list[Event]]:
    engine = ScriptedEngine(lambda _: list(steps))
    events: list[Event] = []
    await collect(engine, events, NativeInput(service="aigc/x/y", body=body.encode()))
    return engine, events


def outputs(events: list[Event]) -> list[Any]:
    return [msgspec.json.decode(event.piece)["output"] for event in events if isinstance(event, Relayed)]


def texts(*said: str) -> list[Step]:
    return [relayed({"text": text}) for text in said]


async def test_a_whole_answer_gives_the_caller_its_values_back_in_texts_and_names() -> None:
    answer = {"text": "To [EMAIL_1]", "of": [{"[PHONE_1]": ["ring [PHONE_1]", 1.50, None, True, 1 << 70]}]}
    engine, events = await answered(STARTED, relayed(answer, 7), FINISHED)

    assert isinstance(engine.calls[0].call.input, NativeInput)
    assert engine.calls[0].call.input.body == BODY.replace(MAIL, "[EMAIL_1]").replace(PHONE, "[PHONE_1]").encode()
    restored = {"text": f"To {MAIL}", "of": [{PHONE: [f"ring {PHONE}", 1.50, None, True, 1 << 70]}]}
    assert events == [STARTED, relayed(restored, 7), FINISHED]


async def test_what_holds_no_placeholder_stays_the_very_bytes() -> None:
    steps = [Relayed(piece=piece, usage=Usage()) for piece in (b'{ "a" : [1.0, "[x]", "[PHONE_9]"] }', b"no JSON [EM")]
    _, events = await answered(STARTED, *steps, FINISHED)

    assert events == [STARTED, *steps, FINISHED]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (("Mail [EM", "AIL_1]", " now"), (f"Mail {MAIL}", "", " now")),
        (("Mail [", "EMA", "IL_", "1] and [PHONE", "_1]"), (f"Mail {MAIL}", "", "", f" and {PHONE}", "")),
        (("Mail [EM", "Mail [EMAIL_1]", "Mail [EMAIL_1] now"), ("Mail [EM", f"Mail {MAIL}", f"Mail {MAIL} now")),
        (("[", "[1, 2], [", "[EMAIL_1]]"), ("[", "[1, 2], [", f"{MAIL}]")),
        (("a [", "b] [EM", "PTY]"), ("a [", "b] [EM", "PTY]")),
        (("[EMAIL_1][", "PHONE_1][EMA"), (f"{MAIL}{PHONE}", "[EMA")),
    ],
)
async def test_a_placeholder_over_several_pieces_is_put_back_where_it_begins(
    said: tuple[str, ...], seen: tuple[str, ...]
) -> None:
    _, events = await answered(STARTED, *texts(*said), FINISHED)

    assert outputs(events) == [{"text": text} for text in seen]
    assert (events[0], events[-1]) == (STARTED, FINISHED)


async def test_places_are_put_back_each_for_itself_and_a_piece_without_one_changes_nothing() -> None:
    first = {"a": "[EMA", "b": ["[PHO", "x"]}
    second: dict[str, Any] = {"sentence": {"index": 0}}
    third = {"a": "IL_1]!", "b": ["NE_1]?", "y"]}

    _, events = await answered(STARTED, relayed(first, 1), relayed(second, 2), relayed(third, 3), FINISHED)

    assert events == [
        STARTED,
        relayed({"a": MAIL, "b": [PHONE, "x"]}, 1),
        relayed(second, 2),
        relayed({"a": "!", "b": ["?", "y"]}, 3),
        FINISHED,
    ]


async def test_a_piece_waits_for_the_next_only_where_it_may_end_in_a_placeholder() -> None:
    released: list[int] = []
    events: list[Event] = []

    class Watched(list[Step]):
        """Notes how much the caller has seen when each step is taken."""

        def __iter__(self) -> Any:
            for step in list.__iter__(self):
                released.append(len(events))
                yield step

    engine = ScriptedEngine(lambda _: Watched(texts("one", "two [", "three", "four")))
    await collect(engine, events, NativeInput(service="aigc/x/y", body=BODY.encode()))

    assert outputs(events) == [{"text": text} for text in ("one", "two [", "three", "four")]
    assert released == [0, 1, 1, 3]


async def test_what_waits_when_the_service_breaks_off_is_said_before_the_error() -> None:
    engine = ScriptedEngine(lambda _: [STARTED, *texts("Mail [EM"), EngineFailed("gone")])
    events: list[Event] = []
    with pytest.raises(EngineFailed):
        await collect(engine, events, NativeInput(service="aigc/x/y", body=BODY.encode()))

    assert events == [STARTED, *texts("Mail [EM")]


async def test_a_task_whose_result_could_not_be_put_back_is_refused_and_one_without_personal_data_is_made() -> None:
    engine = ScriptedEngine(lambda _: [STARTED, relayed({"task_id": "t"}), FINISHED])
    events: list[Event] = []
    with pytest.raises(ParameterInvalid, match="Leave such data out, or call the service without `X-DashScope-Async`"):
        await collect(engine, events, NativeInput(service="aigc/x/y", body=BODY.encode(), is_asynchronous=True))
    assert (engine.calls, events) == ([], [])

    plain = NativeInput(service="aigc/x/y", body=b'{"model":"m","input":{"prompt":"a cat"}}', is_asynchronous=True)
    await collect(engine, events, plain)
    assert events == [STARTED, relayed({"task_id": "t"}), FINISHED]


async def test_the_fields_that_a_picture_is_asked_for_leave_masked_and_come_back_whole() -> None:
    options = OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=f'{{"{MAIL}":""}}'.encode())
    found = Recognized(result=b'{"kv_result":{"[EMAIL_1]":"by [EMAIL_1]"}}')
    stopped = ChoiceFinished(reason=FinishReason.STOP)
    engine = ScriptedEngine(lambda _: [STARTED, found, stopped, FINISHED])

    prepared = PreparedCall(call=chat_call(ocr=options), max_input_tokens=1000)
    async with aclosing(MaskedEngine(engine).run(prepared)) as run:
        events = [event async for event in run]

    asked: Any = engine.calls[0].call.input
    assert asked.ocr == OcrOptions(task=options.task, result_schema=b'{"[EMAIL_1]":""}')
    restored = f'{{"kv_result":{{"{MAIL}":"by {MAIL}"}}}}'.encode()
    assert events == [STARTED, Recognized(result=restored), stopped, FINISHED]
