"""Everything that can go wrong with a call, as one tree.

QwenportError
├── Refused                         the caller's doing; nothing ran, nothing is billed
│   ├── KeyMissing                  no API key in the headers
│   ├── KeyInvalid                  unknown, disabled, expired or deleted key
│   ├── PathNotFound                no operation at this address
│   ├── MethodNotAllowed            an operation, but not by this method
│   ├── BodyNotJson                 the body is not a JSON object in UTF-8
│   ├── BodyTooLarge                the body is over the size limit
│   ├── BodyTooSlow                 the body did not arrive in time
│   ├── ModelMissing                the body names no model
│   ├── InputMissing                the body holds neither messages nor a prompt
│   ├── ParameterInvalid            a parameter has a wrong type or value
│   ├── InputTooLong                the prompt does not fit the context
│   ├── AsynchronousRefused         an asynchronous task was asked of a model that only answers at once
│   ├── ModelNotFound               no model of this name
│   ├── ModelDenied                 the key may not use this model
│   └── Throttled                   a limit is used up (its kinds come with the limits)
└── Failed                          our doing or the engine's
    ├── EngineFailed                the engine broke off
    ├── EngineTimedOut              the engine said nothing for too long
    ├── ModelUnavailable            no engine can take the call now: absent, loading or ended
    ├── Overloaded                  every slot is taken and the queue is full
    ├── StorageUnavailable          the call could not be recorded, so it was not run
    ├── Draining                    the server is shutting down
    └── Internal                    a defect

Each class has a stable `code` for logs and metrics, and a message that is safe to show. How an error looks on the wire
(status, code, words) is each face's own table.
"""

from __future__ import annotations

from typing import ClassVar


class QwenportError(Exception):
    """Root of the tree; `str(error)` is safe to show to the caller."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    message: str

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        """Keep the words for the caller and, where known, how long to wait."""
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class Refused(QwenportError):
    """The caller asked for something that cannot be done; nothing ran."""

    code = "refused"


class KeyMissing(Refused):
    """The headers hold no API key."""

    code = "key_missing"

    def __init__(self) -> None:
        super().__init__("No API-key provided.")


class KeyInvalid(Refused):
    """The API key is unknown, disabled, expired or deleted; the caller is not told which."""

    code = "key_invalid"

    def __init__(self) -> None:
        super().__init__("Invalid API-key provided.")


class PathNotFound(Refused):
    """No operation has this address."""

    code = "path_not_found"

    def __init__(self) -> None:
        super().__init__("Not found!")


class MethodNotAllowed(Refused):
    """The address has operations, but none by this method."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Request method '{method}' is not supported.")
        self.allowed = allowed


class BodyNotJson(Refused):
    """The body is not a JSON object in UTF-8."""

    code = "body_not_json"

    def __init__(self, message: str = "Required body invalid, please check the request body format.") -> None:
        super().__init__(message)


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

    def __init__(self) -> None:
        super().__init__("Required input parameter missing from request.")


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


class AsynchronousRefused(Refused):
    """An asynchronous task was asked of an operation that only answers at once."""

    code = "asynchronous_refused"

    def __init__(self) -> None:
        super().__init__("current user api does not support asynchronous calls.")


class ModelNotFound(Refused):
    """The catalog has no model of this name."""

    code = "model_not_found"

    def __init__(self, model: str) -> None:
        super().__init__(f"The model `{model}` does not exist or you do not have access to it.")
        self.model = model


class ModelDenied(Refused):
    """The key is restricted to other models."""

    code = "model_denied"

    def __init__(self) -> None:
        super().__init__("Model access denied.")


class Throttled(Refused):
    """A limit is used up for now."""

    code = "throttled"
    retryable = True

    def __init__(self, message: str = "Requests throttling triggered.", *, retry_after_s: int | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class Failed(QwenportError):
    """The gateway or an engine could not do what was rightly asked."""

    code = "failed"
    retryable = True


class EngineFailed(Failed):
    """The engine broke off or answered with something that is no answer."""

    code = "engine_failed"


class EngineTimedOut(Failed):
    """The engine said nothing for too long."""

    code = "engine_timed_out"

    def __init__(self, message: str = "Request timed out, please try again later.") -> None:
        super().__init__(message)


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


class Internal(Failed):
    """A defect of the gateway; the log holds the details under the request id."""

    code = "internal"

    def __init__(self) -> None:
        super().__init__("An internal error has occured, please try again later or contact service support.")
