"""From the address of an image to the image: by its scheme, within the budget of its call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import Struct

from qwenport.core.content import ImagePart, Picture
from qwenport.core.errors import FileNotFound, ParameterInvalid
from qwenport.core.ids import AccountId
from qwenport.core.image_scaling import PixelBounds
from qwenport.core.model_card import ModelCard
from qwenport.core.stored_files import FileContent
from qwenport.media.budget import Budget, CallBudget
from qwenport.media.data_url import SCHEME, decode_data_url
from qwenport.media.decoding import Decoded, Decoder
from qwenport.media.fetch import Fetcher
from qwenport.media.paged import is_pdf
from qwenport.media.pictures import LONGEST_FILE, read_header
from qwenport.media.pixels import image_tokens, pixel_bounds
from qwenport.media.refusals import TOO_LARGE, URL_INVALID, file_invalid, refused

UPLOADS = "oss://"
FILES = "fileid://"
_WEB = ("http://", "https://")
_LONG = 1 << 16
"""Characters of a `data:` URL from which on decoding it would hold up other calls."""

FindContent = Callable[[AccountId, str], Awaitable[FileContent]]
"""Finds a file of an account by its key or id; raises `FileNotFound` where it has none of that name."""


class ImageErrand(Struct, frozen=True, kw_only=True):
    """What is the same for all images of a call."""

    account_id: AccountId
    card: ModelCard
    budget: CallBudget
    high_resolution: bool
    resolves_uploads: bool
    decodes: bool
    """Whether what answers runs here and takes plain pictures only."""


class ImageFinders(Struct, frozen=True, kw_only=True):
    """Where images are had from."""

    fetcher: Fetcher
    resolve_upload: FindContent
    """By the key of `oss://KEY`."""
    read_file: FindContent
    """By the id of `fileid://ID`."""


class ImageLoader:
    """Loads images and PDFs by `data:`, `http(s)://`, `oss://` and `fileid://`."""

    def __init__(self, finders: ImageFinders, decoder: Decoder) -> None:
        self._finders = finders
        self._decoder = decoder

    async def load(self, part: ImagePart, errand: ImageErrand) -> tuple[Picture, ...]:
        """Return the image that a part names, or the pages of a document.

        Raises:
            ParameterInvalid: it cannot be had, or is none that models of this card take.
        """
        bounds = pixel_bounds(errand.card, part, high_resolution=errand.high_resolution)
        content = await self._content(part.url, errand)
        _check_length(content)
        if is_pdf(content) or errand.decodes:
            found = await self._decoder.decode(content, errand.budget, errand.account_id)
        else:
            found = (Decoded(data=content, header=read_header(content), page=0),)
        return tuple(_picture(part, each, bounds) for each in found)

    async def _content(self, url: str, errand: ImageErrand) -> bytes:
        scheme = url[: len(FILES)].lower()
        if scheme.startswith(SCHEME):
            return await _decoded(url, errand.budget.sent)
        if scheme.startswith(_WEB):
            return await self._finders.fetcher.fetch(url, errand.budget.sent.take, errand.account_id)
        if scheme.startswith(UPLOADS) and errand.resolves_uploads:
            key = url[len(UPLOADS) :]
            return await _stored(self._finders.resolve_upload, key, errand, refused(URL_INVALID))
        if scheme.startswith(FILES):
            file_id = url[len(FILES) :]
            return await _stored(self._finders.read_file, file_id, errand, file_invalid(file_id))
        raise refused(URL_INVALID)


def _picture(part: ImagePart, found: Decoded, bounds: PixelBounds) -> Picture:
    header = found.header
    return Picture(
        data=found.data,
        media_type=header.media_type,
        width=header.width,
        height=header.height,
        tokens=image_tokens(header.width, header.height, bounds),
        least_pixels=0 if part.min_pixels is None else bounds.least,
        most_pixels=bounds.most,
        rotates=part.rotates,
        page=found.page,
    )


def _check_length(content: bytes) -> None:
    """Hold an image to what models take; the pages of a PDF are counted instead."""
    if len(content) > LONGEST_FILE and not is_pdf(content):
        raise refused(TOO_LARGE)


async def _stored(find: FindContent, name: str, errand: ImageErrand, unknown: ParameterInvalid) -> bytes:
    try:
        found = await find(errand.account_id, name)
        errand.budget.sent.take(found.file.size_bytes)
        return await asyncio.to_thread(_read, found.path, found.file.size_bytes)
    except (FileNotFound, FileNotFoundError) as error:  # The second: it was deleted in between.
        raise unknown from error


async def _decoded(url: str, budget: Budget) -> bytes:
    content = decode_data_url(url) if len(url) < _LONG else await asyncio.to_thread(decode_data_url, url)
    budget.take(len(content))
    return content


def _read(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size_bytes)
