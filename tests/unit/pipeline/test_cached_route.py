"""Answers that are given again: to whom, for how long, at which price, and when not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput, EmbeddingInput, Sampling
from qwenport.core.caller import Caller
from qwenport.core.content import Message, Picture, Role
from qwenport.core.errors import EngineFailed
from qwenport.core.events import ChoiceFinished, Delta, Embedded, Event, Finished, FinishReason, Started
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Route
from qwenport.core.usage import Usage, UsageSource
from qwenport.pipeline.answer_cache import AnswerCache, compact
from qwenport.pipeline.cache_key import canonical_form, is_deterministic
from qwenport.pipeline.cached_route import CachedRoute, CacheRules
from qwenport.routing.answer import Answer
from qwenport.storage.answer_file import AnswerFile
from qwenport.testing.calls import CALLER, call_of, chat_call
from qwenport.testing.clock import FakeClock
from qwenport.testing.models import model_card
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait, answer
from qwenport.testing.scripts import CALLED, THOUGHT, TWICE

pytestmark = pytest.mark.anyio

CARD = model_card()
COLD = Sampling(temperature=0)
CALL = chat_call("Hi", sampling=COLD)
STARTED = Started(served_by="scripted/model", input_tokens=7)


class Counts:
    def __init__(self) -> None:
        self.events: Counter[str] = Counter()

    def count_cache(self, event: str, size_bytes: int = 0) -> None:
        self.events[event] += 1


class Counted:
    """Counts as an admission does."""

    def __init__(self) -> None:
        self.routings = 0

    def routed(self) -> None:
        self.routings += 1

    def observe(self, event: Event) -> None:
        """Do nothing."""

    def restart(self) -> None:
        """Do nothing."""


class House:
    """A cached route over one engine."""

    def __init__(self, folder: Path, script: Callable[[PreparedCall], Sequence[Step]], **changes: Any) -> None:
        self.clock = FakeClock()
        self.counts = Counts()
        self.engine = ScriptedEngine(script)
        self.route = Route(targets=("scripted/model",), cache_s=60)
        file = AnswerFile(folder / "answers.db", changes.pop("max_bytes", 1 << 20))
        self.cache = AnswerCache(
            file, self.clock, self.counts, max_answer_bytes=changes.pop("max_answer_bytes", 1 << 16)
        )
        self.addresses = {"scripted/model": "https://first.example.com/v1"}
        self.cached = CachedRoute(
            self._ask_engine, self.cache, lambda _: (self.route,), CacheRules(**changes), self.addresses.__getitem__
        )

    @asynccontextmanager
    async def _ask_engine(
        self, _caller: Any, _card: Any, prepared: PreparedCall, _observer: Any
    ) -> AsyncIterator[Answer]:
        async with aclosing(self.engine.run(prepared)) as events:
            yield Answer(begun=() if prepared.call.streams else [event async for event in events], rest=events)

    async def ask(self, call: Call = CALL, caller: Caller = CALLER) -> list[Event]:
        """Return the answer; afterwards everything is stored that is stored at all."""
        prepared = PreparedCall(call=call, max_input_tokens=1000)
        async with self.cached(caller, CARD, prepared, Counted()) as answered:
            events = [*answered.begun, *[event async for event in answered.rest]]
        while self.cache._storing:
            await asyncio.wait(self.cache._storing)
        return events


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[..., House]]:
    made: list[House] = []

    def build(
        script: Callable[[PreparedCall], Sequence[Step]] = lambda _: answer("Hel", "lo"), **changes: Any
    ) -> House:
        made.append(House(tmp_path, script, **changes))
        return made[-1]

    yield build
    for house in made:
        await house.cache.close()


def text_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


async def test_an_equal_call_is_answered_without_an_engine_and_all_of_its_input_counts_as_cached(
    make: Callable[..., House],
) -> None:
    house = make(bill_percent=25)
    await house.ask()

    assert await house.ask(replace(CALL, id=RequestId("other"), face="dashscope", streams=True)) == [
        replace(STARTED, cached_tokens=7, billed_percent=25),
        Delta(text="Hello", tokens=2),
        ChoiceFinished(reason=FinishReason.STOP),
        Finished(usage=Usage(input_tokens=7, output_tokens=2, cached_tokens=7, source=UsageSource.CACHE)),
    ]
    assert (len(house.engine.calls), house.counts.events) == (1, {"miss": 1, "hit": 1, "stored": 1})


@pytest.mark.parametrize("script", [THOUGHT, CALLED, TWICE])
async def test_what_was_streamed_is_the_same_when_it_is_given_whole(script: Any, make: Callable[..., House]) -> None:
    house = make(lambda _: script)
    first = await house.ask(replace(CALL, streams=True))
    again = await house.ask()

    assert list(again[1:-1]) == list(compact(first)[1:-1])
    assert len(house.engine.calls) == 1


async def test_vectors_are_kept_too(make: Callable[..., House]) -> None:
    steps = [STARTED, Embedded(index=0, vector=b"\x00\x01\xff"), Finished(usage=Usage(input_tokens=7))]
    house = make(lambda _: steps)
    call = call_of(EmbeddingInput(texts=("a",)))
    await house.ask(call)

    assert (await house.ask(call))[1] == steps[1]
    assert len(house.engine.calls) == 1


@pytest.mark.parametrize(
    ("call", "deterministic"),
    [
        (CALL, True),
        (chat_call(), False),
        (chat_call(sampling=Sampling(temperature=0.7)), False),
        (chat_call(sampling=Sampling(temperature=0.7, seed=0)), True),
    ],
)
async def test_only_what_leaves_nothing_to_chance_is_kept(
    call: Call, deterministic: bool, make: Callable[..., House]
) -> None:
    house = make()
    await house.ask(call)
    await house.ask(call)

    assert is_deterministic(call) is deterministic
    assert len(house.engine.calls) == (1 if deterministic else 2)


PICTURE = Picture(data=b"one", media_type="image/png", width=1, height=1, tokens=1)


@pytest.mark.parametrize(
    "other",
    [
        chat_call("Hi ", sampling=COLD),
        chat_call("Hi", sampling=Sampling(temperature=0, max_tokens=5)),
        chat_call("Hi", sampling=Sampling(temperature=0, seed=1)),
        chat_call("Hi", sampling=COLD, thinking=True),
        chat_call(sampling=COLD, messages=(Message(role=Role.USER, content=(PICTURE,)),)),
        chat_call(sampling=COLD, messages=(Message(role=Role.USER, content=(replace(PICTURE, data=b"two"),)),)),
    ],
)
async def test_whatever_decides_the_answer_makes_another_call(other: Call, make: Callable[..., House]) -> None:
    house = make()
    seen = [CALL, chat_call(sampling=COLD, messages=(Message(role=Role.USER, content=(PICTURE,)),))]
    for call in seen:
        await house.ask(call)
    before = len(house.engine.calls)
    await house.ask(other)

    assert len(house.engine.calls) == before + (other not in seen)


@pytest.mark.parametrize(
    ("scope", "caller", "is_hit"),
    [
        ("key", replace(CALLER, key_id=KeyId("key-2")), False),
        ("account", replace(CALLER, key_id=KeyId("key-2")), True),
        ("account", replace(CALLER, account_id=AccountId("acc-2")), False),
        ("house", replace(CALLER, account_id=AccountId("acc-2")), True),
        ("house", replace(CALLER, regions=("beijing",)), False),
    ],
)
async def test_answers_stay_within_their_scope(
    scope: str, caller: Caller, is_hit: bool, make: Callable[..., House]
) -> None:
    house = make(scope=scope)
    await house.ask()
    await house.ask(caller=caller)

    assert house.counts.events["hit"] == int(is_hit)


async def test_other_targets_answer_anew(make: Callable[..., House]) -> None:
    house = make()
    await house.ask()
    house.addresses["other/model"] = house.addresses["scripted/model"]
    house.route = replace(house.route, targets=("other/model",))
    await house.ask()

    assert len(house.engine.calls) == 2


async def test_another_server_under_the_same_name_answers_anew(make: Callable[..., House]) -> None:
    house = make()
    await house.ask()
    house.addresses["scripted/model"] = "https://second.example.com/v1"
    await house.ask()

    assert len(house.engine.calls) == 2


@pytest.mark.parametrize(
    ("route_s", "key_s", "after_s", "runs"),
    [(60, None, 60, 1), (60, None, 61, 2), (60, 0, 0, 2), (0, 60, 30, 1), (0, None, 0, 2), (60, 10, 11, 2)],
)
async def test_an_answer_is_as_old_at_most_as_the_key_or_else_the_route_says(
    route_s: int, key_s: int | None, after_s: int, runs: int, make: Callable[..., House]
) -> None:
    house = make()
    house.route = replace(house.route, cache_s=route_s)
    caller = replace(CALLER, cache_s=key_s)
    await house.ask(caller=caller)
    house.clock.advance(after_s - 0.001)
    await house.ask(caller=caller)

    assert len(house.engine.calls) == runs


CUT: list[Step] = [STARTED, Delta(text="a"), ChoiceFinished(reason=FinishReason.LENGTH), Finished(usage=Usage())]


@pytest.mark.parametrize("steps", [CUT, [STARTED, Delta(text="a")], answer("x" * 100_000)])
async def test_what_was_cut_or_broken_off_or_is_too_large_is_not_kept(
    steps: list[Step], make: Callable[..., House]
) -> None:
    house = make(lambda _: steps)
    await house.ask()
    await house.ask()

    assert (len(house.engine.calls), house.counts.events["hit"]) == (2, 0)


async def test_what_failed_is_not_kept_and_those_that_waited_ask_for_themselves(make: Callable[..., House]) -> None:
    wait = Wait()
    house = make(lambda _: [wait, EngineFailed("x")])
    first = asyncio.create_task(house.ask())
    await wait.arrives()
    second = asyncio.create_task(house.ask())
    await asyncio.sleep(0)
    wait.go.set()

    assert [type(each) for each in await asyncio.gather(first, second, return_exceptions=True)] == [EngineFailed] * 2
    assert len(house.engine.calls) == 2


async def test_a_burst_of_equal_calls_asks_one_engine_once(make: Callable[..., House]) -> None:
    wait = Wait()
    house = make(lambda _: [wait, *answer("Hel", "lo")])
    calls = [asyncio.create_task(house.ask(replace(CALL, streams=index % 2 == 0))) for index in range(20)]
    await wait.arrives()
    wait.go.set()

    assert {text_of(events) for events in await asyncio.gather(*calls)} == {"Hello"}
    assert (len(house.engine.calls), house.counts.events) == (1, {"miss": 1, "shared": 19, "stored": 1})


async def test_where_the_first_of_a_burst_leaves_the_next_takes_its_place(make: Callable[..., House]) -> None:
    waits = [Wait(), Wait()]
    ready = iter(waits)
    house = make(lambda _: [next(ready), *answer("a")])
    first = asyncio.create_task(house.ask())
    await waits[0].arrives()
    others = [asyncio.create_task(house.ask()) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    await waits[1].arrives()
    waits[1].go.set()

    assert [text_of(events) for events in await asyncio.gather(*others)] == ["a"] * 5
    assert len(house.engine.calls) == 2


async def test_a_call_waits_for_an_equal_one_only_so_long(make: Callable[..., House]) -> None:
    wait = Wait()
    scripts = iter([[wait, *answer("slow")], answer("quick")])
    house = make(lambda _: next(scripts), wait_s=0.0)
    first = asyncio.create_task(house.ask())
    await wait.arrives()

    assert text_of(await house.ask()) == "quick"
    wait.go.set()
    assert text_of(await first) == "slow"


async def test_who_takes_an_answer_slowly_gives_up_its_place_to_one_of_those_that_wait(
    make: Callable[..., House],
) -> None:
    house = make(wait_s=3600.0)
    prepared = PreparedCall(call=replace(CALL, streams=True), max_input_tokens=1000)
    async with house.cached(CALLER, CARD, prepared, Counted()) as slow:
        began = await anext(slow.rest)
        async with asyncio.timeout(60):
            quick = await asyncio.gather(*(house.ask() for _ in range(5)))
        rest = [began, *[event async for event in slow.rest]]

    assert {text_of(events) for events in [*quick, rest]} == {"Hello"}
    assert len(house.engine.calls) == 2


async def test_answers_survive_a_restart_and_a_file_that_is_garbage_begins_anew(tmp_path: Path) -> None:
    first = House(tmp_path, lambda _: answer("old"))
    await first.ask()
    await first.cache.close()
    second = House(tmp_path, lambda _: answer("never"))
    assert text_of(await second.ask()) == "old"
    await second.cache.close()
    ruin(tmp_path)
    third = House(tmp_path, lambda _: answer("new"))

    assert [text_of(await third.ask()), text_of(await third.ask()), len(third.engine.calls)] == ["new", "new", 1]
    await third.cache.close()


def ruin(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"garbage" * 1000)


async def test_a_cache_that_cannot_be_written_is_no_call_s_concern(tmp_path: Path) -> None:
    house = House(tmp_path / "none", lambda _: answer("a"))

    assert [text_of(await house.ask()), text_of(await house.ask())] == ["a", "a"]
    assert house.counts.events == {"failed": 4, "miss": 2}
    await house.cache.close()


def test_a_text_that_is_no_unicode_has_no_form() -> None:
    call = chat_call("\ud800", sampling=COLD)

    assert canonical_form("key", CALLER, CARD, ("a/b",), call) is None
    assert isinstance(call.input, ChatInput)
