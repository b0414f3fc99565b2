from __future__ import annotations

from collections.abc import Iterator

import pytest

from qwenport.core import errors
from qwenport.core.errors import Bill, QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.face import Reply
from qwenport.faces.openai.errors import encode_error

ID = RequestId("r-1")
JSON = (b"content-type", b"application/json")
STOP = (b"x-should-retry", b"false")
REQUEST = "invalid_request_error"
PARAMETER = "invalid_parameter_error"
UNAVAILABLE = "ModelUnavailable"
UNREADABLE = "Required body invalid, please check the request body format."
FREE_TIER = (
    "The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please "
    'disable the \\"use free tier only\\" mode in the management console.'
)
IN_PROGRESS = "A request with the same Idempotency-Key is still being answered, please try again later."
BURST = (
    "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests "
    "more smoothly over time."
)
OVERLOADED = (
    "Too many requests. Your requests are being throttled due to system capacity limits, please try again later."
)


class NewKindOfThrottling(errors.Throttled):
    """A kind of throttling that the table does not name."""


def wrapped(message: str, kind: str, code: str | None, *, completion: bool = False) -> str:
    shown = "null" if code is None else f'"{code}"'
    identity = '"id":"chatcmpl-r-1",' if completion else ""
    detail = f'{{"message":"{message}","type":"{kind}","param":null,"code":{shown}}}'
    return f'{{"error":{detail},{identity}"request_id":"r-1"}}'


def alike(message: str, code: str) -> str:
    return wrapped(message, code, code)


def flat(code: str, message: str) -> str:
    return f'{{"code":"{code}","message":"{message}","request_id":"r-1"}}'


TABLE: list[tuple[QwenportError, int, str]] = [
    (QwenportError("broken"), 500, alike("broken", "internal_error")),
    (errors.Refused("no"), 400, wrapped("no", REQUEST, PARAMETER)),
    (errors.KeyMissing(), 401, flat("InvalidApiKey", "No API-key provided.")),
    (errors.KeyInvalid(), 401, wrapped("Incorrect API key provided. ", REQUEST, "invalid_api_key")),
    (errors.WorkspaceDenied(), 403, alike("Workspace access denied.", "Workspace.AccessDenied")),
    (errors.PathNotFound(), 404, flat("NotFound", "Not found!")),
    (
        errors.MethodNotAllowed("GET", ("POST",)),
        405,
        wrapped("Request method 'GET' is not supported.", REQUEST, PARAMETER),
    ),
    (errors.BodyNotJson(), 400, wrapped(UNREADABLE, REQUEST, None)),
    (errors.BodyNotForm("no boundary"), 400, wrapped(f"{UNREADABLE} (no boundary)", REQUEST, None)),
    (
        errors.BodyTooLarge(10),
        400,
        wrapped("Payload Too Large. The request body may hold at most 10 bytes.", REQUEST, PARAMETER),
    ),
    (
        errors.BodyTooSlow(2.5),
        408,
        alike(
            "Request timed out, please try again later. (the request body did not arrive within 2.5 seconds)",
            "request_timeout",
        ),
    ),
    (errors.ModelMissing(), 400, wrapped("you must provide a model parameter.", REQUEST, None)),
    (errors.InputMissing(), 400, wrapped("Required input parameter missing from request.", REQUEST, PARAMETER)),
    (
        errors.ParameterInvalid("Range of n should be [1, 4]", parameter="n"),
        400,
        wrapped("Range of n should be [1, 4]", REQUEST, PARAMETER, completion=True),
    ),
    (
        errors.InputTooLong(8192),
        400,
        wrapped("Range of input length should be [1, 8192]", REQUEST, PARAMETER, completion=True),
    ),
    (errors.FileNotFound("file-fe-1"), 400, wrapped("File not found: file-fe-1", REQUEST, PARAMETER)),
    (errors.ResponseNotFound("resp_1"), 404, wrapped("Response with id 'resp_1' not found.", REQUEST, None)),
    (
        errors.AsynchronousRefused(),
        403,
        alike("current user api does not support asynchronous calls.", "access_denied"),
    ),
    (
        errors.TaskNotCancellable(),
        400,
        wrapped("Only a task in the state PENDING can be canceled.", REQUEST, "UnsupportedOperation"),
    ),
    (
        errors.ModelNotFound("qwen-9"),
        404,
        wrapped("The model `qwen-9` does not exist or you do not have access to it.", REQUEST, "model_not_found"),
    ),
    (
        errors.ModelNotServedHere("text-embedding-v4"),
        404,
        wrapped("Unsupported model `text-embedding-v4` for OpenAI compatibility mode.", REQUEST, "model_not_supported"),
    ),
    (errors.AccessDenied(), 403, alike("Access denied.", "access_denied")),
    (errors.ModelDenied(), 403, alike("Model access denied.", "Model.AccessDenied")),
    (
        errors.ModelUnpurchased(),
        403,
        alike(
            "Access to model denied. Please make sure you are eligible for using the model.", "AccessDenied.Unpurchased"
        ),
    ),
    (
        errors.AccountInArrears(),
        400,
        alike("Access denied, please make sure your account is in good standing.", "Arrearage"),
    ),
    (errors.FreeTierExhausted(), 403, alike(FREE_TIER, "AllocationQuota.FreeTierOnly")),
    (
        errors.ContentBlocked(),
        400,
        wrapped(
            "Input data may contain inappropriate content.",
            "data_inspection_failed",
            "data_inspection_failed",
            completion=True,
        ),
    ),
    (errors.RequestInProgress(), 409, wrapped(IN_PROGRESS, REQUEST, "request_in_progress")),
    (errors.Throttled(), 429, alike("Requests throttling triggered.", "Throttling")),
    (errors.UpstreamThrottled(), 429, alike("Requests throttling triggered.", "Throttling")),
    (
        errors.UpstreamKeyRefused("no key"),
        503,
        alike("Model is unavailable, please try again later. (no key)", UNAVAILABLE),
    ),
    (
        errors.UpstreamExhausted("arrears"),
        503,
        alike("Model is unavailable, please try again later. (arrears)", UNAVAILABLE),
    ),
    (errors.RateExceeded(), 429, alike("You exceeded your current requests list.", "limit_requests")),
    (errors.BurstExceeded(), 429, alike(BURST, "limit_burst_rate")),
    (
        errors.QuotaExceeded(),
        429,
        alike("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"),
    ),
    (errors.FreeQuotaExceeded(), 429, alike("Free allocated quota exceeded.", "insufficient_quota")),
    (errors.ConcurrencyExceeded(), 429, alike("Too many requests in route. Try again later.", "Throttling")),
    (
        errors.BillUnpaid(Bill.NOT_PURCHASED),
        429,
        alike("Commodity has not purchased yet.", "CommodityNotPurchased"),
    ),
    (errors.BillUnpaid(Bill.PREPAID_OVERDUE), 429, alike("The prepaid bill is overdue.", "PrepaidBillOverdue")),
    (errors.BillUnpaid(Bill.POSTPAID_OVERDUE), 429, alike("The postpaid bill is overdue.", "PostpaidBillOverdue")),
    (errors.Failed("broken"), 500, alike("broken", "internal_error")),
    (errors.EngineFailed("broke off"), 500, alike("broke off", "internal_error")),
    (errors.UpstreamTurnedAway("a wall"), 500, alike("a wall", "internal_error")),
    (errors.EngineTimedOut(), 500, alike("Request timed out, please try again later.", "request_timeout")),
    (
        errors.ModelUnavailable("loading"),
        503,
        alike("Model is unavailable, please try again later. (loading)", UNAVAILABLE),
    ),
    (errors.Overloaded(), 503, alike(OVERLOADED, "ModelServingError")),
    (
        errors.StorageUnavailable("disk full"),
        503,
        alike("The service cannot record calls now, please try again later. (disk full)", UNAVAILABLE),
    ),
    (errors.Draining(), 503, alike("The server is shutting down, please try again later.", UNAVAILABLE)),
    (
        errors.UnderMaintenance("back at noon"),
        503,
        alike("The service is under maintenance, please try again later. (back at noon)", UNAVAILABLE),
    ),
    (
        errors.Internal(),
        500,
        alike("An internal error has occured, please try again later or contact service support.", "internal_error"),
    ),
]


def kinds_of(kind: type[QwenportError]) -> Iterator[type[QwenportError]]:
    """Yield a class of the tree and every class below it that the tree itself defines."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from kinds_of(below)


def test_the_table_knows_every_error_of_the_tree() -> None:
    assert set(kinds_of(QwenportError)) == {type(error) for error, _, _ in TABLE}


@pytest.mark.parametrize(("error", "status", "body"), TABLE, ids=lambda value: type(value).__name__)
def test_each_error_has_its_status_and_words(error: QwenportError, status: int, body: str) -> None:
    reply = encode_error(error, ID)

    assert (reply.status, reply.headers[0], reply.body.decode()) == (status, JSON, body)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            errors.ParameterInvalid("Range of seed should be [0, 9]", parameter="seed", value=-1),
            "-1 is lesser than the minimum of 0 - 'seed'",
        ),
        (
            errors.ParameterInvalid("Range of seed should be [0, 9]", parameter="seed", value=2**63),
            "9223372036854775808 is greater than the maximum of 9223372036854775807 - 'seed'",
        ),
        (errors.ParameterInvalid("'seed' must be Integer", parameter="seed"), "'seed' must be Integer"),
    ],
)
def test_seeds_have_a_code_of_their_own(error: QwenportError, message: str) -> None:
    assert encode_error(error, ID).body.decode() == wrapped(message, REQUEST, "invalid_value", completion=True)


def test_an_error_that_the_table_does_not_name_has_the_words_of_its_kind() -> None:
    assert encode_error(NewKindOfThrottling("too fast"), ID) == Reply(
        status=429, headers=(JSON,), body=alike("too fast", "Throttling").encode()
    )


def test_content_of_the_answer_may_be_blocked_too() -> None:
    assert (
        "Output data may contain inappropriate content."
        in encode_error(errors.ContentBlocked("Output"), ID).body.decode()
    )


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.Throttled(retry_after_s=0), (JSON, (b"retry-after", b"0"))),
        (errors.RateExceeded(retry_after_s=7), (JSON, (b"retry-after", b"7"))),
        (errors.RateExceeded(retry_after_s=60), (JSON, (b"retry-after", b"60"))),
        (errors.RateExceeded(retry_after_s=61), (JSON, (b"retry-after", b"61"), STOP)),
        (errors.QuotaExceeded(retry_after_s=86_400), (JSON, (b"retry-after", b"86400"), STOP)),
        (errors.FreeQuotaExceeded(), (JSON, STOP)),
        (errors.BillUnpaid(errors.Bill.PREPAID_OVERDUE), (JSON, STOP)),
        (errors.UpstreamThrottled(retry_after_s=3), (JSON, (b"retry-after", b"3"))),
        (errors.Overloaded(), (JSON, (b"retry-after", b"1"))),
        (errors.StorageUnavailable("disk full"), (JSON, (b"retry-after", b"5"))),
        (errors.Draining(), (JSON, (b"retry-after", b"5"))),
        (
            errors.ModelUnavailable("no weights", passes=False),
            (JSON, (b"retry-after", b"5"), STOP),
        ),
        (errors.EngineTimedOut("a dense page", passes=False), (JSON, STOP)),
        (errors.EngineTimedOut(), (JSON,)),
        (errors.EngineFailed("broke off", retry_after_s=9), (JSON,)),
        (errors.EngineFailed("ended on this page", passes=False), (JSON, STOP)),
        (errors.MethodNotAllowed("GET", ("POST", "OPTIONS")), (JSON, (b"allow", b"POST, OPTIONS"))),
    ],
)
def test_headers_say_how_long_to_wait_and_what_is_allowed(
    error: QwenportError, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    assert encode_error(error, ID).headers == headers
