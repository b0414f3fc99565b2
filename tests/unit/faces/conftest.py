"""What the tests of the faces have in common: requests to hand in, answers to read, and clients without a network."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import openai
import pytest
import requests
from requests.structures import CaseInsensitiveDict

from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.events import Event
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard, ResultFormat
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.openai.decode import decode_chat_completion
from qwenport.testing.scripted_face import ScriptedFace

MakeRequest = Callable[..., Request]
Encode = Callable[[Exchange, Iterable[Event]], bytes]
Ask = Callable[..., Exchange]
Connect = Callable[[ScriptedFace], openai.OpenAI]


@pytest.fixture(scope="session")
def make_request() -> MakeRequest:
    """Return a maker of requests; a body that is not bytes is sent as JSON."""

    def make(
        body: object = b"",
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        path_parameters: Mapping[str, str] | None = None,
    ) -> Request:
        return Request(
            id=RequestId("00000000-0000-9000-8000-000000000001"),
            received_at=datetime(2026, 1, 1, tzinfo=UTC),
            headers=headers or {},
            query=query or {},
            path_parameters=path_parameters or {},
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        )

    return make


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Return a function that gives the whole bytes of an answer to these events."""

    def encode_events(exchange: Exchange, events: Iterable[Event]) -> bytes:
        answer = exchange.answer
        if hasattr(answer, "frame"):
            return b"".join(answer.frame(event) for event in events)
        for event in events:
            answer.add(event)
        return answer.reply().body

    return encode_events


@pytest.fixture(scope="session")
def ask_openai(make_request: MakeRequest) -> Ask:
    """Return a function that asks the OpenAI face for a chat completion, with these fields beside the plain ones."""

    def ask(**extra: Any) -> Exchange:
        body = {"model": 'qwen-"plus"', "messages": [{"role": "user", "content": "Hi"}], **extra}
        return decode_chat_completion(make_request(body), {THINKER.name: THINKER})

    return ask


THINKER = ModelCard(
    name='qwen-"plus"',
    description="Thinks where it is asked to.",
    family="qwen-plus",
    released=date(2024, 12, 1),
    context_tokens=131_072,
    max_input_tokens=98_304,
    max_output_tokens=8192,
    capabilities=Capabilities(thinking=Thinking.HYBRID),
)


@pytest.fixture(scope="session")
def cards() -> Cards:
    """Return a catalog of a model that stands in and one that is what its name says."""
    return {
        "qwen-turbo": ModelCard(
            name="qwen-turbo",
            description="Fast and cheap.",
            family="qwen-turbo",
            released=date(2024, 9, 19),
            context_tokens=1_000_000,
            max_input_tokens=1_000_000,
            max_output_tokens=8192,
            route=("llama/smollm2-135m-instruct",),
            stands_in=True,
        ),
        "qwen3-max": ModelCard(
            name="qwen3-max",
            description="The strongest.",
            family="qwen3",
            released=date(2025, 9, 23),
            context_tokens=262_144,
            max_input_tokens=258_048,
            max_output_tokens=65_536,
            default_result_format=ResultFormat.MESSAGE,
            route=("alibaba/qwen3-max",),
        ),
    }


@pytest.fixture
def connect_openai() -> Iterator[Connect]:
    """Return a maker of official clients that ask a face."""
    with ExitStack() as opened:

        def connect(face: ScriptedFace) -> openai.OpenAI:
            def respond(request: httpx2.Request) -> httpx2.Response:
                reply = face.answer(request.method, str(request.url), request.headers, request.content)
                return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

            client = openai.OpenAI(
                api_key="sk-test",
                base_url="http://test/compatible-mode/v1",
                max_retries=0,
                http_client=httpx2.Client(transport=httpx2.MockTransport(respond)),
            )
            return opened.enter_context(client)

        yield connect


class Session:
    """What the dashscope client needs of `requests.Session`, over a face."""

    def __init__(self, face: ScriptedFace) -> None:
        self._face = face

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], **_: Any) -> requests.Response:
        """Return the face's answer."""
        reply = self._face.answer("POST", url, headers, data)
        response = requests.Response()
        response.status_code = reply.status
        response.headers = CaseInsensitiveDict({name.decode(): value.decode() for name, value in reply.headers})
        response.raw = io.BytesIO(reply.body)
        return response


@pytest.fixture(scope="session")
def dashscope_session() -> type[Session]:
    """Give the class, to be handed to the dashscope client."""
    return Session
