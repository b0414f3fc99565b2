"""What `qwenport bench ocr` shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qwenport.evaluation.metrics.intervals import Interval
from qwenport.evaluation.pace import PaceResult
from qwenport.evaluation.scores import CaseScore, Figures
from qwenport.evaluation.soak import SoakResult

FIGURE_COLUMNS = (
    "documents",
    "n",
    "CER",
    "boxes",
    "F1 strict",
    "F1 normalised",
    "exact",
    "cell F1",
    "s median",
    "s p95",
)
"""CER a printed item; share of boxes found; fields; cells of tables; seconds a page. With 95 % intervals."""


def figure_rows(figures: Sequence[Figures]) -> list[dict[str, Any]]:
    """Return a row for each group of documents."""
    return [
        {
            "documents": one.group,
            "n": one.documents,
            "CER": _shown(one.character_error_rate),
            "boxes": _shown(one.box_hits),
            "F1 strict": _shown(one.f1_strict),
            "F1 normalised": _shown(one.f1_normalised),
            "exact": _shown(one.field_exact),
            "cell F1": _shown(one.cell_f1),
            "s median": f"{one.seconds_median:.2f}",
            "s p95": f"{one.seconds_p95:.2f}",
        }
        for one in figures
    ]


def wrong_lines(scores: Sequence[CaseScore], *, wrong: bool) -> Iterator[str]:
    """Yield what was not read, and where it is wanted the fields that are wrong."""
    for score in scores:
        if score.failure:
            yield f"{score.name} was not read: {score.failure}"
        for field in score.wrong if wrong else ():
            yield f"{score.name}: {field.field} is `{field.wanted}`, given `{field.given}`"


def soak_lines(result: SoakResult) -> Iterator[str]:
    """Yield what a soak found."""
    yield (
        f"{result.pages} pages: {result.early_bytes / 1e6:.0f} MB early, {result.late_bytes / 1e6:.0f} MB at the end"
        f" ({result.growth:+.1%}), {result.most_bytes / 1e6:.0f} MB at most"
    )
    yield from (f"problem: {problem}" for problem in result.problems)


def pace_lines(result: PaceResult) -> Iterator[str]:
    """Yield the pairs and their middle."""
    for pair in result.pairs:
        yield (f"one process {pair.one_pages_s:.3f} pages a second, two {pair.two_pages_s:.3f}, {pair.ratio:.2f} times")
    yield f"median {result.median_ratio:.2f} times, {result.pages_of_a_run} pages a run"


def _shown(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.figure:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
