"""Blocks as the body of a LaTeX document."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwenport.documents.blocks.block import Block, RegionKind
from qwenport.documents.blocks.latex_table import tabular
from qwenport.documents.blocks.latex_text import escaped

_LINE_BREAKS = re.compile(r"\s*\n\s*")


def to_latex(blocks: Sequence[Block]) -> str:
    """Sections, paragraphs and tables; of a figure or an equation its place, for only a model that sees reads these.

    Tables want the package `multirow`. Everything that LaTeX would take for a command is escaped.
    """
    return "\n\n".join(part for part in map(_part, blocks) if part)


def _part(block: Block) -> str:
    if block.table is not None:
        return tabular(block.table)
    match block.kind:
        case RegionKind.TITLE:
            return f"\\section*{{{escaped(_in_one_line(block.text))}}}"
        case RegionKind.FIGURE:
            return _figure(block)
        case RegionKind.EQUATION:
            return _equation(block)
        case RegionKind.FIGURE_CAPTION | RegionKind.TABLE_CAPTION:
            return f"\\textit{{{escaped(_in_one_line(block.text))}}}"
        case _:
            return escaped(block.text)


def _in_one_line(text: str) -> str:
    return _LINE_BREAKS.sub(" ", text)


def _figure(block: Block) -> str:
    text = f"\n{escaped(block.text)}" if block.text else ""
    return f"\\begin{{figure}}[h]\n% A figure at {_place(block)}.{text}\n\\end{{figure}}"


def _equation(block: Block) -> str:
    read = f"\n% Text recognised in it: {_in_one_line(block.text)}" if block.text else ""
    return f"% An equation at {_place(block)}: it cannot be read without a vision model.{read}"


def _place(block: Block) -> str:
    left, top, right, bottom = (round(value) for value in block.box)
    return f"({left}, {top}) to ({right}, {bottom})"
