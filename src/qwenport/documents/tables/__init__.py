"""Tables of a page: found by their rules or by how their text is aligned, and told as HTML.

Everything is computed in a straightened frame (`frame`), in which text lines are level and columns upright even where
the page was photographed askew; boxes of the results are in pixels of the page again.
"""

from qwenport.documents.tables.find import find_tables
from qwenport.documents.tables.html import to_html
from qwenport.documents.tables.rules import Box, Rules, Segment
from qwenport.documents.tables.table import Cell, Table

__all__ = ["Box", "Cell", "Rules", "Segment", "Table", "find_tables", "to_html"]
