"""Files on the OpenAI face: create, list, retrieve, delete, content.

Shapes and bounds: https://help.aliyun.com/zh/model-studio/openai-file-interface and
https://docs.qwencloud.com/api-reference/platform-api/file/list-files; the words for content that is not given back
are those of OpenAI's own service.
"""

from __future__ import annotations

from calendar import timegm
from typing import Literal
from urllib.parse import quote

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.errors import ParameterInvalid
from qwenport.core.stored_files import (
    DeleteFile,
    FileContent,
    FilePage,
    FilePurpose,
    FindFile,
    ListFiles,
    ReadFile,
    StoredFile,
    Upload,
)
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.description import Description, Parameter
from qwenport.faces.face import Cards, FileReply, Operation, QueryOperation, Reply, Request, UploadOperation
from qwenport.faces.openai.paging import paging_parameters, read_paging

LONGEST_PAGE = 2000

_ENCODE = Encoder().encode
_TAKEN = (FilePurpose.EXTRACT.value, FilePurpose.BATCH.value)
_LISTED = {purpose.value: purpose for purpose in (FilePurpose.EXTRACT, FilePurpose.BATCH, FilePurpose.BATCH_OUTPUT)}
_NOT_HERE = ("create_after", "create_before")


class _File(Struct, frozen=True, kw_only=True):
    id: str
    bytes: int
    created_at: int
    filename: str
    object: str = "file"
    purpose: str
    status: str = "processed"
    status_details: None = None


class _Files(Struct, frozen=True, kw_only=True):
    object: str = "list"
    data: tuple[_File, ...]
    has_more: bool


class _Deleted(Struct, frozen=True, kw_only=True):
    object: str = "file"
    deleted: bool = True
    id: str


def encode_creation(request: Request, upload: Upload) -> Reply:  # noqa: ARG001 - every encoder gets the request
    """Return the file that a form held.

    Raises:
        ParameterInvalid: the form is not one file in `file` and its `purpose`, or the file does not fit.
    """
    if upload.file_fields != ("file",):
        raise ParameterInvalid("The form must hold exactly one file, in the field 'file'.", parameter="file")
    purpose = upload.fields.get("purpose", ("",))
    if len(purpose) != 1 or purpose[0] not in _TAKEN:
        raise ParameterInvalid(f"'purpose' must be one of {', '.join(_TAKEN)}.", parameter="purpose")
    for failure in upload.failed:
        raise ParameterInvalid(failure.message, parameter="file")
    return _reply(_describe(upload.stored[0]))


def decode_list(request: Request, cards: Cards) -> ListFiles:  # noqa: ARG001 - every operation gets the cards
    """Return which page of the files is asked for; raises `ParameterInvalid`."""
    for name in _NOT_HERE:
        if request.query.get(name):
            raise ParameterInvalid(f"'{name}' is not supported; page through the list by 'after'.", parameter=name)
    purpose = request.query.get("purpose", "")
    if purpose and purpose not in _LISTED:
        raise ParameterInvalid(f"'purpose' must be one of {', '.join(_LISTED)}.", parameter="purpose")
    paging = read_paging(request, default=LONGEST_PAGE, greatest=LONGEST_PAGE)
    return ListFiles(
        purposes=(_LISTED[purpose],) if purpose else tuple(_LISTED.values()),
        after=paging.after,
        limit=paging.limit,
        oldest_first=paging.oldest_first,
    )


def encode_list(request: Request, page: FilePage) -> Reply:  # noqa: ARG001 - every encoder gets the request
    """Return one page of files."""
    return _reply(_Files(data=tuple(_describe(file) for file in page.files), has_more=page.has_more))


def decode_retrieval(request: Request, cards: Cards) -> FindFile:  # noqa: ARG001 - every operation gets the cards
    """Return which file is asked for."""
    return FindFile(id=request.path_parameters["file_id"])


def encode_file(request: Request, file: StoredFile) -> Reply:  # noqa: ARG001 - every encoder gets the request
    """Return one file's description."""
    return _reply(_describe(file))


def decode_deletion(request: Request, cards: Cards) -> DeleteFile:  # noqa: ARG001 - every operation gets the cards
    """Return which file is to be deleted."""
    return DeleteFile(id=request.path_parameters["file_id"])


def encode_deletion(request: Request, file: StoredFile) -> Reply:  # noqa: ARG001 - every encoder gets the request
    """Return the answer of a deletion that was done."""
    return _reply(_Deleted(id=file.id))


def decode_content(request: Request, cards: Cards) -> ReadFile:  # noqa: ARG001 - every operation gets the cards
    """Return which file's bytes are asked for."""
    return ReadFile(id=request.path_parameters["file_id"])


def encode_content(request: Request, content: FileContent) -> FileReply:  # noqa: ARG001 - every encoder gets it
    """Return the bytes of a batch's result; raises `ParameterInvalid` for files of every other purpose."""
    file = content.file
    if file.purpose is not FilePurpose.BATCH_OUTPUT:
        raise ParameterInvalid(
            f"Not allowed to download files of purpose: {file.purpose.value or 'none'}", parameter="file_id"
        )
    disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = ((b"content-type", b"application/octet-stream"), (b"content-disposition", disposition.encode()))
    return FileReply(headers=headers, path=content.path, size_bytes=file.size_bytes)


def _describe(file: StoredFile) -> _File:
    return _File(
        id=file.id,
        bytes=file.size_bytes,
        created_at=timegm(file.created_at.timetuple()),
        filename=file.name,
        purpose=file.purpose.value,
    )


def _reply(answer: _File | _Files | _Deleted) -> Reply:
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(answer))


_Taken = Literal["file-extract", "batch"]
_PAGING = (
    Parameter(name="purpose", meaning="Files of this purpose.", type=Literal["file-extract", "batch", "batch_output"]),
    *paging_parameters(LONGEST_PAGE),
)


def file_operations(prefix: str) -> tuple[Operation, ...]:
    """Return the operations on files below an address prefix."""
    one = f"{prefix}/files/{{file_id}}"
    return (
        UploadOperation(
            name="files.create",
            method="POST",
            path=f"{prefix}/files",
            encode=encode_creation,
            description=Description(
                summary="Store a file",
                form=(
                    Parameter(name="purpose", meaning="What it is for.", type=_Taken, required=True),
                    Parameter(name="file", meaning="The file.", type=bytes, required=True),
                ),
                answer=_File,
            ),
        ),
        QueryOperation(
            name="files.list",
            method="GET",
            path=f"{prefix}/files",
            decode=decode_list,
            encode=encode_list,
            description=Description(summary="List the account's files", query=_PAGING, answer=_Files),
        ),
        QueryOperation(
            name="files.retrieve",
            method="GET",
            path=one,
            decode=decode_retrieval,
            encode=encode_file,
            description=Description(summary="Describe a file", answer=_File),
        ),
        QueryOperation(
            name="files.delete",
            method="DELETE",
            path=one,
            decode=decode_deletion,
            encode=encode_deletion,
            description=Description(summary="Delete a file", answer=_Deleted),
        ),
        QueryOperation(
            name="files.content",
            method="GET",
            path=f"{one}/content",
            decode=decode_content,
            encode=encode_content,
            description=Description(summary="Download a batch's result", answer=bytes),
        ),
    )
