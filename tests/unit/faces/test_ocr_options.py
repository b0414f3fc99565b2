"""Built-in OCR tasks, as the native face reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwenport.core.call import Call, ChatInput
from qwenport.core.content import ImagePart, Message, Role
from qwenport.core.errors import ParameterInvalid
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.faces.dashscope.decode import decode_multimodal_generation
from qwenport.faces.face import Request

URL = "https://example.com/ticket.png"
FIELDS = "key_information_extraction"
TASKS = (
    "['text_recognition', 'multi_lan', 'advanced_recognition', 'key_information_extraction', 'table_parsing', "
    "'document_parsing', 'formula_recognition']"
)

Read = Callable[[object], Call]


@pytest.fixture
def read(make_request: Callable[..., Request]) -> Read:
    """Return a reader of `ocr_options` beside an image without any text."""

    def decode(options: object) -> Call:
        messages = [{"role": "user", "content": [{"image": URL}]}]
        body = {"model": "qwen-vl-ocr", "input": {"messages": messages}, "parameters": {"ocr_options": options}}
        return decode_multimodal_generation(make_request(body), {}).call

    return decode


def asked(ocr: OcrOptions | None) -> ChatInput:
    return ChatInput(messages=(Message(role=Role.USER, content=(ImagePart(url=URL),)),), ocr=ocr)


@pytest.mark.parametrize("task", OcrTask)
def test_every_task_needs_an_image_and_no_text(task: OcrTask, read: Read) -> None:
    call = read({"task": task.value})

    assert (call.input, call.refusal) == (asked(OcrOptions(task=task)), None)


@pytest.mark.parametrize("options", [None])
def test_no_options_are_no_task(options: object, read: Read) -> None:
    assert read(options).input == asked(None)


def test_the_fields_that_are_wanted_stay_as_they_were_written(read: Read) -> None:
    schema = {"票价": "", "旅客": {"姓名": "as printed", "行程": [{"车次": None}]}}
    call = read({"task": FIELDS, "task_config": {"result_schema": schema}})

    written = (
        b'{"\\u7968\\u4ef7": "", "\\u65c5\\u5ba2": {"\\u59d3\\u540d": "as printed", '
        b'"\\u884c\\u7a0b": [{"\\u8f66\\u6b21": null}]}}'
    )
    assert call.input == asked(OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=written))


@pytest.mark.parametrize("config", [None, {}, {"result_schema": None}, {"result_schema": {}}])
def test_a_schema_without_a_field_asks_for_all(config: object, read: Read) -> None:
    call = read({"task": FIELDS, "task_config": config})

    assert call.input == asked(OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION))


@pytest.mark.parametrize(("said", "is_asked"), [(True, True), (False, False), (None, False)])
def test_places_are_told_to_who_asks_for_them(said: object, is_asked: bool, read: Read) -> None:
    call = read({"task": FIELDS, "task_config": {"result_places": said}})

    assert call.input == asked(OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_places=is_asked))


def of_fields(schema: object) -> dict[str, Any]:
    return {"task": FIELDS, "task_config": {"result_schema": schema}}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "'task' is a required property - 'ocr_options'"),
        ({"task": None}, "'task' is a required property - 'ocr_options'"),
        ({"task": "read"}, f"'read' is not one of {TASKS} - 'ocr_options.task'"),
        (of_fields(["a"]), "'ocr_options.task_config.result_schema' must be Object"),
        (of_fields("a"), "'ocr_options.task_config.result_schema' must be Object"),
        (
            of_fields({"a": {"b": {"c": {"d": ""}}}}),
            "The result_schema of ocr_options may be nested at most 3 levels deep.",
        ),
        (
            of_fields({"a": [{"b": {"c": [{}]}}]}),
            "The result_schema of ocr_options may be nested at most 3 levels deep.",
        ),
        (of_fields({"a": [[[[[]]]]]}), "The result_schema of ocr_options may be nested at most 3 levels deep."),
        (of_fields({"a": "x" * 65_536}), "The result_schema of ocr_options may hold at most 65536 bytes."),
        (
            {"task": "table_parsing", "task_config": {"result_schema": {"a": ""}}},
            (
                "The result_schema of ocr_options is for the task 'key_information_extraction' alone, and the task is "
                "'table_parsing'."
            ),
        ),
        (
            {"task": "multi_lan", "task_config": {"result_places": True}},
            (
                "The result_places of ocr_options is for the task 'key_information_extraction' alone, and the task is "
                "'multi_lan'."
            ),
        ),
    ],
)
def test_what_no_task_is_asked_by_is_said_once_the_model_was_looked_at(options: object, words: str, read: Read) -> None:
    refusal = read(options).refusal

    assert refusal is not None
    assert (refusal.parameter, refusal.message) == ("ocr_options", words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("text_recognition", "'ocr_options' must be Object"),
        ({"task": 1}, "'ocr_options.task' must be String"),
        ({"task": FIELDS, "task_config": []}, "'ocr_options.task_config' must be Object"),
        (
            {"task": FIELDS, "task_config": {"result_places": "yes"}},
            "'ocr_options.task_config.result_places' must be Boolean",
        ),
    ],
)
def test_a_wrong_type_is_refused_by_name(options: object, words: str, read: Read) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        read(options)

    assert refused.value.message == words
