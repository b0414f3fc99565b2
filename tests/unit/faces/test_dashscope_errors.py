from __future__ import annotations

from collections.abc import Iterator

import pytest

from qwenport.core import errors
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.dashscope.errors import encode_error
from qwenport.faces.face import Reply

ID = RequestId("r-1")
JSON = (b"content-type", b"application/json")
INVALID = "InvalidParameter"
BAD_BODY = "Required body invalid, please check the request body format."
LATER = "please try again later."

TABLE: dict[QwenportError, tuple[int, str, str]] = {
    QwenportError("broken"): (500, "InternalError", "broken"),
    errors.Refused("no"): (400, INVALID, "no"),
    errors.KeyMissing(): (401, "InvalidApiKey", "No API-key provided."),
    errors.KeyInvalid(): (401, "InvalidApiKey", "Invalid API-key provided."),
    errors.WorkspaceDenied(): (403, "Workspace.AccessDenied", "Workspace access denied."),
    errors.PathNotFound(): (404, "NotFound", "Not found!"),
    errors.MethodNotAllowed("GET", ("POST",)): (405, INVALID, "Request method 'GET' is not supported."),
    errors.BodyNotJson(): (400, INVALID, BAD_BODY),
    errors.BodyNotForm("cut"): (400, INVALID, f"{BAD_BODY} (cut)"),
    errors.BodyTooLarge(10): (
        400,
        "BadRequest.TooLarge",
        "Payload Too Large. The request body may hold at most 10 bytes.",
    ),
    errors.BodyTooSlow(2.5): (
        408,
        "RequestTimeOut",
        f"Request timed out, {LATER} (the request body did not arrive within 2.5 seconds)",
    ),
    errors.ModelMissing(): (400, "BadRequest.EmptyModel", r"Required parameter \"model\" missing from request."),
    errors.InputMissing(): (400, "BadRequest.EmptyInput", "Required input parameter missing from request."),
    errors.ParameterInvalid("n", parameter="n"): (400, INVALID, "n"),
    errors.InputTooLong(8192): (400, INVALID, "Range of input length should be [1, 8192]"),
    errors.FileNotFound(): (400, INVALID, "File not found."),
    errors.ResponseNotFound("r-9"): (404, "NotFound", "Response with id 'r-9' not found."),
    errors.AsynchronousRefused(): (403, "AccessDenied", "current user api does not support asynchronous calls."),
    errors.TaskNotCancellable(): (
        400,
        "UnsupportedOperation",
        "Only a task in the state PENDING can be canceled.",
    ),
    errors.ModelNotFound("qwen-9"): (404, "ModelNotFound", "Model can not be found."),
    errors.ModelNotServedHere("qwen-9"): (400, INVALID, "url error, please check url！"),  # noqa: RUF001 - the service's own full-width mark
    errors.AccessDenied(): (403, "AccessDenied", "Access denied."),
    errors.ModelDenied(): (403, "Model.AccessDenied", "Model access denied."),
    errors.ModelUnpurchased(): (
        403,
        "AccessDenied.Unpurchased",
        "Access to model denied. Please make sure you are eligible for using the model.",
    ),
    errors.AccountInArrears(): (
        400,
        "Arrearage",
        "Access denied, please make sure your account is in good standing.",
    ),
    errors.FreeTierExhausted(): (
        403,
        "AllocationQuota.FreeTierOnly",
        (
            "The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, "
            r"please disable the \"use free tier only\" mode in the management console."
        ),
    ),
    errors.ContentBlocked(): (400, "DataInspectionFailed", "Input data may contain inappropriate content."),
    errors.RequestInProgress(): (
        409,
        "RequestInProgress",
        "A request with the same Idempotency-Key is still being answered, please try again later.",
    ),
    errors.Throttled(): (429, "Throttling", "Requests throttling triggered."),
    errors.UpstreamThrottled(): (429, "Throttling", "Requests throttling triggered."),
    errors.UpstreamKeyRefused("no key"): (503, "ModelUnavailable", f"Model is unavailable, {LATER} (no key)"),
    errors.UpstreamExhausted("arrears"): (503, "ModelUnavailable", f"Model is unavailable, {LATER} (arrears)"),
    errors.RateExceeded(): (429, "Throttling.RateQuota", f"Requests rate limit exceeded, {LATER}"),
    errors.BurstExceeded(): (
        429,
        "Throttling.BurstRate",
        (
            "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale "
            "requests more smoothly over time."
        ),
    ),
    errors.QuotaExceeded(): (
        429,
        "Throttling.AllocationQuota",
        "Allocated quota exceeded, please increase your quota limit.",
    ),
    errors.FreeQuotaExceeded(): (429, "Throttling.AllocationQuota", "Free allocated quota exceeded."),
    errors.ConcurrencyExceeded(): (429, "Throttling", "Too many requests in route. Try again later."),
    errors.BillUnpaid(errors.Bill.PREPAID_OVERDUE): (429, "PrepaidBillOverdue", "The prepaid bill is overdue."),
    errors.Failed("broken"): (500, "InternalError", "broken"),
    errors.EngineFailed("broke off"): (500, "InternalError", "broke off"),
    errors.UpstreamTurnedAway("a wall"): (500, "InternalError", "a wall"),
    errors.EngineTimedOut(): (500, "RequestTimeOut", f"Request timed out, {LATER}"),
    errors.ModelUnavailable("loading"): (503, "ModelUnavailable", f"Model is unavailable, {LATER} (loading)"),
    errors.Overloaded(): (
        503,
        "ModelServingError",
        f"Too many requests. Your requests are being throttled due to system capacity limits, {LATER}",
    ),
    errors.StorageUnavailable("disk full"): (
        503,
        "ModelUnavailable",
        f"The service cannot record calls now, {LATER} (disk full)",
    ),
    errors.Draining(): (503, "ModelUnavailable", f"The server is shutting down, {LATER}"),
    errors.UnderMaintenance(): (503, "ModelUnavailable", f"The service is under maintenance, {LATER}"),
    errors.Internal(): (
        500,
        "InternalError",
        "An internal error has occured, please try again later or contact service support.",
    ),
}
"""One error of each class of the tree: its status, its code, and its words as they stand in JSON."""

OF_THEIR_OWN: dict[QwenportError, tuple[int, str, str]] = {
    errors.ParameterInvalid("The model qwen-max does not support enable_thinking.", parameter="enable_thinking"): (
        400,
        "InvalidParameter.NotSupportEnableThinking",
        "The model qwen-max does not support enable_thinking.",
    ),
    errors.ParameterInvalid(
        "parameter.enable_thinking must be set to false for non-streaming calls", parameter="enable_thinking"
    ): (400, INVALID, "parameter.enable_thinking must be set to false for non-streaming calls"),
    errors.ParameterInvalid("The input parameter requires json format.", parameter="input"): (
        400,
        "BadRequest.IllegalInput",
        "The input parameter requires json format.",
    ),
    errors.ParameterInvalid("batch size is invalid", parameter="input"): (400, INVALID, "batch size is invalid"),
    errors.BillUnpaid(errors.Bill.NOT_PURCHASED): (429, "CommodityNotPurchased", "Commodity has not purchased yet."),
    errors.BillUnpaid(errors.Bill.POSTPAID_OVERDUE): (429, "PostpaidBillOverdue", "The postpaid bill is overdue."),
    errors.ContentBlocked("Output"): (400, "DataInspectionFailed", "Output data may contain inappropriate content."),
    errors.FileNotFound("file-fe-1"): (400, INVALID, "File not found."),
}
"""Errors whose code or words go by more than their class."""


class Later(errors.Throttled):
    """A kind of throttling that the table does not name."""


def every_class(root: type[QwenportError] = QwenportError) -> Iterator[type[QwenportError]]:
    yield root
    for below in root.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from every_class(below)


def test_the_table_holds_the_whole_tree() -> None:
    assert {type(error) for error in TABLE} == set(every_class())


@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        pytest.param(error, *row, id=f"{type(error).__name__}-{number}")
        for number, (error, row) in enumerate((TABLE | OF_THEIR_OWN).items())
    ],
)
def test_each_error_has_its_status_and_words(error: QwenportError, status: int, code: str, words: str) -> None:
    reply = encode_error(error, ID)

    assert (reply.status, reply.body.decode()) == (
        status,
        f'{{"code":"{code}","message":"{words}","request_id":"r-1"}}',
    )


def test_a_kind_that_nobody_foresaw_takes_the_words_of_its_nearest() -> None:
    assert encode_error(Later("slow down"), ID) == encode_error(errors.Throttled("slow down"), ID)


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.ParameterInvalid("no"), ()),
        (errors.ModelUnavailable("loading"), ((b"retry-after", b"5"),)),
        (errors.Overloaded(), ((b"retry-after", b"1"),)),
        (errors.RateExceeded(retry_after_s=7), ((b"retry-after", b"7"),)),
        (errors.MethodNotAllowed("GET", ("POST", "PUT")), ((b"allow", b"POST, PUT"),)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_headers_say_what_may_help(error: QwenportError, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    reply = encode_error(error, ID)

    assert reply == Reply(status=reply.status, headers=(JSON, *headers), body=reply.body)
