"""The project's goals for speed, and how near a run came to them; words are found in `tables`."""

from __future__ import annotations

from msgspec import Struct

from bench.engine_speed import median_ratio
from bench.figures import DIRECT, NGINX, QWENPORT, Figures, figures_of
from bench.result import Result

MIB = 1 << 20


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
    direct, nginx, own = (figures_of(place, result.rounds) for place in (DIRECT, NGINX, QWENPORT))
    if direct is None or own is None:
        return ()
    return (
        _rate(own, nginx),
        _at_most("added_p50_ms", own.p50_ms - direct.p50_ms, 0.5),
        _at_most("added_p99_ms", own.p99_ms - direct.p99_ms, 2.0),
        _at_most("gate_us", result.gate.added_us, 80),
        _at_most("memory_mib", result.memory.after / MIB, 150),
        *_engine(result),
        Goal(figure="faults", goal="0", reached=str(own.faults), is_met=own.faults == 0),
        Goal(figure="books", goal="✓", reached="✓" if result.books.agrees else "✗", is_met=result.books.agrees),
        Goal(figure="litellm", goal="≥ 30"),
        Goal(figure="portkey", goal="≥ 3"),
    )


def _rate(own: Figures, nginx: Figures | None) -> Goal:
    goal = Goal(figure="rate", goal="≥ 1/8")
    if nginx is None:
        return goal
    share = nginx.calls_a_second / own.calls_a_second
    return Goal(figure=goal.figure, goal=goal.goal, reached=f"1/{share:.1f}", is_met=share <= 8)


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
