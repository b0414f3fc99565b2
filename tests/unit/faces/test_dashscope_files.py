"""Files and leave to upload on the native face: what is asked for and what is answered, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.core.stored_files import (
    FailedUpload,
    FilePage,
    FilePurpose,
    GrantUpload,
    ListFiles,
    StoredFile,
    Upload,
    UploadFault,
    UploadGrant,
)
from qwenport.faces.dashscope.files import (
    FILE_OPERATIONS,
    decode_list,
    encode_deletion,
    encode_file,
    encode_list,
    encode_upload,
)
from qwenport.faces.dashscope.uploads import UPLOAD_OPERATIONS, decode_grant, encode_grant
from qwenport.faces.face import Request

MakeRequest = Callable[..., Request]
ID = '"request_id":"00000000-0000-9000-8000-000000000001"'
FILE = StoredFile(
    id="1" * 32,
    name="dogs.jpg",
    description="two dogs",
    purpose=FilePurpose.NONE,
    size_bytes=129862,
    md5="1d5ee55c2453009b14db98e74c453abb",
    created_at=datetime(2026, 3, 25, 10, 4, 11, tzinfo=UTC),
)
WIRE = (
    '{"file_id":"11111111111111111111111111111111","name":"dogs.jpg","description":"two dogs","size":129862,'
    '"md5":"1d5ee55c2453009b14db98e74c453abb","gmt_create":"2026-03-25 10:04:11","url":"","purpose":""}'
)


def test_the_addresses_of_files_and_uploads() -> None:
    assert [(each.name, each.method, each.path) for each in (*FILE_OPERATIONS, *UPLOAD_OPERATIONS)] == [
        ("files.upload", "POST", "/api/v1/files"),
        ("files.list", "GET", "/api/v1/files"),
        ("files.get", "GET", "/api/v1/files/{file_id}"),
        ("files.delete", "DELETE", "/api/v1/files/{file_id}"),
        ("uploads.grant", "GET", "/api/v1/uploads"),
    ]


def test_a_file_is_answered_in_the_services_shape(make_request: MakeRequest) -> None:
    page = FilePage(files=(FILE,), total=3, has_more=False)
    listed = encode_list(make_request(query={"page_no": "2", "page_size": "2"}), page)

    assert encode_file(make_request(), FILE).body.decode() == f'{{{ID},"data":{WIRE}}}'
    assert listed.body.decode() == f'{{{ID},"data":{{"total":3,"page_no":2,"page_size":2,"files":[{WIRE}]}}}}'
    assert encode_deletion(make_request(), FILE).body.decode() == f"{{{ID}}}"


def test_an_upload_says_of_each_file_what_became_of_it(make_request: MakeRequest) -> None:
    failed = tuple(FailedUpload(name=fault.value, fault=fault, message="words") for fault in UploadFault)
    answer = encode_upload(make_request(), Upload(fields={}, file_fields=("files",) * 4, stored=(FILE,), failed=failed))

    assert answer.body.decode() == (
        f'{{{ID},"data":{{"uploaded_files":[{{"file_id":"11111111111111111111111111111111","name":"dogs.jpg"}}],'
        '"failed_uploads":[{"name":"too_large","code":"BadRequest.TooLarge","message":"words"},'
        '{"name":"too_many","code":"BadRequest.TooMany","message":"words"},'
        '{"name":"exists","code":"BadRequest.AlreadyExists","message":"words"}]}}'
    )


@pytest.mark.parametrize("fields", [(), ("file",), ("files", "other")])
def test_a_form_without_files_or_with_files_elsewhere_is_refused(
    make_request: MakeRequest, fields: tuple[str, ...]
) -> None:
    with pytest.raises(ParameterInvalid, match="all of them in the field 'files'"):
        encode_upload(make_request(), Upload(fields={}, file_fields=fields, stored=(FILE,) * len(fields)))


def test_a_list_is_asked_for_by_page(make_request: MakeRequest) -> None:
    purposes = (FilePurpose.NONE, FilePurpose.EXTRACT, FilePurpose.BATCH, FilePurpose.BATCH_OUTPUT)

    assert decode_list(make_request(), {}) == ListFiles(purposes=purposes, offset=0, limit=10)
    asked = decode_list(make_request(query={"page_no": "3", "page_size": "100"}), {})
    assert asked == ListFiles(purposes=purposes, offset=200, limit=100)
    with pytest.raises(ParameterInvalid) as refusal:
        decode_list(make_request(query={"page_size": "101"}), {})
    assert refusal.value.message == "Range of page_size should be [1, 100]"


def test_leave_to_upload_is_asked_for_a_model(make_request: MakeRequest) -> None:
    query = {"action": "getPolicy", "model": "qwen-vl-max"}

    assert decode_grant(make_request(query=query), {}) == GrantUpload(model="qwen-vl-max")
    with pytest.raises(ModelMissing):
        decode_grant(make_request(query={"action": "getPolicy"}), {})
    for wrong, parameter in (({"model": "m"}, "action"), (query | {"model": "m" * 257}, "model")):
        with pytest.raises(ParameterInvalid) as refusal:
            decode_grant(make_request(query=wrong), {})
        assert refusal.value.parameter == parameter


def test_leave_to_upload_is_answered_in_the_services_shape(make_request: MakeRequest) -> None:
    grant = UploadGrant(
        policy="e30=",
        signature="c2ln",
        upload_dir="dashscope-instant/a/2026-01-01/b",
        upload_host="https://here/oss",
        access_key_id="qwenport",
        expires_in_s=300,
        max_file_bytes=100 << 20,
        capacity_bytes=10 << 30,
    )

    assert encode_grant(make_request(), grant).body.decode() == (
        f'{{{ID},"data":{{"policy":"e30=","signature":"c2ln","upload_dir":"dashscope-instant/a/2026-01-01/b",'
        '"upload_host":"https://here/oss","expire_in_seconds":300,"max_file_size_mb":100,"capacity_limit_mb":10240,'
        '"oss_access_key_id":"qwenport","x_oss_object_acl":"private","x_oss_forbid_overwrite":"true"}}'
    )
