"""What is refused: the caller asked for something that cannot be done."""

from __future__ import annotations

from qwenport.core.errors.root import Refused
from qwenport.core.ids import RequestId

_SILENT_S = 20
"""How often a worker that was cut off from the database brings the answers that it could not store."""


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


class RequestInProgress(Refused):
    """A request with the same `Idempotency-Key` is still being answered; its answer can be had afterwards.

    With `silent_id` it is one that nobody has heard of for a while; it may never get an answer, and is not run again.
    """

    code = "request_in_progress"

    def __init__(self, silent_id: RequestId | None = None) -> None:
        if silent_id is None:
            words = "A request with the same Idempotency-Key is still being answered, please try again later."
        else:
            words = (
                f"Request {silent_id} with the same Idempotency-Key was taken on, its answer has not come, and it is "
                "not run a second time. Please try again later, or look it up in the call history and use another key."
            )
        super().__init__(words, retry_after_s=1 if silent_id is None else _SILENT_S)
