"""What one call asks of a reader: its pictures, as orders, and what they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from qwenport.core.call import Call, ChatInput, JsonSchema
from qwenport.core.content import Message, Picture, Role
from qwenport.core.errors import ParameterInvalid
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
        self._schema = _wanted(call.input)

    @property
    def is_task(self) -> bool:
        """Tell whether a built-in task is asked, whose result is told as data too."""
        return self._chat.ocr is not None

    @property
    def json_schema(self) -> bytes:
        """Return the JSON Schema that the answer must fit, empty for none."""
        return self._chat.json.schema if isinstance(self._chat.json, JsonSchema) else b""

    @property
    def image_tokens(self) -> int:
        """Return what the pictures count."""
        return sum(picture.tokens for picture in self.pictures)

    @property
    def input_tokens(self) -> int:
        """Return what pictures and text count."""
        said = self._prompt or self._schema.decode("utf-8", "replace")
        return self.image_tokens + text_tokens(said)

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
            )
            for picture in self.pictures
        )


def _wanted(chat: ChatInput) -> bytes:
    """Return the fields that are wanted as a `result_schema`, empty for what the prompt says or all."""
    if chat.ocr is not None:
        return chat.ocr.result_schema
    if not isinstance(chat.json, JsonSchema):
        return b""
    template = _template(msgspec.json.decode(chat.json.schema))
    return msgspec.json.encode(template) if isinstance(template, dict) and template else b""


def _template(schema: object) -> Any:
    """Return a JSON Schema as the object that a `result_schema` is: descriptions where it has values."""
    if not isinstance(schema, Mapping):
        return ""
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, Mapping):
        return {str(name): _template(value) for name, value in properties.items()}
    if isinstance(items, Mapping):
        return [_template(items)]
    return str(schema.get("description") or "")
