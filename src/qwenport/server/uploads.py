"""Forms with files of the faces: received to disk, named, and kept for the caller's account once they are whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from qwenport.core.caller import Caller
from qwenport.core.errors import ParameterInvalid
from qwenport.core.stored_files import FilePurpose, Upload
from qwenport.faces.face import Request
from qwenport.files import FileStore, NewFile, StagedFile
from qwenport.files.names import holds_control_characters
from qwenport.server.asgi import Receive
from qwenport.server.form import Fields, FilePart, FormReader, Sink

LONGEST_NAME_BYTES = 255
LONGEST_DESCRIPTION = 4096

_TOLD = {purpose.value: purpose for purpose in (FilePurpose.EXTRACT, FilePurpose.BATCH)}
"""Purposes that a form may say; one that says another is taken for a form without, which a face may refuse."""


@dataclass(frozen=True, slots=True)
class _Received:
    part: FilePart
    staged: StagedFile


class ReceivedForm:
    """A form that has arrived whole, its files on the disk and not yet anybody's."""

    def __init__(self, store: FileStore, files: Sequence[_Received], fields: Fields) -> None:
        self._store = store
        self._files = files
        self._fields = fields

    async def said(self) -> bytes:
        """Return its fields and, of each file, field, name, size and digest: no other sending of it says more.

        Raises:
            StorageUnavailable: the disk refuses.
        """
        for each in self._files:
            await each.staged.close()
        files = [(each.part.field, each.part.name, each.staged.size_bytes, each.staged.md5) for each in self._files]
        return msgspec.msgpack.encode((sorted(self._fields.items()), files))

    async def keep(self, caller: Caller) -> Upload:
        """Store the files.

        Raises:
            ParameterInvalid, StorageUnavailable: nothing was kept.
        """
        files = _described(self._files, self._fields)
        stored, failed = await self._store.keep(caller.account_id, files)
        names = tuple(each.part.field for each in self._files)
        return Upload(fields=dict(self._fields), file_fields=names, stored=stored, failed=failed)

    async def discard(self, caller: Caller, upload: Upload) -> None:
        """Remove what was stored of the form."""
        await self._store.remove(caller.account_id, [file.id for file in upload.stored])


class FormUploads:
    """Takes in the forms of one gateway worker."""

    def __init__(self, store: FileStore, forms: FormReader) -> None:
        self._store = store
        self._forms = forms

    @asynccontextmanager
    async def __call__(self, request: Request, receive: Receive) -> AsyncIterator[ReceivedForm]:
        """Give a form once all of it has arrived; what is not kept of it within the block is gone afterwards.

        Raises:
            BodyNotForm, BodyTooLarge, BodyTooSlow, Draining, ParameterInvalid, StorageUnavailable: it has not arrived.
        """
        received: list[_Received] = []

        async def take(part: FilePart, fields: Fields) -> Sink:
            check_name(part.name)
            purpose = _purpose(fields) if "purpose" in fields else None
            received.append(_Received(part, await self._store.stage(purpose)))
            return received[-1].staged

        try:
            fields = await self._forms.read(receive, request.headers, take)
            yield ReceivedForm(self._store, received, fields)
        finally:
            await asyncio.gather(*(each.staged.discard() for each in received))


def check_name(name: str) -> None:
    """Raise `ParameterInvalid` unless a file may have this name."""
    shown = name[:64].encode("unicode_escape").decode("ascii")
    if not name or len(name.encode("utf-8", "replace")) > LONGEST_NAME_BYTES:
        fault = f"is empty or longer than {LONGEST_NAME_BYTES} bytes"
    elif "/" in name or "\\" in name or name in {".", ".."}:
        fault = "is a path; send the last part of it only"
    elif holds_control_characters(name):
        fault = "holds control characters"
    else:
        return
    raise ParameterInvalid(f"The file name `{shown}` {fault}.", parameter="file")


def _described(received: Sequence[_Received], fields: Fields) -> list[NewFile]:
    """Put to each file what the form's fields say of it: descriptions stand in the order of the files."""
    descriptions = fields.get("descriptions", ())
    if any(len(text) > LONGEST_DESCRIPTION for text in descriptions):
        raise ParameterInvalid(
            f"A description holds more than {LONGEST_DESCRIPTION} characters.", parameter="descriptions"
        )
    purpose = _purpose(fields)
    return [
        NewFile(
            staged=each.staged,
            name=each.part.name,
            purpose=purpose,
            description=descriptions[index] if index < len(descriptions) else "",
        )
        for index, each in enumerate(received)
    ]


def _purpose(fields: Fields) -> FilePurpose:
    return _TOLD.get(fields.get("purpose", ("",))[0], FilePurpose.NONE)
