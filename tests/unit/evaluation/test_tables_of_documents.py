"""Tables of whole documents, by the rules of the drawn page and the places where everything was printed."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from qwenport.documents.tables import find_tables, to_html
from qwenport.engines.ocr.ruled_lines import ruled_lines
from qwenport.evaluation.html_tables import grids_of
from qwenport.evaluation.metrics.cells import count_cells
from qwenport.evaluation.rendered import case_of
from qwenport.evaluation.rendering import Layout, fonts, layouts, render

pytestmark = pytest.mark.skipif(
    not fonts.are_installed(), reason=f"typefaces are missing: apt-get install {' '.join(fonts.PACKAGES)}"
)

_WITH_LISTS = {"supermarket", "tea-house"}
"""Receipts whose lists of goods are given as tables, which is no error, though the truth names no table of theirs."""


@pytest.mark.parametrize("layout", [pytest.param(one, id=one.name) for one in layouts().values()])
def test_all_cells_of_all_tables_are_found_and_no_others(layout: Layout) -> None:
    sample = render(layout, 3)
    with Image.open(BytesIO(sample.image)) as picture:
        pixels = np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8)[:, :, ::-1])

    found = grids_of("".join(to_html(table) for table in find_tables(sample.page, ruled_lines(pixels))))
    cells = count_cells(case_of(sample, sample.name, sample.kind).tables, found)

    if layout.name not in _WITH_LISTS:
        assert (cells.right, cells.given) == (cells.wanted, cells.wanted)
