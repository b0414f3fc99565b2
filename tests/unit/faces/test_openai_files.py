"""Files on the OpenAI face: what is asked for and what is answered, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qwenport.core.errors import ParameterInvalid
from qwenport.core.stored_files import (
    FailedUpload,
    FileContent,
    FilePage,
    FilePurpose,
    ListFiles,
    StoredFile,
    Upload,
    UploadFault,
)
from qwenport.faces.face import FileReply, Request
from qwenport.faces.openai.files import (
    decode_list,
    encode_content,
    encode_creation,
    encode_deletion,
    encode_file,
    encode_list,
    file_operations,
)

MakeRequest = Callable[..., Request]
FILE = StoredFile(
    id="file-fe-1",
    name="账单.pdf",
    purpose=FilePurpose.EXTRACT,
    size_bytes=15,
    md5="0" * 32,
    # What is past the whole second is not told.
    created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=999),
)
WIRE = (
    '{"id":"file-fe-1","bytes":15,"created_at":1767225600,"filename":"账单.pdf","object":"file",'
    '"purpose":"file-extract","status":"processed","status_details":null}'
)
LISTED = (FilePurpose.EXTRACT, FilePurpose.BATCH, FilePurpose.BATCH_OUTPUT)
PURPOSE: dict[str, tuple[str, ...]] = {"purpose": ("file-extract",)}


def test_the_addresses_of_files() -> None:
    assert [(each.name, each.method, each.path) for each in file_operations("/v1")] == [
        ("files.create", "POST", "/v1/files"),
        ("files.list", "GET", "/v1/files"),
        ("files.retrieve", "GET", "/v1/files/{file_id}"),
        ("files.delete", "DELETE", "/v1/files/{file_id}"),
        ("files.content", "GET", "/v1/files/{file_id}/content"),
    ]


def test_a_file_is_answered_in_the_services_shape(make_request: MakeRequest) -> None:
    made = encode_creation(make_request(), Upload(fields=PURPOSE, file_fields=("file",), stored=(FILE,)))
    listed = encode_list(make_request(), FilePage(files=(FILE,), total=9, has_more=True))

    assert made.body.decode() == encode_file(make_request(), FILE).body.decode() == WIRE
    assert listed.body.decode() == f'{{"object":"list","data":[{WIRE}],"has_more":true}}'
    assert encode_deletion(make_request(), FILE).body == b'{"object":"file","deleted":true,"id":"file-fe-1"}'


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (Upload(fields=PURPOSE), "The form must hold exactly one file, in the field 'file'."),
        (
            Upload(fields=PURPOSE, file_fields=("files",), stored=(FILE,)),
            "The form must hold exactly one file, in the field 'file'.",
        ),
        (
            Upload(fields=PURPOSE, file_fields=("file", "file"), stored=(FILE, FILE)),
            "The form must hold exactly one file, in the field 'file'.",
        ),
        (
            Upload(fields={}, file_fields=("file",), stored=(FILE,)),
            "'purpose' must be one of file-extract, batch.",
        ),
        (
            Upload(fields={"purpose": ("batch", "batch")}, file_fields=("file",), stored=(FILE,)),
            "'purpose' must be one of file-extract, batch.",
        ),
        (
            Upload(fields={"purpose": ("batch_output",)}, file_fields=("file",), stored=(FILE,)),
            "'purpose' must be one of file-extract, batch.",
        ),
        (
            Upload(
                fields=PURPOSE,
                file_fields=("file",),
                failed=(FailedUpload(name="a", fault=UploadFault.TOO_LARGE, message="Out of space."),),
            ),
            "Out of space.",
        ),
    ],
)
def test_a_form_that_is_no_file_with_its_purpose_is_refused(
    make_request: MakeRequest, upload: Upload, words: str
) -> None:
    with pytest.raises(ParameterInvalid) as refusal:
        encode_creation(make_request(), upload)
    assert refusal.value.message == words


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ({}, ListFiles(purposes=LISTED, limit=2000)),
        ({"limit": "", "order": "", "purpose": "", "after": ""}, ListFiles(purposes=LISTED, limit=2000)),
        (
            {"limit": "1", "order": "asc", "purpose": "batch", "after": "file-batch-1"},
            ListFiles(purposes=(FilePurpose.BATCH,), after="file-batch-1", limit=1, oldest_first=True),
        ),
        ({"order": "desc", "purpose": "batch_output"}, ListFiles(purposes=(FilePurpose.BATCH_OUTPUT,), limit=2000)),
    ],
)
def test_a_list_is_asked_for_by_page_purpose_and_order(
    make_request: MakeRequest, query: dict[str, str], wish: ListFiles
) -> None:
    assert decode_list(make_request(query=query), {}) == wish


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("limit", "0", "Range of limit should be [1, 2000]"),
        ("limit", "2001", "Range of limit should be [1, 2000]"),
        ("limit", "-1", "Range of limit should be [1, 2000]"),
        ("limit", "٣", "Range of limit should be [1, 2000]"),
        ("limit", "9" * 5000, "Range of limit should be [1, 2000]"),
        ("order", "newest", "'newest' is not one of ['asc', 'desc'] - 'order'"),
        ("purpose", "upload", "'purpose' must be one of file-extract, batch, batch_output."),
        ("create_before", "20260101", "'create_before' is not supported; page through the list by 'after'."),
    ],
)
def test_a_list_that_cannot_be_had_is_refused_by_its_parameter(
    make_request: MakeRequest, name: str, value: str, words: str
) -> None:
    with pytest.raises(ParameterInvalid) as refusal:
        decode_list(make_request(query={name: value}), {})
    assert (refusal.value.message, refusal.value.parameter) == (words, name)


def test_the_content_of_results_alone_is_given_back(make_request: MakeRequest) -> None:
    path = Path("/somewhere/file-batch_output-1")
    output = StoredFile(
        id="file-batch_output-1",
        name='a "b"; 1\u00e9.jsonl',
        purpose=FilePurpose.BATCH_OUTPUT,
        size_bytes=7,
        md5="",
        created_at=FILE.created_at,
    )

    assert encode_content(make_request(), FileContent(file=output, path=path)) == FileReply(
        headers=(
            (b"content-type", b"application/octet-stream"),
            (b"content-disposition", b"attachment; filename*=UTF-8''a%20%22b%22%3B%201%C3%A9.jsonl"),
        ),
        path=path,
        size_bytes=7,
    )
    with pytest.raises(ParameterInvalid, match="Not allowed to download files of purpose: file-extract"):
        encode_content(make_request(), FileContent(file=FILE, path=path))
