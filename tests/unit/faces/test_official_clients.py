"""The faces' bytes through the official clients, without a network."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import dashscope
import httpx2
import openai
import pytest
import requests
from dashscope.v2.resources.models import _parse_list
from requests.structures import CaseInsensitiveDict

from qwenport.core.errors import EngineFailed, QwenportError, Refused
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.dashscope.encode import StreamedGeneration
from qwenport.faces.face import CallOperation, Cards, Exchange, Face, Reply, Request, WholeAnswer
from qwenport.faces.openai import OPENAI
from qwenport.faces.openai.encode import StreamedCompletion

MakeRequest = Callable[..., Request]
Step = Event | QwenportError
GOOD: tuple[Step, ...] = (
    Started(served_by="scripted/model", input_tokens=7, cached_tokens=3),
    Delta(text="Hel"),
    Delta(text="lo\n\n你"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=3, cached_tokens=3)),
)
TWICE: tuple[Step, ...] = (
    Started(served_by="scripted/model", input_tokens=7),
    Delta(text="a", choice=0),
    Delta(text="b", choice=1, tokens=2),
    ChoiceFinished(reason=FinishReason.STOP, choice=0),
    ChoiceFinished(reason=FinishReason.STOP, choice=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=3)),
)
BROKEN: tuple[Step, ...] = (*GOOD[:2], EngineFailed("the engine broke off"))
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]


class Desk:
    """Answers HTTP requests from one face and a script, as the server would."""

    def __init__(self, face: Face, make_request: MakeRequest, cards: Cards) -> None:
        self.face = face
        self.make_request = make_request
        self.cards = cards
        self.script: tuple[Step, ...] = GOOD

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        address = urlsplit(url)
        request = self.make_request(
            body,
            headers={name.lower(): value for name, value in headers.items()},
            query=dict(parse_qsl(address.query)),
            path_parameters={"model": address.path.rpartition("/")[2]},
        )
        try:
            return self._run(method, address.path, request)
        except Refused as error:
            return self.face.encode_error(error, request.id)

    def _run(self, method: str, path: str, request: Request) -> Reply:
        operation = next(
            operation
            for operation in self.face.operations
            if operation.method == method and path in {operation.path, operation.path.format(**request.path_parameters)}
        )
        if isinstance(operation, CallOperation):
            exchange = operation.decode(request, self.cards)
            if exchange.call.refusal is not None:
                raise exchange.call.refusal
            return self._follow_script(exchange)
        return operation.respond(request, self.cards)

    def _follow_script(self, exchange: Exchange) -> Reply:
        answer = exchange.answer
        if isinstance(answer, StreamedGeneration | StreamedCompletion):
            frames = [
                answer.failure(step) if isinstance(step, QwenportError) else answer.frame(step) for step in self.script
            ]
            return Reply(status=200, headers=answer.headers, body=b"".join(frames))
        whole: WholeAnswer = answer  # type: ignore[assignment]  # what does not stream is whole
        for step in self.script:
            if isinstance(step, QwenportError):
                return self.face.encode_error(step, exchange.call.id)
            whole.add(step)
        return whole.reply()


class Session:
    """What the dashscope client needs of `requests.Session`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], **_: Any) -> requests.Response:
        reply = self.desk.answer("POST", url, headers, data)
        response = requests.Response()
        response.status_code = reply.status
        response.headers = CaseInsensitiveDict({name.decode(): value.decode() for name, value in reply.headers})
        response.raw = io.BytesIO(reply.body)
        return response


@pytest.fixture
def openai_desk(make_request: MakeRequest, cards: Cards) -> Desk:
    return Desk(OPENAI, make_request, cards)


@pytest.fixture
def client(openai_desk: Desk) -> Iterator[openai.OpenAI]:
    def respond(request: httpx2.Request) -> httpx2.Response:
        reply = openai_desk.answer(request.method, str(request.url), request.headers, request.content)
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    with openai.OpenAI(
        api_key="sk-test",
        base_url="http://test/compatible-mode/v1",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(respond)),
    ) as opened:
        yield opened


@pytest.fixture
def native_desk(make_request: MakeRequest, cards: Cards) -> Desk:
    return Desk(DASHSCOPE, make_request, cards)


@pytest.fixture
def generate(native_desk: Desk) -> Callable[..., Any]:
    def call(**parameters: Any) -> Any:
        return dashscope.Generation.call(
            model="qwen-turbo",
            api_key="sk-test",
            session=Session(native_desk),
            base_address="http://test/api/v1",
            **parameters,
        )

    return call


def test_openai_reads_a_whole_answer(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="qwen-plus", messages=HELLO)

    assert completion.to_dict() == {
        "choices": [
            {
                "message": {"content": "Hello\n\n你", "role": "assistant"},
                "finish_reason": "stop",
                "index": 0,
                "logprobs": None,
            }
        ],
        "object": "chat.completion",
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 3},
        },
        "created": 1767225600,
        "system_fingerprint": None,
        "model": "qwen-plus",
        "id": "chatcmpl-00000000-0000-9000-8000-000000000001",
    }


def test_openai_reads_a_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="qwen-plus", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)

    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "Hel", "lo\n\n你", ""]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, None, "stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 10


def test_openai_reads_errors_before_and_inside_a_stream(openai_desk: Desk, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="qwen-plus", messages=[], stream=True)
    openai_desk.script = BROKEN
    stream = client.chat.completions.create(model="qwen-plus", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match="the engine broke off") as broken:
        list(stream)

    assert (refused.value.code, refused.value.type) == ("invalid_parameter_error", "invalid_request_error")
    assert broken.value.code == "internal_error"


def test_openai_reads_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["qwen-turbo", "qwen3-max"]
    assert client.models.retrieve("qwen3-max").owned_by == "qwenport"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-4")
    assert caught.value.code == "model_not_found"


def test_dashscope_reads_a_whole_text(generate: Callable[..., Any]) -> None:
    response = generate(prompt="Hi")

    assert response.status_code == 200
    assert response.request_id == "00000000-0000-9000-8000-000000000001"
    assert (response.output.text, response.output.finish_reason) == ("Hello\n\n你", "stop")
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 3, 10)


@pytest.mark.parametrize(
    ("parameters", "texts"),
    [
        ({}, ["Hel", "Hello\n\n你", "Hello\n\n你"]),
        ({"incremental_output": True}, ["Hel", "lo\n\n你", ""]),
        ({"incremental_output": False}, ["Hel", "Hello\n\n你", "Hello\n\n你"]),
    ],
)
def test_dashscope_reads_a_stream_as_its_caller_asked(
    generate: Callable[..., Any], parameters: dict[str, Any], texts: list[str]
) -> None:
    responses = list(generate(messages=HELLO, stream=True, result_format="message", **parameters))

    assert [response.output.choices[0].message.content for response in responses] == texts
    assert [response.output.choices[0].finish_reason for response in responses] == ["null", "null", "stop"]
    assert [response.usage.total_tokens for response in responses] == [8, 9, 10]


def test_dashscope_adds_up_two_choices_of_a_stream(native_desk: Desk, generate: Callable[..., Any]) -> None:
    native_desk.script = TWICE
    last = list(generate(messages=HELLO, stream=True, result_format="message", n=2, incremental_output=False))[-1]

    assert [choice["message"]["content"] for choice in last.output.choices] == ["a", "b"]
    # The client adds up what each choice consumed; its last item is made of plain dictionaries.
    assert (last.usage["output_tokens"], last.usage["total_tokens"]) == (3, 10)


def test_dashscope_reads_errors_before_and_inside_a_stream(native_desk: Desk, generate: Callable[..., Any]) -> None:
    refused = generate(prompt="Hi", enable_thinking=True)
    native_desk.script = BROKEN
    *_, broken = generate(prompt="Hi", stream=True)

    assert (refused.status_code, refused.code) == (400, "InvalidParameter.NotSupportEnableThinking")
    # This client never looks at the status inside a stream.
    assert (broken.status_code, broken.code, broken.message) == (400, "InternalError", "the engine broke off")


def test_dashscope_reads_multimodal_answers(native_desk: Desk) -> None:
    response: Any = dashscope.MultiModalConversation.call(
        model="qwen-turbo",
        messages=[{"role": "user", "content": [{"text": "Hi"}]}],
        api_key="sk-test",
        session=Session(native_desk),
        base_address="http://test/api/v1",
    )

    assert response.output.choices[0].message.content == [{"text": "Hello\n\n你"}]


def test_dashscope_lists_and_finds_models(native_desk: Desk) -> None:
    page = _parse_list(json.loads(native_desk.answer("GET", "/api/v1/models?page_no=2&page_size=1", {}, b"").body))
    none = _parse_list(json.loads(native_desk.answer("GET", "/api/v1/models?model=gpt-4", {}, b"").body))

    assert (page.page_no, page.page_size, page.total_count) == (2, 1, 2)
    assert [(model.model, model.provider, model.is_error) for model in page.models] == [
        ("qwen3-max", "qwenport", False)
    ]
    assert (none.total_count, none.models) == (0, [])
