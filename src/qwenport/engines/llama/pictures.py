"""Pictures as llama.cpp can read them: JPEG or PNG, and with no more pixels than their caller wants seen.

llama.cpp bounds the tokens of an image for a whole host; what one caller asks for one image is done here.
"""

from __future__ import annotations

from asyncio import StreamReader
from collections.abc import Iterator

from msgspec.structs import replace

from qwenport.children.bounded import BoundedChildren, ChildOrder
from qwenport.core.call import ChatInput
from qwenport.core.content import Message, Picture
from qwenport.core.errors import EngineTimedOut, ParameterInvalid

UNREADABLE_IMAGE = "The image format is illegal and cannot be opened"
"""Source: the error messages page of Model Studio, help.aliyun.com/zh/model-studio/error-code."""

_MODULE = "qwenport.engines.llama.scaling_child"
_READABLE = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_AT_ONCE = 2
_CHILD_S = 30.0
_CHILD_MEMORY_BYTES = 2 << 30


def unreadable_image() -> ParameterInvalid:
    """Return the refusal of an image that cannot be decoded."""
    return ParameterInvalid(UNREADABLE_IMAGE, parameter="messages")


class Scaler:
    """Scales the pictures of calls in child processes, a few at a time."""

    def __init__(self) -> None:
        self._children = BoundedChildren(_AT_ONCE)

    async def fitted(self, asked: ChatInput) -> ChatInput:
        """Return the chat with pictures that llama.cpp can read; the same object where they are so already.

        Raises:
            ParameterInvalid: a picture cannot be decoded.
            EngineTimedOut: to decode one took too long.
        """
        if not any(map(_is_unfit, asked.images)):
            return asked
        return replace(asked, messages=tuple([await self._fit(message) for message in asked.messages]))

    async def _fit(self, message: Message) -> Message:
        if isinstance(message.content, str):
            return message
        parts = [
            await self._scaled(part) if isinstance(part, Picture) and _is_unfit(part) else part
            for part in message.content
        ]
        return replace(message, content=tuple(parts))

    async def _scaled(self, picture: Picture) -> Picture:
        order = ChildOrder(
            module=_MODULE,
            arguments=(str(picture.most_pixels),),
            seconds=_CHILD_S,
            memory_bytes=_CHILD_MEMORY_BYTES,
        )
        try:
            scaled, ending = await self._children.run(order, picture.data, StreamReader.read)
        except TimeoutError as error:
            raise EngineTimedOut from error
        if ending != 0:
            raise unreadable_image()
        return replace(picture, data=scaled, media_type="image/png")


def pictures_of(asked: ChatInput) -> Iterator[Picture]:
    """Yield the pictures of a chat; those that nobody fetched are none."""
    return (image for image in asked.images if isinstance(image, Picture))


def pictures_read(asked: ChatInput) -> tuple[int, int]:
    """Return how many images and how many pages a chat shows; an image is one page, a page of a document no image."""
    pages = [picture.page for picture in pictures_of(asked)]
    return pages.count(0), len(pages)


def _is_unfit(image: object) -> bool:
    if not isinstance(image, Picture):
        return False
    is_large = 0 < image.most_pixels < image.width * image.height
    return is_large or not image.data.startswith(_READABLE)
