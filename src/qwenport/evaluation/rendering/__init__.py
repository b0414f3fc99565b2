"""Made-up documents with exact truth: tickets, invoices, cards, licences, receipts, tables, pages of text."""

from __future__ import annotations

from collections.abc import Mapping

from qwenport.evaluation.rendering import (
    bills,
    chinese_receipts,
    english_papers,
    english_receipts,
    identity,
    invoices,
    licences,
    orders,
    tables,
    tickets,
    trade,
)
from qwenport.evaluation.rendering.fonts import FontsMissing
from qwenport.evaluation.rendering.frozen import frozen_layouts
from qwenport.evaluation.rendering.layout import Layout, render
from qwenport.evaluation.rendering.pages import dense_page, text_page
from qwenport.evaluation.rendering.placement import misplaced
from qwenport.evaluation.rendering.sample import Cell, Sample, TableTruth
from qwenport.evaluation.rendering.statements import statement_page

__all__ = [
    "Cell",
    "FontsMissing",
    "Layout",
    "Sample",
    "TableTruth",
    "dense_page",
    "frozen_layouts",
    "layouts",
    "misplaced",
    "render",
    "statement_page",
    "table_layouts",
    "text_page",
]

_MODULES = (
    tickets,
    invoices,
    identity,
    licences,
    english_papers,
    chinese_receipts,
    english_receipts,
    bills,
    orders,
    trade,
)


def layouts() -> Mapping[str, Layout]:
    """Layouts of documents with fields, by name: rules are written with these."""
    return {layout.name: layout for module in _MODULES for layout in module.LAYOUTS}


def table_layouts() -> Mapping[str, Layout]:
    """Layouts of tables, by name; their kinds are `table ruled`, `table partly ruled` and `table unruled`."""
    return {layout.name: layout for layout in tables.LAYOUTS}
