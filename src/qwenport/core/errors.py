"""Everything that can go wrong with a call, as one tree.

QwenportError
├── Refused          the caller's doing; nothing ran, nothing is billed
│   ├── ParameterInvalid   the content of a request, and what it names
│   └── Throttled    a limit is used up for now
└── Failed           our doing or the engine's

Each class has a stable `code` for logs and metrics, and a message that is safe to show. How an error looks on the wire
(status, code, words) is each face's own table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class QwenportError(Exception):
    """Root of the tree; `str(error)` is safe to show to the caller."""

    code: ClassVar[str] = "error"
    words: ClassVar[str] = ""
    """What is said where the place that raises it says nothing of its own."""
    message: str

    def __init__(self, message: str | None = None, *, retry_after_s: int | None = None) -> None:
        """Keep the words for the caller and, where known, how long to wait."""
        self.message = self.words if message is None else message
        super().__init__(self.message)
        self.retry_after_s = retry_after_s


class Refused(QwenportError):
    """The caller asked for something that cannot be done; nothing ran."""

    code = "refused"


class KeyMissing(Refused):
    """The headers hold no API key."""

    code = "key_missing"
    words = "No API-key provided."


class KeyInvalid(Refused):
    """The API key is unknown, disabled, expired or deleted; the caller is not told which."""

    code = "key_invalid"
    words = "Invalid API-key provided."


class WorkspaceDenied(Refused):
    """The request names a workspace that the key does not belong to."""

    code = "workspace_denied"
    words = "Workspace access denied."


class PathNotFound(Refused):
    """No operation has this address."""

    code = "path_not_found"
    words = "Not found!"


class MethodNotAllowed(Refused):
    """The address has operations, but none by this method."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Request method '{method}' is not supported.")
        self.allowed = allowed


class BodyNotJson(Refused):
    """The body is not a JSON object in UTF-8."""

    code = "body_not_json"
    words = "Required body invalid, please check the request body format."


class BodyNotForm(Refused):
    """The body is not a whole `multipart/form-data` form."""

    code = "body_not_form"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Required body invalid, please check the request body format. ({reason})")


class BodyTooLarge(Refused):
    """The body is longer than the server reads."""

    code = "body_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"Payload Too Large. The request body may hold at most {limit_bytes} bytes.")


class BodyTooSlow(Refused):
    """The body did not arrive in the time that the server waits for it."""

    code = "body_too_slow"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Request timed out, please try again later. (the request body did not arrive within {seconds:g} seconds)"
        )


class ModelMissing(Refused):
    """The body names no model."""

    code = "model_missing"

    def __init__(self) -> None:
        super().__init__('Required parameter "model" missing from request.')


class InputMissing(Refused):
    """The body holds no input at all."""

    code = "input_missing"
    words = "Required input parameter missing from request."


class ParameterInvalid(Refused):
    """A field of the body has a wrong type or a value out of range."""

    code = "parameter_invalid"

    def __init__(self, message: str, *, parameter: str | None = None, value: float | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.value = value
        """The value that is out of range, where a face says it in its words."""


class InputTooLong(ParameterInvalid):
    """The prompt does not fit the smaller of the card's context and the engine's."""

    code = "input_too_long"

    def __init__(self, limit_tokens: int) -> None:
        super().__init__(f"Range of input length should be [1, {limit_tokens}]", parameter="messages")


class FileNotFound(ParameterInvalid):
    """There is no such file, or it belongs to another account; the caller is not told which."""

    code = "file_not_found"

    def __init__(self, file_id: str = "") -> None:
        super().__init__("File not found." if not file_id else f"File not found: {file_id[:128]}", parameter="file_id")
        self.file_id = file_id


class ResponseNotFound(Refused):
    """There is no such stored answer, or it belongs to another account; the caller is not told which."""

    code = "response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__(f"Response with id '{response_id[:128]}' not found.")


class AsynchronousRefused(Refused):
    """An asynchronous task was asked of an operation that only answers at once."""

    code = "asynchronous_refused"
    words = "current user api does not support asynchronous calls."


class TaskNotCancellable(Refused):
    """Only a task that waits can be cancelled."""

    code = "task_not_cancellable"
    words = "Only a task in the state PENDING can be canceled."


class ModelNotFound(Refused):
    """The catalog has no model of this name."""

    code = "model_not_found"

    def __init__(self, model: str) -> None:
        super().__init__(f"The model `{model}` does not exist or you do not have access to it.")
        self.model = model


class ModelNotServedHere(Refused):
    """The model exists, but this address does another kind of work."""

    code = "model_not_served_here"

    def __init__(self, model: str) -> None:
        super().__init__("url error, please check url！")  # noqa: RUF001 - the service's own full-width mark
        self.model = model


class AccessDenied(Refused):
    """The account may not do this."""

    code = "access_denied"
    words = "Access denied."


class ModelDenied(Refused):
    """The key is restricted to other models."""

    code = "model_denied"
    words = "Model access denied."


class ModelUnpurchased(Refused):
    """The model is not activated for the account."""

    code = "model_unpurchased"
    words = "Access to model denied. Please make sure you are eligible for using the model."


class AccountInArrears(Refused):
    """The account owes money; no model answers it."""

    code = "account_in_arrears"
    words = "Access denied, please make sure your account is in good standing."


class FreeTierExhausted(Refused):
    """The free quota of the model is used up, and the account takes no paid calls."""

    code = "free_tier_exhausted"
    words = (
        "The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, "
        'please disable the "use free tier only" mode in the management console.'
    )


class ContentBlocked(Refused):
    """A check of the content found something; `where` is `Input` or `Output`."""

    code = "content_blocked"

    def __init__(self, where: str = "Input") -> None:
        super().__init__(f"{where} data may contain inappropriate content.")


class Throttled(Refused):
    """A limit is used up for now."""

    code = "throttled"
    words = "Requests throttling triggered."


class RateExceeded(Throttled):
    """Too many requests in a window."""

    code = "rate_exceeded"
    words = "Requests rate limit exceeded, please try again later."


class BurstExceeded(Throttled):
    """Requests came too close together."""

    code = "burst_exceeded"
    words = (
        "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale "
        "requests more smoothly over time."
    )


class QuotaExceeded(Throttled):
    """The tokens or the money of a window are used up."""

    code = "quota_exceeded"
    words = "Allocated quota exceeded, please increase your quota limit."


class FreeQuotaExceeded(Throttled):
    """The free quota is used up, and the model cannot be paid for."""

    code = "free_quota_exceeded"
    words = "Free allocated quota exceeded."


class ConcurrencyExceeded(Throttled):
    """Too many calls at the same time."""

    code = "concurrency_exceeded"
    words = "Too many requests in route. Try again later."


class Bill(StrEnum):
    """What is wrong with a purchase, by Model Studio's code for it."""

    NOT_PURCHASED = "CommodityNotPurchased"
    PREPAID_OVERDUE = "PrepaidBillOverdue"
    POSTPAID_OVERDUE = "PostpaidBillOverdue"


class BillUnpaid(Throttled):
    """A purchase is missing, or its bill is overdue."""

    code = "bill_unpaid"

    def __init__(self, bill: Bill) -> None:
        super().__init__(
            {
                Bill.NOT_PURCHASED: "Commodity has not purchased yet.",
                Bill.PREPAID_OVERDUE: "The prepaid bill is overdue.",
                Bill.POSTPAID_OVERDUE: "The postpaid bill is overdue.",
            }[bill]
        )
        self.bill = bill


class Failed(QwenportError):
    """The gateway or an engine could not do what was rightly asked."""

    code = "failed"


class EngineFailed(Failed):
    """The engine broke off or answered with something that is no answer."""

    code = "engine_failed"


class EngineTimedOut(Failed):
    """The engine said nothing for too long."""

    code = "engine_timed_out"
    words = "Request timed out, please try again later."


class ModelUnavailable(Failed):
    """No engine can take the call now."""

    code = "model_unavailable"

    def __init__(self, reason: str, *, passes: bool = True) -> None:
        super().__init__(f"Model is unavailable, please try again later. ({reason})", retry_after_s=5)
        self.passes = passes
        """Whether it passes by itself; without weights it does not, and a client need not try again."""


class Overloaded(Failed):
    """Every slot of the engine is taken and the queue before it is full."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__(
            "Too many requests. Your requests are being throttled due to system capacity limits, "
            "please try again later.",
            retry_after_s=1,
        )


class StorageUnavailable(Failed):
    """The call could not be recorded, so it was not run."""

    code = "storage_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The service cannot record calls now, please try again later. ({reason})", retry_after_s=5)


class Draining(Failed):
    """The server is shutting down."""

    code = "draining"

    def __init__(self) -> None:
        super().__init__("The server is shutting down, please try again later.", retry_after_s=5)


class UnderMaintenance(Failed):
    """The operator has switched the faces off for a while."""

    code = "under_maintenance"

    def __init__(self, words: str = "") -> None:
        told = f" ({words})" if words else ""
        super().__init__(f"The service is under maintenance, please try again later.{told}", retry_after_s=30)


class Internal(Failed):
    """A defect of the gateway; the log holds the details under the request id."""

    code = "internal"
    words = "An internal error has occured, please try again later or contact service support."
