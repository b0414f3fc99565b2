"""How the errors of the house look in the admin API: the status and the code of each, by one table."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from qwenport.accounts.errors import ChangeDenied, Conflict, LimitUnknown, NotFound, SettingInvalid
from qwenport.accounts.roles import Permission, Principal
from qwenport.core.errors import BodyTooLarge, BodyTooSlow, ModelNotFound, StorageUnavailable
from qwenport.core.printable import printable
from qwenport.metering.amounts import AmountInvalid
from qwenport.metering.movements import MovementRefused
from qwenport.metering.queries import ReportInvalid
from qwenport.metering.upstream_export import ExportInvalid
from qwenport.server.json_reply import error_reply


class AdminRefused(ValueError):
    """The request cannot be understood or fulfilled; the words are for whoever asks."""


class Forbidden(Exception):
    """It is theirs, but their role does not allow this."""

    def __init__(self, permission: Permission, principal: Principal) -> None:
        where = f", bound to the workspace `{principal.workspace_id}`" if principal.workspace_id else ""
        super().__init__(
            f"this needs the permission `{permission}`, which a member with the role `{principal.role}`{where} does "
            "not have here; ask an owner of the account or the operator"
        )


class CallNotFound(NotFound):
    """The books do not know a call of this id."""

    kind, command = "call in the books", "calls"


class BodyNotKept(NotFound):
    """What a call said was not kept, or not any more."""

    kind, command = "kept body of a call", "calls"


class ModelUnknown(NotFound):
    """The catalog has no model of the name in the address."""

    kind, command = "model", "models"


class UpstreamUnknown(NotFound):
    """No upstream has the name in the address."""

    kind, command = "upstream", "upstreams"

    def __init__(self, missing: str) -> None:
        """Say so; upstreams have names, not ids."""
        super().__init__(missing)
        self.args = (f"no upstream has the name `{printable(missing[:100])}`; see `qwenport upstreams list`",)


class ConfigurationRefused(Exception):
    """The configuration was read again and cannot be used; everything stays as it was."""


_ANSWERS: Mapping[type[Exception], tuple[int, str]] = {
    NotFound: (404, "not_found"),
    Forbidden: (403, "forbidden"),
    ChangeDenied: (403, "forbidden"),
    Conflict: (409, "conflict"),
    ConfigurationRefused: (409, "configuration_invalid"),
    SettingInvalid: (400, "invalid"),
    AdminRefused: (400, "invalid"),
    AmountInvalid: (400, "invalid"),
    MovementRefused: (400, "invalid"),
    ReportInvalid: (400, "invalid"),
    ExportInvalid: (400, "invalid"),
    ModelNotFound: (400, "model_not_found"),
    BodyTooSlow: (408, "body_too_slow"),
    BodyTooLarge: (413, "body_too_large"),
    LimitUnknown: (500, "limit_unknown"),
    StorageUnavailable: (503, "storage_unavailable"),
}
"""Status and code of each error; the first that fits, from the most exact class upwards."""

REFUSED = tuple(_ANSWERS)
"""All that becomes an answer; anything else is a defect of the server."""


def refusal(error: Exception) -> Response:
    """Return the answer that says an error."""
    status, code = next(_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)
    return error_reply(status, code, _words(error), _headers(error, status))


def _headers(error: Exception, status: int) -> Mapping[str, str] | None:
    if isinstance(error, StorageUnavailable):
        return {"retry-after": str(error.retry_after_s or 1)}
    # What is left of the body will not be read, so the connection cannot serve another request.
    return {"connection": "close"} if status in {408, 413} else None


def _words(error: Exception) -> str:
    if isinstance(error, ModelNotFound):
        return f"there is no model `{printable(error.model[:100])}`; see `qwenport models list`"
    return str(error)
