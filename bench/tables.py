"""The tables of a run, in either language, for terminal and documentation alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.engine_speed import EngineSpeed, Pair, median_ratio
from bench.figures import PLACES, CellFigures, Figures, figures_of
from bench.goals import MIB, Goal, goals_of
from bench.ledger_speed import DatabaseSpeed, LedgerSpeed
from bench.places import Cell
from bench.result import Result
from bench.wire_cases import Kind
from bench.wire_cost import FormCost, Spread, WireCost
from bench.words import Language, say

_ABSENT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as text; the first row is the head."""

    title: str
    note: str = ""
    """What the reader must know of the figures; empty where the title says enough."""
    rows: tuple[tuple[str, ...], ...]


def tables_of(result: Result, language: Language) -> tuple[Table, ...]:
    """Return goals, every place's figures, the wire layer and, where they were measured, ledger and embedded engine."""
    places = tuple(figures_of(place, result.rounds) for place in PLACES)
    tables = [_goals(result, language), *_loads(places, language), _servers(result, places, language)]
    tables.append(_wire(result.wire, language))
    if result.ledger is not None:
        tables.append(_ledger(result.ledger, language))
    if result.engine is not None:
        tables.append(_engine(result.engine, language))
    return tuple(tables)


def _goals(result: Result, language: Language) -> Table:
    head = tuple(say(key, language) for key in ("figure", "goal", "reached", "met"))
    return Table(title=say("goals", language), rows=(head, *(_goal(goal, language) for goal in goals_of(result))))


def _goal(goal: Goal, language: Language) -> tuple[str, ...]:
    if goal.is_met is None:
        return (say(goal.figure, language), goal.goal, say("not_measured", language), _ABSENT)
    return (say(goal.figure, language), goal.goal, goal.reached, say("yes" if goal.is_met else "no", language))


def _ms(value: float) -> str:
    """Return a latency; wrk says 0 where it had too few calls for a percentile."""
    if not value:
        return _ABSENT
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


_Places = Sequence[Figures | None]
_Line = tuple[str, Callable[[CellFigures], str]]

_WHOLE_TABLES: tuple[_Line, ...] = (
    ("calls_a_second", lambda each: f"{each.calls_a_second:,.0f}"),
    ("call_cpu_us", lambda each: f"{each.call_cpu_us:,.0f}"),
    ("latency_ms", lambda each: f"{_ms(each.p50_ms)} / {_ms(each.p99_ms)}"),
    ("server_share", lambda each: f"{100 * each.server_share:.0f}"),
)
_STREAM_TABLES: tuple[_Line, ...] = (
    ("streams_a_second", lambda each: f"{each.calls_a_second:,.0f}"),
    ("pieces_a_second", lambda each: f"{each.pieces_a_second:,.0f}"),
    ("piece_cpu_us", lambda each: f"{each.piece_cpu_us:.1f}"),
    ("first_ms", lambda each: f"{_ms(each.first_p50_ms)} / {_ms(each.first_p99_ms)}"),
    ("streams_share", lambda each: f"{100 * each.server_share:.0f}"),
)


def _loads(places: _Places, language: Language) -> Iterable[Table]:
    """Yield one table a figure, with a row for each kind of load."""
    cells = dict.fromkeys(cell for each in places if each is not None for cell, _ in each.cells)
    for lines, streams in ((_WHOLE_TABLES, False), (_STREAM_TABLES, True)):
        own = [cell for cell in cells if cell.streams is streams]
        for key, show in lines:
            rows = [(_named(cell, language), *(_shown(each, cell, show) for each in places)) for cell in own]
            yield Table(title=say(key, language), rows=(_head("load", language), *rows))


def _shown(place: Figures | None, cell: Cell, show: Callable[[CellFigures], str]) -> str:
    found = place.at(cell) if place is not None else None
    return show(found) if found is not None else _ABSENT


def _named(cell: Cell, language: Language) -> str:
    words = say("streams_load" if cell.streams else "whole_load", language)
    return words.format(concurrency=cell.concurrency, body=cell.body_kib)


def _head(first: str, language: Language) -> tuple[str, ...]:
    return (say(first, language), *(say(place, language) for place in PLACES))


def _servers(result: Result, places: _Places, language: Language) -> Table:
    """Return what each server held in memory, and what was found of its answers."""
    idle = tuple(f"{result.memory_idle[each] / MIB:.1f}" if each in result.memory_idle else _ABSENT for each in PLACES)
    lines: tuple[tuple[str, Callable[[Figures], str]], ...] = (
        ("memory_after", lambda each: f"{each.memory_after / MIB:.1f}"),
        ("memory_grown", lambda each: _ABSENT if each.memory_grown is None else f"{each.memory_grown / MIB:.1f}"),
        ("pieces", lambda each: f"{each.pieces:,}"),
        ("faults", lambda each: f"{each.faults:,}"),
    )
    rows = ((say(key, language), *(_ABSENT if p is None else show(p) for p in places)) for key, show in lines)
    head = _head("figure", language)
    return Table(title=say("servers", language), rows=(head, (say("memory_idle", language), *idle), *rows))


def _wire(cost: WireCost, language: Language) -> Table:
    head = tuple(say(key, language) for key in ("figure", "bare", *(form.form.value for form in cost.forms)))
    lines: tuple[tuple[str, Callable[[FormCost], Spread | None]], ...] = (
        ("whole_request", lambda form: form.whole),
        ("streamed_request", lambda form: form.streamed),
        *((f"chunk_{kind.value}", partial(_chunk, kind)) for kind in Kind),
    )
    rows = ((say(key, language), *_spreads([find(form) for form in cost.forms])) for key, find in lines)
    note = say("wire_note", language).format(whole=cost.whole_chunks, chunks=cost.streamed_chunks, rounds=cost.rounds)
    return Table(title=say("wire", language), note=note, rows=(head, *rows))


def _chunk(kind: Kind, form: FormCost) -> Spread | None:
    return form.chunks.get(kind)


def _spreads(spreads: Sequence[Spread | None]) -> tuple[str, ...]:
    """Return the bare pipeline's figure, which is the same work for every face, and what each face adds to it."""
    bare = [spread.bare_us for spread in spreads if spread is not None]
    return (f"{median(bare):.2f}" if bare else _ABSENT, *map(_added, spreads))


def _added(spread: Spread | None) -> str:
    if spread is None:
        return _ABSENT
    return f"{spread.wire_us:.2f} ({spread.wire_p10_us:.2f} - {spread.wire_p90_us:.2f}), {spread.ratio:.1f}x"


_LEDGER_LINES: tuple[tuple[str, Callable[[DatabaseSpeed], str]], ...] = (
    ("posted_a_second", lambda each: f"{each.calls_a_second:,.0f}"),
    ("posted_a_second_p10", lambda each: f"{each.calls_a_second_p10:,.0f}"),
    ("posted_cpu_us", lambda each: f"{each.cpu_us:.1f}"),
    ("posted_server_cpu_us", lambda each: f"{each.server_cpu_us:.1f}" if each.server_cpu_us else _ABSENT),
)


def _ledger(speed: LedgerSpeed, language: Language) -> Table:
    head = (say("figure", language), *(each.database for each in speed.databases))
    rows = ((say(key, language), *map(show, speed.databases)) for key, show in _LEDGER_LINES)
    note = say("ledger_note", language).format(batch=speed.batch, calls=speed.calls_a_round, rounds=speed.rounds)
    return Table(title=say("ledger", language), note=note, rows=(head, *rows))


def _engine(engine: EngineSpeed, language: Language) -> Table:
    head = tuple(say(key, language) for key in ("figure", "direct", "api", "ratio"))
    lines = (("one_stream", engine.one_stream), ("eight_streams", engine.eight_streams))
    rows = tuple((say(key, language), *_speeds(pairs)) for key, pairs in lines)
    return Table(title=say("engine", language), rows=(head, *rows))


def _speeds(pairs: tuple[Pair, ...]) -> tuple[str, ...]:
    direct, api = median(pair.direct for pair in pairs), median(pair.api for pair in pairs)
    return (f"{direct:.1f}", f"{api:.1f}", f"{median_ratio(pairs):.3f}")
