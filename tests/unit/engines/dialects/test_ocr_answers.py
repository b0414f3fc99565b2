"""What a prompted model's answer to a task says as data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qwenport.core.events import ChoiceFinished, Delta, Event, FinishReason, Recognized
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.engines.dialects import TaskAnswer, recognized_in

FIELDS = OcrTask.KEY_INFORMATION_EXTRACTION
WORDS = OcrTask.ADVANCED_RECOGNITION


def result(task: OcrTask, text: str, schema: object = None) -> Any:
    written = b"" if schema is None else json.dumps(schema).encode()
    found = recognized_in(OcrOptions(task=task, result_schema=written), text)
    return json.loads(found) if found else None


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"a": "1", "b": {"c": "2"}}\n```',
        'Here it is:\n```json\n{"a": "1", "b": {"c": "2"}}\n```\nThat is all.',
        '```\r\n{"a": "1", "b": {"c": "2"}}\r\n```',
        # The bound on the answer was reached before the fence.
        '```json\n{"a": "1", "b": {"c": "2"}}',
        ' {"a": "1", "b": {"c": "2"}}\n',
    ],
)
def test_fields_are_read_inside_a_fence_and_without_one(text: str) -> None:
    assert result(FIELDS, text) == {"kv_result": {"a": "1", "b": {"c": "2"}}}


@pytest.mark.parametrize(
    ("said", "wanted", "shaped"),
    [
        ({"a": "1", "x": "invented"}, {"a": "", "b": ""}, {"a": "1", "b": ""}),
        ({"a": 1.5, "b": None, "c": True}, {"a": "", "b": "", "c": ""}, {"a": "1.5", "b": "", "c": "true"}),
        ({"a": {"b": "1", "c": "2"}}, {"a": {"b": "", "d": ""}}, {"a": {"b": "1", "d": ""}}),
        ({"a": "no object"}, {"a": {"b": ""}}, {"a": {"b": ""}}),
        ({"a": [{"b": "1"}, {"x": "2"}]}, {"a": [{"b": ""}]}, {"a": [{"b": "1"}, {"b": ""}]}),
        ({"a": "no list"}, {"a": [{"b": ""}]}, {"a": []}),
        ({"a": ["1", "2"]}, {"a": []}, {"a": ["1", "2"]}),
        ({"a": ["1", "2"]}, {"a": ""}, {"a": '["1","2"]'}),
    ],
)
def test_fields_have_the_shape_that_was_asked_for(said: object, wanted: object, shaped: object) -> None:
    assert result(FIELDS, json.dumps(said), wanted) == {"kv_result": shaped}


@pytest.mark.parametrize(
    ("said", "place", "rectangle"),
    [
        ({"rotate_rect": [100, 50, 80, 20, 0]}, [60, 40, 140, 40, 140, 60, 60, 60], [100, 50, 80, 20, 0]),
        ({"rotate_rect": [100, 50, 20, 80, 90]}, [60, 40, 140, 40, 140, 60, 60, 60], [100, 50, 20, 80, 90]),
        ({"rotate_rect": [100, 50, 20, 80, -90]}, [60, 40, 140, 40, 140, 60, 60, 60], [100, 50, 20, 80, -90]),
        ({"location": [60, 40, 140, 40, 140, 60, 60, 60]}, [60, 40, 140, 40, 140, 60, 60, 60], [100, 50, 80, 20, 0]),
        ({"pos_list": [[0, 0], [30, 40], [22, 46], [-8, 6]]}, [0, 0, 30, 40, 22, 46, -8, 6], [11, 23, 50, 10, 53]),
        ({"bbox_2d": [60, 40, 140, 60]}, [60, 40, 140, 40, 140, 60, 60, 60], [100, 50, 80, 20, 0]),
        # Upside down: the text runs to the left.
        ({"location": [140, 60, 60, 60, 60, 40, 140, 40]}, [140, 60, 60, 60, 60, 40, 140, 40], [100, 50, 80, 20, 0]),
    ],
)
def test_places_are_told_in_both_ways(said: dict[str, Any], place: list[int], rectangle: list[int]) -> None:
    text = "```json\n" + json.dumps([{**said, "text": "发票"}]) + "\n```"

    word = {"text": "发票", "location": place, "rotate_rect": rectangle}
    assert result(WORDS, text) == {"words_info": [word]}


def test_lines_without_a_place_or_a_text_are_left_out() -> None:
    said = [
        "a line",
        {"text": "no place"},
        {"rotate_rect": [1, 2, 3, 4, 5]},
        {"text": "far", "rotate_rect": [1, 2, 3, 4, 1e9]},
        {"text": "odd", "bbox": [1, 2, True, 4]},
        {"text": "few", "bbox": [1, 2, 3]},
        {"text": "good", "bbox": [1, 2, 3, 4]},
    ]

    found = result(WORDS, json.dumps({"words_info": said}))
    assert [word["text"] for word in found["words_info"]] == ["good"]


@pytest.mark.parametrize(
    ("task", "text", "schema"),
    [
        (FIELDS, "I see a ticket.", None),
        (FIELDS, '```json\n["a"]\n```', None),
        (FIELDS, "{}", None),
        (FIELDS, '{"x": "1"}', {"a": ""}),
        (FIELDS, "[" * 100_000, None),
        (FIELDS, '{"a": "\ud800"}', None),
        (WORDS, "[]", None),
        (WORDS, '{"a": 1}', None),
        (WORDS, "7", None),
        (OcrTask.TEXT_RECOGNITION, '{"a": "1"}', None),
        (OcrTask.TABLE_PARSING, '{"a": "1"}', None),
    ],
)
def test_what_has_no_such_shape_says_nothing(task: OcrTask, text: str, schema: object) -> None:
    assert result(task, text, schema) is None


def test_each_choice_is_told_before_it_ends() -> None:
    reader = TaskAnswer(OcrOptions(task=FIELDS))
    ends = [ChoiceFinished(reason=FinishReason.STOP, choice=choice) for choice in (0, 1, 2)]
    events: list[Event] = [
        Delta(text='{"a":', choice=0),
        Delta(text='{"b":"2"}', choice=1),
        Delta(text='"1"}', choice=0),
        *ends,
    ]

    assert [reader.before(event) for event in events] == [
        None,
        None,
        None,
        Recognized(result=b'{"kv_result":{"a":"1"}}', choice=0),
        Recognized(result=b'{"kv_result":{"b":"2"}}', choice=1),
        None,
    ]
