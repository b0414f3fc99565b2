"""Files on the native face: upload, list, get, delete.

Shapes: https://help.aliyun.com/zh/model-studio/model-customization-file-management-service, and what
`dashscope/files.py` and `dashscope/v2/resources/files.py` read. No download address is given (`url` stays empty).
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.errors import ParameterInvalid
from qwenport.core.ids import RequestId
from qwenport.core.stored_files import (
    DeleteFile,
    FilePage,
    FilePurpose,
    FindFile,
    ListFiles,
    StoredFile,
    Upload,
    UploadFault,
)
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.dashscope.paging import PAGING, read_paging
from qwenport.faces.description import Description, Parameter
from qwenport.faces.face import Cards, Operation, QueryOperation, Reply, Request, UploadOperation

LONGEST_PAGE = 100

_ENCODE = Encoder().encode
_LISTED = (FilePurpose.NONE, FilePurpose.EXTRACT, FilePurpose.BATCH, FilePurpose.BATCH_OUTPUT)
_CODES = {
    UploadFault.TOO_LARGE: "BadRequest.TooLarge",
    UploadFault.TOO_MANY: "BadRequest.TooMany",
    UploadFault.EXISTS: "BadRequest.AlreadyExists",
}


class _Uploaded(Struct, frozen=True, kw_only=True):
    file_id: str
    name: str


class _Failed(Struct, frozen=True, kw_only=True):
    name: str
    code: str
    message: str


class _Uploads(Struct, frozen=True, kw_only=True):
    uploaded_files: tuple[_Uploaded, ...]
    failed_uploads: tuple[_Failed, ...]


class _File(Struct, frozen=True, kw_only=True):
    file_id: str
    name: str
    description: str
    size: int
    md5: str
    gmt_create: str
    url: str = ""
    purpose: str


class _Page(Struct, frozen=True, kw_only=True):
    total: int
    page_no: int
    page_size: int
    files: tuple[_File, ...]


class _Done(Struct, frozen=True, kw_only=True):
    request_id: RequestId


class _UploadsAnswer(_Done, frozen=True, kw_only=True):
    data: _Uploads


class _FileAnswer(_Done, frozen=True, kw_only=True):
    data: _File


class _PageAnswer(_Done, frozen=True, kw_only=True):
    data: _Page


def encode_upload(request: Request, upload: Upload) -> Reply:
    """Return which files of a form were stored and which were not.

    Raises:
        ParameterInvalid: the form holds no file, or one in another field than `files`.
    """
    if not upload.file_fields or set(upload.file_fields) != {"files"}:
        raise ParameterInvalid("The form must hold files, all of them in the field 'files'.", parameter="files")
    data = _Uploads(
        uploaded_files=tuple(_Uploaded(file_id=file.id, name=file.name) for file in upload.stored),
        failed_uploads=tuple(
            _Failed(name=each.name, code=_CODES[each.fault], message=each.message) for each in upload.failed
        ),
    )
    return _reply(_UploadsAnswer(request_id=request.id, data=data))


def decode_list(request: Request, cards: Cards) -> ListFiles:  # noqa: ARG001 - every operation gets the cards
    """Return which page of the files is asked for; raises `ParameterInvalid`."""
    paging = read_paging(request)
    if paging.page_size > LONGEST_PAGE:
        raise ParameterInvalid(f"Range of page_size should be [1, {LONGEST_PAGE}]", parameter="page_size")
    return ListFiles(purposes=_LISTED, offset=paging.start, limit=paging.page_size)


def encode_list(request: Request, page: FilePage) -> Reply:
    """Return one page of files."""
    paging = read_paging(request)
    data = _Page(
        total=page.total,
        page_no=paging.page_no,
        page_size=paging.page_size,
        files=tuple(_describe(file) for file in page.files),
    )
    return _reply(_PageAnswer(request_id=request.id, data=data))


def decode_get(request: Request, cards: Cards) -> FindFile:  # noqa: ARG001 - every operation gets the cards
    """Return which file is asked for."""
    return FindFile(id=request.path_parameters["file_id"])


def encode_file(request: Request, file: StoredFile) -> Reply:
    """Return one file's description."""
    return _reply(_FileAnswer(request_id=request.id, data=_describe(file)))


def decode_delete(request: Request, cards: Cards) -> DeleteFile:  # noqa: ARG001 - every operation gets the cards
    """Return which file is to be deleted."""
    return DeleteFile(id=request.path_parameters["file_id"])


def encode_deletion(request: Request, file: StoredFile) -> Reply:  # noqa: ARG001 - nothing is said of what was
    """Return the answer of a deletion that was done."""
    return _reply(_Done(request_id=request.id))


def _describe(file: StoredFile) -> _File:
    return _File(
        file_id=file.id,
        name=file.name,
        description=file.description,
        size=file.size_bytes,
        md5=file.md5,
        gmt_create=f"{file.created_at:%Y-%m-%d %H:%M:%S}",
        purpose=file.purpose.value,
    )


def _reply(answer: _Done) -> Reply:
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(answer))


FILE_OPERATIONS: tuple[Operation, ...] = (
    UploadOperation(
        name="files.upload",
        method="POST",
        path="/api/v1/files",
        encode=encode_upload,
        description=Description(
            summary="Store files",
            form=(
                Parameter(name="purpose", meaning="What they are for: file-extract, batch, or nothing said."),
                Parameter(name="descriptions", meaning="A word on each file, in their order.", type=list[str]),
                Parameter(name="files", meaning="The files.", type=list[bytes], required=True),
            ),
            answer=_UploadsAnswer,
        ),
    ),
    QueryOperation(
        name="files.list",
        method="GET",
        path="/api/v1/files",
        decode=decode_list,
        encode=encode_list,
        description=Description(summary="List the account's files", query=PAGING, answer=_PageAnswer),
    ),
    QueryOperation(
        name="files.get",
        method="GET",
        path="/api/v1/files/{file_id}",
        decode=decode_get,
        encode=encode_file,
        description=Description(summary="Describe a file", answer=_FileAnswer),
    ),
    QueryOperation(
        name="files.delete",
        method="DELETE",
        path="/api/v1/files/{file_id}",
        decode=decode_delete,
        encode=encode_deletion,
        description=Description(summary="Delete a file", answer=_Done),
    ),
)
