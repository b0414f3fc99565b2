"""From an image or a PDF to the pictures that engines of this machine can take it for, made by child processes."""

from __future__ import annotations

import logging
import os
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from qwenport.core.errors import ParameterInvalid
from qwenport.media.bounded_children import BoundedChildren, ChildOrder
from qwenport.media.budget import CallBudget, call_budget
from qwenport.media.document_ending import DocumentKind, Ending, document_kind
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
        self._children = BoundedChildren(CHILDREN_AT_ONCE)

    async def decode(self, content: bytes, budget: CallBudget | None = None) -> tuple[Decoded, ...]:
        """Return the pictures of an image or a PDF, within what is left of a budget or that of a whole call.

        Raises:
            ParameterInvalid: it cannot be read or has too much of something; in the words of `refusals`.
        """
        left = call_budget(self._bounds) if budget is None else budget
        if is_pdf(content):
            order = self._order(Header(PDF, 0, 0))
            pages = await self._made(order, content, partial(_take_page, left))
            return tuple(_decoded(page, number) for number, page in enumerate(pages, 1))
        header = read_header(content)
        if header.width * header.height > self._bounds.max_pixels:
            raise pixels_too_many(self._bounds.max_pixels)
        images = await self._made(self._order(header), content, _ImageCount(left).take)
        has_pages = len(images) > 1
        return tuple(_decoded(image or content, number * has_pages) for number, image in enumerate(images, 1))

    def _order(self, header: Header) -> PictureOrder:
        bounds = self._bounds
        return PictureOrder(*header, bounds.max_pixels, bounds.max_pages, bounds.page_dpi)

    async def _made(self, order: PictureOrder, content: bytes, take: Callable[[int], None]) -> list[bytes]:
        child = ChildOrder(
            module=_MODULE,
            arguments=order.arguments,
            seconds=self._bounds.image_s,
            memory_bytes=self._bounds.image_memory_bytes,
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


def is_pdf(content: bytes) -> bool:
    """Tell whether a file is a PDF by its first bytes."""
    return document_kind(content) is DocumentKind.PDF


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
