"""Tables of hand-made pages, told as HTML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from qwenport.documents.page import Line, Page, Word
from qwenport.documents.tables import Cell, Rules, Segment, Table, find_tables, to_html

HEIGHT = 20.0
Place = tuple[str, float, float]


def _width(text: str) -> float:
    return sum(20.0 if ord(character) > 0x2E80 else 10.0 for character in text)


def _line(text: str, x: float, y: float, *, align: str = "l") -> Line:
    width = _width(text)
    left = {"l": x, "r": x - width, "m": x - width / 2}[align]
    right, bottom = left + width, y + HEIGHT
    return Line(text=text, quad=(left, y, right, y, right, bottom, left, bottom), score=1.0)


def _page(lines: Iterable[Line], *, angle: float = 0.0) -> Page:
    return Page(width=1000, height=800, lines=tuple(lines), angle=angle)


def _rows(rows: Sequence[Sequence[str]], xs: Sequence[float], aligns: str, *, top: float = 100.0) -> list[Line]:
    return [
        _line(text, x, top + 40 * index, align=align)
        for index, row in enumerate(rows)
        for text, x, align in zip(row, xs, aligns, strict=True)
        if text
    ]


def _level(*places: tuple[float, float, float]) -> tuple[Segment, ...]:
    return tuple(Segment(x0=x0, y0=y, x1=x1, y1=y) for y, x0, x1 in places)


def _upright(*places: tuple[float, float, float]) -> tuple[Segment, ...]:
    return tuple(Segment(x0=x, y0=y0, x1=x, y1=y1) for x, y0, y1 in places)


def _html(page: Page, rules: Rules | None = None) -> list[str]:
    return [to_html(table) for table in find_tables(page, rules)]


PRICES = [["Item", "Qty", "Price"], ["Coffee beans", "2", "13.50"], ["Green tea", "12", "7.00"], ["Cups", "", "122.00"]]
PRICES_HTML = (
    "<table><tr><td>Item</td><td>Qty</td><td>Price</td></tr>"
    "<tr><td>Coffee beans</td><td>2</td><td>13.50</td></tr>"
    "<tr><td>Green tea</td><td>12</td><td>7.00</td></tr>"
    "<tr><td>Cups</td><td></td><td>122.00</td></tr></table>"
)
XS, ALIGNS = (50.0, 400.0, 600.0), "lrr"
FULL = Rules(
    horizontal=_level(*((90 + 40 * i, 40, 620) for i in range(5))),
    vertical=_upright(*((x, 90, 250) for x in (40, 300, 450, 620))),
)


def _turned(page: Page, rules: Rules, degrees: float) -> tuple[Page, Rules]:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))

    def point(x: float, y: float) -> tuple[float, float]:
        right, down = x - page.width / 2, y - page.height / 2
        return page.width / 2 + right * cosine - down * sine, page.height / 2 + right * sine + down * cosine

    def line(one: Line) -> Line:
        q = one.quad
        corners = (*point(q[0], q[1]), *point(q[2], q[3]), *point(q[4], q[5]), *point(q[6], q[7]))
        return Line(text=one.text, quad=corners, score=one.score)

    def segment(one: Segment) -> Segment:
        (x0, y0), (x1, y1) = point(one.x0, one.y0), point(one.x1, one.y1)
        return Segment(x0=x0, y0=y0, x1=x1, y1=y1)

    turned = Page(width=page.width, height=page.height, lines=tuple(map(line, page.lines)), angle=degrees)
    return turned, Rules(horizontal=tuple(map(segment, rules.horizontal)), vertical=tuple(map(segment, rules.vertical)))


def test_a_ruled_table_keeps_its_blank_cells() -> None:
    page = _page([_line("Prices of the month", 50, 20), *_rows(PRICES, XS, ALIGNS), _line("Thank you.", 50, 400)])

    assert _html(page, FULL) == [PRICES_HTML]


def test_aligned_text_without_rules_is_the_same_table() -> None:
    page = _page([_line("Prices of the month", 50, 20), *_rows(PRICES, XS, ALIGNS), _line("Thank you.", 50, 400)])

    assert _html(page) == [PRICES_HTML]


def test_a_page_that_leans_gives_the_same_tables() -> None:
    page = _page(_rows(PRICES, XS, ALIGNS))
    for degrees in (-4.0, 3.0):
        turned, rules = _turned(page, FULL, degrees)

        assert _html(turned, rules) == [PRICES_HTML]
        assert _html(turned) == [PRICES_HTML]


def test_edges_that_are_not_drawn_merge_cells() -> None:
    rows = [["Region", "Sales", ""], ["", "2023", "2024"], ["North", "5", "6"]]
    lines = [_line("Region", 50, 120), _line("Sales", 500, 100, align="m"), *_rows(rows, XS, ALIGNS)[2:]]
    rules = Rules(
        horizontal=_level((90, 40, 620), (130, 300, 620), (170, 40, 620), (210, 40, 620)),
        vertical=_upright((40, 90, 210), (300, 90, 210), (450, 130, 210), (620, 90, 210)),
    )

    assert _html(_page(lines), rules) == [
        (
            '<table><tr><td rowspan="2">Region</td><td colspan="2">Sales</td></tr>'
            "<tr><td>2023</td><td>2024</td></tr><tr><td>North</td><td>5</td><td>6</td></tr></table>"
        )
    ]


def test_a_line_over_a_rule_is_cut_between_its_words() -> None:
    line = Line(
        text="Green tea 12",
        quad=(250, 140, 390, 140, 390, 160, 250, 160),
        score=1.0,
        words=(
            Word(text="Green", quad=(250, 140, 270, 140, 270, 160, 250, 160)),
            Word(text="tea", quad=(275, 140, 297, 140, 297, 160, 275, 160)),
            Word(text="12", quad=(310, 140, 390, 140, 390, 160, 310, 160)),
        ),
    )
    rest = [*_rows([PRICES[0]], XS, ALIGNS), _line("7.00", 600, 140, align="r")]
    rules = Rules(
        horizontal=_level((90, 40, 620), (130, 40, 620), (170, 40, 620)),
        vertical=_upright(*((x, 90, 170) for x in (40, 300, 450, 620))),
    )

    assert _html(_page([*rest, line]), rules) == [
        (
            "<table><tr><td>Item</td><td>Qty</td><td>Price</td></tr>"
            "<tr><td>Green tea</td><td>12</td><td>7.00</td></tr></table>"
        )
    ]


def test_chinese_read_over_a_rule_is_cut_between_characters() -> None:
    lines = [_line("品名单价", 60, 100), _line("绿茶", 60, 140), _line("8.00", 110, 140)]
    rules = Rules(
        horizontal=_level((90, 50, 200), (130, 50, 200), (170, 50, 200)),
        vertical=_upright(*((x, 90, 170) for x in (50, 101, 200))),
    )

    assert _html(_page(lines), rules) == [
        "<table><tr><td>品名</td><td>单价</td></tr><tr><td>绿茶</td><td>8.00</td></tr></table>"
    ]


def test_double_and_broken_rules_bound_one_cell() -> None:
    broken = _level(*((y, x0, x1) for y in (90, 93, 130, 250) for x0, x1 in ((40, 330), (336, 620))))
    rules = Rules(
        horizontal=(*broken, *_level((170, 40, 620), (210, 40, 620))),
        vertical=_upright(*((x, 90, 250) for x in (40, 43, 300, 450, 620))),
    )

    assert _html(_page(_rows(PRICES, XS, ALIGNS)), rules) == [PRICES_HTML]


def test_strokes_of_letters_are_no_rules() -> None:
    strokes = _upright((120, 102, 118), (425, 142, 158))
    rules = Rules(horizontal=FULL.horizontal, vertical=(*FULL.vertical, *strokes))

    assert _html(_page(_rows(PRICES, XS, ALIGNS)), rules) == [PRICES_HTML]


def test_rows_without_rules_between_are_parted_by_their_numbers() -> None:
    rules = Rules(horizontal=_level((90, 40, 620), (130, 40, 620), (250, 40, 620)), vertical=FULL.vertical)

    assert _html(_page(_rows(PRICES, XS, ALIGNS)), rules) == [PRICES_HTML]


def test_lines_of_one_cell_are_joined() -> None:
    lines = [
        *_rows([["Item", "Note", "Price"]], XS, "llr"),
        _line("Lamp", 50, 172),
        _line("with a cable", 400, 160, align="l"),
        _line("of two metres", 400, 184, align="l"),
        _line("15.00", 700, 172, align="r"),
        _line("Chair", 50, 240),
        _line("green", 400, 240),
        _line("49.00", 700, 240, align="r"),
        _line("Table", 50, 290),
        _line("large", 400, 290),
        _line("99.00", 700, 290, align="r"),
    ]
    lines[2] = _line("Price", 700, 100, align="r")

    assert _html(_page(lines)) == [
        (
            "<table><tr><td>Item</td><td>Note</td><td>Price</td></tr>"
            "<tr><td>Lamp</td><td>with a cable of two metres</td><td>15.00</td></tr>"
            "<tr><td>Chair</td><td>green</td><td>49.00</td></tr>"
            "<tr><td>Table</td><td>large</td><td>99.00</td></tr></table>"
        )
    ]


def test_lines_of_a_chinese_cell_are_joined_without_a_space() -> None:
    lines = [_line("无缝不锈钢", 60, 100), _line("管", 60, 124), _line("3", 260, 112), _line("螺丝", 60, 160)]
    rules = Rules(
        horizontal=_level((90, 50, 300), (150, 50, 300), (190, 50, 300)),
        vertical=_upright(*((x, 90, 190) for x in (50, 250, 300))),
    )

    assert _html(_page(lines), rules) == [
        "<table><tr><td>无缝不锈钢管</td><td>3</td></tr><tr><td>螺丝</td><td></td></tr></table>"
    ]


def test_a_head_in_the_middle_over_two_columns_takes_both() -> None:
    lines = [
        _line("Sales", 500, 100, align="m"),
        _line("Region", 50, 120),
        _line("Last year", 440, 140, align="r"),
        _line("This year", 640, 140, align="r"),
        *_rows([["North", "5", "6"], ["South", "15", "26"]], (50, 440, 640), "lrr", top=190),
    ]

    assert _html(_page(lines)) == [
        (
            '<table><tr><td rowspan="2">Region</td><td colspan="2">Sales</td></tr>'
            "<tr><td>Last year</td><td>This year</td></tr>"
            "<tr><td>North</td><td>5</td><td>6</td></tr><tr><td>South</td><td>15</td><td>26</td></tr></table>"
        )
    ]


def test_columns_that_nearly_touch_are_told_by_the_gap_that_rows_share() -> None:
    rows = [("1,250.00", "A-17"), ("36.80", "B-2894"), ("7.05", "C-3"), ("418.60", "D-88")]
    lines = [line for i, (amount, code) in enumerate(rows) for line in _near(amount, code, 100 + 40.0 * i)]

    assert _html(_page(lines)) == [
        (
            "<table><tr><td>one</td><td>1,250.00</td><td>A-17</td></tr>"
            "<tr><td>one</td><td>36.80</td><td>B-2894</td></tr>"
            "<tr><td>one</td><td>7.05</td><td>C-3</td></tr>"
            "<tr><td>one</td><td>418.60</td><td>D-88</td></tr></table>"
        )
    ]


def _near(amount: str, code: str, y: float) -> list[Line]:
    left, right, bottom = 400 - _width(amount), 410 + _width(code), y + HEIGHT
    words = (
        Word(text=amount, quad=(left, y, 400, y, 400, bottom, left, bottom)),
        Word(text=code, quad=(410, y, right, y, right, bottom, 410, bottom)),
    )
    quad = (left, y, right, y, right, bottom, left, bottom)
    return [_line("one", 50, y), Line(text=f"{amount} {code}", quad=quad, score=1.0, words=words)]


def test_a_title_above_the_first_rule_is_no_row() -> None:
    lines = [_line("Table 3", 50, 60), _line("Prices of May", 140, 60), *_rows(PRICES, XS, ALIGNS)]
    rules = Rules(horizontal=_level((90, 40, 620), (130, 40, 620), (250, 40, 620)))

    assert _html(_page(lines), rules) == [PRICES_HTML]


def test_two_tables_on_a_page_come_from_top_to_bottom() -> None:
    below = [_line(text, x + 100, y + 280) for text, x, y in _grid([["a", "b"], ["1", "2"], ["3", "4"]])]
    rules = Rules(
        horizontal=(*FULL.horizontal, *_level(*((370 + 40 * i, 140, 540) for i in range(4)))),
        vertical=(*FULL.vertical, *_upright(*((x, 370, 490) for x in (140, 340, 540)))),
    )

    assert _html(_page([*below, *_rows(PRICES, XS, ALIGNS)]), rules) == [
        PRICES_HTML,
        "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>",
    ]


def _grid(rows: Sequence[Sequence[str]]) -> list[Place]:
    return [(text, 60 + 200 * c, 100 + 40 * r) for r, row in enumerate(rows) for c, text in enumerate(row)]


def test_running_text_in_two_columns_is_no_table() -> None:
    text = "the quick brown fox jumps over a lazy dog and then sleeps for most of an afternoon under some tree " * 12
    lines = [_line(text[i * 37 + x : i * 37 + x + 41], x, 100 + 26 * i) for i in range(12) for x in (50, 500)]

    assert _html(_page(lines)) == []


def test_a_form_of_one_pair_a_row_is_no_table() -> None:
    pairs = [("Name:", "Ada Fictional"), ("Date:", "2024-05-20"), ("Number:", "4711"), ("Amount:", "12.00")]
    lines = [
        line
        for i, (key, value) in enumerate(pairs)
        for line in _rows([[key, value]], (50, 250), "ll", top=100 + 40 * i)
    ]

    assert _html(_page(lines)) == []


def test_a_single_box_and_a_page_without_text_hold_no_table() -> None:
    box = Rules(horizontal=_level((90, 40, 620), (130, 40, 620)), vertical=_upright((40, 90, 130), (620, 90, 130)))

    assert _html(_page([_line("Notice", 50, 100)]), box) == []
    assert _html(_page([]), FULL) == []


def test_a_table_tells_its_places_and_lines() -> None:
    lines = [_line("Title", 50, 20), _line("a", 60, 100), _line("b", 260, 100), _line("c", 60, 140)]
    rules = Rules(
        horizontal=_level((90, 50, 450), (130, 50, 450), (170, 50, 450)),
        vertical=_upright(*((x, 90, 170) for x in (50, 250, 450))),
    )

    assert find_tables(_page(lines), rules) == (
        Table(
            rows=2,
            columns=2,
            cells=(
                Cell(row=0, column=0, text="a", box=(50.0, 90.0, 250.0, 130.0)),
                Cell(row=0, column=1, text="b", box=(250.0, 90.0, 450.0, 130.0)),
                Cell(row=1, column=0, text="c", box=(50.0, 130.0, 250.0, 170.0)),
                Cell(row=1, column=1, text="", box=(250.0, 130.0, 450.0, 170.0)),
            ),
            box=(50.0, 90.0, 450.0, 170.0),
            lines=(1, 2, 3),
        ),
    )


def test_markup_in_cells_is_escaped() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    cells = (
        Cell(row=0, column=0, column_span=2, text="<b> & Co", box=box),
        Cell(row=1, column=0, text="1", box=box),
        Cell(row=1, column=1, text='"2"', box=box),
    )

    assert to_html(Table(rows=2, columns=2, cells=cells, box=box, lines=())) == (
        '<table><tr><td colspan="2">&lt;b&gt; &amp; Co</td></tr><tr><td>1</td><td>"2"</td></tr></table>'
    )


def test_centred_cells_beside_cells_of_two_lines_are_in_their_row() -> None:
    lines = [
        *_rows([["Item", "Note", "Price"]], (50, 400, 700), "llr"),
        *(one for i in range(4) for one in _two_lines_beside_one(i, 150 + 60.0 * i)),
    ]

    assert _html(_page(lines)) == [
        (
            "<table><tr><td>Item</td><td>Note</td><td>Price</td></tr>"
            "<tr><td>Lamp 0</td><td>with a cable of two metres</td><td>15.00</td></tr>"
            "<tr><td>Lamp 1</td><td>with a cable of two metres</td><td></td></tr>"
            "<tr><td>Lamp 2</td><td>with a cable of two metres</td><td>15.02</td></tr>"
            "<tr><td>Lamp 3</td><td>with a cable of two metres</td><td>15.03</td></tr></table>"
        )
    ]


def _two_lines_beside_one(index: int, y: float) -> list[Line]:
    price = [] if index == 1 else [_line(f"15.0{index}", 700, y, align="r")]
    return [
        _line("with a cable", 400, y - 12),
        _line(f"Lamp {index}", 50, y),
        *price,
        _line("of two metres", 400, y + 12),
    ]


def test_pairs_of_keys_and_values_above_a_table_are_no_rows() -> None:
    pairs = _rows([["Order:", "PO-1", ""], ["Date:", "2024-05-20", ""]], XS, "lll", top=20)

    assert _html(_page([*pairs, *_rows(PRICES, XS, ALIGNS)])) == [PRICES_HTML]


def test_rows_between_rules_are_a_table_though_pairs_are_aligned_above_them() -> None:
    pairs = [["To the buyer", "", "Sample"], *([f"Key {i}:", "", f"value {i}"] for i in range(4))]
    lines = [*_rows(pairs, XS, ALIGNS, top=20), *_rows(PRICES, XS, ALIGNS, top=220)]
    rules = Rules(horizontal=_level((210, 40, 620), (250, 40, 620), (370, 40, 620)))

    assert _html(_page(lines), rules) == [PRICES_HTML]


def test_a_ticket_whose_items_stand_below_one_another_is_no_table() -> None:
    rows = [
        ["白鹭南站", "G576", "金穗站"],
        ["Bailunan", "", "Jinsui"],
        ["2025年11月17日", "", "08车03C号"],
        ["¥693.5元", "", "二等座"],
        ["4201991991", "孙丽华", "5月"],
    ]

    assert _html(_page(_rows(rows, (50, 400, 600), "lll"))) == []


def test_amounts_under_one_another_without_a_head_are_a_list_and_no_table() -> None:
    rows = [["Gas supply charge", "$49.78"], ["Basic charge", "$14.50"], ["Taxes", "$2.11"], ["Total", "$66.39"]]

    assert _html(_page(_rows(rows, (50, 600), "lr"))) == []
    assert len(_html(_page(_rows([["Charge", "Amount"], *rows], (50, 600), "lr")))) == 1


def test_keys_spaced_out_to_one_width_are_a_form() -> None:
    rows = [["名", "称", "青溪示例公司", "3"], ["类", "型", "有限责任公司", "4"], ["住", "所", "银杏街", "5"]]

    assert _html(_page(_rows(rows * 2, (50, 110, 250, 600), "llll"))) == []


def test_keys_of_which_some_are_spaced_out_to_the_width_of_the_others_are_a_form() -> None:
    spaced = [["名", "称", "示例公司"], ["类", "型", "有限责任公司"], ["住", "所", "青溪市银杏街"]]
    whole = [["法定代表人", "", "张三四"], ["注册资本金", "", "叁仟万元整"], ["成立的日期", "", "2025年"]]

    assert _html(_page(_rows([*spaced, *whole], (50, 130, 250), "lll"))) == []


def test_a_box_with_two_texts_in_it_is_no_table() -> None:
    lines = [_line("Notice", 50, 100), _line("Sample", 320, 140)]

    assert _html(_page(lines), FULL) == []


def test_a_head_over_two_columns_that_nearly_touch_is_not_cut() -> None:
    lines = [
        _line("销售情况", 460, 100, align="m"),
        _line("编号", 100, 120),
        *_beside("商品名称一", "商品规格二", "金额", 140)[1:],
        *(line for i in range(3) for line in _beside("无缝不锈钢", "中号螺丝钉", f"{i}.50", 190 + 40.0 * i)),
    ]
    rules = Rules(horizontal=_level((90, 90, 710), (170, 90, 710), (300, 90, 710)))

    assert _html(_page(lines), rules)[0].startswith(
        '<table><tr><td rowspan="2">编号</td><td colspan="2">销售情况</td><td'
    )


def _beside(left: str, right: str, amount: str, y: float) -> list[Line]:
    return [_line("A-1", 100, y), _line(left, 350, y), _line(right, 470, y), _line(amount, 700, y, align="r")]


def test_words_read_apart_at_the_gap_of_two_columns_are_two_cells() -> None:
    rows = [("6.2%", "不锈钢管"), ("11.9%", "打印纸"), ("12.8%", "数据线"), ("3.8%", "台灯")]
    lines = [*_rows([["编号", "税率", "名称"]], (50, 400, 420), "lrl")]
    for i, (share, name) in enumerate(rows):
        right = 421 if i == 0 else 400  # the reader's box of the first is too wide, as far as into the next one
        left, y = 400 - _width(share), 140 + 40.0 * i
        quad = (left, y, right, y, right, y + HEIGHT, left, y + HEIGHT)
        lines += [_line(f"A-{i}", 50, y), Line(text=share, quad=quad, score=1.0), _line(name, 420, y)]

    assert _html(_page(lines)) == [
        (
            "<table><tr><td>编号</td><td>税率</td><td>名称</td></tr>"
            "<tr><td>A-0</td><td>6.2%</td><td>不锈钢管</td></tr><tr><td>A-1</td><td>11.9%</td><td>打印纸</td></tr>"
            "<tr><td>A-2</td><td>12.8%</td><td>数据线</td></tr><tr><td>A-3</td><td>3.8%</td><td>台灯</td></tr></table>"
        )
    ]


def test_full_cells_that_were_read_together_with_the_next_column_are_cut_where_that_begins() -> None:
    full = "显示屏不亮检查后更换已经完成"
    rows = [
        ("2025-03-23", f"{full}刘晓明", ""),
        ("2025-09-29", "更换滤芯", "朱思远"),
        ("2025-03-29", f"{full}陈晓明", ""),
    ]
    lines = _rows([["日期", "处理情况", "维修人"], *rows], (50, 250, 533), "lll")

    assert _html(_page(lines)) == [
        (
            "<table><tr><td>日期</td><td>处理情况</td><td>维修人</td></tr>"
            f"<tr><td>2025-03-23</td><td>{full}</td><td>刘晓明</td></tr>"
            "<tr><td>2025-09-29</td><td>更换滤芯</td><td>朱思远</td></tr>"
            f"<tr><td>2025-03-29</td><td>{full}</td><td>陈晓明</td></tr></table>"
        )
    ]
