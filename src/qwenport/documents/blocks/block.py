"""Regions that a layout model sees on a page, and blocks that are made of them and of the page's lines."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.documents.tables import Box, Table


class RegionKind(StrEnum):
    """What a region is: the classes of CDLA, a set of Chinese papers (https://github.com/buptlihang/CDLA)."""

    TEXT = "text"
    TITLE = "title"
    FIGURE = "figure"
    FIGURE_CAPTION = "figure_caption"
    TABLE = "table"
    TABLE_CAPTION = "table_caption"
    HEADER = "header"
    FOOTER = "footer"
    REFERENCE = "reference"
    EQUATION = "equation"


class Region(Struct, frozen=True, kw_only=True):
    """A part of a page, as a layout model has seen it."""

    kind: RegionKind
    box: Box
    score: float
    """How sure the model is, from 0 to 1."""


class Block(Struct, frozen=True, kw_only=True):
    """A part of a page with what stands in it."""

    kind: RegionKind
    text: str
    """Its lines joined, paragraphs parted by an empty line; empty for a table and for a picture without text."""
    box: Box
    lines: tuple[int, ...] = ()
    """Which lines of the page stand in it, by their index."""
    table: Table | None = None
