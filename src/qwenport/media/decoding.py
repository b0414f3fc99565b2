"""From an image or a PDF to the pictures that engines of this machine can take it for, made by child processes."""

from __future__ import annotations

import logging
import os
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from qwenport.children.bounded import BoundedChildren, ChildOrder
from qwenport.core.errors import ParameterInvalid
from qwenport.media.budget import CallBudget, call_budget
from qwenport.media.document_ending import Ending
from qwenport.media.paged import is_paged, is_pdf
from qwenport.media.picture_order import LENGTH, PDF, PictureOrder
from qwenport.media.pictures import Header, read_header
from qwenport.media.refusals import image_broken, pages_too_many, pdf_broken, pdf_protected, pixels_too_many
from qwenport.settings.configuration_file import MediaTable

log = logging.getLogger(__name__)

CHILDREN_AT_ONCE = max(2, os.cpu_count() or 1)
"""Images that child processes of one gateway process decode, all calls together."""

_MODULE = "qwenport.media.picture_child"


class Decoded(Struct, frozen=True, kw_only=True):
    """One picture: upright, 8 bits a sample, RGB or grey, as PNG or JPEG."""

    data: bytes
    header: Header
    page: int
    """From 1; 0 for an image that is no page of a document."""


class Decoder:
    """Decodes images and draws pages, each file in a process of its own."""

    def __init__(self, bounds: MediaTable) -> None:
        self._bounds = bounds
        self._children = BoundedChildren(CHILDREN_AT_ONCE, wait_s=bounds.wait_s)

    async def decode(self, content: bytes, budget: CallBudget | None = None, owner: str = "") -> tuple[Decoded, ...]:
        """Return the pictures of an image or a PDF, within what is left of a budget or that of a whole call.

        Raises:
            ParameterInvalid: it cannot be read or has too much of something; in the words of `refusals`.
            Overloaded: its turn among those of other owners did not come in time.
        """
        left = call_budget(self._bounds) if budget is None else budget
        if is_pdf(content):
            order = self._order(Header(PDF, 0, 0), self._bounds.max_pages)
            pages = await self._made(order, content, partial(_take_page, left), owner)
            return tuple(_decoded(page, number) for number, page in enumerate(pages, 1))
        header = read_header(content)
        if header.width * header.height > self._bounds.max_pixels:
            raise pixels_too_many(self._bounds.max_pixels)
        order = self._order(header, self._bounds.max_pages if is_paged(content) else 1)
        images = await self._made(order, content, _ImageCount(left).take, owner)
        has_pages = len(images) > 1
        return tuple(_decoded(image or content, number * has_pages) for number, image in enumerate(images, 1))

    def _order(self, header: Header, most_pages: int) -> PictureOrder:
        return PictureOrder(*header, self._bounds.max_pixels, most_pages, self._bounds.page_dpi)

    async def _made(self, order: PictureOrder, content: bytes, take: Callable[[int], None], owner: str) -> list[bytes]:
        child = ChildOrder(
            module=_MODULE,
            arguments=order.arguments,
            seconds=self._bounds.image_s,
            memory_bytes=self._bounds.image_memory_bytes,
            owner=owner,
        )
        try:
            made, ending = await self._children.run(child, content, partial(read_pictures, take=take))
        except TimeoutError as error:
            raise _broken(order) from error
        if ending != Ending.DONE:
            log.info("a process that read %s ended with %s", order.media_type, ending)
            raise self._refusal(order, ending)
        return made

    def _refusal(self, order: PictureOrder, ending: int) -> ParameterInvalid:
        match ending:
            case Ending.PROTECTED:
                return pdf_protected()
            case Ending.TOO_MANY_PAGES:
                return pages_too_many(self._bounds.max_pages)
            case Ending.TOO_MANY_PIXELS:
                return pixels_too_many(self._bounds.max_pixels)
            case _:
                return _broken(order)


class _ImageCount:
    """Counts the images of one file: they are pages where there are several."""

    def __init__(self, left: CallBudget) -> None:
        self._left = left
        self._images = 0

    def take(self, size_bytes: int) -> None:
        self._images += 1
        if self._images > 1:
            self._left.pages.take(2 if self._images == 2 else 1)
        self._left.decoded.take(size_bytes)


def _take_page(left: CallBudget, size_bytes: int) -> None:
    left.pages.take(1)
    left.decoded.take(size_bytes)


def _decoded(picture: bytes, page: int) -> Decoded:
    return Decoded(data=picture, header=read_header(picture), page=page)


def _broken(order: PictureOrder) -> ParameterInvalid:
    return pdf_broken() if order.media_type == PDF else image_broken()


async def read_pictures(written: StreamReader, take: Callable[[int], None]) -> list[bytes]:
    """Return the pictures that were sent; `take` is told the length of each before it is loaded, and may raise."""
    pictures: list[bytes] = []
    try:
        while True:
            (length,) = LENGTH.unpack(await written.readexactly(LENGTH.size))
            take(length)
            pictures.append(await written.readexactly(length))
    except IncompleteReadError:  # The end; the child's exit code tells whether it is the right one.
        return pictures
