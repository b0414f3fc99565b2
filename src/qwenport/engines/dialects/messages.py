"""Messages and their parts as servers of the OpenAI-compatible protocol read them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import assert_never

from qwenport.core.content import FilePart, ImagePart, Message, Part, Picture, Role, TextPart, VideoPart
from qwenport.core.tools import ToolCall
from qwenport.engines.dialects.dialect import Dialect

_Json = dict[str, object]


def said_messages(messages: Iterable[Message], dialect: Dialect) -> list[_Json]:
    """Return a conversation; a content of nothing but text is one string, which every server takes."""
    return [_said_message(message, dialect) for message in messages]


def _said_message(message: Message, dialect: Dialect) -> _Json:
    said: _Json = {"role": message.role.value, "content": _content(message, dialect)}
    if message.role is Role.TOOL:
        said["tool_call_id"] = message.tool_call_id
    if message.reasoning and dialect.reasoning_field:
        said[dialect.reasoning_field] = message.reasoning
    if message.tool_calls:
        said["tool_calls"] = [_said_call(call) for call in message.tool_calls]
    if message.is_partial and not dialect.continues:
        said["partial"] = True
    return said


def _content(message: Message, dialect: Dialect) -> object:
    if isinstance(message.content, str):
        return message.content
    if all(isinstance(part, TextPart) for part in message.content):
        return message.text
    return [said for part in message.content for said in _said_part(part, dialect)]


def _said_call(call: ToolCall) -> _Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _said_part(part: Part, dialect: Dialect) -> Iterator[_Json]:
    match part:
        case TextPart(text=text):
            yield {"type": "text", "text": text}
        case Picture():
            yield _image(data_url(part)) | (pixel_fields(part) if dialect.sees_pixels else {})
        case ImagePart():
            yield _image(part.url) | (pixel_fields(part) if dialect.sees_pixels else {})
        case VideoPart():
            yield from _video(part, dialect)
        case FilePart(id=file_id):
            yield {"type": "text", "text": f"fileid://{file_id}"}
        case _:
            assert_never(part)


def data_url(picture: Picture) -> str:
    """Return the image itself as a URL (RFC 2397)."""
    return f"data:{picture.media_type};base64,{b64encode(picture.data).decode('ascii')}"


def _image(url: str) -> _Json:
    return {"type": "image_url", "image_url": {"url": url}}


def pixel_fields(part: ImagePart | Picture) -> _Json:
    """Return between how many pixels an image is scaled, where that is said; they stand beside it, on every face."""
    if isinstance(part, Picture):
        least, most = part.least_pixels, part.most_pixels
    else:
        least, most = part.min_pixels or 0, part.max_pixels or 0
    return {name: value for name, value in (("min_pixels", least), ("max_pixels", most)) if value}


def _video(part: VideoPart, dialect: Dialect) -> Iterator[_Json]:
    pace: _Json = {} if part.frames_per_second is None or not dialect.sees_frames else {"fps": part.frames_per_second}
    if not part.is_frames:
        yield from ({"type": "video_url", "video_url": {"url": url}} | pace for url in part.urls)
    elif dialect.sees_frames:
        yield {"type": "video", "video": list(part.urls)} | pace
    else:
        yield from map(_image, part.urls)
