"""Answers of native services on their way through the checks: texts somewhere in JSON, anew or on with each piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from qwenport.core.call import Call, NativeInput
from qwenport.core.clock import SystemClock
from qwenport.core.errors import ContentBlocked, ModelUnavailable
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized, Relayed, Started
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.pipeline.inspection.guarded_events import GuardedEvents
from qwenport.pipeline.inspection.inspection import Inspection
from qwenport.pipeline.inspection.permitted import Permitted
from qwenport.pipeline.inspection.webhook import Question, Webhook
from qwenport.pipeline.inspection.words import WordList
from qwenport.testing.calls import call_of, chat_call

pytestmark = pytest.mark.anyio

STARTED = Started(served_by="studio/model", input_tokens=0)
FINISHED = Finished(usage=Usage())
STREAM = call_of(NativeInput(service="aigc/x/y", body=b"{}"), streams=True)


def relayed(output: object) -> Relayed:
    return Relayed(piece=msgspec.json.encode({"output": output}), usage=Usage())


def told(*texts: str) -> list[Event]:
    """Return the events of an answer whose pieces say these texts in the same place."""
    return [STARTED, *(relayed({"text": text}) for text in texts), FINISHED]


def looking_for(*words: str) -> Inspection:
    return Inspection(words=WordList(words), webhook=None)


async def seen(inspection: Inspection, events: Sequence[Event], call: Call = STREAM) -> list[list[object]]:
    """Return what comes out for each event that goes in; a block in the place of what is blocked."""
    guarded = GuardedEvents(inspection, call)
    given: list[list[object]] = []
    for event in events:
        try:
            given.append(list(await guarded.add(event)))
        except ContentBlocked as error:
            return [*given, [str(error)]]
    return given


BLOCKED = "Output data may contain inappropriate content."


@pytest.mark.parametrize(
    "texts",
    [
        ("a bad word!",),
        ("a bad", " word", "!"),
        ("a bad", "", " word", "!"),
        ("a b", "a bad wo", "a bad word!"),
        ("Bad", "Bad word", "Bad word in front"),
        ("Bad", "", "Bad word in front"),
        ("Bad", "Bad word"),
        ("Ba", "Bad word", "Another"),
        ("bad bad", "bad bad", " word ok"),
    ],
)
async def test_a_word_is_found_whether_pieces_go_on_or_tell_all_anew(texts: tuple[str, ...]) -> None:
    events = told(*texts)
    given = await seen(looking_for("bad word"), events)

    assert given[-1] == [BLOCKED]
    shown = [event for each in given[:-1] for event in each]
    assert [event for event in shown if "word" in str(event)] == []


@pytest.mark.parametrize(
    "texts", [("cl", "ass", "ic"), ("gl", "glass", "glass of"), ("as", "if"), ("classic", "asset"), ("As", "Asset")]
)
async def test_a_part_of_a_longer_word_is_no_word_and_a_piece_waits_for_one_more_at_most(
    texts: tuple[str, ...],
) -> None:
    events = told(*texts)
    given = await seen(looking_for("ass"), events)

    assert [event for each in given for event in each] == events
    assert [event for each in given[:-1] for event in each][: len(events) - 2] == events[:-2]


async def test_words_are_found_wherever_they_lie_and_what_two_places_say_is_not_one() -> None:
    deep = {"results": [{"sentences": [{"text": "a bad word"}]}]}

    assert await seen(looking_for("bad word"), [relayed(deep), FINISHED]) == [[], [BLOCKED]]
    apart = relayed({"a": "bad", "b": "word"})
    assert await seen(looking_for("badword"), [apart, FINISHED]) == [[], [apart, FINISHED]]


async def test_a_text_that_the_next_piece_does_not_go_on_with_has_ended() -> None:
    first, second = relayed({"a": "bad", "b": "x"}), relayed({"b": "y"})

    assert await seen(looking_for("bad word"), [first, second]) == [[], [first, second]]
    assert await seen(looking_for("bad"), [first, second]) == [[], [BLOCKED]]


async def test_addresses_ids_and_sound_are_no_texts() -> None:
    piece = relayed(
        {
            "task_id": "1-bad-2",
            "results": [{"url": "https://pictures/bad"}],
            "audio": {"data": "AAAA/bad/AAA=", "id": "bad", "expires_at": 1},
            "other_urls": ["https://pictures/bad"],
        }
    )

    assert await seen(looking_for("bad"), [piece]) == [[piece]]
    assert await seen(looking_for("bad"), [relayed({"data": "a bad word"})]) == [[BLOCKED]]


async def test_what_is_no_json_is_looked_through_as_it_stands() -> None:
    assert await seen(looking_for("bad"), [Relayed(piece=b"a bad word", usage=Usage())]) == [[BLOCKED]]


async def test_what_a_built_in_task_found_is_looked_through() -> None:
    found = Recognized(result=b'{"kv_result":{"name":"a b\\u0061d word."}}')
    stopped = ChoiceFinished(reason=FinishReason.STOP)
    events: list[Event] = [STARTED, Delta(text="fine"), found, stopped, FINISHED]

    assert await seen(looking_for("bad word"), events, chat_call()) == [[STARTED], [Delta(text="fine")], [BLOCKED]]
    assert [each for given in await seen(looking_for("none"), events, chat_call()) for each in given] == events


@pytest.fixture
async def asked() -> AsyncIterator[tuple[list[list[str]], Inspection]]:
    """Give what the operator's check is asked, and the inspection that asks it.

    It blocks the word `bad`, and the word `sick` makes it fail.
    """
    texts: list[list[str]] = []

    async def answer(request: web.Request) -> web.Response:
        texts.append((await request.json())["texts"])
        if any("sick" in text for text in texts[-1]):
            raise web.HTTPInternalServerError
        return web.json_response({"allowed": not any("bad" in text for text in texts[-1])})

    application = web.Application()
    application.router.add_post("/", answer)
    async with TestServer(application) as server:
        inspection = Inspection(
            words=None, webhook=Webhook(str(server.make_url("/")), None, SystemClock(), answer_s=10.0)
        )
        yield texts, inspection
        await inspection.close()


async def test_the_operators_check_is_shown_each_text_of_a_stream_once(
    asked: tuple[list[list[str]], Inspection],
) -> None:
    texts, inspection = asked
    long = "a" * 600
    events = told("One", "One two", long, "", f"{long}, the end")

    given = await seen(inspection, events)

    assert [event for each in given for event in each] == events
    assert texts == [["One two" + long], [("One two" + long)[-128:] + ", the end"]]


async def test_sound_goes_through_while_the_operators_check_has_nothing_to_say(
    asked: tuple[list[list[str]], Inspection],
) -> None:
    texts, inspection = asked
    sounds = [relayed({"audio": {"data": "AAAA", "id": "1"}}) for _ in range(3)]

    assert await seen(inspection, sounds) == [[sound] for sound in sounds]
    assert texts == []


@pytest.mark.parametrize("changes", [{"output": False}, {"models": frozenset({"another"})}])
async def test_a_result_is_looked_through_only_where_answers_are(changes: dict[str, Any]) -> None:
    result = b'{"output":{"text":"a bad word"}}'
    with pytest.raises(ContentBlocked):
        await looking_for("bad word").check_result(STREAM.id, "paraformer", result)

    await replace(looking_for("bad word"), **changes).check_result(STREAM.id, "paraformer", result)


async def test_a_result_to_which_the_operators_check_says_no_is_not_shown(
    asked: tuple[list[list[str]], Inspection],
) -> None:
    texts, inspection = asked

    await inspection.check_result(STREAM.id, "paraformer", b'{"output":{"task_id":"t","text":"good"}}')
    with pytest.raises(ContentBlocked, match=BLOCKED):
        await inspection.check_result(STREAM.id, "paraformer", b'{"output":{"text":"bad"}}')
    assert texts == [["good"], ["bad"]]


def result_of(text: str, look: str = "look-1") -> bytes:
    """Return what a task says when it is looked at: each look has an id of its own."""
    return msgspec.json.encode({"request_id": look, "output": {"task_id": "t", "text": text}})


async def test_a_result_that_may_be_seen_is_put_to_the_operators_check_once(
    asked: tuple[list[list[str]], Inspection],
) -> None:
    texts, inspection = asked
    for look in ("look-1", "look-2", "look-3"):
        await inspection.check_result(STREAM.id, "paraformer", result_of("good", look))
    assert texts == [["good"]]

    await inspection.check_result(STREAM.id, "paraformer", result_of("more"))
    await inspection.check_result(RequestId("another-task"), "paraformer", result_of("good"))
    await inspection.check_result(STREAM.id, "another-model", result_of("good"))
    assert texts == [["good"], ["more"], ["good"], ["good"]]


async def test_a_no_is_asked_for_again_at_each_look(asked: tuple[list[list[str]], Inspection]) -> None:
    texts, inspection = asked
    for _ in range(2):
        with pytest.raises(ContentBlocked):
            await inspection.check_result(STREAM.id, "paraformer", result_of("bad"))
    assert texts == [["bad"], ["bad"]]


async def test_a_result_that_could_not_be_checked_is_asked_for_again_whether_it_was_shown_or_not(
    asked: tuple[list[list[str]], Inspection],
) -> None:
    texts, inspection = asked
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            await inspection.check_result(STREAM.id, "paraformer", result_of("sick"))
    passing = replace(inspection, passes_failures=True)
    for _ in range(2):
        await passing.check_result(STREAM.id, "paraformer", result_of("sick"))
    assert texts == [["sick"]] * 4


def test_of_what_was_permitted_that_is_forgotten_which_nobody_asked_for_longest() -> None:
    first, second, third = (
        Question(request_id=STREAM.id, direction="output", model="m", texts=(text,)) for text in ("1", "2", "3")
    )
    permitted = Permitted(2)
    permitted.add(first)
    permitted.add(second)
    permitted.knows(first)
    permitted.add(third)

    assert [permitted.knows(each) for each in (first, second, third)] == [True, False, True]
