from __future__ import annotations

import pytest

from qwenport.core import errors
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.face import Reply
from qwenport.faces.openai.errors import encode_error

TOO_SLOW = "Request timed out, please try again later. (the request body did not arrive within 2.5 seconds)"
ID = RequestId("r-1")
JSON = (b"content-type", b"application/json")


class BurstRate(errors.Throttled):
    """A kind of throttling that the table does not name."""


def wrapped(message: str, kind: str, code: str | None, *, completion: bool = False) -> str:
    shown = "null" if code is None else f'"{code}"'
    identity = '"id":"chatcmpl-r-1",' if completion else ""
    detail = f'{{"message":"{message}","type":"{kind}","param":null,"code":{shown}}}'
    return f'{{"error":{detail},{identity}"request_id":"r-1"}}'


def flat(code: str, message: str) -> str:
    return f'{{"code":"{code}","message":"{message}","request_id":"r-1"}}'


REQUEST = "invalid_request_error"
PARAMETER = "invalid_parameter_error"
UNAVAILABLE = "ModelUnavailable"


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (errors.KeyMissing(), 401, flat("InvalidApiKey", "No API-key provided.")),
        (errors.KeyInvalid(), 401, wrapped("Incorrect API key provided. ", REQUEST, "invalid_api_key")),
        (errors.PathNotFound(), 404, flat("NotFound", "Not found!")),
        (
            errors.BodyNotJson(),
            400,
            wrapped("Required body invalid, please check the request body format.", REQUEST, None),
        ),
        (
            errors.BodyTooLarge(10),
            400,
            wrapped("Payload Too Large. The request body may hold at most 10 bytes.", REQUEST, PARAMETER),
        ),
        (
            errors.BodyTooSlow(2.5),
            408,
            wrapped(
                TOO_SLOW,
                "request_timeout",
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
        (
            errors.ParameterInvalid("Range of seed should be [0, 9]", parameter="seed", value=-1),
            400,
            wrapped("-1 is lesser than the minimum of 0 - 'seed'", REQUEST, "invalid_value", completion=True),
        ),
        (
            errors.ParameterInvalid("Range of seed should be [0, 9]", parameter="seed", value=2**63),
            400,
            wrapped(
                "9223372036854775808 is greater than the maximum of 9223372036854775807 - 'seed'",
                REQUEST,
                "invalid_value",
                completion=True,
            ),
        ),
        (
            errors.ParameterInvalid("'seed' must be Integer", parameter="seed"),
            400,
            wrapped("'seed' must be Integer", REQUEST, "invalid_value", completion=True),
        ),
        (
            errors.AsynchronousRefused(),
            403,
            wrapped("current user api does not support asynchronous calls.", "access_denied", "access_denied"),
        ),
        (
            errors.ModelNotFound("qwen-9"),
            404,
            wrapped("The model `qwen-9` does not exist or you do not have access to it.", REQUEST, "model_not_found"),
        ),
        (errors.ModelDenied(), 403, wrapped("Model access denied.", "Model.AccessDenied", "Model.AccessDenied")),
        (errors.Throttled(), 429, wrapped("Requests throttling triggered.", "Throttling", "Throttling")),
        (BurstRate("too fast"), 429, wrapped("too fast", "Throttling", "Throttling")),
        (errors.EngineFailed("broke off"), 500, wrapped("broke off", "internal_error", "internal_error")),
        (
            errors.EngineTimedOut(),
            500,
            wrapped("Request timed out, please try again later.", "request_timeout", "request_timeout"),
        ),
        (
            errors.Internal(),
            500,
            wrapped(
                "An internal error has occured, please try again later or contact service support.",
                "internal_error",
                "internal_error",
            ),
        ),
        (errors.Refused("no"), 400, wrapped("no", REQUEST, PARAMETER)),
        (errors.Failed("broken"), 500, wrapped("broken", "internal_error", "internal_error")),
        (QwenportError("broken"), 500, wrapped("broken", "internal_error", "internal_error")),
    ],
)
def test_each_error_has_its_status_and_words(error: QwenportError, status: int, body: str) -> None:
    reply = encode_error(error, ID)

    assert reply == Reply(status=status, headers=(JSON,), body=body.encode())


@pytest.mark.parametrize(
    ("error", "code", "seconds"),
    [
        (errors.ModelUnavailable("loading"), UNAVAILABLE, b"5"),
        (errors.StorageUnavailable("disk full"), UNAVAILABLE, b"5"),
        (errors.Draining(), UNAVAILABLE, b"5"),
        (errors.Overloaded(), "ModelServingError", b"1"),
    ],
)
def test_what_may_pass_says_how_long_to_wait(error: QwenportError, code: str, seconds: bytes) -> None:
    assert encode_error(error, ID) == Reply(
        status=503,
        headers=(JSON, (b"retry-after", seconds)),
        body=wrapped(error.message, code, code).encode(),
    )


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.Throttled(retry_after_s=0), (JSON, (b"retry-after", b"0"))),
        (
            errors.ModelUnavailable("no weights", passes=False),
            (JSON, (b"retry-after", b"5"), (b"x-should-retry", b"false")),
        ),
        (errors.EngineFailed("broke off", retry_after_s=9), (JSON,)),
    ],
)
def test_retry_after_stands_only_at_429_and_503(error: QwenportError, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert encode_error(error, ID).headers == headers


def test_a_wrong_method_is_told_the_right_ones() -> None:
    assert encode_error(errors.MethodNotAllowed("GET", ("POST", "OPTIONS")), ID) == Reply(
        status=405,
        headers=(JSON, (b"allow", b"POST, OPTIONS")),
        body=wrapped("Request method 'GET' is not supported.", REQUEST, PARAMETER).encode(),
    )
