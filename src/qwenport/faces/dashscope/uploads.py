"""Leave to post a local file to the upload host, as `dashscope/utils/oss_utils.py` asks for it.

Shape: https://help.aliyun.com/zh/model-studio/get-temporary-file-url.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.core.ids import RequestId
from qwenport.core.stored_files import GrantUpload, UploadGrant
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.description import Description, Parameter
from qwenport.faces.face import Cards, Operation, QueryOperation, Reply, Request

LONGEST_MODEL = 256

_ENCODE = Encoder().encode
_MEGABYTE = 1 << 20


class _Grant(Struct, frozen=True, kw_only=True):
    policy: str
    signature: str
    upload_dir: str
    upload_host: str
    expire_in_seconds: int
    max_file_size_mb: int
    capacity_limit_mb: int
    oss_access_key_id: str
    x_oss_object_acl: str = "private"
    x_oss_forbid_overwrite: str = "true"


class _Answer(Struct, frozen=True, kw_only=True):
    request_id: RequestId
    data: _Grant


def decode_grant(request: Request, cards: Cards) -> GrantUpload:  # noqa: ARG001 - every operation gets the cards
    """Return the model that leave to upload is asked for.

    Raises:
        ModelMissing, ParameterInvalid: the query says something else than `action=getPolicy&model=…`.
    """
    if request.query.get("action") != "getPolicy":
        raise ParameterInvalid("The parameter 'action' must be getPolicy.", parameter="action")
    model = request.query.get("model", "")
    if not model:
        raise ModelMissing
    if len(model) > LONGEST_MODEL:
        raise ParameterInvalid(f"'model' may hold at most {LONGEST_MODEL} characters.", parameter="model")
    return GrantUpload(model=model)


def encode_grant(request: Request, grant: UploadGrant) -> Reply:
    """Return what the form that posts a file must hold."""
    data = _Grant(
        policy=grant.policy,
        signature=grant.signature,
        upload_dir=grant.upload_dir,
        upload_host=grant.upload_host,
        expire_in_seconds=grant.expires_in_s,
        max_file_size_mb=grant.max_file_bytes // _MEGABYTE,
        capacity_limit_mb=grant.capacity_bytes // _MEGABYTE,
        oss_access_key_id=grant.access_key_id,
    )
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(_Answer(request_id=request.id, data=data)))


UPLOAD_OPERATIONS: tuple[Operation, ...] = (
    QueryOperation(
        name="uploads.grant",
        method="GET",
        path="/api/v1/uploads",
        decode=decode_grant,
        encode=encode_grant,
        description=Description(
            summary="Get leave to post a file to the upload host",
            query=(
                Parameter(name="action", meaning="What is asked for.", type=Literal["getPolicy"], required=True),
                Parameter(name="model", meaning="The model that is to read the file.", required=True),
            ),
            answer=_Answer,
        ),
    ),
)
