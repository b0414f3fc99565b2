"""Blocks of hand-made pages and their LaTeX."""

from __future__ import annotations

from qwenport.documents.blocks import Block, Region, RegionKind, blocks_of, to_latex
from qwenport.documents.page import Line, Page
from qwenport.documents.tables import Cell, Table


def _line(text: str, x: float, y: float, width: float = 300.0) -> Line:
    return Line(text=text, quad=(x, y, x + width, y, x + width, y + 20, x, y + 20), score=1.0)


def _page(*lines: Line) -> Page:
    return Page(width=1000, height=1000, lines=lines)


def _region(kind: RegionKind, left: float, top: float, right: float, bottom: float) -> Region:
    return Region(kind=kind, box=(left, top, right, bottom), score=0.9)


TABLE = Table(
    rows=2,
    columns=2,
    cells=(
        Cell(row=0, column=0, column_span=2, text="Sales & more", box=(50, 300, 450, 340)),
        Cell(row=1, column=0, text="a_1", box=(50, 340, 250, 380)),
        Cell(row=1, column=1, text="50%", box=(250, 340, 450, 380)),
    ),
    box=(50, 300, 450, 380),
    lines=(2,),
)


def test_columns_are_read_one_after_the_other_below_what_spans_them() -> None:
    left = [_line(f"left {i}", 50, 200 + 26 * i) for i in range(4)]
    right = [_line(f"right {i}", 500, 200 + 26 * i) for i in range(4)]
    mixed = [line for pair in zip(left, right, strict=True) for line in pair]
    page = _page(_line("Title", 300, 50), *mixed, _line("1", 480, 950, 10))
    regions = (
        _region(RegionKind.FOOTER, 470, 940, 500, 980),
        _region(RegionKind.TITLE, 290, 40, 610, 80),
        _region(RegionKind.TEXT, 490, 190, 810, 310),
        _region(RegionKind.TEXT, 40, 190, 360, 310),
    )

    assert blocks_of(page, regions, ()) == (
        Block(kind=RegionKind.TITLE, text="Title", box=(300.0, 50.0, 600.0, 70.0), lines=(0,)),
        Block(
            kind=RegionKind.TEXT,
            text="left 0 left 1 left 2 left 3",
            box=(50.0, 200.0, 350.0, 298.0),
            lines=(1, 3, 5, 7),
        ),
        Block(
            kind=RegionKind.TEXT,
            text="right 0 right 1 right 2 right 3",
            box=(500.0, 200.0, 800.0, 298.0),
            lines=(2, 4, 6, 8),
        ),
        Block(kind=RegionKind.FOOTER, text="1", box=(480.0, 950.0, 490.0, 970.0), lines=(9,)),
    )


def test_lines_outside_all_regions_are_kept_and_tables_take_theirs() -> None:
    page = _page(_line("Loose one", 50, 100), _line("goes on", 50, 124), _line("in the table", 60, 350))

    assert blocks_of(page, (_region(RegionKind.TABLE, 50, 300, 450, 380),), (TABLE,)) == (
        Block(kind=RegionKind.TEXT, text="Loose one goes on", box=(50.0, 100.0, 350.0, 144.0), lines=(0, 1)),
        Block(kind=RegionKind.TABLE, text="", box=(50, 300, 450, 380), lines=(2,), table=TABLE),
    )


def test_text_that_was_only_taken_for_a_table_is_text() -> None:
    page = _page(_line("Not a table", 60, 350))

    assert [block.kind for block in blocks_of(page, (_region(RegionKind.TABLE, 50, 300, 450, 380),), ())] == [
        RegionKind.TEXT
    ]


def test_paragraphs_are_joined_across_lines() -> None:
    page = _page(
        _line("A word is hyphen-", 50, 100),
        _line("ated here.", 50, 124, 100),
        _line("A new one begins and goes", 50, 148),
        _line("on.", 50, 172, 60),
    )

    (block,) = blocks_of(page, (_region(RegionKind.TEXT, 40, 90, 360, 200),), ())

    assert block.text == "A word is hyphenated here.\n\nA new one begins and goes on."


def test_chinese_lines_are_joined_without_spaces_and_indents_begin_paragraphs() -> None:
    page = _page(
        _line("第一段文字很长\uff0c", 90, 100, 260),
        _line("在这里结束。", 50, 124, 300),
        _line("第二段也是", 90, 148, 260),
        _line("如此。", 50, 172, 60),
    )

    (block,) = blocks_of(page, (_region(RegionKind.TEXT, 40, 90, 360, 200),), ())

    assert block.text == "第一段文字很长\uff0c在这里结束。\n\n第二段也是如此。"


def test_latex_has_sections_paragraphs_tables_and_marked_places() -> None:
    box = (10.0, 20.0, 110.0, 60.4)
    blocks = (
        Block(kind=RegionKind.TITLE, text="Costs of 100%\nfor {all}", box=box),
        Block(kind=RegionKind.TEXT, text="It is $5 & more.\n\nSee #3_a ~ ^ \\ <b>|", box=box),
        Block(kind=RegionKind.TABLE, text="", box=box, table=TABLE),
        Block(kind=RegionKind.TABLE_CAPTION, text="Table 1", box=box),
        Block(kind=RegionKind.FIGURE, text="axis 100%", box=box),
        Block(kind=RegionKind.FIGURE, text="", box=box),
        Block(kind=RegionKind.EQUATION, text="x = y\n% 2", box=box),
    )

    assert to_latex(blocks) == (
        "\\section*{Costs of 100\\% for \\{all\\}}\n\n"
        "It is \\$5 \\& more.\n\n"
        "See \\#3\\_a \\textasciitilde{} \\textasciicircum{} \\textbackslash{} "
        "\\textless{}b\\textgreater{}\\textbar{}\n\n"
        "\\begin{tabular}{|l|l|}\n\\hline\n\\multicolumn{2}{|l|}{Sales \\& more} \\\\\n\\hline\n"
        "a\\_1 & 50\\% \\\\\n\\hline\n\\end{tabular}\n\n"
        "\\textit{Table 1}\n\n"
        "\\begin{figure}[h]\n% A figure at (10, 20) to (110, 60).\naxis 100\\%\n\\end{figure}\n\n"
        "\\begin{figure}[h]\n% A figure at (10, 20) to (110, 60).\n\\end{figure}\n\n"
        "% An equation at (10, 20) to (110, 60): it cannot be read without a vision model.\n"
        "% Text recognised in it: x = y % 2"
    )


def test_latex_of_cells_over_several_rows() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    table = Table(
        rows=3,
        columns=3,
        cells=(
            Cell(row=0, column=0, row_span=2, column_span=2, text="both", box=box),
            Cell(row=0, column=2, text="a", box=box),
            Cell(row=1, column=2, text="b", box=box),
            Cell(row=2, column=0, text="c", box=box),
            Cell(row=2, column=1, text="", box=box),
            Cell(row=2, column=2, text="d", box=box),
        ),
        box=box,
        lines=(),
    )

    assert to_latex((Block(kind=RegionKind.TABLE, text="", box=box, table=table),)) == (
        "\\begin{tabular}{|l|l|l|}\n\\hline\n"
        "\\multicolumn{2}{|l|}{\\multirow{2}{*}{both}} & a \\\\\n\\cline{3-3}\n"
        "\\multicolumn{2}{|l|}{} & b \\\\\n\\hline\n"
        "c &  & d \\\\\n\\hline\n\\end{tabular}"
    )


def test_an_empty_page_is_nothing() -> None:
    assert to_latex(blocks_of(_page(), (), ())) == ""
