"""The upload host: takes the form that clients post a local file with, as Alibaba Cloud OSS does.

Anyone may post; what is asked for is a policy that this server signed for an account a few minutes ago. Success is
exactly 200 with an empty body, for which `dashscope/utils/oss_utils.py` looks; errors are OSS' XML
(https://help.aliyun.com/zh/oss/developer-reference/postobject).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from starlette.routing import BaseRoute, Route

from qwenport.core.errors import BodyNotForm, BodyTooLarge, BodyTooSlow, QwenportError
from qwenport.core.ids import Ids, RequestId
from qwenport.core.stored_files import FilePurpose, UploadFault
from qwenport.faces.face import Headers
from qwenport.files import (
    FileStore,
    NewFile,
    PolicyFault,
    PolicyRefused,
    StagedFile,
    UploadGrants,
    UploadOrigin,
    UploadPermission,
)
from qwenport.observability.metrics import Metrics
from qwenport.server.asgi import Receive, Scope, Send, decode_headers
from qwenport.server.client_gone import ClientGone
from qwenport.server.form import Fields, FilePart, FormReader, Sink
from qwenport.server.maintenance import Maintenance
from qwenport.server.public import UPLOAD_HOST
from qwenport.server.request_record import RequestRecord

_NEEDED = ("key", "OSSAccessKeyId", "policy", "Signature")
"""Fields that must stand before the file."""

_POLICY_WORDS = {
    PolicyFault.UNKNOWN_KEY: (403, "InvalidAccessKeyId"),
    PolicyFault.BAD_SIGNATURE: (403, "SignatureDoesNotMatch"),
    PolicyFault.EXPIRED: (403, "AccessDenied"),
    PolicyFault.CONDITION: (403, "AccessDenied"),
}
_UPLOAD_WORDS = {
    UploadFault.TOO_LARGE: (400, "EntityTooLarge"),
    UploadFault.TOO_MANY: (400, "EntityTooLarge"),
    UploadFault.EXISTS: (409, "FileAlreadyExists"),
}
_ERROR_WORDS: tuple[tuple[type[QwenportError], int, str], ...] = (
    (BodyNotForm, 400, "MalformedPOSTRequest"),
    (BodyTooLarge, 400, "EntityTooLarge"),
    (BodyTooSlow, 400, "RequestTimeout"),
    (QwenportError, 503, "ServiceUnavailable"),
)


class _Refused(Exception):
    """The form is not taken."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadHostParts:
    """What the upload host needs of the house."""

    store: FileStore
    grants: UploadGrants
    forms: FormReader
    ids: Ids
    metrics: Metrics
    maintenance: Maintenance = field(default_factory=Maintenance)


def upload_routes(parts: UploadHostParts) -> list[BaseRoute]:
    """Return the route of the upload host."""
    return [Route(UPLOAD_HOST, UploadHost(parts))]


class UploadHost:
    """ASGI application that stores one posted file."""

    def __init__(self, parts: UploadHostParts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = self._parts.ids.request_id()
        record = RequestRecord(scope, request_id, "dashscope", "uploads.post")
        answer = _Answer(send, request_id)
        try:
            try:
                await answer.stored(await self._take_in(scope, receive))
            except _Refused as refused:
                await self._refuse(answer, record, refused)
            except QwenportError as error:
                await self._refuse(answer, record, _translated(error))
        except ClientGone:
            record.leave()
        finally:
            record.line.status = answer.status
            record.close(self._parts.metrics)

    async def _refuse(self, answer: _Answer, record: RequestRecord, refused: _Refused) -> None:
        record.line.error, record.line.outcome = f"oss_{refused.code}", "failed"
        await answer.error(refused)

    async def _take_in(self, scope: Scope, receive: Receive) -> str:
        """Store the form's file and return its digest."""
        if scope["method"] != "POST":
            words = "The specified method is not allowed against this resource."
            raise _Refused(405, "MethodNotAllowed", words)
        self._parts.maintenance.check()
        taken: list[tuple[UploadPermission, StagedFile]] = []

        async def take(part: FilePart, fields: Fields) -> Sink:
            if part.field != "file" or taken:
                raise BodyNotForm("exactly one file is expected, in the field `file`")
            permission = self._permission(fields)
            taken.append((permission, await self._parts.store.stage(FilePurpose.UPLOAD)))
            return taken[-1][1]

        try:
            await self._parts.forms.read(receive, decode_headers(scope), take)
            if not taken:
                raise _Refused(400, "InvalidArgument", "POST requires exactly one file upload per request.")
            return await self._keep(*taken[0])
        except PolicyRefused as refused:
            raise _Refused(*_POLICY_WORDS[refused.fault], refused.message) from refused
        finally:
            for _, staged in taken:
                await staged.discard()

    def _permission(self, fields: Fields) -> UploadPermission:
        """Return what the fields before the file allow; nothing of the file was read yet."""
        shown = {name.lower(): values[0] for name, values in fields.items()}
        for name in _NEEDED:
            if name.lower() not in shown:
                words = f"Bucket POST must contain a field named '{name}'. Check that it stands before the file."
                raise _Refused(400, "InvalidArgument", words)
        return self._parts.grants.check(shown)

    async def _keep(self, permission: UploadPermission, staged: StagedFile) -> str:
        file = NewFile(
            staged=staged,
            name=permission.key.rpartition("/")[2],
            purpose=FilePurpose.UPLOAD,
            origin=UploadOrigin(key=permission.key, model=permission.model),
        )
        stored, failed = await self._parts.store.keep(permission.account_id, (file,))
        for failure in failed:
            raise _Refused(*_UPLOAD_WORDS[failure.fault], failure.message)
        return stored[0].md5


class _Answer:
    """The answer in OSS' shape; its methods raise `ClientGone` when nobody can be reached."""

    def __init__(self, send: Send, request_id: RequestId) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0
        """Status that was sent; 0 while none was."""

    async def stored(self, md5: str) -> None:
        """Say that the file is stored."""
        await self._reply(200, b"", ((b"etag", f'"{md5.upper()}"'.encode()),))

    async def error(self, refused: _Refused) -> None:
        """Say why it is not."""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error>\n  <Code>{refused.code}</Code>\n  <Message>{escape(refused.message)}</Message>\n"
            f"  <RequestId>{self._request_id}</RequestId>\n</Error>\n"
        )
        headers: Headers = ((b"content-type", b"application/xml"),)
        if refused.retry_after_s is not None and refused.status == 503:
            headers += ((b"retry-after", b"%d" % refused.retry_after_s),)
        await self._reply(refused.status, body.encode(), headers)

    async def _reply(self, status: int, body: bytes, headers: Headers) -> None:
        lines = [
            *headers,
            (b"content-length", str(len(body)).encode()),
            (b"x-oss-request-id", self._request_id.encode()),
        ]
        self.status = status
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": lines})
            await self._send({"type": "http.response.body", "body": body, "more_body": False})
        except OSError as error:  # how ASGI says that the connection is lost
            self.status = 0
            raise ClientGone from error


def _translated(error: QwenportError) -> _Refused:
    status, code = next((status, code) for kind, status, code in _ERROR_WORDS if isinstance(error, kind))
    return _Refused(status, code, error.message, retry_after_s=error.retry_after_s)
