"""From a stored file to its text, for models that read documents by `fileid://`."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from qwenport.children.bounded import BoundedChildren, ChildOrder
from qwenport.core.content import FilePart
from qwenport.core.errors import FileNotFound, InputTooLong, ParameterInvalid
from qwenport.core.ids import AccountId
from qwenport.core.model_card import ModelCard
from qwenport.core.stored_files import FileContent
from qwenport.media.document_ending import MOST_PAGES, SIGNATURE_WITHIN, DocumentKind, Ending, document_kind
from qwenport.media.images import FindContent
from qwenport.media.plain_text import decode_text
from qwenport.media.refusals import (
    file_blank,
    file_invalid,
    file_too_large,
    file_too_many_pages,
    file_unsupported,
)
from qwenport.settings.configuration_file import MediaTable

CHILDREN_AT_ONCE = 2
"""Documents that child processes of one gateway process read, all calls together."""
BYTES_A_TOKEN = 16
"""More bytes of text than a token has on average, in any language; the engine counts exactly."""

_MODULE = "qwenport.media.document_child"
_PIECE = 1 << 16
_READ_HERE = "text, PDF and DOCX are read here"
_BROKEN = "it is damaged, protected by a password, or takes too much time or memory to read"
_RICH_TEXT = b"{\\rtf"
"""Rich text looks like text and is full of commands."""


class _TextTooLong(Exception):
    """There is more text than there is room for."""


class DocumentReader:
    """Reads documents, those of one call one after another."""

    def __init__(self, bounds: MediaTable, read_file: FindContent) -> None:
        self._bounds = bounds
        self._read_file = read_file
        self._children = BoundedChildren(CHILDREN_AT_ONCE, wait_s=bounds.wait_s)

    async def read_all(
        self, parts: tuple[FilePart, ...], account_id: AccountId, card: ModelCard
    ) -> dict[FilePart, str]:
        """Return the text of each file, with the end of its last line.

        Raises:
            ParameterInvalid: the account has no such file, or it holds no text that can be read; naming the file.
            InputTooLong: there is more text than the model reads.
        """
        model_reads = card.max_input_tokens * BYTES_A_TOKEN
        left = min(model_reads, self._bounds.max_text_bytes)
        texts: dict[FilePart, str] = {}
        for part in parts:
            try:
                text = await self._read(part.id, account_id, left)
                left -= _size(text)
            except _TextTooLong as error:
                too_long_for_model = model_reads <= self._bounds.max_text_bytes
                raise (
                    InputTooLong(card.max_input_tokens) if too_long_for_model else file_too_large(part.id)
                ) from error
            texts[part] = text if text.endswith("\n") else text + "\n"
        return texts

    async def _read(self, file_id: str, account_id: AccountId, most_bytes: int) -> str:
        try:
            found = await self._read_file(account_id, file_id)
            kind = await asyncio.to_thread(_kind, found.path)
            text = await (
                self._plain(found, most_bytes) if kind is None else self._extract(found, kind, most_bytes, account_id)
            )
        except (FileNotFound, FileNotFoundError) as error:  # The second: it was deleted in between.
            raise file_invalid(file_id) from error
        if not text.strip():
            raise file_blank(file_id)
        return text

    async def _plain(self, found: FileContent, most_bytes: int) -> str:
        if found.file.size_bytes > most_bytes:
            raise _TextTooLong
        text = await asyncio.to_thread(_decode, found.path)
        if text is None:
            raise file_unsupported(found.file.id, _READ_HERE)
        return text

    async def _extract(self, found: FileContent, kind: DocumentKind, most_bytes: int, owner: str) -> str:
        order = ChildOrder(
            module=_MODULE,
            arguments=(kind, str(most_bytes)),
            seconds=self._bounds.document_s,
            memory_bytes=self._bounds.document_memory_bytes,
            owner=owner,
        )
        try:
            text, ending = await self._children.run(order, found.path, partial(_output, most_bytes=most_bytes))
        except TimeoutError as error:
            raise file_unsupported(found.file.id, _BROKEN) from error
        if ending != Ending.DONE:
            raise _refusal(ending, found.file.id)
        return text.decode()


async def _output(written: asyncio.StreamReader, most_bytes: int) -> bytes:
    """Return all that the child writes; it keeps to its bound unless its document took it over."""
    output = bytearray()
    while piece := await written.read(_PIECE):
        output += piece
        if len(output) > most_bytes:
            raise _TextTooLong
    return bytes(output)


def _refusal(ending: int, file_id: str) -> ParameterInvalid | _TextTooLong:
    match ending:
        case Ending.UNSUPPORTED:
            return file_unsupported(file_id, _READ_HERE)
        case Ending.TOO_LONG:
            return _TextTooLong()
        case Ending.TOO_MANY_PAGES:
            return file_too_many_pages(file_id, MOST_PAGES)
        case _:
            return file_unsupported(file_id, _BROKEN)


def _kind(path: Path) -> DocumentKind | None:
    with path.open("rb") as file:
        return document_kind(file.read(SIGNATURE_WITHIN))


def _decode(path: Path) -> str | None:
    content = path.read_bytes()
    return None if content.startswith(_RICH_TEXT) else decode_text(content)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
