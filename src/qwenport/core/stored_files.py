"""Stored files, in no protocol's words: what is kept of one, and what callers may ask about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from qwenport.core.queries import Query


class FilePurpose(StrEnum):
    """What a file is for."""

    EXTRACT = "file-extract"
    """A document whose text models read."""
    BATCH = "batch"
    """Lines of calls."""
    BATCH_OUTPUT = "batch_output"
    """Lines of answers; the only files whose content the OpenAI face gives back."""
    NONE = ""
    """Native files may have none."""
    UPLOAD = "upload"
    """Posted to the upload host and known by its `oss://` key alone; its id is told to nobody."""


class StoredFile(Struct, frozen=True, kw_only=True):
    """One file of an account."""

    id: str
    """`file-fe-…` or `file-batch-…` by purpose, 32 hexadecimal digits without one."""
    name: str
    description: str = ""
    purpose: FilePurpose
    size_bytes: int
    md5: str
    """Lower-case hexadecimal digits."""
    created_at: datetime
    expires_at: datetime | None = None


class UploadFault(StrEnum):
    """Why a whole and well-named file was not stored."""

    TOO_LARGE = "too_large"
    """The file, or all files of the account together."""
    TOO_MANY = "too_many"
    EXISTS = "exists"
    """Something was posted under this key before."""


class FailedUpload(Struct, frozen=True, kw_only=True):
    """A file of a form that was not stored."""

    name: str
    fault: UploadFault
    message: str


class Upload(Struct, frozen=True, kw_only=True):
    """What came of a form: its fields, and its files, each stored or not."""

    fields: dict[str, tuple[str, ...]]
    file_fields: tuple[str, ...] = ()
    """Field names of the files, in the form's order."""
    stored: tuple[StoredFile, ...] = ()
    failed: tuple[FailedUpload, ...] = ()


class FindFile(Query, frozen=True, kw_only=True):
    """Answer: `StoredFile`. Raises `FileNotFound` for what does not exist or belongs to another account."""

    id: str


class DeleteFile(Query, frozen=True, kw_only=True):
    """Answer: the `StoredFile` that was. Raises `FileNotFound`."""

    id: str


class ReadFile(Query, frozen=True, kw_only=True):
    """Answer: `FileContent`. Raises `FileNotFound`."""

    id: str


class FileContent(Struct, frozen=True, kw_only=True):
    """A file and where its bytes lie."""

    file: StoredFile
    path: Path


class ListFiles(Query, frozen=True, kw_only=True):
    """Answer: `FilePage`. Raises `FileNotFound` where `after` is no file of the account."""

    purposes: tuple[FilePurpose, ...]
    """Files of any of these."""
    after: str = ""
    """Id of the file that the page follows."""
    offset: int = 0
    limit: int = 10
    oldest_first: bool = False


class FilePage(Struct, frozen=True, kw_only=True):
    """One page of an account's files."""

    files: tuple[StoredFile, ...]
    total: int
    """How many there are on all pages."""
    has_more: bool


class GrantUpload(Query, frozen=True, kw_only=True):
    """Answer: `UploadGrant`: leave to post files to `upload_host` for a while."""

    model: str


class UploadGrant(Struct, frozen=True, kw_only=True):
    """What a form posted to `upload_host` must hold."""

    policy: str
    """Base64 of a JSON document that says until when and where."""
    signature: str
    upload_dir: str
    upload_host: str
    """Absolute address that the client can reach."""
    access_key_id: str
    expires_in_s: int
    max_file_bytes: int
    capacity_bytes: int
