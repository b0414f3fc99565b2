"""Cards, tickets and forms as blocks: whole made pages and the LaTeX of them."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.documents.blocks import Block, Region, RegionKind, blocks_of, to_latex
from qwenport.documents.page import Line, Page, Word


def _line(text: str, x: float, y: float, *, height: float = 20.0, width: float = 0.0) -> Line:
    width = width or sum(height if ord(character) > 0x2E80 else height / 2 for character in text)
    return Line(text=text, quad=(x, y, x + width, y, x + width, y + height, x, y + height), score=1.0)


def _spaced(text: str, x: float, y: float) -> Line:
    """A line whose words are known."""
    whole = _line(text, x, y)
    words, at = [], x
    for word in text.split():
        part = _line(word, at, y)
        words.append(Word(text=word, quad=part.quad))
        at = part.right + 10
    return Line(text=text, quad=whole.quad, score=1.0, words=tuple(words))


def _region(kind: RegionKind, left: float, top: float, right: float, bottom: float) -> Region:
    return Region(kind=kind, box=(left, top, right, bottom), score=0.9)


def _paragraphs(lines: Sequence[Line], regions: tuple[Region, ...] = ()) -> list[str]:
    page = Page(width=1000, height=700, lines=tuple(lines))
    return to_latex(blocks_of(page, regions, ())).split("\n\n")


WHOLE = _region(RegionKind.FIGURE, 0, 0, 1000, 700)


def test_a_card_that_was_taken_for_a_picture_is_read_row_by_row() -> None:
    card = [
        _line("居民身份证", 400, 30, height=40),
        _line("姓名", 50, 100),
        _line("李明", 150, 101),
        _line("性别", 50, 150),
        _line("男", 150, 151),
        _line("民族", 300, 149),
        _line("汉", 400, 150),
        _line("住址", 50, 200),
        _line("青溪市云岭区科创大道七百四十一号二十七幢", 150, 200),
        _line("二四三室", 150, 226),
        _line("公民身份号码", 50, 280),
        _line("330198196410145865", 300, 280, width=400),
    ]
    small = _region(RegionKind.FIGURE, 0, 90, 560, 310)

    assert _paragraphs(card, (small,)) == [
        "\\section*{居民身份证}",
        "姓名 \\quad 李明",
        "性别 \\quad 男 \\quad 民族 \\quad 汉",
        "住址 \\quad 青溪市云岭区科创大道七百四十一号二十七幢二四三室",
        "公民身份号码 \\quad 330198196410145865",
    ]


def test_a_picture_with_little_text_in_it_stays_one() -> None:
    page = Page(width=1000, height=700, lines=(_line("axis", 400, 600),))

    assert blocks_of(page, (WHOLE,), ()) == (
        Block(kind=RegionKind.FIGURE, text="axis", box=(0.0, 0.0, 1000.0, 700.0), lines=(0,)),
    )


def test_values_of_two_columns_go_on_below_each_in_its_own() -> None:
    licence = [
        _line("Name", 50, 100),
        _line("A company of a long name and still", 150, 100),
        _line("Capital", 550, 100),
        _line("a million", 700, 100),
        _line("longer", 150, 124),
        _line("Scope", 50, 180),
        _line("to make screws and nails,", 150, 180),
        _line("Seat", 550, 180),
        _line("a street in the north of", 700, 180),
        _line("to sell them", 150, 204),
        _line("the old town", 700, 204),
        _line("Type", 50, 228),
        _line("limited", 150, 228),
    ]

    assert _paragraphs(licence) == [
        "Name \\quad A company of a long name and still longer \\quad Capital \\quad a million",
        "Scope \\quad to make screws and nails, to sell them \\quad Seat \\quad a street in the north of the old town",
        "Type \\quad limited",
    ]


def test_a_value_goes_on_though_it_was_read_together_with_its_key() -> None:
    card = [_spaced("住址 青溪市云岭区科创大道", 50, 100), _line("二四三室", 100, 124), _line("号码 1234", 50, 160)]
    named = [_spaced("Deliver to: 12 Quarry Road, Lake", 50, 100), _line("Glen", 170, 124), _line("Phone", 50, 148)]

    assert _paragraphs(card) == ["住址 青溪市云岭区科创大道二四三室", "号码 1234"]
    assert _paragraphs(named) == ["Deliver to: 12 Quarry Road, Lake Glen", "Phone"]


def test_a_value_goes_on_below_its_key_where_it_reaches_the_margin() -> None:
    address, tail = _line("Address: 12 Quarry Road, Lakewood, Glen", 50, 100), _line("Upper Valley", 50, 124)

    assert _paragraphs([address, tail]) == ["Address: 12 Quarry Road, Lakewood, Glen Upper Valley"]
    assert _paragraphs([address, tail, _line("wide", 600, 300)])[:2] == [address.text, tail.text]


def test_lines_of_a_list_that_begin_alike_are_not_joined() -> None:
    receipt = [
        _spaced("单号 XS595963002483", 50, 100),
        _spaced("日期 2025/09/10", 50, 124),
        _line("Cashier: 17 at the first till", 50, 148),
        _line("Served by: Ada Fictional", 50, 172),
        _line("P<UTOELLISON<<DANIEL<<<<", 50, 196),
        _line("G572486929UTO7103151M341", 50, 220),
        _line("one long line of a sentence", 50, 260),
        _line("that goes on here", 50, 284),
    ]

    assert _paragraphs(receipt) == [
        "单号 XS595963002483",
        "日期 2025/09/10",
        "Cashier: 17 at the first till",
        "Served by: Ada Fictional",
        "P\\textless{}UTOELLISON\\textless{}\\textless{}DANIEL" + "\\textless{}" * 4,
        "G572486929UTO7103151M341",
        "one long line of a sentence that goes on here",
    ]


def test_regions_that_hold_parts_of_a_form_are_read_with_what_stands_beside_them() -> None:
    bill = [
        _line("Statement", 60, 30, height=36),
        _line("No. 4711", 700, 40),
        _line("Gas supply charge", 60, 200),
        _line("57.64", 800, 201),
        _line("Basic service charge", 60, 240),
        _line("14.50", 800, 241),
        _line("Total charges", 60, 280),
        _line("72.14", 800, 281),
    ]
    regions = (
        _region(RegionKind.HEADER, 50, 20, 400, 70),
        _region(RegionKind.TEXT, 50, 190, 300, 310),
        _region(RegionKind.FOOTER, 790, 190, 900, 225),
    )

    assert _paragraphs(bill, regions) == [
        "\\section*{Statement}",
        "No. 4711",
        "Gas supply charge \\quad 57.64",
        "Basic service charge \\quad 14.50",
        "Total charges \\quad 72.14",
    ]


def test_a_head_below_a_title_and_a_foot_above_text_are_lines_like_others() -> None:
    ticket = [
        _line("Ticket", 450, 30, height=40),
        _line("No. 1", 50, 100),
        _line("Paid", 50, 140),
        _line("Bye", 50, 180),
    ]
    regions = (
        _region(RegionKind.TITLE, 400, 20, 620, 75),
        _region(RegionKind.HEADER, 40, 95, 150, 125),
        _region(RegionKind.FOOTER, 40, 135, 150, 165),
    )

    assert _paragraphs(ticket, regions) == ["\\section*{Ticket}", "No. 1", "Paid", "Bye"]


def test_small_print_in_a_region_of_a_title_is_none() -> None:
    lines = [
        _line("Driving licence", 300, 40, height=40),
        _line("of the people", 350, 90),
        _line("5101961985", 350, 114),
        _line("and more", 50, 300),
    ]

    assert _paragraphs(lines, (_region(RegionKind.TITLE, 280, 30, 650, 140),)) == [
        "\\section*{Driving licence}",
        "of the people",
        "5101961985",
        "and more",
    ]


def test_large_print_is_a_title_in_the_middle_or_first_on_the_page_and_if_it_is_words() -> None:
    def _read(text: str, x: float, y: float) -> str:
        rest = [_line("some text beside it", 60, 80 + 60 * i, width=880) for i in range(5)]
        read = _paragraphs([_line(text, x, y, height=40), *rest])
        return next(part for part in read if text in part)

    assert _read("Receipt", 430, 20) == "\\section*{Receipt}"
    assert _read("Receipt", 60, 20) == "\\section*{Receipt}"
    assert _read("Receipt", 700, 20) == "Receipt"
    assert _read("Receipt", 430, 400) == "Receipt"
    assert _read("Sum: 88.00", 430, 20) == "Sum: 88.00"
    assert _read("88,150.00", 430, 20) == "88,150.00"


def test_a_line_that_touches_a_region_of_running_text_belongs_there() -> None:
    lines = [_line(f"line {i} of a text that runs on", 50, 100 + 24 * i) for i in range(4)]

    assert _paragraphs(lines, (_region(RegionKind.TEXT, 45, 122, 400, 200),)) == [
        " ".join(f"line {i} of a text that runs on" for i in range(4))
    ]


def test_figures_below_figures_stay_in_their_rows_where_those_beside_them_are_blank() -> None:
    rows = [
        ("2024-09-30", "Salary", "", "331.95", "8,255.91"),
        ("2024-10-02", "Card purchase", "644.52", "", "7,611.39"),
        ("2024-10-03", "Transfer", "623.70", "", "6,987.69"),
        ("2024-10-04", "Salary", "", "619.17", "7,606.86"),
    ]
    lines = [
        _line(text, x, 100 + 26 * index)
        for index, row in enumerate(rows)
        for text, x in zip(row, (50, 200, 400, 550, 700), strict=True)
        if text
    ]

    assert _paragraphs(lines) == [" \\quad ".join(filter(None, row)) for row in rows]
