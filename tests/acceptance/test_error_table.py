"""Every row of the service's error table as each official client sees it.

The words, codes and statuses are those of https://www.alibabacloud.com/help/en/model-studio/error-code; the classes are
the clients' own. Rows that nothing here can provoke:

- a key of another region: this server is one region; a workspace that the key does not belong to is in the table;
- a full queue of batch jobs: there are no batch jobs;
- `InternalError.Algo`, `SystemError`, `ModelServiceFailed`: names of parts that are inside Model Studio alone; a defect
  here is an `InternalError`;
- `InternalError.Timeout`: of asynchronous tasks, which no operation makes;
- 413 and a plain 504: of a gateway in front of the service; here a long body is the documented 400.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anthropic
import dashscope
import openai
import pytest
from dashscope.aigc.generation import AioGeneration
from dashscope.v2 import errors as v2

from qwenport.core import errors
from qwenport.core.errors import Bill, QwenportError
from qwenport.testing.scripts import GOOD

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted

Node = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: what goes wrong, and how it is said."""

    error: QwenportError
    status: int
    code: str
    """On the native face."""
    words: str
    """On the native face, and on the others where they have none of their own."""
    compatible: tuple[str, str | None]
    """Type and code on the OpenAI face."""
    compatible_status: int | None = None
    """On the OpenAI face, where it is another."""
    compatible_words: str = ""
    kind: str
    """Type on the Anthropic face."""
    anthropic_words: str = ""
    second: type[v2.DashScopeError] | None = None
    """Class of dashscope 2.x in the native protocol, where it goes by the code and not by the status."""
    second_openai: type[v2.DashScopeError] | None = None


def alike(code: str) -> tuple[str, str]:
    return code, code


REQUEST = "invalid_request_error"
LATER = "please try again later"
ROWS: dict[str, Row] = {
    "model unknown": Row(
        error=errors.ModelNotFound("gpt-4"),
        status=404,
        code="ModelNotFound",
        words="Model can not be found.",
        compatible=(REQUEST, "model_not_found"),
        compatible_words="The model `gpt-4` does not exist or you do not have access to it.",
        anthropic_words="The model `gpt-4` does not exist or you do not have access to it.",
        kind="not_found_error",
    ),
    "model not for this face": Row(
        error=errors.ModelNotServedHere("text-embedding-v4"),
        status=400,
        code="InvalidParameter",
        words="url error, please check url！",  # noqa: RUF001 - the service's own full-width mark
        compatible=(REQUEST, "model_not_supported"),
        compatible_status=404,
        compatible_words="Unsupported model `text-embedding-v4` for OpenAI compatibility mode.",
        anthropic_words="Unsupported model `text-embedding-v4` for Anthropic compatibility mode.",
        kind=REQUEST,
    ),
    "no permission": Row(
        error=errors.AccessDenied(),
        status=403,
        code="AccessDenied",
        words="Access denied.",
        compatible=alike("access_denied"),
        kind="permission_error",
    ),
    "model not for this key": Row(
        error=errors.ModelDenied(),
        status=403,
        code="Model.AccessDenied",
        words="Model access denied.",
        compatible=alike("Model.AccessDenied"),
        kind="permission_error",
    ),
    "workspace of others": Row(
        error=errors.WorkspaceDenied(),
        status=403,
        code="Workspace.AccessDenied",
        words="Workspace access denied.",
        compatible=alike("Workspace.AccessDenied"),
        kind="permission_error",
    ),
    "model not purchased": Row(
        error=errors.ModelUnpurchased(),
        status=403,
        code="AccessDenied.Unpurchased",
        words="Access to model denied. Please make sure you are eligible for using the model.",
        compatible=alike("AccessDenied.Unpurchased"),
        kind="permission_error",
    ),
    "arrears": Row(
        error=errors.AccountInArrears(),
        status=400,
        code="Arrearage",
        words="Access denied, please make sure your account is in good standing.",
        compatible=alike("Arrearage"),
        kind="billing_error",
        second=v2.PermissionDeniedError,
        second_openai=v2.PermissionDeniedError,
    ),
    "free tier used up": Row(
        error=errors.FreeTierExhausted(),
        status=403,
        code="AllocationQuota.FreeTierOnly",
        words=(
            "The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, "
            'please disable the "use free tier only" mode in the management console.'
        ),
        compatible=alike("AllocationQuota.FreeTierOnly"),
        kind="permission_error",
    ),
    "free quota used up, no paid use": Row(
        error=errors.FreeQuotaExceeded(),
        status=429,
        code="Throttling.AllocationQuota",
        words="Free allocated quota exceeded.",
        compatible=alike("insufficient_quota"),
        kind="rate_limit_error",
    ),
    "tokens or money of a window used up": Row(
        error=errors.QuotaExceeded(),
        status=429,
        code="Throttling.AllocationQuota",
        words="Allocated quota exceeded, please increase your quota limit.",
        compatible=alike("insufficient_quota"),
        compatible_words="You exceeded your current quota, please check your plan and billing details.",
        kind="rate_limit_error",
    ),
    "too many requests": Row(
        error=errors.RateExceeded(),
        status=429,
        code="Throttling.RateQuota",
        words=f"Requests rate limit exceeded, {LATER}.",
        compatible=alike("limit_requests"),
        compatible_words="You exceeded your current requests list.",
        kind="rate_limit_error",
    ),
    "requests too close together": Row(
        error=errors.BurstExceeded(),
        status=429,
        code="Throttling.BurstRate",
        words=(
            "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale "
            "requests more smoothly over time."
        ),
        compatible=alike("limit_burst_rate"),
        kind="rate_limit_error",
    ),
    "throttled": Row(
        error=errors.Throttled(),
        status=429,
        code="Throttling",
        words="Requests throttling triggered.",
        compatible=alike("Throttling"),
        kind="rate_limit_error",
    ),
    "too many calls at once": Row(
        error=errors.ConcurrencyExceeded(),
        status=429,
        code="Throttling",
        words="Too many requests in route. Try again later.",
        compatible=alike("Throttling"),
        kind="rate_limit_error",
    ),
    "nothing purchased": Row(
        error=errors.BillUnpaid(Bill.NOT_PURCHASED),
        status=429,
        code="CommodityNotPurchased",
        words="Commodity has not purchased yet.",
        compatible=alike("CommodityNotPurchased"),
        kind="billing_error",
    ),
    "prepaid bill overdue": Row(
        error=errors.BillUnpaid(Bill.PREPAID_OVERDUE),
        status=429,
        code="PrepaidBillOverdue",
        words="The prepaid bill is overdue.",
        compatible=alike("PrepaidBillOverdue"),
        kind="billing_error",
    ),
    "postpaid bill overdue": Row(
        error=errors.BillUnpaid(Bill.POSTPAID_OVERDUE),
        status=429,
        code="PostpaidBillOverdue",
        words="The postpaid bill is overdue.",
        compatible=alike("PostpaidBillOverdue"),
        kind="billing_error",
    ),
    "content blocked": Row(
        error=errors.ContentBlocked(),
        status=400,
        code="DataInspectionFailed",
        words="Input data may contain inappropriate content.",
        compatible=alike("data_inspection_failed"),
        kind=REQUEST,
        second=v2.ContentFilterError,
    ),
    "parameter invalid": Row(
        error=errors.ParameterInvalid("Range of n should be [1, 4]", parameter="n"),
        status=400,
        code="InvalidParameter",
        words="Range of n should be [1, 4]",
        compatible=(REQUEST, "invalid_parameter_error"),
        kind=REQUEST,
    ),
    "body too large": Row(
        error=errors.BodyTooLarge(1048576),
        status=400,
        code="BadRequest.TooLarge",
        words="Payload Too Large. The request body may hold at most 1048576 bytes.",
        compatible=(REQUEST, "invalid_parameter_error"),
        kind="request_too_large",
    ),
    "body too slow": Row(
        error=errors.BodyTooSlow(30),
        status=408,
        code="RequestTimeOut",
        words=f"Request timed out, {LATER}. (the request body did not arrive within 30 seconds)",
        compatible=alike("request_timeout"),
        kind="timeout_error",
    ),
    "internal": Row(
        error=errors.Internal(),
        status=500,
        code="InternalError",
        words=f"An internal error has occured, {LATER} or contact service support.",
        compatible=alike("internal_error"),
        kind="api_error",
    ),
    "timeout": Row(
        error=errors.EngineTimedOut(),
        status=500,
        code="RequestTimeOut",
        words=f"Request timed out, {LATER}.",
        compatible=alike("request_timeout"),
        kind="timeout_error",
    ),
    "unavailable": Row(
        error=errors.ModelUnavailable("no weights", passes=False),
        status=503,
        code="ModelUnavailable",
        words=f"Model is unavailable, {LATER}. (no weights)",
        compatible=alike("ModelUnavailable"),
        kind="overloaded_error",
    ),
    "overload": Row(
        error=errors.Overloaded(),
        status=503,
        code="ModelServingError",
        words=f"Too many requests. Your requests are being throttled due to system capacity limits, {LATER}.",
        compatible=alike("ModelServingError"),
        kind="overloaded_error",
    ),
}
SECOND: dict[int, type[v2.DashScopeError]] = {
    400: v2.BadRequestError,
    403: v2.PermissionDeniedError,
    404: v2.NotFoundError,
    408: v2.APIStatusError,
    429: v2.RateLimitError,
    500: v2.InternalServerError,
    503: v2.ServiceUnavailableError,
}
OPENAI: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    408: openai.APIStatusError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}
ANTHROPIC: dict[int, type[anthropic.APIStatusError]] = {
    400: anthropic.BadRequestError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    408: anthropic.RequestTimeoutError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    503: anthropic.ServiceUnavailableError,
}
NODES = {"APIStatusError": "APIError"}
"""Classes that have another name in the client for Node.js."""
TRIED_AGAIN = {"body too slow": 3, "too many requests": 3, "internal": 3, "timeout": 3, "overload": 3}
ONCE = {
    "model unknown": 1,
    "no permission": 1,
    "arrears": 1,
    "unavailable": 1,
    "free quota used up, no paid use": 1,
    "prepaid bill overdue": 1,
}
"""Requests that a client makes which tries twice more; where nothing will change the server says so."""

Seen = dict[str, Any]


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def stream(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(autouse=True)
def failing(scripted: Scripted) -> None:
    """Let each question fail by the row of its name."""
    for name, row in ROWS.items():
        scripted.say(name, row.error)


def question(name: str) -> dict[str, Any]:
    return {"model": "qwen-plus", "messages": [{"role": "user", "content": name}], "max_tokens": 64}


async def ask_all(ask: Callable[[str], Awaitable[Any]], names: Mapping[str, object] = ROWS) -> Seen:
    """Ask all questions at the same time."""
    return dict(zip(names, await asyncio.gather(*(ask(name) for name in names)), strict=True))


# --- dashscope 1.x, which never raises ---


def first_seen(response: Any) -> tuple[int, str, str]:
    assert len(response.request_id) == 36
    return response.status_code, response.code, response.message


FIRST = {name: (row.status, row.code, row.words) for name, row in ROWS.items()}


def test_dashscope_returns_every_row(scripted: Scripted, first_dashscope: dict[str, Any], stream: bool) -> None:
    def ask(name: str) -> Any:
        answer: Any = dashscope.Generation.call(**question(name), **first_dashscope, stream=stream)
        (only,) = answer if stream else (answer,)
        return first_seen(only)

    assert {name: ask(name) for name in ROWS} == FIRST
    assert {scripted.times(name) for name in ROWS} == {1}


def test_dashscope_returns_every_row_without_blocking(first_dashscope: dict[str, Any], stream: bool) -> None:
    async def ask(name: str) -> Any:
        answer: Any = await AioGeneration.call(**question(name), **first_dashscope, stream=stream)
        (only,) = [each async for each in answer] if stream else (answer,)
        return first_seen(only)

    async def ask_and_close() -> Seen:
        seen = await ask_all(ask)
        close: Any = dashscope.close_shared_aio_session
        await close()
        return seen

    assert asyncio.run(ask_and_close()) == FIRST


# --- dashscope 2.x ---

SECOND_SEEN: dict[str, dict[str, tuple[Any, ...]]] = {
    "native": {name: (row.second or SECOND[row.status], row.status, row.code, row.words) for name, row in ROWS.items()},
    "openai": {
        name: (
            row.second_openai or SECOND[row.compatible_status or row.status],
            row.compatible_status or row.status,
            row.compatible[1],
            row.compatible_words or row.words,
        )
        for name, row in ROWS.items()
    },
    "anthropic": {
        name: (SECOND[row.status], row.status, row.kind, row.anthropic_words or row.words) for name, row in ROWS.items()
    },
}
BASES = {"anthropic": "/apps/anthropic", "native": "/api/v1", "openai": "/compatible-mode/v1"}


@pytest.fixture(params=sorted(BASES))
def second(request: pytest.FixtureRequest, scripted: Scripted) -> dict[str, Any]:
    """Give what a client of one protocol is made with."""
    return {"api_key": scripted.key, "base_url": scripted.url + BASES[request.param], "protocol": request.param}


def test_the_second_dashscope_raises_every_row(second: dict[str, Any], stream: bool) -> None:
    def ask(client: Any, name: str) -> Any:
        with pytest.raises(v2.DashScopeError) as caught:
            list(client.chat.completions.create(**question(name), stream=stream))
        return second_seen(caught.value)

    with dashscope.Client(**second, max_retries=0) as client:
        assert {name: ask(client, name) for name in ROWS} == SECOND_SEEN[second["protocol"]]


def second_seen(error: v2.DashScopeError) -> tuple[Any, ...]:
    assert error.request_id is not None
    return type(error), error.status_code, error.code, error.message


def test_the_second_dashscope_tries_whole_answers_again(
    scripted: Scripted, second: dict[str, Any], stream: bool
) -> None:
    names = TRIED_AGAIN | ONCE

    async def ask_each() -> Seen:
        client: Any
        async with dashscope.AsyncClient(**second, max_retries=2) as client:

            async def read(name: str) -> None:
                answer = await client.chat.completions.create(**question(name), stream=stream)
                _ = [each async for each in answer] if stream else []

            async def ask(name: str) -> Any:
                with pytest.raises(v2.DashScopeError) as caught:
                    await read(name)
                return second_seen(caught.value)

            return await ask_all(ask, names)

    seen = asyncio.run(ask_each())

    assert seen == {name: SECOND_SEEN[second["protocol"]][name] for name in names}
    # This client tries no stream again.
    assert {name: scripted.times(name) for name in names} == (dict.fromkeys(names, 1) if stream else names)


# --- openai ---

OPENAI_SEEN: dict[str, tuple[Any, ...]] = {
    name: (OPENAI[status], status, *row.compatible, row.compatible_words or row.words)
    for name, row in ROWS.items()
    for status in [row.compatible_status or row.status]
}


def openai_seen(error: openai.APIStatusError) -> tuple[Any, ...]:
    assert isinstance(error.body, dict)
    assert error.request_id is not None
    return type(error), error.status_code, error.type, error.code, error.body["message"]


def test_openai_raises_every_row(scripted: Scripted, stream: bool) -> None:
    def ask(client: openai.OpenAI, name: str) -> Any:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(**question(name), stream=stream)
        return openai_seen(caught.value)

    url = f"{scripted.url}/compatible-mode/v1"
    with openai.OpenAI(api_key=scripted.key, base_url=url, max_retries=0) as client:
        assert {name: ask(client, name) for name in ROWS} == OPENAI_SEEN


def test_openai_tries_again(scripted: Scripted, stream: bool) -> None:
    names = TRIED_AGAIN | ONCE

    async def ask_each() -> Seen:
        url = f"{scripted.url}/compatible-mode/v1"
        async with openai.AsyncOpenAI(api_key=scripted.key, base_url=url) as client:

            async def ask(name: str) -> Any:
                with pytest.raises(openai.APIStatusError) as caught:
                    await client.chat.completions.create(**question(name), stream=stream)
                return openai_seen(caught.value)

            return await ask_all(ask, names)

    assert asyncio.run(ask_each()) == {name: OPENAI_SEEN[name] for name in names}
    assert {name: scripted.times(name) for name in names} == names


def test_openai_for_node_raises_every_row(scripted: Scripted, node: Node, stream: bool) -> None:
    bodies = [question(name) | {"stream": stream} for name in ROWS]
    seen = dict(zip(ROWS, node("attempts", scripted.url, scripted.key, bodies=bodies), strict=True))

    assert all(len(each.pop("requestID")) == 36 for each in seen.values())
    assert seen == {
        name: {
            "class": NODES.get(kind.__name__, kind.__name__),
            "status": status,
            "type": type_,
            "code": code,
            "message": words,
        }
        for name, (kind, status, type_, code, words) in OPENAI_SEEN.items()
    }


def test_openai_for_node_tries_again(scripted: Scripted, node: Node, stream: bool) -> None:
    names = TRIED_AGAIN | ONCE
    bodies = [question(name) | {"stream": stream} for name in names]
    node("attempts", scripted.url, scripted.key, bodies=bodies, maxRetries=2)

    assert {name: scripted.times(name) for name in names} == names


# --- anthropic ---

ANTHROPIC_SEEN = {
    name: (ANTHROPIC[row.status], row.status, row.kind, row.anthropic_words or row.words) for name, row in ROWS.items()
}


def anthropic_seen(error: anthropic.APIStatusError) -> tuple[Any, ...]:
    assert error.request_id is not None
    return type(error), error.status_code, error.type, error.api_message


def test_anthropic_raises_every_row(scripted: Scripted, stream: bool) -> None:
    def ask(client: anthropic.Anthropic, name: str) -> Any:
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(**question(name), stream=stream)
        return anthropic_seen(caught.value)

    url = f"{scripted.url}/apps/anthropic"
    with anthropic.Anthropic(api_key=scripted.key, base_url=url, max_retries=0) as client:
        assert {name: ask(client, name) for name in ROWS} == ANTHROPIC_SEEN


def test_anthropic_tries_again(scripted: Scripted, stream: bool) -> None:
    names = TRIED_AGAIN | ONCE

    async def ask_each() -> Seen:
        url = f"{scripted.url}/apps/anthropic"
        async with anthropic.AsyncAnthropic(api_key=scripted.key, base_url=url) as client:

            async def ask(name: str) -> Any:
                with pytest.raises(anthropic.APIStatusError) as caught:
                    await client.messages.create(**question(name), stream=stream)
                return anthropic_seen(caught.value)

            return await ask_all(ask, names)

    assert asyncio.run(ask_each()) == {name: ANTHROPIC_SEEN[name] for name in names}
    assert {name: scripted.times(name) for name in names} == names


# --- inside a stream ---

INSIDE = {name: ROWS[name] for name in ("content blocked", "internal", "timeout", "overload")}


def test_what_fails_inside_a_stream_is_told_to_every_client(
    scripted: Scripted, first_dashscope: dict[str, Any], node: Node
) -> None:
    for name, row in INSIDE.items():
        scripted.say(name, *GOOD[:2], row.error)
    url = f"{scripted.url}/compatible-mode/v1"

    def first(name: str) -> Any:
        answer: Any = dashscope.Generation.call(**question(name), **first_dashscope, stream=True)
        *_, last = answer
        return first_seen(last)

    def compatible(name: str) -> Any:
        with (
            openai.OpenAI(api_key=scripted.key, base_url=url) as client,
            pytest.raises(openai.APIError) as caught,
        ):
            list(client.chat.completions.create(**question(name), stream=True))
        assert isinstance(caught.value.body, dict)
        return caught.value.type, caught.value.code, caught.value.body["message"]

    def third(name: str) -> Any:
        with (
            anthropic.Anthropic(api_key=scripted.key, base_url=f"{scripted.url}/apps/anthropic") as client,
            pytest.raises(anthropic.APIStatusError) as caught,
        ):
            list(client.messages.create(**question(name), stream=True))
        return caught.value.type, caught.value.api_message

    # The 1.x client takes every error frame for a 400.
    assert {name: first(name) for name in INSIDE} == {name: (400, row.code, row.words) for name, row in INSIDE.items()}
    told = {name: (*row.compatible, row.words) for name, row in INSIDE.items()}
    assert {name: compatible(name) for name in INSIDE} == told
    assert {name: third(name) for name in INSIDE} == {name: (row.kind, row.words) for name, row in INSIDE.items()}
    seen = node("attempts", scripted.url, scripted.key, bodies=[question(name) | {"stream": True} for name in INSIDE])
    assert [(each["class"], each["type"], each["code"], each["message"]) for each in seen] == [
        ("APIError", *words) for words in told.values()
    ]


def test_the_second_dashscope_raises_what_fails_inside_a_stream(scripted: Scripted, second: dict[str, Any]) -> None:
    for name, row in INSIDE.items():
        scripted.say(name, *GOOD[:2], row.error)

    def ask(client: Any, name: str) -> Any:
        with pytest.raises(v2.DashScopeError) as caught:
            list(client.chat.completions.create(**question(name), stream=True))
        return caught.value.code, caught.value.message

    with dashscope.Client(**second, max_retries=0) as client:
        seen = {name: ask(client, name) for name in INSIDE}

    assert seen == {name: SECOND_SEEN[second["protocol"]][name][2:] for name in INSIDE}
    assert {scripted.times(name) for name in INSIDE} == {1}


# --- what is refused before a call is known ---


@pytest.fixture
def client(scripted: Scripted) -> openai.OpenAI:
    return openai.OpenAI(api_key=scripted.key, base_url=f"{scripted.url}/compatible-mode/v1", max_retries=0)


def test_a_key_that_is_wrong_is_refused_by_every_face(
    scripted: Scripted, client: openai.OpenAI, first_dashscope: dict[str, Any], node: Node
) -> None:
    wrong = "sk-0123456789abcdef"
    native: Any = dashscope.Generation.call(**question("Hi"), api_key=wrong)
    with pytest.raises(openai.AuthenticationError) as compatible:
        client.with_options(api_key=wrong).chat.completions.create(**question("Hi"))
    (on_node,) = node("attempts", scripted.url, wrong, bodies=[question("Hi")])

    assert first_seen(native) == (401, "InvalidApiKey", "Invalid API-key provided.")
    assert openai_seen(compatible.value) == (
        openai.AuthenticationError,
        401,
        REQUEST,
        "invalid_api_key",
        "Incorrect API key provided. ",
    )
    assert (on_node["class"], on_node["status"], on_node["code"]) == ("AuthenticationError", 401, "invalid_api_key")
    assert scripted.chat.calls == []


def test_a_key_that_is_missing_is_refused_by_every_protocol(second: dict[str, Any]) -> None:
    def forget(request: Any) -> None:
        for header in ("authorization", "x-api-key"):
            request.headers.pop(header, None)

    with dashscope.Client(**second, max_retries=0) as client:
        client._transport._client.event_hooks["request"].append(forget)
        with pytest.raises(v2.AuthenticationError) as caught:
            client.chat.completions.create(**question("Hi"))

    assert caught.value.message == "No API-key provided."


def test_an_address_or_a_method_that_is_none_is_refused(client: openai.OpenAI, first_dashscope: dict[str, Any]) -> None:
    native: Any = dashscope.Generation.call(
        **question("Hi"), **first_dashscope, base_address=f"{dashscope.base_http_api_url}/nowhere"
    )
    with pytest.raises(openai.NotFoundError) as address:
        client.post("/nowhere", body={}, cast_to=object)
    with pytest.raises(openai.APIStatusError) as method:
        client.get("/chat/completions", cast_to=object)

    assert first_seen(native) == (404, "NotFound", "Not found!")
    assert openai_seen(address.value) == (openai.NotFoundError, 404, None, "NotFound", "Not found!")
    assert openai_seen(method.value) == (
        openai.APIStatusError,
        405,
        REQUEST,
        "invalid_parameter_error",
        "Request method 'GET' is not supported.",
    )


def test_a_body_without_a_model_or_too_large_is_refused(client: openai.OpenAI, first_dashscope: dict[str, Any]) -> None:
    large = question("x" * (1 << 20))
    native: Any = dashscope.Generation.call(**large, **first_dashscope)
    with pytest.raises(openai.BadRequestError) as missing:
        client.post("/chat/completions", body={"messages": []}, cast_to=object)
    with pytest.raises(openai.BadRequestError) as too_large:
        client.chat.completions.create(**large)

    row = ROWS["body too large"]
    assert first_seen(native) == (row.status, row.code, row.words)
    assert openai_seen(too_large.value) == OPENAI_SEEN["body too large"]
    assert openai_seen(missing.value) == (
        openai.BadRequestError,
        400,
        REQUEST,
        None,
        "you must provide a model parameter.",
    )
