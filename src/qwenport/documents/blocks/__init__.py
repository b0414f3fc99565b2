"""A page as blocks in reading order: titles, paragraphs, tables, figures; and these as LaTeX."""

from qwenport.documents.blocks.block import Block, Region, RegionKind
from qwenport.documents.blocks.compose import blocks_of
from qwenport.documents.blocks.latex import to_latex

__all__ = ["Block", "Region", "RegionKind", "blocks_of", "to_latex"]
