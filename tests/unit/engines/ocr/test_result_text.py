from __future__ import annotations

from typing import Any

import msgspec
import pytest

from qwenport.engines.ocr.result_text import fenced, joined, result_text, with_fields, with_pages, with_places
from qwenport.engines.ocr.value_places import ValuePlace
from qwenport.engines.ocr.wire import PageAnswer

QUAD = (1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 1.0, 4.0)
LINE = {"text": "合计", "location": [1, 2, 3, 2, 3, 4, 1, 4], "rotate_rect": [2, 3, 2, 2, 0]}


def answer(result: object, fence: str = "json", places: tuple[ValuePlace, ...] = ()) -> PageAnswer:
    encoded = msgspec.json.encode(result)
    return PageAnswer(text=result_text(encoded), fence=fence, result=encoded, places=places)


def place(*path: str | int, page: int = 0) -> ValuePlace:
    return ValuePlace(path=path, quads=(QUAD,), score=0.9, page=page)


def test_places_are_told_a_line_each() -> None:
    assert (
        result_text(msgspec.json.encode({"words_info": [LINE, LINE]}))
        == '[\n    {"rotate_rect":[2,3,2,2,0],"text":"合计"},\n    {"rotate_rect":[2,3,2,2,0],"text":"合计"}\n]'
    )


def test_a_page_without_lines_is_an_empty_list() -> None:
    assert result_text(b'{"words_info": []}') == "[]"


def test_fields_are_told_indented() -> None:
    assert result_text(b'{"kv_result": {"a": {"b": "1"}}}') == '{\n    "a": {\n        "b": "1"\n    }\n}'


def test_a_fence_stands_on_lines_of_its_own() -> None:
    assert (fenced("x", "html"), fenced("x", "")) == ("```html\nx\n```", "x")


def test_one_page_stays_as_it_is() -> None:
    only = answer({"words_info": [LINE]})

    assert joined([only]) is only


def test_lines_of_several_pages_tell_their_page() -> None:
    together = joined([answer({"words_info": [LINE]}), answer({"words_info": [LINE]})])

    assert msgspec.json.decode(together.result) == {"words_info": [{**LINE, "page": 1}, {**LINE, "page": 2}]}
    assert (together.fence, together.text) == ("json", result_text(together.result))


def test_a_field_has_the_value_of_the_first_page_that_has_one_and_lists_go_on() -> None:
    first = {"kv_result": {"no": "", "total": "1", "who": {"name": "", "id": "7"}, "items": ["a"]}}
    second = {"kv_result": {"no": "9", "total": "2", "who": {"name": "Li", "id": ""}, "items": ["b"]}}

    together = joined([answer(first), answer(second)])

    assert msgspec.json.decode(together.result) == {
        "kv_result": {"no": "9", "total": "1", "who": {"name": "Li", "id": "7"}, "items": ["a", "b"]}
    }


def test_each_value_of_several_pages_keeps_the_place_that_it_was_taken_from() -> None:
    first = answer({"kv_result": {"no": "", "total": "1", "items": ["a"]}}, places=(place("total"), place("items", 0)))
    second = answer(
        {"kv_result": {"no": "9", "total": "2", "items": ["b"]}},
        places=(place("no"), place("total"), place("items", 0)),
    )

    assert joined([first, second]).places == (
        place("total", page=1),
        place("items", 0, page=1),
        place("no", page=2),
        place("items", 1, page=2),
    )


PLACED = {"path": ["a"], "locations": [[1, 2, 3, 2, 3, 4, 1, 4]], "score": 0.9}


def test_places_of_values_stand_beside_them() -> None:
    told = with_places(b'{"kv_result":{"a":"1"}}', [place("a")])

    assert msgspec.json.decode(told) == {"kv_result": {"a": "1"}, "kv_places": [PLACED]}
    assert result_text(told) == '{\n    "a": "1"\n}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"kv_result": {"a": "1"}}, {"kv_result": {"a": "2"}}),
        (
            {"kv_result": {"a": "1"}, "kv_places": [], "pages": []},
            {"kv_result": {"a": "2"}, "kv_places": [PLACED], "pages": []},
        ),
    ],
)
def test_other_fields_bring_their_places_where_places_are_told(before: object, after: object) -> None:
    told = with_fields(msgspec.json.encode(before), {"a": "2"}, [place("a")])

    assert msgspec.json.decode(told) == after


def test_texts_of_several_pages_keep_their_fences() -> None:
    pages = [PageAnswer(text="<table></table>", fence="html"), PageAnswer(text="no table")]

    assert joined(pages) == PageAnswer(text="```html\n<table></table>\n```\n\nno table")


SIZES = [{"page": 1, "width": 1654, "height": 2339}]


@pytest.mark.parametrize(
    ("result", "sizes", "expected"),
    [
        ({"words_info": [LINE]}, SIZES, {"words_info": [LINE], "pages": SIZES}),
        ({"words_info": [LINE]}, [], {"words_info": [LINE]}),
        ({"kv_result": {"a": "1"}}, SIZES, {"kv_result": {"a": "1"}}),
        ({"kv_result": {}, "kv_places": []}, SIZES, {"kv_result": {}, "kv_places": [], "pages": SIZES}),
    ],
)
def test_sizes_of_pages_stand_beside_places_alone(result: Any, sizes: Any, expected: Any) -> None:
    assert msgspec.json.decode(with_pages(msgspec.json.encode(result), sizes)) == expected


def test_an_answer_without_a_result_gets_none() -> None:
    assert with_pages(b"", SIZES) == b""
