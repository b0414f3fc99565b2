"""The Anthropic face's words for everything that can go wrong.

The types are those of https://docs.anthropic.com/en/api/errors; the statuses are Model Studio's.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core import errors
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.error_headers import error_headers
from qwenport.faces.face import Headers, Reply

_ENCODE = Encoder().encode

_WORDS: dict[type[QwenportError], tuple[int, str]] = {
    QwenportError: (500, "api_error"),
    errors.Refused: (400, "invalid_request_error"),
    errors.KeyMissing: (401, "authentication_error"),
    errors.KeyInvalid: (401, "authentication_error"),
    errors.WorkspaceDenied: (403, "permission_error"),
    errors.PathNotFound: (404, "not_found_error"),
    errors.MethodNotAllowed: (405, "invalid_request_error"),
    errors.BodyTooLarge: (400, "request_too_large"),
    errors.BodyTooSlow: (408, "timeout_error"),
    errors.ResponseNotFound: (404, "not_found_error"),
    errors.AsynchronousRefused: (403, "permission_error"),
    errors.ModelNotFound: (404, "not_found_error"),
    errors.AccessDenied: (403, "permission_error"),
    errors.ModelDenied: (403, "permission_error"),
    errors.ModelUnpurchased: (403, "permission_error"),
    errors.AccountInArrears: (400, "billing_error"),
    errors.FreeTierExhausted: (403, "permission_error"),
    errors.RequestInProgress: (409, "invalid_request_error"),
    errors.Throttled: (429, "rate_limit_error"),
    errors.BillUnpaid: (429, "billing_error"),
    errors.EngineTimedOut: (500, "timeout_error"),
    errors.ModelUnavailable: (503, "overloaded_error"),
    errors.Overloaded: (503, "overloaded_error"),
    errors.StorageUnavailable: (503, "overloaded_error"),
    errors.Draining: (503, "overloaded_error"),
    errors.UnderMaintenance: (503, "overloaded_error"),
}
"""Status and type; a class that is not named has those of its nearest kind."""


class _Detail(Struct, frozen=True, kw_only=True):
    type: str
    message: str


class _Envelope(Struct, frozen=True, kw_only=True):
    type: str = "error"
    error: _Detail
    request_id: RequestId


ERROR_SHAPES: tuple[type, ...] = (_Envelope,)
"""Types of the bodies below."""


def encode_error(error: QwenportError, request_id: RequestId) -> Reply:
    """Return the error as an answer of its own."""
    status, _ = _find_words(error)
    headers = (*error_headers(error, status), *request_id_header(request_id))
    return Reply(status=status, headers=headers, body=error_envelope(error, request_id))


def error_envelope(error: QwenportError, request_id: RequestId) -> bytes:
    """Return the error object, which is the same in an answer of its own and inside a stream."""
    _, kind = _find_words(error)
    return _ENCODE(_Envelope(error=_Detail(type=kind, message=_message(error)), request_id=request_id))


def request_id_header(request_id: RequestId) -> Headers:
    """Return the request's id under the name by which the `anthropic` client looks for it."""
    return ((b"request-id", request_id.encode("latin-1")),)


def _find_words(error: QwenportError) -> tuple[int, str]:
    """Return the words of the nearest class in the table; the root is in it, so there is always one."""
    return next(_WORDS[kind] for kind in type(error).__mro__ if kind in _WORDS)


def _message(error: QwenportError) -> str:
    if isinstance(error, errors.ModelNotServedHere):
        return f"Unsupported model `{error.model}` for Anthropic compatibility mode."
    return error.message
