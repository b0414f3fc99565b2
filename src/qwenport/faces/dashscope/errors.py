"""The native face's words for everything that can go wrong.

Statuses, codes and words as on the error page
(https://www.alibabacloud.com/help/en/model-studio/error-code).
"""

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
    errors.WorkspaceDenied: Words(status=403, code="Workspace.AccessDenied"),
    errors.PathNotFound: Words(status=404, code="NotFound"),
    errors.MethodNotAllowed: Words(status=405, code="InvalidParameter"),
    errors.BodyTooLarge: Words(status=400, code="BadRequest.TooLarge"),
    errors.BodyTooSlow: Words(status=408, code="RequestTimeOut"),
    errors.ModelMissing: Words(status=400, code="BadRequest.EmptyModel"),
    errors.InputMissing: Words(status=400, code="BadRequest.EmptyInput"),
    errors.FileNotFound: Words(status=400, code="InvalidParameter", message="File not found."),
    errors.ResponseNotFound: Words(status=404, code="NotFound"),
    errors.AsynchronousRefused: Words(status=403, code="AccessDenied"),
    errors.TaskNotCancellable: Words(status=400, code="UnsupportedOperation"),
    errors.ModelNotFound: Words(status=404, code="ModelNotFound", message="Model can not be found."),
    errors.AccessDenied: Words(status=403, code="AccessDenied"),
    errors.ModelDenied: Words(status=403, code="Model.AccessDenied"),
    errors.ModelUnpurchased: Words(status=403, code="AccessDenied.Unpurchased"),
    errors.AccountInArrears: Words(status=400, code="Arrearage"),
    errors.FreeTierExhausted: Words(status=403, code="AllocationQuota.FreeTierOnly"),
    errors.ContentBlocked: Words(status=400, code="DataInspectionFailed"),
    errors.RequestInProgress: Words(status=409, code="RequestInProgress"),
    errors.Throttled: Words(status=429, code="Throttling"),
    errors.RateExceeded: Words(status=429, code="Throttling.RateQuota"),
    errors.BurstExceeded: Words(status=429, code="Throttling.BurstRate"),
    errors.QuotaExceeded: Words(status=429, code="Throttling.AllocationQuota"),
    errors.FreeQuotaExceeded: Words(status=429, code="Throttling.AllocationQuota"),
    errors.Failed: Words(status=500, code="InternalError"),
    errors.EngineTimedOut: Words(status=500, code="RequestTimeOut"),
    errors.ModelUnavailable: Words(status=503, code="ModelUnavailable"),
    errors.Overloaded: Words(status=503, code="ModelServingError"),
    errors.StorageUnavailable: Words(status=503, code="ModelUnavailable"),
    errors.Draining: Words(status=503, code="ModelUnavailable"),
    errors.UnderMaintenance: Words(status=503, code="ModelUnavailable"),
}
"""What is not here has the words of its nearest kind."""

_CODES_OF_FAULTS = {
    ("enable_thinking", "does not support enable_thinking"): "InvalidParameter.NotSupportEnableThinking",
    ("input", "requires json format"): "BadRequest.IllegalInput",
}
"""Faults that have a code of their own: the parameter and the words by which the error page tells them apart."""


class _Body(Struct, frozen=True, kw_only=True):
    code: str
    message: str
    request_id: RequestId


ERROR_SHAPES: tuple[type, ...] = (_Body,)
"""Types of the bodies below."""


def encode_error(error: QwenportError, request_id: RequestId) -> Reply:
    """Return the error as an answer of its own; inside a stream its body is the same."""
    # The root of the tree is in the table, so there is always one.
    words = next(_WORDS[kind] for kind in type(error).__mro__ if kind in _WORDS)
    body = _Body(code=_code(error) or words.code, message=words.message or error.message, request_id=request_id)
    return Reply(status=words.status, headers=error_headers(error, words.status), body=_ENCODE(body))


def _code(error: QwenportError) -> str | None:
    """Return the code that goes by more than the error's class."""
    match error:
        case errors.BillUnpaid():
            return error.bill.value
        case errors.ParameterInvalid():
            faults = _CODES_OF_FAULTS.items()
            return next(
                (code for (name, stem), code in faults if name == error.parameter and stem in error.message), None
            )
        case _:
            return None
