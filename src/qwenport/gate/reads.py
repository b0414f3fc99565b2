"""What a model that reads text takes notice of, out of all that a call says.

Such a model knows no custom system message and no earlier turns; a task has a prompt of its own, and so has a call that
says nothing beside its images (https://www.alibabacloud.com/help/en/model-studio/qwen-vl-ocr). Nothing else of the call
is fetched, held or billed.
"""

from __future__ import annotations

from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput
from qwenport.core.content import Message, Part, Role, TextPart
from qwenport.core.model_card import ModelCard

READ_ALL = "Please output only the text content from the image without any additional descriptions or formatting."
"""The prompt of a call that says nothing beside its images."""

FIXED_PROMPTS = {"qwen-vl-ocr-2024-10-28": "Read all the text in the image."}
"""Models that know no other prompt."""


def reads_text(card: ModelCard) -> bool:
    """Tell whether a model is one that reads text in images, and no general one that sees."""
    return card.family.endswith("-ocr")


def what_is_read(call: Call, card: ModelCard) -> Call:
    """Return the call as the model takes it: for one that reads text, the last message of the user alone."""
    asked = call.input
    if not isinstance(asked, ChatInput) or not reads_text(card):
        return call
    last = next((message for message in reversed(asked.messages) if message.role is Role.USER), None)
    if last is None:
        return call
    return replace(call, input=replace(asked, messages=(_read(last, asked, card),)))


def _read(message: Message, asked: ChatInput, card: ModelCard) -> Message:
    pictures: tuple[Part, ...] = ()
    if not isinstance(message.content, str):
        pictures = tuple(part for part in message.content if not isinstance(part, TextPart))
    if not pictures:
        return message
    if asked.ocr is not None:
        return replace(message, content=pictures)
    prompt = FIXED_PROMPTS.get(card.name, "" if message.text.strip() else READ_ALL)
    return replace(message, content=(*pictures, TextPart(text=prompt))) if prompt else message
