from __future__ import annotations

import pytest

from qwenport.core import errors
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.dashscope.errors import encode_error
from qwenport.faces.face import Reply

TOO_SLOW = "Request timed out, please try again later. (the request body did not arrive within 2.5 seconds)"
ID = RequestId("r-1")
JSON = (b"content-type", b"application/json")


class BurstRate(errors.Throttled):
    """A kind of throttling that the table does not name."""


def body(code: str, message: str) -> bytes:
    return f'{{"code":"{code}","message":"{message}","request_id":"r-1"}}'.encode()


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (errors.KeyMissing(), 401, "InvalidApiKey", "No API-key provided."),
        (errors.KeyInvalid(), 401, "InvalidApiKey", "Invalid API-key provided."),
        (errors.PathNotFound(), 404, "NotFound", "Not found!"),
        (
            errors.BodyNotJson(),
            400,
            "InvalidParameter",
            "Required body invalid, please check the request body format.",
        ),
        (
            errors.BodyTooLarge(10),
            400,
            "BadRequest.TooLarge",
            "Payload Too Large. The request body may hold at most 10 bytes.",
        ),
        (
            errors.BodyTooSlow(2.5),
            408,
            "RequestTimeOut",
            TOO_SLOW,
        ),
        (errors.InputMissing(), 400, "BadRequest.EmptyInput", "Required input parameter missing from request."),
        (errors.ParameterInvalid("n", parameter="n"), 400, "InvalidParameter", "n"),
        (errors.InputTooLong(8192), 400, "InvalidParameter", "Range of input length should be [1, 8192]"),
        (
            errors.ParameterInvalid("no", parameter="enable_thinking"),
            400,
            "InvalidParameter.NotSupportEnableThinking",
            "no",
        ),
        (errors.ParameterInvalid("no", parameter="input"), 400, "BadRequest.IllegalInput", "no"),
        (
            errors.AsynchronousRefused(),
            403,
            "AccessDenied",
            "current user api does not support asynchronous calls.",
        ),
        (errors.ModelNotFound("qwen-9"), 404, "ModelNotFound", "Model can not be found."),
        (errors.ModelDenied(), 403, "Model.AccessDenied", "Model access denied."),
        (errors.Throttled(), 429, "Throttling", "Requests throttling triggered."),
        (BurstRate("too fast"), 429, "Throttling", "too fast"),
        (errors.EngineFailed("broke off"), 500, "InternalError", "broke off"),
        (errors.EngineTimedOut(), 500, "RequestTimeOut", "Request timed out, please try again later."),
        (
            errors.Internal(),
            500,
            "InternalError",
            "An internal error has occured, please try again later or contact service support.",
        ),
        (errors.Refused("no"), 400, "InvalidParameter", "no"),
        (errors.Failed("broken"), 500, "InternalError", "broken"),
        (QwenportError("broken"), 500, "InternalError", "broken"),
    ],
)
def test_each_error_has_its_status_and_words(error: QwenportError, status: int, code: str, message: str) -> None:
    assert encode_error(error, ID) == Reply(status=status, headers=(JSON,), body=body(code, message))


def test_a_missing_model_is_named_in_quotes() -> None:
    assert encode_error(errors.ModelMissing(), ID) == Reply(
        status=400,
        headers=(JSON,),
        body=body("BadRequest.EmptyModel", 'Required parameter \\"model\\" missing from request.'),
    )


@pytest.mark.parametrize(
    ("error", "code", "seconds"),
    [
        (errors.ModelUnavailable("loading"), "ModelUnavailable", b"5"),
        (errors.StorageUnavailable("disk full"), "ModelUnavailable", b"5"),
        (errors.Draining(), "ModelUnavailable", b"5"),
        (errors.Overloaded(), "ModelServingError", b"1"),
    ],
)
def test_what_may_pass_says_how_long_to_wait(error: QwenportError, code: str, seconds: bytes) -> None:
    assert encode_error(error, ID) == Reply(
        status=503, headers=(JSON, (b"retry-after", seconds)), body=body(code, error.message)
    )


def test_a_wrong_method_is_told_the_right_ones() -> None:
    assert encode_error(errors.MethodNotAllowed("GET", ("POST",)), ID) == Reply(
        status=405,
        headers=(JSON, (b"allow", b"POST")),
        body=body("InvalidParameter", "Request method 'GET' is not supported."),
    )
