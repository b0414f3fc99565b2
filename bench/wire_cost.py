"""What the wire layer costs in processor time: reading requests and writing answers, of every face, in one process.

Each measurement is a pair, one directly after the other: calls through the bare pipeline, and the same calls with the
same events decoded from the bytes of a request and encoded into the bytes of an answer. The difference is the wire
layer's. Run as `python -m bench.wire_cost ROUNDS`; it prints a `WireCost`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import product
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from bench.bare_pipeline import NOBODY, bare_parts
from bench.percentile import percentile
from bench.wire_cases import TARGET, Case, Form, Kind, case_of, events_of, has
from qwenport.catalog.catalog import Catalog
from qwenport.core.call import Call
from qwenport.core.events import Event
from qwenport.core.model_card import ModelCard
from qwenport.faces.face import StreamedAnswer, WholeAnswer
from qwenport.pipeline.serve import Parts, serve
from qwenport.testing.routing import router_to
from qwenport.testing.scripted_engine import ScriptedEngine

WHOLE_CHUNKS = 10
STREAMED_CHUNKS = 100
"""Chunks of a stream beyond its first."""
CALLS_A_ROUND = 40


class Spread(Struct, frozen=True, kw_only=True):
    """One figure over the rounds; times in microseconds of processor time."""

    bare_us: float
    """Of the bare pipeline, median."""
    wire_us: float
    """What the wire layer adds, median."""
    wire_p10_us: float
    wire_p90_us: float
    ratio: float
    """What it adds as a share of the bare pipeline of the same round, median."""


class FormCost(Struct, frozen=True, kw_only=True):
    """What one face costs in one of its forms."""

    form: Form
    whole: Spread
    """A request whose answer comes at once."""
    streamed: Spread
    """A request whose answer is a stream of one chunk."""
    chunks: dict[Kind, Spread]
    """Each further chunk, by what it holds."""


class WireCost(Struct, frozen=True, kw_only=True):
    """All of them."""

    forms: tuple[FormCost, ...]
    rounds: int
    calls_a_round: int
    whole_chunks: int
    streamed_chunks: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Microseconds of the bare pipeline and with the wire layer, one of each a round."""

    bare: list[float] = field(default_factory=list)
    wired: list[float] = field(default_factory=list)

    def spread(self) -> Spread:
        added = [wired - bare for bare, wired in zip(self.bare, self.wired, strict=True)]
        shares = [more / bare for more, bare in zip(added, self.bare, strict=True)]
        return Spread(
            bare_us=percentile(self.bare, 0.5),
            wire_us=percentile(added, 0.5),
            wire_p10_us=percentile(added, 0.1),
            wire_p90_us=percentile(added, 0.9),
            ratio=percentile(shares, 0.5),
        )

    def further_chunks(self, longer: _Pairs) -> _Pairs:
        """Return what each chunk of a longer stream costs beyond this one's."""
        return _Pairs(_each(self.bare, longer.bare), _each(self.wired, longer.wired))


def _each(shorter: Sequence[float], longer: Sequence[float]) -> list[float]:
    return [(long - short) / STREAMED_CHUNKS for short, long in zip(shorter, longer, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One thing that is measured: a request and the events of its answer."""

    form: Form
    kind: Kind
    streams: bool
    chunks: int


LINES = (
    *(_Line(form=form, kind=Kind.TEXT, streams=False, chunks=WHOLE_CHUNKS) for form in Form),
    *(
        _Line(form=form, kind=kind, streams=True, chunks=chunks)
        for form, kind, chunks in product(Form, Kind, (1, 1 + STREAMED_CHUNKS))
        if has(form, kind)
    ),
)


class _Bench:
    """The bare pipeline before an engine that says what it is told to."""

    def __init__(self) -> None:
        catalog = Catalog.load(None)
        self._events: Sequence[Event] = ()
        self._engine = ScriptedEngine(lambda _: self._events, target=TARGET)
        self._cards: Mapping[str, ModelCard] = catalog.cards
        self._parts: Parts = bare_parts(catalog, router_to(self._engine))

    async def pair(self, line: _Line, pairs: _Pairs) -> None:
        """Measure once without the wire layer and once with it."""
        case = case_of(line.form, line.kind, streams=line.streams)
        self._events = events_of(line.kind, line.chunks)
        call = case.decode(self._cards).call
        with_wire = self._stream if line.streams else self._whole
        pairs.bare.append(await self._time(lambda: self._run(call)))
        pairs.wired.append(await self._time(lambda: with_wire(case)))

    async def _time(self, work: Callable[[], Awaitable[None]]) -> float:
        began = time.process_time_ns()
        for _ in range(CALLS_A_ROUND):
            await work()
        spent = time.process_time_ns() - began
        self._engine.calls.clear()
        return spent / CALLS_A_ROUND / 1000

    async def _run(self, call: Call) -> None:
        async with aclosing(serve(NOBODY, call, self._parts)) as events:
            async for _ in events:
                pass

    async def _whole(self, case: Case) -> None:
        exchange = case.decode(self._cards)
        answer = cast("WholeAnswer", exchange.answer)
        async with aclosing(serve(NOBODY, exchange.call, self._parts)) as events:
            async for event in events:
                answer.add(event)
        answer.reply()

    async def _stream(self, case: Case) -> None:
        exchange = case.decode(self._cards)
        answer = cast("StreamedAnswer", exchange.answer)
        async with aclosing(serve(NOBODY, exchange.call, self._parts)) as events:
            async for event in events:
                answer.frame(event)


async def measure(rounds: int) -> WireCost:
    """Measure every face, by turns."""
    bench = _Bench()
    measured = {line: _Pairs() for line in LINES}
    for line in LINES:  # warms up
        await bench.pair(line, _Pairs())
    for _ in range(rounds):
        for line, pairs in measured.items():
            await bench.pair(line, pairs)
    return WireCost(
        forms=tuple(_cost_of(form, measured) for form in Form),
        rounds=rounds,
        calls_a_round=CALLS_A_ROUND,
        whole_chunks=WHOLE_CHUNKS,
        streamed_chunks=STREAMED_CHUNKS,
    )


def _cost_of(form: Form, measured: Mapping[_Line, _Pairs]) -> FormCost:
    def pairs(kind: Kind, chunks: int, *, streams: bool = True) -> _Pairs:
        return measured[_Line(form=form, kind=kind, streams=streams, chunks=chunks)]

    return FormCost(
        form=form,
        whole=pairs(Kind.TEXT, WHOLE_CHUNKS, streams=False).spread(),
        streamed=pairs(Kind.TEXT, 1).spread(),
        chunks={
            kind: pairs(kind, 1).further_chunks(pairs(kind, 1 + STREAMED_CHUNKS)).spread()
            for kind in Kind
            if has(form, kind)
        },
    )


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(measure(int(sys.argv[1])))).decode())
