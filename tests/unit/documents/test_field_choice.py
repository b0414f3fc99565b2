"""What a text model may choose: values that stand on the page, as they are printed, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from qwenport.documents.field_choice import MOST_LINES, chosen, question
from qwenport.documents.field_question import Question
from qwenport.documents.fields import Fields, parse_schema
from qwenport.documents.page import Line, Page, Quad


def quad(row: int) -> Quad:
    return (10, 20 * row, 90, 20 * row, 90, 20 * row + 15, 10, 20 * row + 15)


def page(*texts: str) -> Page:
    scores = (0.9, 0.8, 0.7, 0.5, 0.5, 0.5)
    lines = [Line(text=text, quad=quad(row), score=scores[row % 6]) for row, text in enumerate(texts)]
    return Page(width=100, height=200, lines=tuple(lines))


TICKET = page("车次 G1948", "票价\uff1a￥ 553.00元", "New York", "Central Station 12", "北京南", "站")
SCHEMA = parse_schema(b'{"train": "", "trip": {"price": "with currency", "to": ""}, "items": [{"name": ""}]}')
RULES = Fields(
    values={"train": "G1", "trip": {"price": "", "to": "by rules"}, "items": [{"name": "a"}]},
    places={("train",): (quad(9),)},
    scores={("train",): 0.5},
)


def answered(**fields: Any) -> Fields:
    return chosen(TICKET, SCHEMA, json.dumps(fields), RULES)


def said(value: str, *lines: int) -> dict[str, Any]:
    return {"lines": list(lines), "value": value}


def test_a_question_shows_the_lines_by_number_and_holds_the_answer_to_a_shape() -> None:
    asked = question(page("车次 G1948", "553.00"), SCHEMA)

    assert isinstance(asked, Question)
    assert asked.prompt.endswith(
        "Lines:\n[1] 车次 G1948\n[2] 553.00\n\nFields:\nf1: train\nf2: trip.price (with currency)\nf3: trip.to"
    )
    shape = msgspec.json.decode(asked.shape)
    assert (list(shape["properties"]), shape["required"]) == (["f1", "f2", "f3"], ["f1", "f2", "f3"])
    assert shape["properties"]["f1"]["properties"]["lines"] == {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": 2},
        "maxItems": 4,
    }
    assert shape["properties"]["f1"]["properties"]["value"] == {"type": "string", "maxLength": 16}
    assert shape["additionalProperties"] is shape["properties"]["f1"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("there", "longest", "tokens"),
    [
        (page("12"), 3, 2 * 48 + 6),
        (page(*("a line of twenty five ones",) * 3), 81, 2 * 48 + 234),
        (page(*("x" * 200,) * 9), 300, 2 * 48 + 900),
    ],
    ids=["all of a short text twice", "the text twice", "two longest values"],
)
def test_an_answer_is_bounded_by_its_fields_and_by_what_there_is_to_copy(
    there: Page, longest: int, tokens: int
) -> None:
    asked = question(there, parse_schema(b'{"a": "", "b": ""}'))

    assert asked is not None
    assert msgspec.json.decode(asked.shape)["properties"]["f1"]["properties"]["value"]["maxLength"] == longest
    assert asked.most_tokens == tokens


@pytest.mark.parametrize(
    ("there", "schema"),
    [(page(), '{"a": ""}'), (page(*("x",) * (MOST_LINES + 1)), '{"a": ""}'), (page("x"), '{"a": [""]}')],
    ids=["blank page", "too many lines", "lists alone"],
)
def test_nothing_is_asked_where_there_is_nothing_to_choose_or_too_much(there: Page, schema: str) -> None:
    assert question(there, parse_schema(schema.encode())) is None


def test_what_the_model_found_takes_the_place_of_what_the_rules_found() -> None:
    assert answered(f1=said("G1948", 1), f2=said("￥553.00元", 2), f3=said("New York Central Station", 4, 3)) == Fields(
        values={
            "train": "G1948",
            "trip": {"price": "￥ 553.00元", "to": "New York Central Station"},
            "items": [{"name": "a"}],
        },
        places={
            ("train",): (quad(0),),
            ("trip", "price"): (quad(1),),
            ("trip", "to"): (quad(2), quad(3)),
        },
        scores={("train",): 0.9, ("trip", "price"): 0.8, ("trip", "to"): 0.5},
    )
    assert RULES.values["train"] == "G1"


@pytest.mark.parametrize(
    ("value", "lines", "printed"),
    [
        ("g1948", (1,), "G1948"),
        ("\uff27\uff11\uff19\uff14\uff18", (1,), "G1948"),
        ("¥553.00", (2,), "￥ 553.00"),
        ("553.00", (2,), "553.00"),
        ("NewYork", (3,), "New York"),
        ("北京南站", (5, 6), "北京南站"),
        ("12", (4, 99), "12"),
    ],
)
def test_a_value_is_told_as_it_is_printed(value: str, lines: tuple[int, ...], printed: str) -> None:
    assert answered(f1=said(value, *lines)).values["train"] == printed


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("G1949", (1,)),
        ("G1948", (2,)),
        ("G1948", ()),
        ("G1948", (0,)),
        ("G1948", (-5,)),
        ("G1948", (99,)),
        ("", (1,)),
        (" ", (1,)),
        ("948", (1,)),
        ("G19", (1,)),
        ("553", (2,)),
        ("53.00", (2,)),
        ("00", (2,)),
        ("ork", (3,)),
        ("北京 站", (5, 3)),
        ("站", (1, 2, 3, 4, 6)),
    ],
)
def test_what_does_not_stand_in_the_lines_named_or_is_a_piece_of_a_word_is_dropped(
    value: str, lines: tuple[int, ...]
) -> None:
    assert answered(f1=said(value, *lines)) == RULES


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Balance -120.50", "120.50"),
        ("Refund -$45.10", "$45.10"),
        ("Refund -$45.10", "45.10"),
        ("Loss (1,250.00)", "1,250.00"),
        ("CHF 1'250.75", "250.75"),
        ("Total .50", "50"),
        ("Total 5?3.00", "3.00"),
        ("Total: 8B7.00", "7.00"),
        ("Total 1O5.00", "5.00"),
        ("Total: 87,Z24.00", "87"),
        ("Total: 87,Z24.00", "24.00"),
        ("票价 ¥55人5元", "¥55"),
        ("金额 5人43.00元", "43.00元"),
        ("No INV2024A001", "2024"),
        ("\u738b?\u660e", "\u738b"),
    ],
)
def test_a_piece_of_an_amount_or_of_what_cannot_be_read_is_dropped(line: str, value: str) -> None:
    assert chosen(page(line), SCHEMA, json.dumps({"f1": said(value, 1)}), RULES) == RULES


@pytest.mark.parametrize(
    ("line", "value"),
    [("Balance -120.50", "-120.50"), ("Loss (12.50)", "(12.50)"), ("5?3", "5?3"), ("票价 ¥55人5元", "¥55人5元")],
)
def test_a_value_with_its_sign_and_with_what_cannot_be_read_is_taken(line: str, value: str) -> None:
    assert chosen(page(line), SCHEMA, json.dumps({"f1": said(value, 1)}), RULES).values["train"] == value


def test_a_value_that_stands_whole_behind_a_piece_of_a_word_is_found() -> None:
    there = page("No 1234 of 12")

    assert chosen(there, SCHEMA, json.dumps({"f1": said("12", 1)}), RULES).values["train"] == "12"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no JSON",
        '["f1"]',
        '{"f1": "G1948"}',
        '{"f1": {"lines": ["one"], "value": "G1948"}}',
        '{"f1": {"lines": [1], "value": "G1948"',
        '{"f9": {"lines": [1], "value": "G1948"}}',
        '{"f1": {"x": ' + "[" * 100_000 + "]" * 100_000 + "}}",
    ],
    ids=["nothing", "words", "list", "text", "no number", "cut off", "unknown", "deep"],
)
def test_an_answer_that_says_nothing_of_use_changes_nothing(answer: str) -> None:
    assert chosen(TICKET, SCHEMA, answer, RULES) == RULES
