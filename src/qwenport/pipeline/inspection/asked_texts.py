"""Every text of a call that an engine gets by its caller's will."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

import msgspec
from msgspec import Raw
from msgspec.json import Decoder

from qwenport.core.call import Call, ChatInput, EmbeddingInput, Input, JsonSchema, NativeInput, PromptInput, RerankInput
from qwenport.core.content import Message
from qwenport.pipeline.inspection.written_json import readings_of, strings_in

_MEMBERS = Decoder(dict[str, Raw])
_MEDIA = re.compile(r"(?i:data:(?:image|audio|video|application)/[a-z0-9.+-]+;base64,)[A-Za-z0-9+/=_-]*")


def texts_of(call: Call) -> tuple[str, ...]:
    """Return the texts of a call, documents included; none is empty, and of images there is none."""
    return tuple(filter(None, chain(_input(call.input), call.sampling.stop)))


def _input(asked: Input) -> Iterator[str]:
    match asked:
        case ChatInput():
            yield from _chat(asked)
        case PromptInput(prompt=prompt, suffix=suffix):
            yield from (prompt, suffix)
        case EmbeddingInput(texts=texts, instruct=instruct):
            yield from (*texts, instruct)
        case RerankInput(query=query, documents=documents, instruct=instruct):
            yield from (query, *documents, instruct)
        case NativeInput(body=body):
            yield from _native(body)


def _chat(asked: ChatInput) -> Iterator[str]:
    for message in asked.messages:
        yield from _message(message)
    for tool in asked.tools:
        yield from (tool.name, tool.description)
        yield from _json(tool.parameters)
    if isinstance(asked.json, JsonSchema):
        yield asked.json.name
        yield from _json(asked.json.schema)
    if asked.ocr is not None:
        yield from _json(asked.ocr.result_schema)


def _message(message: Message) -> Iterator[str]:
    yield from (message.text, message.reasoning, message.tool_call_id)
    for made in message.tool_calls:
        yield from (made.id, made.name)
        yield from readings_of(made.arguments)


def _json(content: bytes) -> Iterator[str]:
    return readings_of(content.decode("utf-8", "replace"))


def _native(body: bytes) -> Iterator[str]:
    """Yield the strings of all that is handed on: the name of the model is another one there."""
    try:
        members = {name: bytes(value) for name, value in _MEMBERS.decode(body).items() if name != "model"}
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # What cannot be taken apart is read as it stands.
        members = {"": body}
    for name, value in members.items():
        yield name
        strings = strings_in(value.decode("utf-8", "replace"))
        yield from (text for text in strings if not _MEDIA.fullmatch(text))
