"""The OpenAI face's words for everything that can go wrong."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder
from msgspec.structs import replace

from qwenport.core import errors
from qwenport.core.call import GREATEST_SEED
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.error_headers import error_headers
from qwenport.faces.face import Reply

_ENCODE = Encoder().encode
_PARAMETER_ERROR = "invalid_parameter_error"
_REQUEST_ERROR = "invalid_request_error"


class Words(Struct, frozen=True, kw_only=True):
    """How one error looks on the wire."""

    status: int
    type: str
    code: str | None
    message: str | None = None
    """Words in place of the error's own; None where those will do."""
    flat_code: str | None = None
    """Code of the native shape, for errors that the service answers before it looks at the protocol."""
    names_completion: bool = False
    """Whether the completion's id is told, as it is once a model has looked at the request."""


def _alike(code: str, status: int = 403) -> Words:
    """Return the words of an error whose type is its code."""
    return Words(status=status, type=code, code=code)


_UNREADABLE = Words(status=400, type=_REQUEST_ERROR, code=None)
_INVALID = Words(status=400, type=_REQUEST_ERROR, code=_PARAMETER_ERROR)
_UNAVAILABLE = Words(status=503, type="ModelUnavailable", code="ModelUnavailable")
_BROKEN = Words(status=500, type="internal_error", code="internal_error")
_THROTTLED = _alike("Throttling", 429)

_WORDS: dict[type[QwenportError], Words] = {
    QwenportError: _BROKEN,
    errors.Refused: _INVALID,
    errors.KeyMissing: Words(status=401, type=_REQUEST_ERROR, code="invalid_api_key", flat_code="InvalidApiKey"),
    errors.KeyInvalid: Words(
        status=401, type=_REQUEST_ERROR, code="invalid_api_key", message="Incorrect API key provided. "
    ),
    errors.WorkspaceDenied: _alike("Workspace.AccessDenied"),
    errors.PathNotFound: Words(status=404, type=_REQUEST_ERROR, code="not_found", flat_code="NotFound"),
    errors.MethodNotAllowed: Words(status=405, type=_REQUEST_ERROR, code=_PARAMETER_ERROR),
    errors.BodyNotJson: _UNREADABLE,
    errors.BodyNotForm: _UNREADABLE,
    errors.BodyTooLarge: _INVALID,
    errors.BodyTooSlow: _alike("request_timeout", 408),
    errors.ModelMissing: Words(
        status=400, type=_REQUEST_ERROR, code=None, message="you must provide a model parameter."
    ),
    errors.InputMissing: _INVALID,
    errors.ParameterInvalid: Words(status=400, type=_REQUEST_ERROR, code=_PARAMETER_ERROR, names_completion=True),
    errors.InputTooLong: Words(status=400, type=_REQUEST_ERROR, code=_PARAMETER_ERROR, names_completion=True),
    errors.FileNotFound: _INVALID,
    errors.ResponseNotFound: Words(status=404, type=_REQUEST_ERROR, code=None),
    errors.AsynchronousRefused: _alike("access_denied"),
    errors.TaskNotCancellable: Words(status=400, type=_REQUEST_ERROR, code="UnsupportedOperation"),
    errors.ModelNotFound: Words(status=404, type=_REQUEST_ERROR, code="model_not_found"),
    errors.ModelNotServedHere: Words(status=404, type=_REQUEST_ERROR, code="model_not_supported"),
    errors.AccessDenied: _alike("access_denied"),
    errors.ModelDenied: _alike("Model.AccessDenied"),
    errors.ModelUnpurchased: _alike("AccessDenied.Unpurchased"),
    # Production answers 400 here, so openai raises BadRequestError.
    errors.AccountInArrears: _alike("Arrearage", 400),
    errors.FreeTierExhausted: _alike("AllocationQuota.FreeTierOnly"),
    errors.ContentBlocked: Words(
        status=400, type="data_inspection_failed", code="data_inspection_failed", names_completion=True
    ),
    errors.RequestInProgress: Words(status=409, type=_REQUEST_ERROR, code="request_in_progress"),
    errors.Throttled: _THROTTLED,
    errors.RateExceeded: Words(
        status=429, type="limit_requests", code="limit_requests", message="You exceeded your current requests list."
    ),
    errors.BurstExceeded: _alike("limit_burst_rate", 429),
    errors.QuotaExceeded: Words(
        status=429,
        type="insufficient_quota",
        code="insufficient_quota",
        message="You exceeded your current quota, please check your plan and billing details.",
    ),
    errors.FreeQuotaExceeded: _alike("insufficient_quota", 429),
    errors.ConcurrencyExceeded: _THROTTLED,
    errors.BillUnpaid: _THROTTLED,
    errors.Failed: _BROKEN,
    errors.EngineFailed: _BROKEN,
    errors.EngineTimedOut: _alike("request_timeout", 500),
    errors.ModelUnavailable: _UNAVAILABLE,
    errors.Overloaded: _alike("ModelServingError", 503),
    errors.StorageUnavailable: _UNAVAILABLE,
    errors.Draining: _UNAVAILABLE,
    errors.UnderMaintenance: _UNAVAILABLE,
    errors.Internal: _BROKEN,
}
"""How each error looks; the type repeats the code where the error page of Model Studio names the code alone."""


class _Detail(Struct, frozen=True, kw_only=True):
    message: str
    type: str
    param: str | None = None
    code: str | None


class _Envelope(Struct, frozen=True, kw_only=True):
    error: _Detail
    request_id: RequestId


class _CompletionEnvelope(Struct, frozen=True, kw_only=True):
    error: _Detail
    id: str
    request_id: RequestId


class _Flat(Struct, frozen=True, kw_only=True):
    code: str
    message: str
    request_id: RequestId


ERROR_SHAPES: tuple[type, ...] = (_Envelope, _CompletionEnvelope, _Flat)
"""Types of the bodies below."""


def encode_error(error: QwenportError, request_id: RequestId) -> Reply:
    """Return the error as an answer of its own."""
    words = _find_words(error)
    if words.flat_code is None:
        body = error_envelope(error, request_id)
    else:
        body = _ENCODE(_Flat(code=words.flat_code, message=error.message, request_id=request_id))
    return Reply(status=words.status, headers=error_headers(error, words.status), body=body)


def error_envelope(error: QwenportError, request_id: RequestId) -> bytes:
    """Return the wrapped shape, which is the only one that openai sees inside a stream."""
    words = _find_words(error)
    detail = _Detail(message=words.message or error.message, type=words.type, code=words.code)
    if not words.names_completion:
        return _ENCODE(_Envelope(error=detail, request_id=request_id))
    return _ENCODE(_CompletionEnvelope(error=detail, id=f"chatcmpl-{request_id}", request_id=request_id))


def _find_words(error: QwenportError) -> Words:
    """Return the words of the nearest class in the table; the root is in it, so there is always one."""
    words = next(_WORDS[kind] for kind in type(error).__mro__ if kind in _WORDS)
    match error:
        case errors.ParameterInvalid(parameter="seed"):
            return _seed_words(words, error)
        case errors.ModelNotServedHere():
            return replace(words, message=f"Unsupported model `{error.model}` for OpenAI compatibility mode.")
        case errors.BillUnpaid():
            return replace(words, type=error.bill.value, code=error.bill.value)
        case _:
            return words


def _seed_words(words: Words, error: errors.ParameterInvalid) -> Words:
    """Seeds have a code of their own here, and the range in another form than on the native face."""
    message = None if error.value is None else _seed_range(error.value)
    return replace(words, code="invalid_value", message=message)


def _seed_range(value: float) -> str:
    if value < 0:
        return f"{value} is lesser than the minimum of 0 - 'seed'"
    return f"{value} is greater than the maximum of {GREATEST_SEED} - 'seed'"
