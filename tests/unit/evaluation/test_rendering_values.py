# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from random import Random

import pytest

from qwenport.evaluation.rendering import amounts, identifiers
from qwenport.evaluation.rendering.made_up import MadeUp
from qwenport.evaluation.rendering.wrapping import wrap


@pytest.mark.parametrize(
    ("cents", "words"),
    [
        (100, "壹元整"),
        (20, "贰角整"),
        (5, "伍分"),
        (123450, "壹仟贰佰叁拾肆元伍角整"),
        (10005, "壹佰元零伍分"),
        (100500, "壹仟零伍元整"),
        (1010001, "壹万零壹佰元零壹分"),
        (10000500, "壹拾万零伍元整"),
        (123456789, "壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分"),
    ],
)
def test_amounts_are_written_out_as_on_cheques(cents: int, words: str) -> None:
    assert amounts.in_words(cents) == words


def test_amounts_are_written_out_in_traditional_characters() -> None:
    assert amounts.traditional("贰万叁佰陆拾元整") == "貳萬叄佰陸拾元整"


def test_amounts_are_printed_with_and_without_separators() -> None:
    assert (amounts.grouped(123456789), amounts.plain(123456789), amounts.plain(5)) == (
        "1,234,567.89",
        "1234567.89",
        "0.05",
    )


def test_check_digits_are_those_of_the_published_examples() -> None:
    # GB 11643-1999, GB 32100-2015, the Hong Kong rule's usual example, and ICAO Doc 9303 part 4.
    assert identifiers.resident_check_digit("11010519491231002") == "X"
    assert identifiers.credit_check_character("91350100M000100Y4") == "3"
    assert identifiers.hong_kong_check_digit("A123456") == "3"
    assert [identifiers.zone_check_digit(text) for text in ("L898902C3", "740812", "120415")] == ["6", "2", "9"]


def test_numbers_of_bank_cards_have_the_right_last_digit() -> None:
    for seed in range(20):
        number = identifiers.card_number(Random(seed))
        digits = [int(digit) for digit in number.replace(" ", "")]
        odd, even = digits[-1::-2], digits[-2::-2]
        assert (sum(odd) + sum(sum(divmod(2 * digit, 10)) for digit in even)) % 10 == 0
        assert [len(group) for group in number.split(" ")] == [4, 4, 4, 4]


def test_a_masked_number_hides_the_month_and_day_of_birth() -> None:
    plain = identifiers.resident_number("19800102", Random(1))

    assert identifiers.masked_resident_number("19800102", Random(1)) == f"{plain[:10]}****{plain[14:]}"
    assert plain[10:14] == "0102"


def test_people_companies_and_addresses_never_come_twice() -> None:
    made = MadeUp(Random(1))
    told = [make("zh-Hant") for _ in range(15) for make in (made.person, made.company, made.address)]

    assert len(set(told)) == len(told)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("short", 10, ["short"]),
        ("one two three", 8, ["one two", "three"]),
        ("电子发票服务", 3, ["电子发", "票服务"]),
        ("电子发，票", 3, ["电子发，", "票"]),
        ("编号AB-12号", 4, ["编号", "AB-12", "号"]),
        ("", 5, []),
    ],
)
def test_lines_end_between_words_and_never_before_a_closing_mark(text: str, width: int, lines: list[str]) -> None:
    assert list(wrap(text, width, len)) == lines
