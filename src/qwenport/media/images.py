"""From the address of an image to the image: by its scheme, within the budget of its call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import Struct

from qwenport.core.content import ImagePart, Picture
from qwenport.core.errors import FileNotFound
from qwenport.core.ids import AccountId
from qwenport.core.model_card import ModelCard
from qwenport.core.stored_files import FileContent
from qwenport.media.budget import ByteBudget
from qwenport.media.data_url import SCHEME, decode_data_url
from qwenport.media.fetch import Fetcher
from qwenport.media.pictures import LONGEST_FILE, read_header
from qwenport.media.pixels import image_tokens, pixel_bounds
from qwenport.media.refusals import TOO_LARGE, URL_INVALID, refused

UPLOADS = "oss://"
_WEB = ("http://", "https://")
_LONG = 1 << 16
"""Characters of a `data:` URL from which on decoding it would hold up other calls."""

FindContent = Callable[[AccountId, str], Awaitable[FileContent]]
"""Finds a file of an account by its key or id; raises `FileNotFound` where it has none of that name."""


class ImageErrand(Struct, frozen=True, kw_only=True):
    """What is the same for all images of a call."""

    account_id: AccountId
    card: ModelCard
    budget: ByteBudget
    high_resolution: bool
    resolves_uploads: bool


class ImageLoader:
    """Loads images by `data:`, `http(s)://` and `oss://`."""

    def __init__(self, fetcher: Fetcher, resolve_upload: FindContent) -> None:
        self._fetcher = fetcher
        self._resolve_upload = resolve_upload

    async def load(self, part: ImagePart, errand: ImageErrand) -> Picture:
        """Return the image that a part names.

        Raises:
            ParameterInvalid: it cannot be had, or is none that models of this card take.
        """
        bounds = pixel_bounds(errand.card, part, high_resolution=errand.high_resolution)
        image = await self._bytes(part.url, errand)
        header = read_header(image)
        return Picture(
            data=image,
            media_type=header.media_type,
            width=header.width,
            height=header.height,
            tokens=image_tokens(header.width, header.height, bounds),
        )

    async def _bytes(self, url: str, errand: ImageErrand) -> bytes:
        scheme = url[: len(_WEB[1])].lower()
        if scheme.startswith(SCHEME):
            return await _decoded(url, errand.budget)
        if scheme.startswith(_WEB):
            return await self._fetcher.fetch(url, errand.budget.take)
        if scheme.startswith(UPLOADS) and errand.resolves_uploads:
            return await self._uploaded(url, errand)
        raise refused(URL_INVALID)

    async def _uploaded(self, url: str, errand: ImageErrand) -> bytes:
        try:
            found = await self._resolve_upload(errand.account_id, url[len(UPLOADS) :])
        except FileNotFound as error:
            raise refused(URL_INVALID) from error
        if found.file.size_bytes > LONGEST_FILE:
            raise refused(TOO_LARGE)
        errand.budget.take(found.file.size_bytes)
        try:
            return await asyncio.to_thread(_read, found.path, found.file.size_bytes)
        except FileNotFoundError as error:  # It expired in between.
            raise refused(URL_INVALID) from error


async def _decoded(url: str, budget: ByteBudget) -> bytes:
    if len(url) < _LONG:
        image = decode_data_url(url)
    else:
        image = await asyncio.to_thread(decode_data_url, url)
    budget.take(len(image))
    return image


def _read(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size_bytes)
