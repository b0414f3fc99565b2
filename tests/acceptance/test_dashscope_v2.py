"""The official `dashscope` client, 2.x interface, against a live server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dashscope
import pytest
from dashscope.v2 import errors

if TYPE_CHECKING:
    from tests.conftest import Server

NewKey = Callable[..., str]
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]
BASES = {"native": "/api/v1", "openai": "/compatible-mode/v1"}


@pytest.fixture(params=sorted(BASES))
def settings(request: pytest.FixtureRequest, live: Server) -> dict[str, Any]:
    """Give what a client of one protocol is made with."""
    return {
        "api_key": live.key,
        "base_url": live.url + BASES[request.param],
        "protocol": request.param,
        "max_retries": 0,
    }


@pytest.fixture
def client(settings: dict[str, Any]) -> Iterator[Any]:
    with dashscope.Client(**settings) as client:
        yield client


def test_a_call_is_answered(client: Any) -> None:
    completion = client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=6)

    assert completion.output_text
    assert completion.choices[0].message.role == "assistant"
    assert completion.usage.total_tokens > 0
    assert len(completion.request_id.removeprefix("chatcmpl-")) == 36


def test_a_stream_holds_the_text_of_the_whole_answer(client: Any) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 6, "seed": 3}
    whole = client.chat.completions.create(**call)
    chunks = list(client.chat.completions.create(**call, stream=True))

    assert "".join(chunk.delta.content or "" for chunk in chunks if chunk.delta) == whole.output_text
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] in {"stop", "length"}


def test_errors_have_the_classes_of_their_codes(client: Any) -> None:
    with pytest.raises(errors.NotFoundError):
        client.chat.completions.create(model="gpt-4", messages=HELLO)
    with pytest.raises(errors.BadRequestError, match=r"Temperature should be in \[0.0, 2.0\)"):
        client.chat.completions.create(model="qwen-plus", messages=HELLO, temperature=2.0)
    with pytest.raises(errors.BadRequestError, match=r"Range of n should be \[1, 4\]"):
        list(client.chat.completions.create(model="qwen-plus", messages=HELLO, n=9, stream=True))


def test_a_key_that_is_not_valid_is_refused(settings: dict[str, Any], new_key: NewKey) -> None:
    with (
        dashscope.Client(**{**settings, "api_key": new_key("disabled")}) as client,
        pytest.raises(errors.AuthenticationError),
    ):
        client.chat.completions.create(model="qwen-plus", messages=HELLO)


def test_asynchronous_calls_are_answered_whole_and_streamed(settings: dict[str, Any]) -> None:
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 6, "seed": 3}

    async def ask() -> tuple[str, str]:
        async with dashscope.AsyncClient(**settings) as client:
            whole: Any = await client.chat.completions.create(**call)
            stream: Any = await client.chat.completions.create(**call, stream=True)
            pieces = [chunk.delta.content or "" async for chunk in stream if chunk.delta]
            return whole.output_text, "".join(pieces)

    whole, streamed = asyncio.run(ask())

    assert streamed == whole


def test_models_are_listed_by_the_native_client(live: Server) -> None:
    with dashscope.Client(api_key=live.key, base_url=f"{live.url}/api/v1", protocol="native") as client:
        page: Any = client.models.list(page_no=1, page_size=100)

    assert {"qwen-plus", "qwen-turbo"} <= {model.model for model in page.models}
    assert page.total_count == len(page.models)
