"""The door of this package: a call's images and documents, loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput
from qwenport.core.content import FilePart, ImagePart, Message, Part, Picture, TextPart
from qwenport.core.errors import InputTooLong
from qwenport.core.ids import AccountId, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.media.budget import call_budget, most_of_call
from qwenport.media.decoding import Decoder
from qwenport.media.documents import DocumentReader
from qwenport.media.fetch import Fetcher
from qwenport.media.images import FindContent, ImageErrand, ImageFinders, ImageLoader
from qwenport.media.outbound import Outbound
from qwenport.media.refusals import DOWNLOAD_TIMED_OUT, TOO_MANY_FILES, images_too_many, pages_too_many, refused
from qwenport.media.room import PictureRoom
from qwenport.settings.configuration_file import MediaTable

IMAGES_AT_ONCE = 4
"""Of one call."""
MOST_FILES = 100
"""Of one call (long context guide, help.aliyun.com/zh/model-studio/long-context-qwen-long)."""

_EXPECTED_BYTES = 1 << 20
"""Of an image on the average, as it came and decoded."""

_Loaded = dict[Part, tuple[Part, ...]]
"""What became of each part; a part that a call names twice is loaded once."""


def _never(_: ModelCard) -> bool:
    return False


class MediaLoader:
    """Loads what calls name. Nothing is kept after a call, and a call that is cancelled stops its loading."""

    def __init__(
        self,
        bounds: MediaTable,
        *,
        resolve_upload: FindContent,
        read_file: FindContent,
        fetcher: Fetcher | None = None,
        decodes: Callable[[ModelCard], bool] = _never,
    ) -> None:
        """Put the loader together.

        Args:
            bounds: the operator's, `[media]` of the configuration file.
            resolve_upload: finds what `oss://KEY` names among an account's uploads.
            read_file: finds a stored file of an account by its id.
            fetcher: for images on the network; by default one to where the bounds allow.
            decodes: whether calls of a model can come to an engine of this machine, which takes plain pictures only.
        """
        self._bounds = bounds
        self._decodes = decodes
        self._room = PictureRoom(bounds.max_loaded_bytes, most_of_call=most_of_call(bounds), wait_s=bounds.wait_s)
        finders = ImageFinders(
            fetcher=fetcher or Fetcher(Outbound(bounds.private_hosts), seconds=bounds.fetch_s, wait_s=bounds.wait_s),
            resolve_upload=resolve_upload,
            read_file=read_file,
        )
        self._images = ImageLoader(finders, Decoder(bounds))
        self._documents = DocumentReader(bounds, read_file)

    async def load(self, account_id: AccountId, call: Call, card: ModelCard) -> ChatInput:
        """Return the conversation of a call with pictures for every `ImagePart` and text for every `FilePart`.

        The pictures count until `let_go` is told that the call has ended, however this ends.

        Raises:
            ParameterInvalid: something cannot be had or is not taken; in the words of `refusals`.
            InputTooLong: images or documents alone are more than the model reads.
            Overloaded: too much is loaded for other calls.
        """
        asked = call.input
        if not isinstance(asked, ChatInput):
            raise TypeError(f"the input of call {call.id} is no chat")
        images, files = self._named(asked)
        await self._room.enter(call.id, account_id, sum(map(_expected_bytes, images)))
        errand = ImageErrand(
            account_id=account_id,
            card=card,
            budget=call_budget(self._bounds, partial(self._room.take, call.id)),
            high_resolution=asked.high_resolution,
            resolves_uploads=call.resolves_uploads,
            decodes=self._decodes(card),
        )
        try:
            async with asyncio.timeout(self._bounds.load_s):
                loaded = await self._load(images, files, errand)
        except TimeoutError as error:
            raise refused(DOWNLOAD_TIMED_OUT) from error
        self._room.complete(call.id)
        messages = tuple(_with(message, loaded) for message in asked.messages)
        full = replace(asked, messages=messages)
        self._check_count(full)
        _check_context(full, card)
        return full

    def let_go(self, call_id: RequestId) -> None:
        """Count the pictures of a call no more: it has ended, or never had any."""
        self._room.leave(call_id)

    def _named(self, asked: ChatInput) -> tuple[tuple[ImagePart, ...], tuple[FilePart, ...]]:
        """Return what is to be loaded, each once."""
        parts = [part for message in asked.messages if not isinstance(message.content, str) for part in message.content]
        images = [part for part in parts if isinstance(part, ImagePart)]
        files = [part for part in parts if isinstance(part, FilePart)]
        if len(images) > self._bounds.max_images:
            raise images_too_many(self._bounds.max_images, len(images))
        if len(files) > MOST_FILES:
            raise refused(TOO_MANY_FILES)
        return tuple(dict.fromkeys(images)), tuple(dict.fromkeys(files))

    def _check_count(self, full: ChatInput) -> None:
        """Count what documents became, also where one was named several times."""
        pictures = [image for image in full.images if isinstance(image, Picture)]
        if sum(picture.page > 0 for picture in pictures) > self._bounds.max_pages:
            raise pages_too_many(self._bounds.max_pages)
        if len(pictures) > self._bounds.max_images:
            raise images_too_many(self._bounds.max_images, len(pictures))

    async def _load(self, images: tuple[ImagePart, ...], files: tuple[FilePart, ...], errand: ImageErrand) -> _Loaded:
        slots = asyncio.Semaphore(IMAGES_AT_ONCE)

        async def load(part: ImagePart) -> tuple[Picture, ...]:
            async with slots:
                return await self._images.load(part, errand)

        pictures = {part: asyncio.create_task(load(part)) for part in images}
        texts = asyncio.create_task(self._documents.read_all(files, errand.account_id, errand.card))
        await _all_or_none((texts, *pictures.values()))
        return {
            **{part: task.result() for part, task in pictures.items()},
            **{part: (TextPart(text=text),) for part, text in texts.result().items()},
        }


async def _all_or_none(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Wait for all; the first that fails, or a cancellation, ends the others and goes on.

    No `TaskGroup`: on Python 3.11 one that fails leaves its owner counted as cancelled, which would hide that a client
    leaves.
    """
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            if not task.cancelling():  # a second time would break into what it clears away
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _expected_bytes(part: ImagePart) -> int:
    """Return about how much an image will be, before anything of it is known but its address."""
    return max(_EXPECTED_BYTES, len(part.url) * 3 // 4)


def _with(message: Message, loaded: _Loaded) -> Message:
    if isinstance(message.content, str):
        return message
    parts = (each for part in message.content for each in loaded.get(part, (part,)))
    return replace(message, content=tuple(parts))


def _check_context(asked: ChatInput, card: ModelCard) -> None:
    if sum(image.tokens for image in asked.images if isinstance(image, Picture)) > card.max_input_tokens:
        raise InputTooLong(card.max_input_tokens)
