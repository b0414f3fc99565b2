"""Questions and answers that are looked through: what is blocked, what is billed, what the operator's check is told."""

from __future__ import annotations

import gzip
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from qwenport.core.call import Call, NativeInput
from qwenport.core.caller import Caller
from qwenport.core.errors import ContentBlocked, EngineFailed, ModelUnavailable
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Relayed, Started
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.secret import Secret
from qwenport.core.usage import Usage
from qwenport.pipeline.checked_route import CheckedRoute
from qwenport.pipeline.inspection.inspection import CheckInvalid, Inspection, inspection_of, words_of
from qwenport.pipeline.inspection.words import WordList
from qwenport.routing.answer import Answer, Observer
from qwenport.settings.configuration_file import CheckTable
from qwenport.testing.calls import CALLER, call_of, chat_call
from qwenport.testing.clock import FakeClock
from qwenport.testing.models import model_card
from qwenport.testing.scripted_engine import ScriptedEngine, Step, answer

pytestmark = pytest.mark.anyio

CARD = model_card()
SECRET = Secret("the-secret-of-the-check")
BLOCKED = "Output data may contain inappropriate content."


class Tokens:
    """Counts as an admission does."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    @property
    def generated(self) -> int:
        return sum(getattr(event, "tokens", 0) for event in self.events)

    def routed(self) -> None:
        """Do nothing."""

    def observe(self, event: Event) -> None:
        self.events.append(event)

    def restart(self) -> None:
        self.events.clear()


def routed_to(engine: ScriptedEngine) -> Callable[..., object]:
    @asynccontextmanager
    async def route(
        _caller: Caller, _card: ModelCard, prepared: PreparedCall, observer: Observer
    ) -> AsyncIterator[Answer]:
        async with aclosing(engine.run(prepared)) as events:
            begun: list[Event] = []
            async for event in events:
                observer.observe(event)
                begun.append(event)
                if prepared.call.streams:
                    break
            yield Answer(begun=begun, rest=events)

    return route


async def ask(inspection: Inspection, call: Call, steps: Sequence[Step]) -> tuple[list[Any], Tokens, ScriptedEngine]:
    """Return what the client sees, what is counted and the engine; a block stands in the events' place as an error."""
    engine = ScriptedEngine(lambda _: steps)
    route = CheckedRoute(routed_to(engine), inspection)  # type: ignore[arg-type] # a route of one engine
    counted = Tokens()
    seen: list[Any] = []
    try:
        async with route(CALLER, CARD, PreparedCall(call=call, max_input_tokens=1000), counted) as answered:
            seen += answered.begun
            async for event in answered.rest:
                counted.observe(event)
                seen.append(event)
    except (ContentBlocked, ModelUnavailable, EngineFailed) as error:
        seen.append(error)
    assert engine.open_runs == 0
    return seen, counted, engine


def words(*listed: str, **changes: object) -> Inspection:
    return Inspection(words=WordList(listed), webhook=None, **changes)  # type: ignore[arg-type] # fields of it


def shown(seen: Sequence[object]) -> list[str]:
    return [event.text for event in seen if isinstance(event, Delta)] + [
        str(event) for event in seen if isinstance(event, Exception)
    ]


@pytest.mark.parametrize("streams", [False, True])
async def test_a_blocked_question_reaches_no_engine_and_counts_nothing(streams: bool) -> None:
    seen, counted, engine = await ask(words("bomb"), chat_call("a BOMB", streams=streams), answer("a"))

    assert (shown(seen), counted.events, engine.calls) == (["Input data may contain inappropriate content."], [], [])


async def test_a_word_over_three_pieces_of_a_stream_does_not_slip_out_and_what_was_made_is_billed() -> None:
    seen, counted, _ = await ask(
        words("坏词语"), chat_call(streams=True), answer("Well", " 坏", "词", "语", "!", "never made")
    )

    assert (shown(seen), counted.generated) == (["Well", BLOCKED], 4)


async def test_a_stream_that_is_clean_comes_as_it_was_made() -> None:
    steps = answer("Well", " 坏", "人")
    seen, counted, _ = await ask(words("坏词语"), chat_call(streams=True), steps)

    assert (seen, counted.events) == (steps, steps)


async def test_a_beginning_of_a_word_at_the_end_is_given_out_before_the_end() -> None:
    seen, counted, _ = await ask(words("坏词语"), chat_call(streams=True), steps := answer("坏"))

    assert (seen, counted.events) == (steps, steps)


async def test_a_whole_answer_is_blocked_before_anything_of_it_is_seen() -> None:
    seen, counted, _ = await ask(words("坏词"), chat_call(), answer("a", "坏", "词"))

    assert (shown(seen), counted.generated) == ([BLOCKED], 3)


async def test_what_is_held_back_when_the_engine_breaks_off_is_billed() -> None:
    steps: list[Step] = [
        Started(served_by="s/m", input_tokens=1),
        Delta(text="a"),
        Delta(text="坏", tokens=2),
        EngineFailed("x"),
    ]
    seen, counted, _ = await ask(words("坏词"), chat_call(streams=True), steps)

    assert (shown(seen), counted.generated) == (["a", "x"], 3)


async def test_a_first_delta_that_routing_observed_already_is_not_counted_twice() -> None:
    steps: list[Step] = [
        Delta(text="坏"),
        Delta(text="人"),
        ChoiceFinished(reason=FinishReason.STOP),
        Finished(usage=Usage()),
    ]
    _, counted, _ = await ask(words("坏词"), chat_call(streams=True), steps)

    assert counted.generated == 2


@pytest.mark.parametrize("inspection", [words("a", output=False, input=False), words("a", models=frozenset({"other"}))])
async def test_what_is_not_to_be_checked_passes(inspection: Inspection) -> None:
    seen, _, _ = await ask(inspection, chat_call("a"), steps := answer("a"))

    assert seen == steps


def native(*, streams: bool = False, is_asynchronous: bool = False) -> Call:
    body = b'{"model":"m","input":{"prompt":"a cat"}}'
    return call_of(NativeInput(service="a/b/c", body=body, is_asynchronous=is_asynchronous), streams=streams)


def relayed(text: str, count: int) -> Relayed:
    return Relayed(piece=msgspec.json.encode({"output": {"text": text}}), usage=Usage(items=(("characters", count),)))


async def test_what_a_service_is_asked_is_looked_through() -> None:
    seen, counted, engine = await ask(words("a cat"), native(), [relayed("fine", 1)])

    assert (shown(seen), counted.events, engine.calls) == (["Input data may contain inappropriate content."], [], [])


async def test_a_blocked_answer_of_a_service_is_not_seen_and_what_it_reported_is_billed() -> None:
    steps: list[Step] = [relayed("a bad", 1), relayed(" word", 2), relayed("!", 3)]
    seen, counted, _ = await ask(words("bad word"), native(streams=True), steps)
    all_of_it: list[Step] = [relayed("a bad word", 4), Finished(usage=Usage())]
    whole, counted_whole, _ = await ask(words("bad word"), native(), all_of_it)

    assert (shown(seen), counted.events[-1]) == ([BLOCKED], steps[-1])
    assert ([str(each) for each in whole], counted_whole.events) == ([BLOCKED], all_of_it)


async def test_that_a_task_was_made_is_always_told_since_it_has_to_be_paid_for() -> None:
    seen, _, _ = await ask(words("task"), native(is_asynchronous=True), [relayed("task", 0)])

    assert seen == [relayed("task", 0)]


class Check:
    """The operator's check, at an address."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.signed: list[bool] = []
        self.encodings: list[str] = []
        """Which of an answer's each question takes."""
        self.verdict: Callable[[dict[str, object]], web.Response] = lambda _: web.json_response({"allowed": True})
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        at, digest = (part.partition("=")[2] for part in request.headers["x-qwenport-signature"].split(","))
        expected = hmac.new(SECRET.reveal().encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        self.signed.append(digest == expected)
        self.encodings.append(request.headers["accept-encoding"])
        self.asked.append(msgspec.json.decode(body))
        return self.verdict(self.asked[-1])


@pytest.fixture
async def check() -> AsyncIterator[Check]:
    served = Check()
    application = web.Application()
    application.router.add_post("/check", served.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/check"
    yield served
    await runner.cleanup()


@asynccontextmanager
async def asking(check: Check, **changes: object) -> AsyncIterator[Inspection]:
    table = replace(CheckTable(webhook=check.url, webhook_secret_env="CHECK_SECRET", webhook_s=5.0), **changes)
    inspection = inspection_of(table, None, SECRET, FakeClock())
    assert inspection is not None
    try:
        yield inspection
    finally:
        await inspection.close()


async def test_the_check_is_told_both_directions_signed(check: Check) -> None:
    async with asking(check) as inspection:
        seen, _, _ = await ask(inspection, chat_call("Hi"), steps := answer("Hel", "lo"))

    assert seen == steps
    question = {"request_id": "request-1", "model": "qwen-plus"}
    assert check.asked == [
        question | {"direction": "input", "texts": ["Hi"]},
        question | {"direction": "output", "texts": ["Hello"]},
    ]
    assert check.signed == [True, True]
    assert check.encodings == ["identity", "identity"]


async def test_the_check_says_no_to_a_question(check: Check) -> None:
    check.verdict = lambda _: web.json_response({"allowed": False, "reason": "no"})
    async with asking(check) as inspection:
        seen, counted, engine = await ask(inspection, chat_call(), answer("a"))

    assert (shown(seen), counted.events, engine.calls) == (["Input data may contain inappropriate content."], [], [])


async def test_a_stream_is_shown_to_the_check_in_sections_and_nothing_is_seen_before(check: Check) -> None:
    check.verdict = lambda asked: web.json_response({"allowed": "bad" not in str(asked["texts"])})
    async with asking(check, input=False) as inspection:
        seen, counted, _ = await ask(inspection, chat_call(streams=True), answer("a" * 600, "b" * 10, "bad", "never"))

    assert shown(seen) == ["a" * 600, BLOCKED]
    assert [asked["texts"] for asked in check.asked] == [["a" * 600], ["a" * 128 + "b" * 10 + "badnever"]]
    assert counted.generated == 4


def not_json(_: dict[str, object]) -> web.Response:
    return web.Response(text="<html>")


def broken(_: dict[str, object]) -> web.Response:
    return web.Response(status=500)


def moved(_: dict[str, object]) -> web.Response:
    return web.Response(status=307, headers={"location": "http://127.0.0.1:1/"})


def endless(_: dict[str, object]) -> web.Response:
    return web.Response(body=b" " * (1 << 20))


def packed(_: dict[str, object]) -> web.Response:
    return web.Response(body=gzip.compress(b'{"allowed": true}'), headers={"content-encoding": "gzip"})


@pytest.mark.parametrize("verdict", [not_json, broken, moved, endless, packed])
async def test_a_check_that_gives_no_verdict_refuses_or_passes_as_the_operator_says(
    check: Check, verdict: Callable[[dict[str, object]], web.Response]
) -> None:
    check.verdict = verdict
    async with asking(check) as inspection:
        refused, _, engine = await ask(inspection, chat_call(), answer("a"))
    async with asking(check, on_failure="pass") as inspection:
        passed, _, _ = await ask(inspection, chat_call(), steps := answer("a"))

    assert shown(refused) == ["Model is unavailable, please try again later. (the content could not be checked)"]
    assert (engine.calls, passed) == ([], steps)


@pytest.mark.parametrize(
    ("table", "secret"),
    [
        (CheckTable(webhook="ftp://check"), None),
        (CheckTable(webhook="http://134744072/"), None),
        (CheckTable(webhook="http://check", webhook_secret_env="NAME"), None),
        (CheckTable(webhook="http://check", webhook_secret_env="NAME"), Secret("")),
        (CheckTable(words_file="/none/such"), None),
    ],
)
def test_a_check_that_cannot_be_set_up_is_refused_in_words(table: CheckTable, secret: Secret | None) -> None:
    with pytest.raises(CheckInvalid):
        inspection_of(table, words_of(table), secret, FakeClock())


@pytest.mark.parametrize("webhook", ["http://check.example.com/x?y=1", "http://user:word@8.8.8.8", "http://[2606::1]/"])
def test_a_check_that_all_could_read_is_refused_unless_that_is_meant(webhook: str) -> None:
    with pytest.raises(CheckInvalid, match=r"clear text over the public internet.*`allow_http = true`"):
        inspection_of(CheckTable(webhook=webhook), None, None, FakeClock())

    assert inspection_of(CheckTable(webhook=webhook, allow_http=True), None, None, FakeClock()) is not None


@pytest.mark.parametrize(
    "webhook", ["https://check.example.com/x?y=1", "http://10.0.0.5:8080/", "http://check.internal"]
)
def test_a_check_that_nobody_else_reads_is_taken(webhook: str) -> None:
    assert inspection_of(CheckTable(webhook=webhook), None, None, FakeClock()) is not None


def test_nothing_is_checked_by_default() -> None:
    assert inspection_of(CheckTable(), None, None, FakeClock()) is None
