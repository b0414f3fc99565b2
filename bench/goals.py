"""The project's goals for speed, and how near a run came to them; words are found in `tables`."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from bench.engine_speed import median_ratio
from bench.figures import ALONE, DIRECT, LITELLM, MAIN, NGINX, PORTKEY, QWENPORT, STREAMS, CellFigures, figures_of
from bench.places import Cell
from bench.result import Result

MIB = 1 << 20
MB = 1_000_000


class Goal(Struct, frozen=True, kw_only=True):
    """One line of the comparison."""

    figure: str
    """Key of its name."""
    goal: str
    reached: str = ""
    """Empty where it was not measured."""
    is_met: bool | None = None
    """None where it was not measured."""


def goals_of(result: Result) -> tuple[Goal, ...]:
    """Compare a run with every goal."""
    own = figures_of(QWENPORT, result.rounds)
    if own is None:
        return ()
    return (
        _nginx(result),
        _times("times_litellm", result, LITELLM, 30),
        _times("times_portkey", result, PORTKEY, 3),
        _times("times_litellm_chunks", result, LITELLM, 40),
        _added("added_p50_ms", result, lambda cell: cell.p50_ms, 0.5),
        _added("added_p99_ms", result, lambda cell: cell.p99_ms, 2.0),
        _at_most("gate_us", result.gate.added_us, 80),
        _at_most("memory_mb", own.memory_after / MB, 150),
        *_engine(result),
        Goal(figure="faults", goal="0", reached=str(own.faults), is_met=own.faults == 0),
        Goal(figure="books", goal="✓", reached="✓" if result.books.agrees else "✗", is_met=result.books.agrees),
    )


def _cell(result: Result, place: str, cell: Cell) -> CellFigures | None:
    figures = figures_of(place, result.rounds)
    return figures.at(cell) if figures is not None else None


def _nginx(result: Result) -> Goal:
    goal = Goal(figure="rate", goal="≥ 1/8")
    own, nginx = _cell(result, QWENPORT, MAIN), _cell(result, NGINX, MAIN)
    if own is None or nginx is None:
        return goal
    share = nginx.calls_a_second / own.calls_a_second
    return Goal(figure=goal.figure, goal=goal.goal, reached=f"1/{share:.1f}", is_met=share <= 8)


def _times(figure: str, result: Result, place: str, least: int) -> Goal:
    """Compare with another gateway: its calls a second, or its chunks where the figure's name says so."""
    of_chunks = figure.endswith("_chunks")
    cell = STREAMS if of_chunks else MAIN
    own, other = _cell(result, QWENPORT, cell), _cell(result, place, cell)
    goal = Goal(figure=figure, goal=f"≥ {least}")
    if own is None or other is None:
        return goal
    rates = [each.pieces_a_second if of_chunks else each.calls_a_second for each in (own, other)]
    if not rates[1]:
        return goal
    times = rates[0] / rates[1]
    return Goal(figure=figure, goal=goal.goal, reached=f"{times:.1f}", is_met=times >= least)


def _added(figure: str, result: Result, value: Callable[[CellFigures], float], most: float) -> Goal:
    own, direct = _cell(result, QWENPORT, ALONE), _cell(result, DIRECT, ALONE)
    if own is None or direct is None:
        return Goal(figure=figure, goal=f"≤ {most:g}")
    return _at_most(figure, value(own) - value(direct), most)


def _at_most(figure: str, reached: float, most: float) -> Goal:
    return Goal(figure=figure, goal=f"≤ {most:g}", reached=f"{reached:.3g}", is_met=reached <= most)


def _engine(result: Result) -> tuple[Goal, ...]:
    goal = "≥ 0.95"
    if result.engine is None:
        return (Goal(figure="engine_one", goal=goal), Goal(figure="engine_eight", goal=goal))
    ratios = {"engine_one": result.engine.one_stream, "engine_eight": result.engine.eight_streams}
    reached = {figure: median_ratio(pairs) for figure, pairs in ratios.items()}
    return tuple(
        Goal(figure=figure, goal=goal, reached=f"{ratio:.3f}", is_met=ratio >= 0.95)
        for figure, ratio in reached.items()
    )
