"""Documents that are made here, so that all that stands on them is known."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from qwenport.evaluation.case import Case
from qwenport.evaluation.metrics.cells import Grid, GridCell
from qwenport.evaluation.rendering import (
    Cell,
    Layout,
    Sample,
    dense_page,
    frozen_layouts,
    layouts,
    render,
    statement_page,
    table_layouts,
    text_page,
)

LANGUAGES = ("zh-Hans", "zh-Hant", "en")


class Rendering(Struct, frozen=True, kw_only=True):
    """Which documents are made."""

    seed: int = 1
    frozen: bool = False
    """Layouts that whoever wrote the rules never saw, instead of those for development."""
    photo: bool = False
    """As a skewed photograph."""
    tables: bool = False
    """Tables instead of documents with fields."""
    dense: bool = False
    """Pages full of text instead: a statement and prose, of 1600 by 1200 pixels with about a hundred items or lines."""


def rendered_cases(rendering: Rendering) -> Iterator[Case]:
    """Yield one document of each layout; or of each language a statement, a dense page and a plain one."""
    if rendering.dense:
        for language in LANGUAGES:
            yield _page_case(statement_page, "statement page", rendering.seed, language)
            yield _page_case(dense_page, "dense page", rendering.seed, language)
            yield _page_case(text_page, "text", rendering.seed, language)
        return
    for layout in _layouts(rendering).values():
        sample = render(layout, rendering.seed, photo=rendering.photo)
        name = f"{sample.name} {rendering.seed}{' photo' if rendering.photo else ''}"
        yield case_of(sample, name, sample.kind)


def case_of(sample: Sample, name: str, group: str) -> Case:
    """Return a rendered document as a case."""
    return Case(
        name=name,
        group=group,
        load=functools.partial(bytes, sample.image),
        fields=sample.fields,
        schema=sample.schema if sample.fields else b"",
        lines=sample.lines,
        tables=tuple(_grid(table.cells) for table in sample.tables),
    )


def _layouts(rendering: Rendering) -> Mapping[str, Layout]:
    if rendering.tables:
        return table_layouts()
    return frozen_layouts() if rendering.frozen else layouts()


def _page_case(draw: Callable[[int, str], Sample], group: str, seed: int, language: str) -> Case:
    return case_of(draw(seed, language), f"{group} {language} {seed}", group)


def _grid(cells: tuple[Cell, ...]) -> Grid:
    return tuple(
        GridCell(
            row=cell.row,
            column=cell.column,
            row_span=cell.row_span,
            column_span=cell.column_span,
            text=cell.text,
        )
        for cell in cells
    )
