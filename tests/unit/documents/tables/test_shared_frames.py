"""Tables within forms: what shares their frame, stands in it, or beside their rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qwenport.documents.page import Line, Page
from qwenport.documents.tables import Rules, Segment, find_tables, to_html

HEIGHT = 20.0


def _line(text: str, x: float, y: float, *, align: str = "l", height: float = HEIGHT) -> Line:
    width = sum(20.0 if ord(character) > 0x2E80 else 10.0 for character in text)
    left = x if align == "l" else x - width
    right, bottom = left + width, y + height
    return Line(text=text, quad=(left, y, right, y, right, bottom, left, bottom), score=1.0)


def _rows(rows: Sequence[Sequence[str]], xs: Sequence[float], aligns: str, *, top: float) -> list[Line]:
    return [
        _line(text, x, top + 40 * index, align=align)
        for index, row in enumerate(rows)
        for text, x, align in zip(row, xs, aligns, strict=True)
        if text
    ]


def _level(left: float, right: float, *places: float) -> tuple[Segment, ...]:
    return tuple(Segment(x0=left, y0=y, x1=right, y1=y) for y in places)


def _upright(top: float, bottom: float, *places: float) -> tuple[Segment, ...]:
    return tuple(Segment(x0=x, y0=top, x1=x, y1=bottom) for x in places)


def _rules(horizontal: Iterable[Iterable[Segment]], vertical: Iterable[Iterable[Segment]]) -> Rules:
    return Rules(
        horizontal=tuple(segment for some in horizontal for segment in some),
        vertical=tuple(segment for some in vertical for segment in some),
    )


def _html(lines: Iterable[Line], rules: Rules | None = None) -> list[str]:
    return [to_html(table) for table in find_tables(Page(width=1000, height=800, lines=tuple(lines)), rules)]


def _table(*rows: str) -> str:
    """A table as HTML from rows in which bars part cells."""
    told = ("".join(f"<td>{cell}</td>" for cell in row.split("|")) for row in rows)
    return "<table>" + "".join(f"<tr>{cells}</tr>" for cells in told) + "</table>"


XS, ALIGNS = (50.0, 400.0, 600.0), "lrr"
BORDERS = (40.0, 300.0, 450.0, 620.0)
GOODS = [["Item", "Qty", "Price"], ["Coffee beans", "2", "13.50"], ["Green tea", "12", "7.00"]]
GOODS_HTML = _table("Item|Qty|Price", "Coffee beans|2|13.50", "Green tea|12|7.00")
GOODS_RULES = ((_level(40, 620, 200, 240, 280, 320),), (_upright(200, 320, *BORDERS),))
"""Of the goods where their first text row is at 210."""


def test_boxes_of_text_that_share_the_frame_of_the_goods_are_no_rows_of_these() -> None:
    buyer = [
        _line("Buyer", 50, 100),
        _line("Name: Ada", 150, 90),
        _line("Code: 4711", 150, 120),
        _line("Note", 520, 90),
    ]
    seller = [_line("Seller", 50, 340), _line("Name: Bo", 150, 330), _line("Code: 4712", 150, 360)]
    horizontal, vertical = GOODS_RULES
    rules = _rules(
        (*horizontal, _level(40, 620, 80, 400)),
        (*vertical, _upright(80, 200, 40, 130, 500, 620), _upright(320, 400, 40, 130, 620)),
    )

    goods = _rows(GOODS, XS, ALIGNS, top=210)

    assert _html([*buyer, *goods, *seller], rules) == [GOODS_HTML]

    unruled = Rules(
        horizontal=tuple(rule for rule in rules.horizontal if rule.y0 not in {240, 280}), vertical=rules.vertical
    )

    assert _html([*buyer, *goods, *seller], unruled) == [GOODS_HTML]


def test_a_box_of_keys_and_values_above_or_below_a_table_is_no_row_of_it_and_one_of_text_is() -> None:
    pairs = [_line("Paid by fund: 40.96", 50, 330), _line("By oneself: 81.94", 50, 360)]
    horizontal, vertical = GOODS_RULES
    rules = _rules((*horizontal, _level(40, 620, 400)), (*vertical, _upright(320, 400, 40, 620)))
    goods = _rows(GOODS, XS, ALIGNS, top=210)

    assert _html([*goods, *pairs], rules) == [GOODS_HTML]
    assert _html([*goods, _line("Prices of May", 50, 350)], rules) == [
        GOODS_HTML.replace("</table>", '<tr><td colspan="3">Prices of May</td></tr></table>')
    ]


def test_two_tables_whose_sides_were_seen_as_one_rule_are_two() -> None:
    below = [["No.", "Name"], ["1", "Lamp"], ["2", "Chair"]]
    rules = _rules(
        (*GOODS_RULES[0], _level(40, 620, 330, 370, 410, 450)),
        (*GOODS_RULES[1], _upright(330, 450, 40, 180, 620)),
    )

    assert _html([*_rows(GOODS, XS, ALIGNS, top=210), *_rows(below, (50, 200), "ll", top=340)], rules) == [
        GOODS_HTML,
        _table("No.|Name", "1|Lamp", "2|Chair"),
    ]


def test_a_single_row_of_one_line_is_the_end_of_its_table_wherever_its_borders_are() -> None:
    total = [_line("Total", 50, 330), _line("20.50", 600, 330, align="r")]
    rules = _rules((*GOODS_RULES[0], _level(40, 620, 360)), (*GOODS_RULES[1], _upright(320, 360, 40, 380, 620)))

    assert _html([*_rows(GOODS, XS, ALIGNS, top=210), *total], rules) == [
        (
            '<table><tr><td>Item</td><td colspan="2">Qty</td><td>Price</td></tr>'
            '<tr><td>Coffee beans</td><td colspan="2">2</td><td>13.50</td></tr>'
            '<tr><td>Green tea</td><td colspan="2">12</td><td>7.00</td></tr>'
            '<tr><td colspan="2">Total</td><td colspan="2">20.50</td></tr></table>'
        )
    ]


def test_a_table_without_rules_of_its_own_is_found_in_its_box_of_a_form() -> None:
    party = [_line("Buyer", 50, 90), _line("Name: Ada", 150, 90), _line("Code: 4711", 150, 120)]
    total = [_line("In words", 50, 350), _line("twenty and a half", 250, 350)]
    rules = _rules(
        (_level(40, 620, 80, 200, 330, 380),),
        (_upright(80, 380, 40, 620), _upright(80, 200, 130)),
    )

    assert _html([*party, *_rows(GOODS, XS, ALIGNS, top=210), *total], rules) == [GOODS_HTML]


def test_a_strip_of_decoration_is_no_border_of_a_cell() -> None:
    horizontal, vertical = GOODS_RULES
    hanging = (_level(318, 461, 305), _level(0, 36, 205, 245))
    lines = _rows(GOODS, XS, ALIGNS, top=210)

    assert _html(lines, _rules((*horizontal, *hanging), vertical)) == [GOODS_HTML]


def test_what_stands_above_and_below_ruled_rows_is_no_row_of_these() -> None:
    head = _rows([[f"Bill to {i}", "No. #", f"{i}/9"] for i in range(4)], XS, ALIGNS, top=20)
    sums = _rows(
        [["", "Subtotal", "20.50"], ["", "Sales Tax", "2.00"], ["", "Amount Due", "22.50"]], XS, ALIGNS, top=350
    )
    rules = _rules(GOODS_RULES[0], ())

    assert _html([*head, *_rows(GOODS, XS, ALIGNS, top=210), *sums], rules) == [GOODS_HTML]


def test_a_list_below_pairs_of_keys_and_values_is_not_made_a_table_by_these() -> None:
    pairs = [
        ["New street 5", "Shop", ""],
        ["Table:", "17", "Guests: 6"],
        ["No.:", "615", ""],
        ["Date:", "5/6", "Time: 9"],
    ]
    items = [
        ["1", "tea", "5.00"],
        ["2", "rice", "9.00"],
        ["sum", "", "14.00"],
        ["tip", "kind", "1.00"],
        ["all", "", "15.00"],
    ]

    assert _html([*_rows(pairs, XS, "lrr", top=40), *_rows(items, XS, "lrr", top=200)]) == []


def test_names_above_their_figures_are_in_one_row_with_these() -> None:
    rows = [
        GOODS[0],
        ["Coffee beans", "", ""],
        ["", "2", "13.50"],
        ["Green tea", "", ""],
        ["", "12", "7.00"],
        ["Total", "", "20.50"],
    ]

    assert _html(_rows(rows, XS, ALIGNS, top=100)) == [
        _table("Item|Qty|Price", "Coffee beans|2|13.50", "Green tea|12|7.00", "Total||20.50")
    ]


def test_a_form_with_small_keys_above_its_values_is_no_table() -> None:
    keys = (("Type", "Country", "Number"), ("Sex", "Birth", "Authority"), ("Issued", "Office", "Ends"), ("A", "B", "C"))
    values = (("P", "UTO", "G5724"), ("M", "FAIRHOLLOW", "MINISTRY"), ("2024", "TOWN", "2034"), ("a", "b", "c"))
    lines = [
        _line(text, x, 100 + 72 * row + down, height=height)
        for row, pair in enumerate(zip(keys, values, strict=True))
        for texts, down, height in zip(pair, (0, 24), (15, 24), strict=True)
        for text, x in zip(texts, (50, 300, 550), strict=True)
    ]
    even = [_line(line.text, line.left, line.top) for line in lines]

    assert _html(lines) == []
    assert len(_html(even)) == 1


def test_a_number_of_an_account_is_no_head() -> None:
    rows = [["Account", "36020-14346-1", "Pay"], ["May", "12.00", "7.00"], ["June", "14.00", "9.00"]]
    dated = [["Account", "2024-05-20", "Pay"], *rows[1:]]

    assert _html(_rows(rows, XS, ALIGNS, top=100)) == []
    assert len(_html(_rows(dated, XS, ALIGNS, top=100))) == 1
