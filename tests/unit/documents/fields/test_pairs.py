# ruff: noqa: RUF001 - text as documents print it

from __future__ import annotations

from collections.abc import Callable

import pytest
from opencc import OpenCC

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


TICKET = [
    ("K123456789", 60, 30, 160, 24), ("检票口2A", 500, 30, 120, 24),
    ("北京南站", 60, 80, 120, 30), ("G1948", 260, 80, 100, 30), ("上海虹桥站", 440, 80, 150, 30),
    ("2025年03月24日 10:15开", 60, 130, 300, 24), ("03车10F号", 440, 130, 140, 24),
    ("￥553.0元", 60, 180, 120, 24), ("二等座", 440, 180, 80, 24),
    ("限乘当日当次车", 60, 230, 180, 24), ("1101011990****1234", 60, 280, 260, 24), ("张三", 340, 280, 60, 24),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (
            "",
            {"车次": "G1948", "起始站": "北京南站", "终点站": "上海虹桥站", "票价": "￥553.0元", "购票人姓名": "张三"},
        ),
        ("s2t", {"車次": "G1948", "起始站": "北京南站", "終點站": "上海虹橋站", "購票人姓名": "張三"}),
    ],
    ids=["zh-Hans", "zh-Hant"],
)
def test_values_without_a_key_are_named_in_the_language_and_script_of_the_page(
    config: str, names: dict[str, str], page_of: PageOf
) -> None:
    texts = [(OpenCC(config).convert(text) if config else text, *place) for text, *place in TICKET]
    found = all_pairs(page_of(texts))

    assert {name: found.values.get(name) for name in names} == names
    assert not any(name.isascii() for name in found.values)


@pytest.mark.parametrize(
    "heading", ["Seven Seas Trading Ltd", "七海貿易有限公司 ななつのうみ"], ids=["English", "Japanese"]
)
def test_values_without_a_key_keep_their_english_name_on_other_pages(heading: str, page_of: PageOf) -> None:
    page = page_of([(heading, 60, 30, 300, 30), ("Receipt", 60, 80, 120, 24), ("Cash", 60, 400, 80, 24)])

    assert list(all_pairs(page).values) == ["company"]


def test_a_page_of_no_known_kind_has_no_values_without_a_key(page_of: PageOf) -> None:
    page = page_of(
        [("葡萄乌龙", 60, 30, 160, 24), ("￥14.17", 60, 80, 120, 24), ("1101011990****1234", 60, 130, 260, 24)]
    )

    assert all_pairs(page).values == {}


def test_a_page_without_text_has_no_pairs() -> None:
    assert all_pairs(Page(width=10, height=10)).values == {}
