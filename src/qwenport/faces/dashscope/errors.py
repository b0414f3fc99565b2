"""The native face's words for everything that can go wrong."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core import errors
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.error_headers import error_headers
from qwenport.faces.face import Reply

_ENCODE = Encoder().encode


class Words(Struct, frozen=True, kw_only=True):
    """How one error looks on the wire."""

    status: int
    code: str
    message: str | None = None
    """Words in place of the error's own; None where those will do."""


_WORDS: dict[type[QwenportError], Words] = {
    QwenportError: Words(status=500, code="InternalError"),
    errors.Refused: Words(status=400, code="InvalidParameter"),
    errors.KeyMissing: Words(status=401, code="InvalidApiKey"),
    errors.KeyInvalid: Words(status=401, code="InvalidApiKey"),
    errors.PathNotFound: Words(status=404, code="NotFound"),
    errors.MethodNotAllowed: Words(status=405, code="InvalidParameter"),
    errors.BodyNotJson: Words(status=400, code="InvalidParameter"),
    errors.BodyTooLarge: Words(status=400, code="BadRequest.TooLarge"),
    errors.BodyTooSlow: Words(status=408, code="RequestTimeOut"),
    errors.ModelMissing: Words(status=400, code="BadRequest.EmptyModel"),
    errors.InputMissing: Words(status=400, code="BadRequest.EmptyInput"),
    errors.ParameterInvalid: Words(status=400, code="InvalidParameter"),
    errors.AsynchronousRefused: Words(status=403, code="AccessDenied"),
    errors.ModelNotFound: Words(status=404, code="ModelNotFound", message="Model can not be found."),
    errors.ModelDenied: Words(status=403, code="Model.AccessDenied"),
    errors.Throttled: Words(status=429, code="Throttling"),
    errors.Failed: Words(status=500, code="InternalError"),
    errors.EngineTimedOut: Words(status=500, code="RequestTimeOut"),
    errors.ModelUnavailable: Words(status=503, code="ModelUnavailable"),
    errors.Overloaded: Words(status=503, code="ModelServingError"),
    errors.StorageUnavailable: Words(status=503, code="ModelUnavailable"),
    errors.Draining: Words(status=503, code="ModelUnavailable"),
}

_PARAMETER_CODES = {
    "enable_thinking": "InvalidParameter.NotSupportEnableThinking",
    "input": "BadRequest.IllegalInput",
}
"""Parameters whose faults have a code of their own."""


class _Body(Struct, frozen=True, kw_only=True):
    code: str
    message: str
    request_id: RequestId


def encode_error(error: QwenportError, request_id: RequestId) -> Reply:
    """Return the error as an answer of its own; inside a stream its body is the same."""
    # The root of the tree is in the table, so there is always one.
    words = next(_WORDS[kind] for kind in type(error).__mro__ if kind in _WORDS)
    body = _Body(code=_code(error, words), message=words.message or error.message, request_id=request_id)
    return Reply(status=words.status, headers=error_headers(error, words.status), body=_ENCODE(body))


def _code(error: QwenportError, words: Words) -> str:
    if isinstance(error, errors.ParameterInvalid) and error.parameter in _PARAMETER_CODES:
        return _PARAMETER_CODES[error.parameter]
    return words.code
