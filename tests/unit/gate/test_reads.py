"""What a model that reads text takes notice of."""

from __future__ import annotations

import pytest

from qwenport.core.call import Call, ChatInput, PromptInput
from qwenport.core.content import ImagePart, Message, Part, Role, TextPart
from qwenport.core.model_card import ModelCard
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.gate.reads import READ_ALL, what_is_read
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.models import model_card

READER = model_card(name="qwen-vl-ocr", family="qwen-vl-ocr")
FIRST = model_card(name="qwen-vl-ocr-2024-10-28", family="qwen-vl-ocr")
VIEWER = model_card(name="qwen-vl-plus", family="qwen-vl-plus")
IMAGE = ImagePart(url="https://example.com/a.png")
EARLIER = (
    Message(role=Role.SYSTEM, content="You are a poet."),
    Message(role=Role.USER, content=(ImagePart(url="https://example.com/earlier.png"),)),
    Message(role=Role.ASSISTANT, content="A poem."),
)


def user(*parts: Part) -> Message:
    return Message(role=Role.USER, content=parts)


def asked(last: Message, ocr: OcrOptions | None = None) -> Call:
    return chat_call(messages=(*EARLIER, last), ocr=ocr)


def read(call: Call, card: ModelCard = READER) -> tuple[Message, ...]:
    found = what_is_read(call, card).input
    assert isinstance(found, ChatInput)
    return found.messages


@pytest.mark.parametrize(
    ("parts", "seen"),
    [
        ((IMAGE, TextPart(text="Which total?")), (IMAGE, TextPart(text="Which total?"))),
        ((TextPart(text="Which total?"), IMAGE), (TextPart(text="Which total?"), IMAGE)),
        ((IMAGE,), (IMAGE, TextPart(text=READ_ALL))),
        ((TextPart(text=" \n"), IMAGE), (IMAGE, TextPart(text=READ_ALL))),
    ],
)
def test_the_last_message_alone_counts_and_images_alone_have_a_prompt(
    parts: tuple[Part, ...], seen: tuple[Part, ...]
) -> None:
    assert read(asked(user(*parts))) == (user(*seen),)


@pytest.mark.parametrize("parts", [(IMAGE,), (IMAGE, TextPart(text="Which total?"))])
def test_the_first_snapshot_knows_one_prompt(parts: tuple[Part, ...]) -> None:
    expected = TextPart(text="Read all the text in the image.")

    assert read(asked(user(*parts)), FIRST) == (user(IMAGE, expected),)


def test_a_task_takes_the_images_alone() -> None:
    options = OcrOptions(task=OcrTask.TABLE_PARSING)
    call = what_is_read(asked(user(TextPart(text="Which total?"), IMAGE), options), READER)

    assert call.input == ChatInput(messages=(user(IMAGE),), ocr=options)


def test_a_text_without_an_image_stays_as_it_is() -> None:
    last = Message(role=Role.USER, content="Who are you?")

    assert read(asked(last)) == (last,)


@pytest.mark.parametrize(
    ("call", "card"),
    [
        (asked(user(IMAGE)), VIEWER),
        (chat_call(messages=(Message(role=Role.SYSTEM, content="Alone."),)), READER),
        (call_of(PromptInput(prompt="x")), READER),
    ],
)
def test_what_other_models_are_asked_is_left_alone(call: Call, card: ModelCard) -> None:
    assert what_is_read(call, card) is call
