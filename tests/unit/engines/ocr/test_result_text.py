from __future__ import annotations

from typing import Any

import msgspec
import pytest

from qwenport.engines.ocr.result_text import fenced, joined, result_text, with_pages
from qwenport.engines.ocr.wire import PageAnswer

LINE = {"text": "合计", "location": [1, 2, 3, 2, 3, 4, 1, 4], "rotate_rect": [2, 3, 2, 2, 0]}


def answer(result: object, fence: str = "json") -> PageAnswer:
    encoded = msgspec.json.encode(result)
    return PageAnswer(text=result_text(encoded), fence=fence, result=encoded)


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
    ],
)
def test_sizes_of_pages_stand_beside_places_alone(result: Any, sizes: Any, expected: Any) -> None:
    assert msgspec.json.decode(with_pages(msgspec.json.encode(result), sizes)) == expected


def test_an_answer_without_a_result_gets_none() -> None:
    assert with_pages(b"", SIZES) == b""
