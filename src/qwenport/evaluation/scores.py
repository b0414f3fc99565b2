"""How one document was read, and figures over many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from qwenport.documents.page import Line, Page
from qwenport.evaluation.case import Case
from qwenport.evaluation.metrics.boxes import BoxCounts, count_boxes
from qwenport.evaluation.metrics.cells import Grid, count_cells
from qwenport.evaluation.metrics.characters import CharacterCounts, count_characters
from qwenport.evaluation.metrics.fields import FieldCounts, all_counts, count_fields
from qwenport.evaluation.metrics.intervals import Interval, bootstrap, quantile
from qwenport.evaluation.metrics.values import is_same, means_same

FIVE_KINDS = frozenset(
    {
        *("train ticket", "taxi ticket", "air itinerary"),
        *("vat invoice", "quota invoice", "medical invoice", "invoice"),
        *("identity card", "business licence"),
        *("shop receipt", "rent receipt"),
    }
)
"""Groups of rendered documents that are tickets, invoices, identity cards, business licences or receipts."""
_Counts = TypeVar("_Counts")


class WrongField(Struct, frozen=True, kw_only=True):
    """A field whose value does not mean the same as the truth."""

    field: str
    wanted: str
    given: str


class CaseScore(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one document was read."""

    name: str
    group: str
    seconds: float
    """Of the reading, without the wait for a free process."""
    is_kept: bool = False
    """Whether the page came from a cache, and its seconds with it."""
    failure: str = ""
    """Why nothing was read; then everything of the truth counts as missed."""
    characters: CharacterCounts | None = None
    boxes: BoxCounts | None = None
    strict: FieldCounts | None = None
    normalised: FieldCounts | None = None
    cells: FieldCounts | None = None
    wrong: tuple[WrongField, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """What was given for one document."""

    page: Page
    fields: Mapping[str, str] = {}
    tables: tuple[Grid, ...] = ()
    seconds: float = 0.0
    is_kept: bool = False
    failure: str = ""


def score(case: Case, answer: Answer) -> CaseScore:
    """Compare an answer with the truth, as far as the truth is known."""
    read = answer.page.lines
    return CaseScore(
        name=case.name,
        group=case.group,
        seconds=answer.seconds,
        is_kept=answer.is_kept,
        failure=answer.failure,
        characters=count_characters(_texts(case.lines, case), _texts(read, case)) if case.lines else None,
        boxes=count_boxes(case.lines, read) if case.lines else None,
        strict=count_fields(case.fields, answer.fields, is_same) if case.fields else None,
        normalised=count_fields(case.fields, answer.fields, means_same) if case.fields else None,
        cells=count_cells(case.tables, answer.tables) if case.tables else None,
        wrong=tuple(_wrong(case.fields, answer.fields)) if case.fields else (),
    )


def _texts(lines: Sequence[Line], case: Case) -> list[str]:
    return [line.text.upper() if case.in_capitals else line.text for line in lines]


def _wrong(wanted: Mapping[str, str], given: Mapping[str, str]) -> list[WrongField]:
    names = [name for name in wanted if not means_same(wanted[name], given.get(name, ""))]
    return [WrongField(field=name, wanted=wanted[name], given=given.get(name, "")) for name in names]


class Figures(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What some documents show together; a figure whose truth is nowhere known is left out."""

    group: str
    documents: int
    failed: int
    seconds_median: float
    seconds_p95: float
    character_error_rate: Interval | None = None
    exact_items: float | None = None
    """Share of printed items that were read without an error."""
    box_hits: Interval | None = None
    precision_strict: float | None = None
    recall_strict: float | None = None
    f1_strict: Interval | None = None
    precision_normalised: float | None = None
    recall_normalised: float | None = None
    f1_normalised: Interval | None = None
    field_exact: Interval | None = None
    """Share of the wanted fields whose value is the same string."""
    documents_exact: float | None = None
    """Share of the documents all of whose fields mean the same."""
    cell_precision: float | None = None
    cell_recall: float | None = None
    cell_f1: Interval | None = None


def figures(group: str, scores: Sequence[CaseScore]) -> Figures:
    """Add up some documents, of which there is at least one."""
    seconds = [one.seconds for one in scores if not one.failure]
    text = [one.characters for one in scores if one.characters is not None]
    boxes = [one.boxes for one in scores if one.boxes is not None]
    strict = [one.strict for one in scores if one.strict is not None]
    normalised = [one.normalised for one in scores if one.normalised is not None]
    cells = [one.cells for one in scores if one.cells is not None]
    whole_text = sum(text, start=CharacterCounts())
    return Figures(
        group=group,
        documents=len(scores),
        failed=sum(bool(one.failure) for one in scores),
        seconds_median=quantile(seconds, 0.5),
        seconds_p95=quantile(seconds, 0.95),
        character_error_rate=_interval(text, lambda some: sum(some, start=CharacterCounts()).error_rate),
        exact_items=whole_text.exact_items / whole_text.items if whole_text.items else None,
        box_hits=_interval(boxes, lambda some: sum(some, start=BoxCounts()).rate),
        precision_strict=all_counts(strict).precision if strict else None,
        recall_strict=all_counts(strict).recall if strict else None,
        f1_strict=_interval(strict, lambda some: all_counts(some).f1),
        precision_normalised=all_counts(normalised).precision if normalised else None,
        recall_normalised=all_counts(normalised).recall if normalised else None,
        f1_normalised=_interval(normalised, lambda some: all_counts(some).f1),
        field_exact=_interval(strict, lambda some: all_counts(some).recall),
        documents_exact=sum(one.right == one.wanted == one.given for one in normalised) / len(normalised)
        if normalised
        else None,
        cell_precision=all_counts(cells).precision if cells else None,
        cell_recall=all_counts(cells).recall if cells else None,
        cell_f1=_interval(cells, lambda some: all_counts(some).f1),
    )


def _interval(counts: Sequence[_Counts], figure_of: Callable[[Sequence[_Counts]], float]) -> Interval | None:
    return bootstrap(counts, figure_of) if counts else None


def by_group(scores: Sequence[CaseScore]) -> tuple[Figures, ...]:
    """Return the figures of each group in the order of their first document, and of all where there are several.

    Before those of all come those of the five kinds, where other documents stand beside them.
    """
    groups = list(dict.fromkeys(one.group for one in scores))
    each = [figures(group, [one for one in scores if one.group == group]) for group in groups]
    if len(groups) == 1:
        return tuple(each)
    usual = [one for one in scores if one.group in FIVE_KINDS]
    five = [figures("five kinds", usual)] if 0 < len(usual) < len(scores) else []
    return (*each, *five, figures("all", scores))
