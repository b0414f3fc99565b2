"""What loading the media of a call needs: an account with files, a model, bounds, and a call with parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenport.core.call import Call, ChatInput
from qwenport.core.content import Message, Part, Role
from qwenport.core.errors import FileNotFound, ParameterInvalid
from qwenport.core.ids import AccountId, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.stored_files import FileContent, FilePurpose, StoredFile
from qwenport.media.fetch import Fetcher
from qwenport.media.images import FindContent
from qwenport.media.loader import MediaLoader
from qwenport.settings.configuration_file import MediaTable
from qwenport.testing.image_site import fetcher
from qwenport.testing.models import model_card

ACCOUNT, STRANGER = AccountId("acc-1"), AccountId("acc-2")


def stored(path: Path, content: bytes, file_id: str = "file-fe-1") -> FileContent:
    """Write a file of an account."""
    path.write_bytes(content)
    file = StoredFile(
        id=file_id,
        name=path.name,
        purpose=FilePurpose.EXTRACT,
        size_bytes=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    return FileContent(file=file, path=path)


def shelf(**files: FileContent) -> FindContent:
    """Return a way to find these files of the account of these tests."""

    async def find(account_id: AccountId, name: str) -> FileContent:
        if account_id != ACCOUNT or name not in files:
            raise FileNotFound(name)
        return files[name]

    return find


def card(max_input_tokens: int = 30_000) -> ModelCard:
    """Return a model that sees."""
    return model_card(
        family="qwen3-vl",
        max_input_tokens=max_input_tokens,
    )


@dataclass(kw_only=True)
class Table:
    """What the tests of whole calls put together."""

    bounds: MediaTable = field(default_factory=MediaTable)
    files: dict[str, FileContent] = field(default_factory=dict)
    card: ModelCard = field(default_factory=card)
    account: AccountId = ACCOUNT
    resolves_uploads: bool = True
    fetcher: Fetcher = field(default_factory=fetcher)
    decodes: bool = False
    """Whether what answers runs on this machine."""

    async def load(self, *parts: Part) -> tuple[Part, ...]:
        """Return what becomes of the parts of a message."""
        loaded = await self.loader().load(self.account, self.call(*parts), self.card)
        content = loaded.messages[0].content
        return () if isinstance(content, str) else content

    def loader(self) -> MediaLoader:
        """Return a loader of these files and bounds."""
        find = shelf(**self.files)
        return MediaLoader(
            self.bounds,
            resolve_upload=find,
            read_file=find,
            fetcher=self.fetcher,
            decodes=lambda _: self.decodes,
        )

    async def refusal(self, *parts: Part) -> str:
        """Return the words with which the parts of a message are refused."""
        with pytest.raises(ParameterInvalid) as caught:
            await self.load(*parts)
        return str(caught.value)

    def call(self, *parts: Part) -> Call:
        """Return a call with one message of these parts."""
        return Call(
            id=RequestId("request"),
            face="openai",
            operation="chat.completions",
            model="qwen3-vl-plus",
            input=ChatInput(messages=(Message(role=Role.USER, content=parts),)),
            resolves_uploads=self.resolves_uploads,
        )
