"""What one call asks of a reader: its pictures, as orders, and what they count."""

from __future__ import annotations

import msgspec

from qwenport.core.call import Call, ChatInput, JsonSchema
from qwenport.core.content import Message, Picture, Role
from qwenport.core.errors import ParameterInvalid
from qwenport.engines.ocr.json_schema import ObjectShape, SchemaUnusable, read_schema
from qwenport.engines.ocr.json_shape import template
from qwenport.engines.ocr.spoken import text_tokens
from qwenport.engines.ocr.wire import PageOrder

NO_IMAGE = "There is no image in the last message of the user, and images are all that this model reads."
NOT_CHAT = "This model reads images in a conversation, and does nothing else."


class Asked:
    """One call, taken apart. Only the last message of the user counts (Qwen-OCR guide of Model Studio)."""

    def __init__(self, call: Call) -> None:
        """Look at a call; raises `ParameterInvalid` where there is nothing to read."""
        if not isinstance(call.input, ChatInput):
            raise ParameterInvalid(NOT_CHAT, parameter="model")
        self._chat = call.input
        message = next(
            (each for each in reversed(call.input.messages) if each.role is Role.USER), Message(role=Role.USER)
        )
        parts = () if isinstance(message.content, str) else message.content
        self.pictures = tuple(part for part in parts if isinstance(part, Picture))
        if not self.pictures:
            raise ParameterInvalid(NO_IMAGE, parameter="messages")
        self._prompt = "" if call.input.ocr else message.text
        self.shape = _shape(call.input)
        """What the answer must be as JSON, None where no schema says so."""
        self._schema = call.input.ocr.result_schema if call.input.ocr else _result_schema(self.shape)

    @property
    def is_task(self) -> bool:
        """Tell whether a built-in task is asked, whose result is told as data too."""
        return self._chat.ocr is not None

    @property
    def tells_places(self) -> bool:
        """Tell whether the answer says where values stand."""
        return self._chat.ocr is not None and self._chat.ocr.result_places

    @property
    def image_tokens(self) -> int:
        """Return what the pictures count."""
        return sum(picture.tokens for picture in self.pictures)

    @property
    def input_tokens(self) -> int:
        """Return what pictures, prompt and schema count; the schema as the caller wrote it."""
        written = _written_schema(self._chat).decode("utf-8", "replace")
        return self.image_tokens + text_tokens(self._prompt) + text_tokens(written)

    def orders(self, *, tells_page: bool = False) -> tuple[PageOrder, ...]:
        """Return what is asked of the host, picture by picture; with the lines of the page that a schema is about."""
        task = self._chat.ocr.task if self._chat.ocr else None
        wants_page = tells_page and task is not None and bool(self._schema) and len(self.pictures) == 1
        return tuple(
            PageOrder(
                image=picture.data,
                task=task,
                result_schema=self._schema,
                prompt=self._prompt,
                is_json=self._chat.json is not None and task is None,
                most_pixels=picture.most_pixels,
                rotates=picture.rotates,
                wants_page=wants_page,
                wants_places=self.tells_places,
            )
            for picture in self.pictures
        )


def _written_schema(chat: ChatInput) -> bytes:
    if chat.ocr is not None:
        return chat.ocr.result_schema
    return chat.json.schema if isinstance(chat.json, JsonSchema) else b""


def _shape(chat: ChatInput) -> ObjectShape | None:
    """Return what `response_format` wants; raises `ParameterInvalid`."""
    if chat.ocr is not None or not isinstance(chat.json, JsonSchema):
        return None
    try:
        return read_schema(chat.json.schema)
    except SchemaUnusable as error:
        words = f"The schema of response_format cannot be used: {error}"
        raise ParameterInvalid(words, parameter="response_format") from error


def _result_schema(shape: ObjectShape | None) -> bytes:
    """Return the fields that are wanted as a `result_schema`, empty for what the prompt says or all."""
    wanted = {} if shape is None else template(shape)
    return msgspec.json.encode(wanted) if wanted else b""
