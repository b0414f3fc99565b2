# ruff: noqa: RUF001 - text as documents print it

from __future__ import annotations

from collections.abc import Callable

from qwenport.documents.fields import all_pairs
from qwenport.documents.page import Page

PageOf = Callable[..., Page]


def test_every_printed_key_is_given_with_its_value(page_of: PageOf) -> None:
    page = page_of([
        ("Order No: SO-71599", 60, 40, 220, 24), ("Carrier:", 60, 80, 80, 24), ("Kestrel Freight", 200, 80, 160, 24),
        ("备注：易碎", 60, 120, 140, 24), ("Thank you for your business", 60, 200, 300, 24),
    ])  # fmt: skip

    found = all_pairs(page)

    assert found.values == {"Order No": "SO-71599", "Carrier": "Kestrel Freight", "备注": "易碎"}
    assert set(found.places) == set(found.scores) == {("Order No",), ("Carrier",), ("备注",)}


def test_a_key_that_comes_again_is_numbered(page_of: PageOf) -> None:
    page = page_of([("Note: one", 60, 40, 120, 24), ("Note: two", 60, 90, 120, 24)])

    assert all_pairs(page).values == {"Note": "one", "Note 2": "two"}


def test_times_and_addresses_of_pages_are_no_pairs(page_of: PageOf) -> None:
    page = page_of([("08:15", 60, 40, 80, 24), ("https://a.example/b", 60, 80, 240, 24)])

    assert all_pairs(page).values == {}


def test_a_page_without_text_has_no_pairs() -> None:
    assert all_pairs(Page(width=10, height=10)).values == {}
