"""Measures against values computed by hand."""

from __future__ import annotations

import pytest

from qwenport.documents.page import Line
from qwenport.evaluation.html_tables import grids_of
from qwenport.evaluation.metrics.boxes import BoxCounts, count_boxes
from qwenport.evaluation.metrics.cells import Grid, GridCell, count_cells
from qwenport.evaluation.metrics.characters import CharacterCounts, count_characters
from qwenport.evaluation.metrics.fields import FieldCounts, all_counts, count_fields
from qwenport.evaluation.metrics.intervals import Interval, bootstrap, quantile
from qwenport.evaluation.metrics.values import is_same, means_same


def test_each_printed_item_is_compared_with_the_line_that_is_nearest() -> None:
    counts = count_characters(["TOTAL 12.00", "CASH", "找零", " "], ["CASH", "TOTAL 12.80", "找雾"])

    # One of ten characters, none of four, one of two.
    assert counts == CharacterCounts(errors=2, characters=16, exact_items=1, items=3)
    assert counts.error_rate == pytest.approx(2 / 16)


def test_an_item_may_be_part_of_a_longer_line_and_width_does_not_count() -> None:
    counts = count_characters(["Total", "12.00", "Bread"], ["Total \uff11\uff12.\uff10\uff10", "Broad rolls"])

    assert counts == CharacterCounts(errors=1, characters=15, exact_items=2, items=3)


def test_an_item_that_is_nowhere_costs_its_length_and_no_more() -> None:
    assert count_characters(["abc"], []).errors == 3
    assert count_characters(["abc"], ["something else entirely"]).errors <= 3


def test_nothing_printed_is_no_error() -> None:
    assert count_characters([], ["ghost"]).error_rate == 0.0


def test_a_wrong_value_counts_as_given_in_vain_and_as_missed() -> None:
    truth = {"company": "Acme Ltd", "date": "01/02/2026", "total": "12.00", "address": ""}
    answer = {"company": "ACME LTD.", "date": "", "total": "12.50", "tip": "1.00"}

    strict = count_fields(truth, answer, is_same)
    loose = count_fields(truth, answer, means_same)

    assert strict == FieldCounts(right=0, given=3, wanted=3)
    assert loose == FieldCounts(right=1, given=3, wanted=3)
    assert (loose.precision, loose.recall, loose.f1) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_micro_f1_adds_up_counts_before_it_divides() -> None:
    counts = all_counts([FieldCounts(right=1, given=1, wanted=4), FieldCounts(right=2, given=5, wanted=2)])

    assert counts == FieldCounts(right=3, given=6, wanted=6)
    assert counts.f1 == pytest.approx(0.5)


def test_nothing_wanted_and_nothing_given_is_right() -> None:
    nothing = FieldCounts()

    assert (nothing.precision, nothing.recall, nothing.f1) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACME (M) SDN. BHD.", "Acme (M) Sdn Bhd"),
        ("RM 1,234.50", "1234.5"),
        ("$6.90", "6.90"),
        ("\uff12\uff15/\uff11\uff12/2018", "25-12-18"),
        ("5 MAY 2018", "05/05/2018"),
        ("2026年3月1日", "2026-03-01"),
        ("香港 九龍", "香港九龍"),
    ],
)
def test_values_that_mean_the_same(one: str, other: str) -> None:
    assert means_same(one, other)
    assert not is_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12.00", "1200"),
        ("12.00", "12.01"),
        ("香港", "九龍"),
        ("01/02/2026", "02/01/2026"),
        ("Acme", "Acne"),
        ("1.20", ""),
    ],
)
def test_values_that_do_not_mean_the_same(one: str, other: str) -> None:
    assert not means_same(one, other)


def test_blanks_around_a_value_do_not_make_it_another_string() -> None:
    assert is_same(" 12.00", "12.00 ")


def grid(*rows: tuple[str, ...]) -> Grid:
    return tuple(GridCell(row=y, column=x, text=text) for y, row in enumerate(rows) for x, text in enumerate(row))


def test_a_cell_is_right_with_its_place_its_spans_and_its_text() -> None:
    truth = (
        GridCell(row=0, column=0, column_span=2, text="Fruit"),
        GridCell(row=1, column=0, text="Apple"),
        GridCell(row=1, column=1, text="1 . 20"),
    )
    answer = (
        GridCell(row=0, column=0, text="Fruit"),
        GridCell(row=1, column=0, text="Apple"),
        GridCell(row=1, column=1, text="1.20"),
        GridCell(row=2, column=0, text="Apple"),
    )

    assert count_cells([truth], [answer]) == FieldCounts(right=2, given=4, wanted=3)


def test_each_table_answers_one_table() -> None:
    first, second = grid(("a", "b"), ("c", "d")), grid(("a", "x"))

    assert count_cells([first, second], [second, first]) == FieldCounts(right=6, given=6, wanted=6)
    assert count_cells([first, first], [first]) == FieldCounts(right=4, given=4, wanted=8)


def test_cells_of_html_stand_where_a_browser_puts_them() -> None:
    html = (
        "<table><thead><tr><th rowspan='2'>A</th><th colspan=\"2\">B &amp;<br>C</th></tr>"
        "<tr><td>d</td><td>e</td></tr></thead></table><p>between</p><table><tr><td> x\n y </td></tr></table>"
    )

    assert grids_of(html) == (
        (
            GridCell(row=0, column=0, row_span=2, text="A"),
            GridCell(row=0, column=1, column_span=2, text="B & C"),
            GridCell(row=1, column=1, text="d"),
            GridCell(row=1, column=2, text="e"),
        ),
        (GridCell(row=0, column=0, text="x y"),),
    )


def test_text_outside_of_tables_and_odd_spans_are_no_cells() -> None:
    assert grids_of("<td>loose</td>12 &lt; 13") == ()
    assert grids_of("<table><tr><td rowspan='0' colspan='two'>a</table>") == ((GridCell(row=0, column=0, text="a"),),)


def line(left: float, top: float, right: float, bottom: float, text: str = "x") -> Line:
    return Line(text=text, quad=(left, top, right, top, right, bottom, left, bottom), score=1.0)


def test_a_place_is_found_when_half_of_it_is_covered() -> None:
    printed = [line(0, 0, 100, 20), line(0, 40, 100, 60), line(0, 80, 100, 100), line(0, 120, 9, 140, " ")]
    read = [line(0, 0, 50, 20), line(0, 40, 49, 60), line(0, 50, 100, 111)]

    assert count_boxes(printed, read) == BoxCounts(hits=1, items=3)


def test_an_interval_covers_the_figure_and_is_the_same_each_time() -> None:
    documents = [0.0] * 10 + [1.0] * 30

    interval = bootstrap(documents, lambda some: sum(some) / len(some))

    assert interval == bootstrap(documents, lambda some: sum(some) / len(some))
    assert (interval.figure, interval.documents) == (0.75, 40)
    # The normal approximation gives 0.75 ± 0.134.
    assert interval.low == pytest.approx(0.61, abs=0.04)
    assert interval.high == pytest.approx(0.88, abs=0.04)


def test_one_document_has_no_width() -> None:
    assert bootstrap([2.0], sum) == Interval(figure=2.0, low=2.0, high=2.0, documents=1)


def test_quantiles_are_values_that_were_measured() -> None:
    seconds = [5.0, 1.0, 4.0, 2.0, 3.0]

    assert [quantile(seconds, share) for share in (0.0, 0.5, 0.95)] == [1.0, 3.0, 5.0]
    assert quantile([], 0.5) == 0.0
