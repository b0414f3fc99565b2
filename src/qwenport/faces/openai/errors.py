"""The OpenAI face's words for everything that can go wrong."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder

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


_WORDS: dict[type[QwenportError], Words] = {
    QwenportError: Words(status=500, type="internal_error", code="internal_error"),
    errors.Refused: Words(status=400, type=_REQUEST_ERROR, code=_PARAMETER_ERROR),
    errors.KeyMissing: Words(status=401, type=_REQUEST_ERROR, code="invalid_api_key", flat_code="InvalidApiKey"),
    errors.KeyInvalid: Words(
        status=401, type=_REQUEST_ERROR, code="invalid_api_key", message="Incorrect API key provided. "
    ),
    errors.PathNotFound: Words(status=404, type=_REQUEST_ERROR, code="not_found", flat_code="NotFound"),
    errors.MethodNotAllowed: Words(status=405, type=_REQUEST_ERROR, code=_PARAMETER_ERROR),
    errors.BodyNotJson: Words(status=400, type=_REQUEST_ERROR, code=None),
    errors.BodyTooLarge: Words(status=400, type=_REQUEST_ERROR, code=_PARAMETER_ERROR),
    errors.BodyTooSlow: Words(status=408, type="request_timeout", code="request_timeout"),
    errors.ModelMissing: Words(
        status=400, type=_REQUEST_ERROR, code=None, message="you must provide a model parameter."
    ),
    errors.InputMissing: Words(status=400, type=_REQUEST_ERROR, code=_PARAMETER_ERROR),
    errors.ParameterInvalid: Words(status=400, type=_REQUEST_ERROR, code=_PARAMETER_ERROR, names_completion=True),
    errors.AsynchronousRefused: Words(status=403, type="access_denied", code="access_denied"),
    errors.ModelNotFound: Words(status=404, type=_REQUEST_ERROR, code="model_not_found"),
    errors.ModelDenied: Words(status=403, type="Model.AccessDenied", code="Model.AccessDenied"),
    errors.Throttled: Words(status=429, type="Throttling", code="Throttling"),
    errors.Failed: Words(status=500, type="internal_error", code="internal_error"),
    errors.EngineTimedOut: Words(status=500, type="request_timeout", code="request_timeout"),
    errors.ModelUnavailable: Words(status=503, type="ModelUnavailable", code="ModelUnavailable"),
    errors.Overloaded: Words(status=503, type="ModelServingError", code="ModelServingError"),
    errors.StorageUnavailable: Words(status=503, type="ModelUnavailable", code="ModelUnavailable"),
    errors.Draining: Words(status=503, type="ModelUnavailable", code="ModelUnavailable"),
}


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
    if isinstance(error, errors.ParameterInvalid) and error.parameter == "seed":
        return _seed_words(words, error)
    return words


def _seed_words(words: Words, error: errors.ParameterInvalid) -> Words:
    """Seeds have a code of their own here, and the range in another form than on the native face."""
    return Words(
        status=words.status,
        type=words.type,
        code="invalid_value",
        message=None if error.value is None else _seed_range(error.value),
        names_completion=words.names_completion,
    )


def _seed_range(value: float) -> str:
    if value < 0:
        return f"{value} is lesser than the minimum of 0 - 'seed'"
    return f"{value} is greater than the maximum of {GREATEST_SEED} - 'seed'"
