"""Built-in OCR tasks, said to models that know none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from qwenport.core.call import ChatInput
from qwenport.core.capabilities import Coordinates
from qwenport.core.content import Message, Picture, Role, TextPart
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.dialects import LLAMA_CPP, MODEL_STUDIO, TASK_PROMPTS, asked_for_task, chat_body
from qwenport.testing.calls import call_of

PICTURE = Picture(data=b"x", media_type="image/png", width=640, height=480, tokens=9)
SECOND = Picture(data=b"y", media_type="image/png", width=800, height=600, tokens=9)


def asked(task: OcrTask, schema: bytes = b"") -> ChatInput:
    messages = (
        Message(role=Role.SYSTEM, content="You are a poet."),
        Message(role=Role.USER, content="Hello."),
        Message(role=Role.ASSISTANT, content="Hello!"),
        Message(role=Role.USER, content=(PICTURE, TextPart(text="Describe it."), SECOND)),
    )
    return ChatInput(messages=messages, ocr=OcrOptions(task=task, result_schema=schema), thinking=False)


def told(task: OcrTask, schema: bytes = b"", coordinates: Coordinates = Coordinates.PIXELS) -> str:
    """Return the text that takes the place of all that was said."""
    [message] = asked_for_task(asked(task, schema), coordinates).messages
    assert not isinstance(message.content, str)
    *pictures, text = message.content
    assert pictures == [PICTURE, SECOND]
    assert isinstance(text, TextPart)
    return text.text


def test_every_task_has_a_prompt_of_its_own() -> None:
    assert set(TASK_PROMPTS) == set(OcrTask)
    assert len(set(TASK_PROMPTS.values())) == len(OcrTask)


@pytest.mark.parametrize("task", set(OcrTask) - {OcrTask.ADVANCED_RECOGNITION})
def test_the_prompt_takes_the_place_of_everything_but_the_last_images(task: OcrTask) -> None:
    assert told(task) == TASK_PROMPTS[task]


@pytest.mark.parametrize(
    ("coordinates", "form", "sizes"),
    [
        (Coordinates.PIXELS, '{"rotate_rect": [x, y, width, height, angle]', ((640, 480), (800, 600))),
        (Coordinates.SCALED_PIXELS, '{"bbox_2d": [left, top, right, bottom]', ((644, 476), (812, 588))),
        (Coordinates.THOUSANDTHS, '{"bbox_2d": [left, top, right, bottom]', ()),
    ],
)
def test_places_are_asked_for_as_the_model_says_them(
    coordinates: Coordinates, form: str, sizes: tuple[tuple[int, int], ...]
) -> None:
    prompt = told(OcrTask.ADVANCED_RECOGNITION, coordinates=coordinates)

    assert prompt.startswith(f"{TASK_PROMPTS[OcrTask.ADVANCED_RECOGNITION]} It has the form {form}")
    assert ("from 0 to 1000" in prompt) == (coordinates is Coordinates.THOUSANDTHS)
    last = 'Each object also has "page", the number of the image that the line is in, from 1.'
    said = [f"The image is {width} pixels wide and {height} pixels high." for width, height in sizes]
    assert prompt.endswith(" ".join([last, *said]))


def test_of_a_single_image_no_page_is_asked_for() -> None:
    single = replace(asked(OcrTask.ADVANCED_RECOGNITION), messages=(Message(role=Role.USER, content=(PICTURE,)),))

    assert '"page"' not in asked_for_task(single).messages[0].text


def test_the_fields_that_are_wanted_are_told() -> None:
    schema = '{"车次": "as printed"}'
    prompt = told(OcrTask.KEY_INFORMATION_EXTRACTION, schema.encode())

    assert prompt.startswith(TASK_PROMPTS[OcrTask.KEY_INFORMATION_EXTRACTION] + " ")
    assert prompt.endswith("\n" + schema)


def test_a_chat_without_a_task_stays_as_it_is() -> None:
    plain = ChatInput(messages=(Message(role=Role.USER, content=(PICTURE,)),))

    assert asked_for_task(plain) is plain


def test_the_body_of_a_chat_says_the_prompt() -> None:
    call = call_of(asked_for_task(asked(OcrTask.TABLE_PARSING)))
    body = chat_body(PreparedCall(call=call, max_input_tokens=9), LLAMA_CPP)

    url = "data:image/png;base64,"
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": f"{url}eA=="}},
                {"type": "image_url", "image_url": {"url": f"{url}eQ=="}},
                {"type": "text", "text": TASK_PROMPTS[OcrTask.TABLE_PARSING]},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("picture", "beside"),
    [
        (PICTURE, {}),
        (
            Picture(
                data=b"x", media_type="image/png", width=9, height=9, tokens=9, least_pixels=3072, most_pixels=9999
            ),
            {"min_pixels": 3072, "max_pixels": 9999},
        ),
    ],
)
def test_model_studio_is_told_how_an_image_is_scaled(picture: Picture, beside: dict[str, int]) -> None:
    call = call_of(ChatInput(messages=(Message(role=Role.USER, content=(picture,)),), high_resolution=True))
    body = chat_body(PreparedCall(call=call, max_input_tokens=9), MODEL_STUDIO)

    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}
    assert body["messages"] == [{"role": "user", "content": [image | beside]}]
    assert body["vl_high_resolution_images"] is True
