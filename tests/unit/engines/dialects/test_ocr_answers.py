"""What a prompted model's answer to a task says as data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.call import ChatInput
from qwenport.core.capabilities import Coordinates
from qwenport.core.content import ImagePart, Message, Picture, Role, TextPart
from qwenport.core.events import ChoiceFinished, Delta, Event, FinishReason, Recognized
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.engines.dialects import TaskAnswer, frames_of, recognized_in

FIELDS = OcrTask.KEY_INFORMATION_EXTRACTION
WORDS = OcrTask.ADVANCED_RECOGNITION


def picture(width: int, height: int, most_pixels: int = 0) -> Picture:
    return Picture(data=b"x", media_type="image/png", width=width, height=height, tokens=9, most_pixels=most_pixels)


LARGE = picture(2_000, 1_000)


def shown(*images: Picture | ImagePart) -> ChatInput:
    return ChatInput(messages=(Message(role=Role.USER, content=(*images, TextPart(text="Read it."))),))


def result(task: OcrTask, text: str, schema: object = None) -> Any:
    written = b"" if schema is None else json.dumps(schema).encode()
    frames = frames_of(shown(LARGE), Coordinates.PIXELS)
    found = recognized_in(OcrOptions(task=task, result_schema=written), frames, text)
    return json.loads(found) if found else None


def places(said: list[dict[str, Any]], coordinates: Coordinates, *images: Picture) -> list[tuple[str, Any, Any]]:
    """Return text, location and page of the lines that an answer tells."""
    found = recognized_in(OcrOptions(task=WORDS), frames_of(shown(*images), coordinates), json.dumps(said))
    words = json.loads(found)["words_info"] if found else []
    return [(word["text"], word["location"], word.get("page")) for word in words]


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
        ({"pos_list": [[8, 0], [38, 40], [30, 46], [0, 6]]}, [8, 0, 38, 40, 30, 46, 0, 6], [19, 23, 50, 10, 53]),
        ({"bbox_2d": [60, 40, 140, 60]}, [60, 40, 140, 40, 140, 60, 60, 60], [100, 50, 80, 20, 0]),
        ({"bbox_2d": [140, 60, 60, 40]}, [60, 40, 140, 40, 140, 60, 60, 60], [100, 50, 80, 20, 0]),
        # What reaches over an edge is cut off there.
        ({"bbox_2d": [-4, -2, 100, 20]}, [0, 0, 100, 0, 100, 20, 0, 20], [48, 9, 104, 22, 0]),
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
        {"text": "beside", "bbox": [1_990, 2, 2_040, 4]},
        {"text": "below", "bbox": [1, 1_001, 3, 1_004]},
        {"text": "flat", "bbox": [1, 2, 3, 2]},
        {"text": "endless", "bbox": [1, 2, 10**400, 4]},
        {"text": "good", "bbox": [1, 2, 3, 4]},
    ]

    found = result(WORDS, json.dumps({"words_info": said}))
    assert [word["text"] for word in found["words_info"]] == ["good"]


@pytest.mark.parametrize(
    ("coordinates", "image", "box", "place"),
    [
        (Coordinates.PIXELS, LARGE, [100, 200, 300, 400], [100, 200, 300, 200, 300, 400, 100, 400]),
        (Coordinates.THOUSANDTHS, LARGE, [100, 200, 300, 400], [200, 200, 600, 200, 600, 400, 200, 400]),
        # Seen as 1,988 by 1,008: whole patches of 28.
        (Coordinates.SCALED_PIXELS, LARGE, [0, 0, 994, 504], [0, 0, 1_000, 0, 1_000, 500, 0, 500]),
        # Seen as 1,008 by 504: no more pixels than the caller wants seen.
        (
            Coordinates.SCALED_PIXELS,
            picture(2_000, 1_000, 512_000),
            [0, 0, 1_008, 252],
            [0, 0, 2_000, 0, 2_000, 500, 0, 500],
        ),
    ],
)
def test_places_become_pixels_of_the_image_by_what_the_model_counts_in(
    coordinates: Coordinates, image: Picture, box: list[int], place: list[int]
) -> None:
    assert places([{"bbox_2d": box, "text": "发票"}], coordinates, image) == [("发票", place, None)]


def test_a_turned_rectangle_is_scaled_with_the_image() -> None:
    frames = frames_of(shown(LARGE), Coordinates.THOUSANDTHS)
    said = json.dumps([{"rotate_rect": [500, 500, 100, 20, 90], "text": "发票"}])

    [word] = json.loads(recognized_in(OcrOptions(task=WORDS), frames, said))["words_info"]
    assert word == {
        "text": "发票",
        "location": [980, 450, 1_020, 450, 1_020, 550, 980, 550],
        "rotate_rect": [1_000, 500, 40, 100, 0],
    }


def test_a_model_that_counts_otherwise_than_its_card_says_is_not_believed() -> None:
    said = [{"bbox_2d": [1_100, 20, 1_300, 60], "text": "pixels"}, {"bbox_2d": [100, 20, 300, 60], "text": "parts"}]

    assert [text for text, *_ in places(said, Coordinates.THOUSANDTHS, LARGE)] == ["parts"]


def test_lines_of_several_images_tell_which_one_they_are_in() -> None:
    said: list[dict[str, Any]] = [
        {"bbox_2d": [100, 200, 300, 400], "text": "first", "page": 1},
        {"bbox_2d": [100, 200, 300, 400], "text": "second", "page": 2},
        {"bbox_2d": [100, 200, 300, 400], "text": "nowhere"},
        {"bbox_2d": [100, 200, 300, 400], "text": "beyond", "page": 3},
        {"bbox_2d": [100, 200, 300, 400], "text": "before", "page": 0},
        {"bbox_2d": [100, 200, 300, 400], "text": "odd", "page": True},
    ]

    assert places(said, Coordinates.THOUSANDTHS, LARGE, picture(100, 100)) == [
        ("first", [200, 200, 600, 200, 600, 400, 200, 400], 1),
        ("second", [10, 20, 30, 20, 30, 40, 10, 40], 2),
    ]


def test_pages_of_a_document_are_told_with_their_sizes() -> None:
    page = replace(picture(1_700, 2_200), page=1)
    frames = frames_of(shown(page), Coordinates.THOUSANDTHS)
    said = json.dumps([{"bbox_2d": [100, 200, 300, 400], "text": "first"}])

    found = json.loads(recognized_in(OcrOptions(task=WORDS), frames, said))
    assert found["pages"] == [{"page": 1, "width": 1_700, "height": 2_200}]
    assert [sorted(word) for word in found["words_info"]] == [["location", "rotate_rect", "text"]]


def test_places_in_images_of_unknown_size_are_not_told() -> None:
    frames = frames_of(shown(ImagePart(url="https://example.com/a.png")), Coordinates.PIXELS)

    assert recognized_in(OcrOptions(task=WORDS), frames, '[{"bbox": [1, 2, 3, 4], "text": "a"}]') == b""


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
    reader = TaskAnswer(OcrOptions(task=FIELDS), ())
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
