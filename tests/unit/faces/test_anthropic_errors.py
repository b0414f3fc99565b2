"""Every error of the tree on the Anthropic face, and the class that the official client makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import httpx2
import pytest

from qwenport.core import errors
from qwenport.core.errors import Bill, QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.anthropic.errors import encode_error
from qwenport.faces.face import Reply

ID = RequestId("r-1")
JSON = (b"content-type", b"application/json")
NAMED = (b"request-id", b"r-1")

BAD = anthropic.BadRequestError
AUTHENTICATION = anthropic.AuthenticationError
DENIED = anthropic.PermissionDeniedError
NOT_FOUND = anthropic.NotFoundError
RATE = anthropic.RateLimitError
SERVER = anthropic.InternalServerError
UNAVAILABLE = anthropic.ServiceUnavailableError
TIMED_OUT = anthropic.RequestTimeoutError

TABLE: list[tuple[QwenportError, int, str, type[anthropic.APIStatusError]]] = [
    (QwenportError("broken"), 500, "api_error", SERVER),
    (errors.Refused("no"), 400, "invalid_request_error", BAD),
    (errors.KeyMissing(), 401, "authentication_error", AUTHENTICATION),
    (errors.KeyInvalid(), 401, "authentication_error", AUTHENTICATION),
    (errors.WorkspaceDenied(), 403, "permission_error", DENIED),
    (errors.PathNotFound(), 404, "not_found_error", NOT_FOUND),
    (errors.MethodNotAllowed("GET", ("POST",)), 405, "invalid_request_error", anthropic.APIStatusError),
    (errors.BodyNotJson(), 400, "invalid_request_error", BAD),
    (errors.BodyNotForm("cut off"), 400, "invalid_request_error", BAD),
    (errors.BodyTooLarge(10), 400, "request_too_large", BAD),
    (errors.BodyTooSlow(2.5), 408, "timeout_error", TIMED_OUT),
    (errors.ModelMissing(), 400, "invalid_request_error", BAD),
    (errors.InputMissing(), 400, "invalid_request_error", BAD),
    (errors.ParameterInvalid("wrong"), 400, "invalid_request_error", BAD),
    (errors.InputTooLong(8192), 400, "invalid_request_error", BAD),
    (errors.FileNotFound("file-fe-1"), 400, "invalid_request_error", BAD),
    (errors.ResponseNotFound("resp_1"), 404, "not_found_error", NOT_FOUND),
    (errors.AsynchronousRefused(), 403, "permission_error", DENIED),
    (errors.TaskNotCancellable(), 400, "invalid_request_error", BAD),
    (errors.ModelNotFound("qwen-9"), 404, "not_found_error", NOT_FOUND),
    (errors.ModelNotServedHere("text-embedding-v4"), 400, "invalid_request_error", BAD),
    (errors.AccessDenied(), 403, "permission_error", DENIED),
    (errors.ModelDenied(), 403, "permission_error", DENIED),
    (errors.ModelUnpurchased(), 403, "permission_error", DENIED),
    (errors.AccountInArrears(), 400, "billing_error", BAD),
    (errors.FreeTierExhausted(), 403, "permission_error", DENIED),
    (errors.ContentBlocked(), 400, "invalid_request_error", BAD),
    (errors.RequestInProgress(), 409, "invalid_request_error", anthropic.ConflictError),
    (errors.Throttled(), 429, "rate_limit_error", RATE),
    (errors.UpstreamThrottled(), 429, "rate_limit_error", RATE),
    (errors.RateExceeded(), 429, "rate_limit_error", RATE),
    (errors.BurstExceeded(), 429, "rate_limit_error", RATE),
    (errors.QuotaExceeded(), 429, "rate_limit_error", RATE),
    (errors.FreeQuotaExceeded(), 429, "rate_limit_error", RATE),
    (errors.ConcurrencyExceeded(), 429, "rate_limit_error", RATE),
    (errors.BillUnpaid(Bill.PREPAID_OVERDUE), 429, "billing_error", RATE),
    (errors.Failed("broken"), 500, "api_error", SERVER),
    (errors.EngineFailed("broke off"), 500, "api_error", SERVER),
    (errors.UpstreamTurnedAway("a wall"), 500, "api_error", SERVER),
    (errors.EngineTimedOut(), 500, "timeout_error", SERVER),
    (errors.ModelUnavailable("loading"), 503, "overloaded_error", UNAVAILABLE),
    (errors.UpstreamKeyRefused("no key"), 503, "overloaded_error", UNAVAILABLE),
    (errors.UpstreamExhausted("arrears"), 503, "overloaded_error", UNAVAILABLE),
    (errors.Overloaded(), 503, "overloaded_error", UNAVAILABLE),
    (errors.StorageUnavailable("disk full"), 503, "overloaded_error", UNAVAILABLE),
    (errors.Draining(), 503, "overloaded_error", UNAVAILABLE),
    (errors.UnderMaintenance(), 503, "overloaded_error", UNAVAILABLE),
    (errors.Internal(), 500, "api_error", SERVER),
]


class Later(errors.Throttled):
    """A kind of throttling that the table does not name."""


def every_class(kind: type[QwenportError] = QwenportError) -> Iterator[type[QwenportError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from every_class(below)


def envelope(kind: str, message: str) -> bytes:
    return f'{{"type":"error","error":{{"type":"{kind}","message":"{message}"}},"request_id":"r-1"}}'.encode()


def as_seen(error: QwenportError) -> anthropic.APIStatusError:
    """Return what the official client raises when it gets an error as its answer."""
    reply = encode_error(error, ID)
    answer = httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)
    transport = httpx2.MockTransport(lambda _: answer)
    with (
        anthropic.Anthropic(
            api_key="sk-test", base_url="http://test", max_retries=0, http_client=httpx2.Client(transport=transport)
        ) as client,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        client.messages.create(model="qwen-plus", max_tokens=1, messages=[{"role": "user", "content": "Hi"}])
    return caught.value


def test_the_table_names_every_error_of_the_tree() -> None:
    named = [type(error) for error, *_ in TABLE]

    assert sorted(named, key=str) == sorted(every_class(), key=str)


@pytest.mark.parametrize(("error", "status", "kind", "seen"), TABLE, ids=lambda value: type(value).__name__)
def test_each_error_is_what_the_official_client_knows_it_by(
    error: QwenportError, status: int, kind: str, seen: type[anthropic.APIStatusError]
) -> None:
    raised = as_seen(error)

    assert (type(raised), raised.status_code, raised.type, raised.request_id) == (seen, status, kind, "r-1")
    assert isinstance(raised.body, dict)
    assert (raised.body["type"], raised.body["request_id"]) == ("error", "r-1")


def test_an_error_is_an_error_object_with_its_words() -> None:
    assert encode_error(errors.KeyMissing(), ID) == Reply(
        status=401, headers=(JSON, NAMED), body=envelope("authentication_error", "No API-key provided.")
    )


def test_a_model_for_other_work_is_named() -> None:
    words = "Unsupported model `text-embedding-v4` for Anthropic compatibility mode."

    assert as_seen(errors.ModelNotServedHere("text-embedding-v4")).api_message == words


def test_an_error_that_the_table_does_not_name_has_the_words_of_its_kind() -> None:
    assert encode_error(Later("too fast"), ID) == Reply(
        status=429, headers=(JSON, NAMED), body=envelope("rate_limit_error", "too fast")
    )


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.Overloaded(), (JSON, (b"retry-after", b"1"), NAMED)),
        (errors.RateExceeded(retry_after_s=7), (JSON, (b"retry-after", b"7"), NAMED)),
        (
            errors.ModelUnavailable("no weights", passes=False),
            (JSON, (b"retry-after", b"5"), (b"x-should-retry", b"false"), NAMED),
        ),
        (errors.MethodNotAllowed("GET", ("POST",)), (JSON, (b"allow", b"POST"), NAMED)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_tells_when_to_come_again_and_by_which_method(
    error: QwenportError, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    assert encode_error(error, ID).headers == headers
