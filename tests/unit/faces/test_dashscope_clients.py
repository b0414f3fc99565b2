"""The native face's bytes through the official client in both its interfaces, over a local socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import dashscope
import pytest
from dashscope.client.base_api import BaseAsyncApi
from dashscope.v2 import errors
from dashscope.v2.resources._jobs import Jobs
from msgspec.structs import replace

from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.errors import TaskNotCancellable
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started, TokenLogprob, TopToken
from qwenport.core.native_tasks import CancelTask, FindTask, ListTasks, TaskPage
from qwenport.core.tokens import Tokenize, Tokens
from qwenport.core.usage import Usage
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.face import Cards
from qwenport.testing.face_socket import FaceSocket
from qwenport.testing.scripted_face import ScriptedFace, Step, SyncDesk
from qwenport.testing.scripts import BROKEN, CALLED, THOUGHT, TWICE

Ask = Callable[..., Any]
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
TOOLS: list[Any] = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]
CALLS = [("call_1", "weather", '{"city":"Ulm"}'), ("call_2", "time", "{}")]
LIKELY: tuple[Step, ...] = (
    Started(served_by="scripted/model", input_tokens=7),
    Delta(
        text="Hel",
        logprobs=(TokenLogprob(token="Hel", logprob=-0.5, top=(TopToken(token="Hal", logprob=-1.5),)),),
    ),
    Delta(text="lo", logprobs=(TokenLogprob(token="lo", logprob=-0.25),)),
    ChoiceFinished(reason=FinishReason.STOP),
    Finished(usage=Usage(input_tokens=7, output_tokens=2)),
)


@pytest.fixture
def all_cards(cards: Cards) -> Cards:
    """Give a catalog with a model that thinks where it is asked to."""
    hybrid = replace(cards["qwen-turbo"], name="hybrid", capabilities=Capabilities(thinking=Thinking.HYBRID))
    return {**cards, "hybrid": hybrid}


@pytest.fixture
def native_face(all_cards: Cards) -> ScriptedFace:
    words = Tokens(ids=(9707, 0), texts=("Hello", "!"))
    desk: SyncDesk = {
        Tokenize: lambda _: words,
        FindTask: lambda _: None,
        ListTasks: lambda _: TaskPage(entries=(), total=0),
        CancelTask: refuse_to_cancel,
    }
    return ScriptedFace(DASHSCOPE, all_cards, desk=desk)


def refuse_to_cancel(_: object) -> None:
    raise TaskNotCancellable


@pytest.fixture
def native_url(native_face: ScriptedFace) -> Iterator[str]:
    with FaceSocket(native_face) as socket:
        thread = threading.Thread(target=socket.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"{socket.url}/api/v1"
        socket.shutdown()
        thread.join()


@pytest.fixture
def generate(native_url: str) -> Ask:
    def call(model: str = "qwen-turbo", **parameters: Any) -> Any:
        return dashscope.Generation.call(model=model, api_key="sk-test", base_address=native_url, **parameters)

    return call


@pytest.fixture
def converse(native_url: str) -> Ask:
    def call(model: str = "qwen-turbo", **parameters: Any) -> Any:
        return dashscope.MultiModalConversation.call(
            model=model,
            messages=[{"role": "user", "content": [{"text": "Hi"}]}],
            api_key="sk-test",
            base_address=native_url,
            **parameters,
        )

    return call


@pytest.fixture
def second(native_url: str) -> Iterator[Any]:
    """Give a client of the newer interface, which speaks the native protocol."""
    with dashscope.Client(api_key="sk-test", base_url=native_url, protocol="native", max_retries=0) as opened:
        yield opened


def calls_of(message: Any) -> list[tuple[str, str, str]]:
    return [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in message.tool_calls]


def test_dashscope_reads_a_whole_text(generate: Ask) -> None:
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
    generate: Ask, parameters: dict[str, Any], texts: list[str]
) -> None:
    responses = list(generate(messages=HELLO, stream=True, result_format="message", **parameters))

    assert [response.output.choices[0].message.content for response in responses] == texts
    assert [response.output.choices[0].finish_reason for response in responses] == ["null", "null", "stop"]
    assert [response.usage.total_tokens for response in responses] == [8, 9, 10]


def test_dashscope_adds_up_two_choices_of_a_stream(native_face: ScriptedFace, generate: Ask) -> None:
    native_face.script = TWICE
    last = list(generate(messages=HELLO, stream=True, result_format="message", n=2, incremental_output=False))[-1]

    assert [choice["message"]["content"] for choice in last.output.choices] == ["a", "b"]
    # The client adds up what each choice consumed; its last item is made of plain dictionaries.
    assert (last.usage["output_tokens"], last.usage["total_tokens"]) == (3, 10)


@pytest.mark.parametrize("parameters", [{}, {"incremental_output": False}], ids=["by the server", "by the client"])
def test_dashscope_repeats_reasoning_and_text(
    native_face: ScriptedFace, generate: Ask, parameters: dict[str, Any]
) -> None:
    native_face.script = THOUGHT
    responses = list(generate("hybrid", messages=HELLO, stream=True, enable_thinking=True, **parameters))

    assert [
        (message.reasoning_content, message.content)
        for message in (response.output.choices[0].message for response in responses)
    ] == [("So ", ""), ("So what?", ""), ("So what?", "Hel"), ("So what?", "Hello"), ("So what?", "Hello")]
    assert [response.usage.output_tokens_details["reasoning_tokens"] for response in responses] == [1, 3, 3, 3, 3]


def test_the_documented_loop_over_a_thinking_multimodal_stream_tells_thoughts_from_text(
    native_face: ScriptedFace, converse: Ask
) -> None:
    native_face.script = THOUGHT
    thought, said = "", ""
    for chunk in converse("hybrid", stream=True, enable_thinking=True, incremental_output=True):
        message = chunk.output.choices[0].message
        reasoning = message.get("reasoning_content", None)
        if message.content == [] and reasoning == "":
            continue
        if reasoning is not None and message.content == []:
            thought += message.reasoning_content
        elif message.content != []:
            said += message.content[0]["text"]

    assert (thought, said) == ("So what?", "Hello")


def test_dashscope_merges_a_thinking_multimodal_stream(native_face: ScriptedFace, converse: Ask) -> None:
    native_face.script = THOUGHT
    *_, last = converse("hybrid", stream=True, enable_thinking=True, incremental_output=False)

    message = last.output.choices[0].message
    assert (message.reasoning_content, message.content) == ("So what?", [{"text": "Hello"}])


@pytest.mark.parametrize(
    "parameters",
    [{}, {"stream": True}, {"stream": True, "incremental_output": False}],
    ids=["whole", "by the server", "by the client"],
)
@pytest.mark.parametrize("service", ["generate", "converse"])
def test_dashscope_joins_tool_calls(
    native_face: ScriptedFace, request: pytest.FixtureRequest, service: str, parameters: dict[str, Any]
) -> None:
    native_face.script = CALLED
    ask: Ask = request.getfixturevalue(service)
    more = {"messages": HELLO, "result_format": "message"} if service == "generate" else {}
    response = ask(tools=TOOLS, **parameters, **more)
    last = list(response)[-1] if parameters else response

    assert last.output.choices[0].finish_reason == "tool_calls"
    assert calls_of(last.output.choices[0].message) == CALLS


@pytest.mark.parametrize(
    "parameters",
    [{}, {"stream": True}, {"stream": True, "incremental_output": False}],
    ids=["whole", "by the server", "by the client"],
)
def test_dashscope_extends_log_probabilities(
    native_face: ScriptedFace, generate: Ask, parameters: dict[str, Any]
) -> None:
    native_face.script = LIKELY
    response = generate(messages=HELLO, result_format="message", logprobs=True, top_logprobs=1, **parameters)
    last = list(response)[-1] if parameters else response

    told = last.output.choices[0].logprobs["content"]
    assert [(token["token"], token["logprob"]) for token in told] == [("Hel", -0.5), ("lo", -0.25)]
    assert [other["token"] for other in told[0]["top_logprobs"]] == ["Hal"]


def test_dashscope_reads_errors_before_and_inside_a_stream(native_face: ScriptedFace, generate: Ask) -> None:
    refused = generate(messages=HELLO, result_format="text", n=2)
    native_face.script = BROKEN
    *_, broken = generate(prompt="Hi", stream=True)

    assert (refused.status_code, refused.code) == (400, "InvalidParameter")
    assert refused.message == 'The result_format parameter must be "message" when n is greater than 1'
    # This client never looks at the status inside a stream.
    assert (broken.status_code, broken.code, broken.message) == (400, "InternalError", "the engine broke off")


def test_dashscope_reads_multimodal_answers(converse: Ask) -> None:
    assert converse().output.choices[0].message.content == [{"text": "Hello\n\n你"}]


def test_dashscope_reads_streams_without_blocking(native_url: str) -> None:
    async def texts() -> list[str]:
        responses: Any = await dashscope.AioGeneration.call(
            model="qwen-turbo", prompt="Hi", stream=True, api_key="sk-test", base_address=native_url
        )
        read = [response.output.text async for response in responses]
        close: Any = dashscope.close_shared_aio_session
        await close()
        return read

    assert asyncio.run(texts()) == ["Hel", "Hello\n\n你", "Hello\n\n你"]


def test_dashscope_reads_tokens(native_url: str, second: Any) -> None:
    tokenization: Any = dashscope.Tokenization
    first = tokenization.call(model="qwen-turbo", messages=HELLO, api_key="sk-test", base_address=native_url)
    counted = second.tokenization.count(model="qwen-turbo", prompt="Hello!")

    assert first.output == {"token_ids": [9707, 0], "tokens": ["Hello", "!"]}
    assert first.usage == {"input_tokens": 2}
    assert (counted.token_ids, counted.tokens, counted.input_tokens) == ([9707, 0], ["Hello", "!"], 2)


def test_dashscope_finds_no_task(native_url: str, second: Any) -> None:
    where: Any = {"api_key": "sk-test", "base_address": native_url}
    jobs = Jobs(second, "aigc/text2image/image-synthesis")

    assert BaseAsyncApi.fetch("8a-1", **where).output == {"task_id": "8a-1", "task_status": "UNKNOWN"}
    # An unknown task is one that ended, so that nobody waits for it.
    assert BaseAsyncApi.wait("8a-1", **where).output["task_status"] == "UNKNOWN"
    assert jobs.fetch("8a-1").finished
    assert BaseAsyncApi.list(page_no=2, page_size=5, **where).output == {
        "data": [],
        "page_no": 2,
        "page_size": 5,
        "total": 0,
        "total_page": 0,
    }
    assert (jobs.list(page_size=5).tasks, jobs.list(page_size=5).page_size) == ([], 5)
    cancelled = BaseAsyncApi.cancel("8a-1", **where)
    assert (cancelled.status_code, cancelled.code) == (400, "UnsupportedOperation")
    with pytest.raises(errors.BadRequestError):
        jobs.cancel("8a-1")


def test_dashscope_lists_and_finds_models(native_url: str, second: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashscope, "base_http_api_url", native_url)
    models: Any = dashscope.Models
    page = models.list(page=2, page_size=1, api_key="sk-test")
    found = models.get("qwen3-max", api_key="sk-test")
    missing = models.get("gpt-4", api_key="sk-test")
    newer = second.models.list(page_no=2, page_size=1)

    assert [model["model"] for model in page.output["models"]] == ["qwen3-max"]
    assert (found.output["name"], missing.status_code) == ("qwen3-max", 404)
    assert (newer.page_no, newer.page_size, newer.total_count) == (2, 1, 3)
    assert [(model.model, model.provider, model.is_error) for model in newer.models] == [
        ("qwen3-max", "qwenport", False)
    ]
    assert second.models.get("qwen-turbo").model == "qwen-turbo"
    with pytest.raises(errors.DashScopeError):
        second.models.get("gpt-4")


def test_the_newer_dashscope_client_reads_whole_answers(native_face: ScriptedFace, second: Any) -> None:
    native_face.script = CALLED
    completion = second.chat.completions.create(model="qwen-turbo", messages=HELLO, tools=TOOLS)

    assert [
        (call.id, call.function.name, call.function.arguments) for call in completion.choices[0].message.tool_calls
    ] == CALLS
    assert (completion.choices[0].finish_reason, completion.usage.total_tokens) == ("tool_calls", 12)


@pytest.mark.parametrize("service", ["chat", "multimodal"])
def test_the_newer_dashscope_client_joins_streams(native_face: ScriptedFace, second: Any, service: str) -> None:
    create = second.chat.completions.create if service == "chat" else second.multimodal.chat.create
    native_face.script = THOUGHT
    thought = create(model="hybrid", messages=HELLO, stream=True, enable_thinking=True).get_final_message()
    native_face.script = CALLED
    called = create(model="qwen-turbo", messages=HELLO, stream=True, tools=TOOLS).get_final_message()

    message = thought.choices[0].message
    assert (message.reasoning_content, message.content) == ("So what?", "Hello")
    assert thought.usage.output_tokens_details == {"text_tokens": 3, "reasoning_tokens": 3}
    assert [
        (call.id, call.function.name, call.function.arguments) for call in called.choices[0].message.tool_calls
    ] == CALLS


def test_the_newer_dashscope_client_raises_errors_before_and_inside_a_stream(
    native_face: ScriptedFace, second: Any
) -> None:
    with pytest.raises(errors.BadRequestError, match="too short"):
        second.chat.completions.create(model="qwen-turbo", messages=HELLO, tools=[])
    native_face.script = BROKEN
    with pytest.raises(errors.DashScopeError, match="the engine broke off") as broken:
        list(second.chat.completions.create(model="qwen-turbo", messages=HELLO, stream=True))
    assert broken.value.code == "InternalError"
