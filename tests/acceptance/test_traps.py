"""Ways in which a server breaks official clients though each answer looks right; each is numbered by its trap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dashscope
import httpx
import openai
import pytest
from dashscope.aigc.generation import AioGeneration
from dashscope.common.error import AuthenticationError
from dashscope.v2 import errors as v2

from qwenport.core.errors import Overloaded, QuotaExceeded, RateExceeded
from qwenport.testing.scripts import BROKEN, CALLED, GOOD, THOUGHT, TWICE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted

Ask = Callable[..., Any]
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
PARTS: list[Any] = [{"role": "user", "content": [{"text": "Hi"}]}]
GENERATION = "/api/v1/services/aigc/text-generation/generation"
MULTIMODAL = "/api/v1/services/aigc/multimodal-generation/generation"
CHAT = "/compatible-mode/v1/chat/completions"
BOTH: list[Any] = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]


@pytest.fixture
def post(scripted: Scripted) -> Ask:
    """Give a sender of JSON that sees the bytes of the answer."""

    def send(path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {scripted.key}"}
        return httpx.post(f"{scripted.url}{path}", json=body, headers=bearer | headers, timeout=60)

    return send


@pytest.fixture
def native(post: Ask) -> Ask:
    """Give a caller of the native face: whole, or as the frames of a stream."""

    def call(path: str = GENERATION, *, stream: bool = False, **parameters: Any) -> list[dict[str, Any]]:
        messages = PARTS if path == MULTIMODAL else HELLO
        model = "qwen-vl-max" if path == MULTIMODAL else "qwen-plus"
        body = {"model": model, "input": {"messages": messages}, "parameters": parameters}
        answer = post(path, body, **({"X-DashScope-SSE": "enable"} if stream else {}))
        assert answer.status_code == 200
        if not stream:
            return [answer.json()]
        return [json.loads(line.removeprefix("data:")) for line in answer.text.splitlines() if line.startswith("data:")]

    return call


@pytest.fixture
def chunks(post: Ask) -> Ask:
    """Give a caller of the OpenAI face that returns the chunks of a stream."""

    def call(**more: Any) -> list[dict[str, Any]]:
        answer = post(CHAT, {"model": "qwen-plus", "messages": HELLO, "stream": True, **more})
        *lines, done = (line.removeprefix("data: ") for line in answer.text.split("\n\n") if line)
        assert done == "[DONE]"
        return [json.loads(line) for line in lines]

    return call


@pytest.fixture
def generate(first_dashscope: dict[str, Any]) -> Ask:
    def call(**more: Any) -> Any:
        settings = {"model": "qwen-plus", "messages": HELLO, "result_format": "message", **first_dashscope}
        return dashscope.Generation.call(**settings | more)

    return call


@pytest.fixture
def client(scripted: Scripted) -> openai.OpenAI:
    return openai.OpenAI(api_key=scripted.key, base_url=f"{scripted.url}/compatible-mode/v1", max_retries=0)


every_native_answer = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
every_address = pytest.mark.parametrize("path", [GENERATION, MULTIMODAL], ids=["text", "multimodal"])


@every_native_answer
@every_address
def test_01_output_is_an_object(native: Ask, path: str, stream: bool) -> None:
    for answer in native(path, stream=stream):
        assert isinstance(answer["output"], dict)


@every_native_answer
@every_address
@pytest.mark.parametrize("script", [GOOD, THOUGHT, CALLED], ids=["text", "thoughts", "calls"])
def test_02_a_message_has_a_role(scripted: Scripted, native: Ask, path: str, stream: bool, script: Any) -> None:
    scripted.say("Hi", *script)
    for answer in native(path, stream=stream, result_format="message", incremental_output=True):
        assert [choice["message"]["role"] for choice in answer["output"]["choices"]] == ["assistant"]


def test_03_choices_are_empty_in_no_frame(native: Ask, chunks: Ask) -> None:
    assert all(frame["output"]["choices"] for frame in native(stream=True, result_format="message"))
    assert all(chunk["choices"] for chunk in chunks())


@every_native_answer
@every_address
def test_04_usage_holds_the_total(generate: Ask, native: Ask, path: str, stream: bool) -> None:
    assert [answer["usage"]["total_tokens"] for answer in native(path, stream=stream)] == (
        [8, 9, 10] if stream else [10]
    )
    answers = list(generate(stream=True)) if stream else [generate()]
    assert [answer.usage.total_tokens for answer in answers] == ([8, 9, 10] if stream else [10])


@every_native_answer
def test_05_an_index_is_a_number_or_absent(scripted: Scripted, native: Ask, stream: bool) -> None:
    scripted.say("Hi", *TWICE)
    answers = native(stream=stream, result_format="message", n=2)

    assert {choice["index"] for answer in answers for choice in answer["output"]["choices"]} == {0, 1}
    scripted.say("Hi", *GOOD)
    alone = native(stream=stream, result_format="message")
    assert {choice.get("index", 0) for answer in alone for choice in answer["output"]["choices"]} == {0}


@every_native_answer
@every_address
def test_06_a_good_answer_has_no_code(native: Ask, path: str, stream: bool) -> None:
    assert not any("code" in answer for answer in native(path, stream=stream))


def test_07_an_error_frame_has_no_space(scripted: Scripted, post: Ask, generate: Ask, client: openai.OpenAI) -> None:
    scripted.say("Hi", *BROKEN)
    body = {"model": "qwen-plus", "input": {"messages": HELLO}}
    *_, frame, end = post(GENERATION, body, **{"X-DashScope-SSE": "enable"}).text.split("\n\n")

    async def read() -> Any:
        stream: Any = await AioGeneration.call(model="qwen-plus", messages=HELLO, stream=True, api_key=scripted.key)
        *_, last = [each async for each in stream]
        close: Any = dashscope.close_shared_aio_session
        await close()
        return last

    *_, first = generate(stream=True)
    asynchronous = asyncio.run(read())
    assert (frame.splitlines()[1], end) == ("event:error", "")
    assert (first.code, first.message) == ("InternalError", "the engine broke off")
    assert (asynchronous.code, asynchronous.message) == ("InternalError", "the engine broke off")


def test_08_the_first_client_takes_every_error_frame_for_a_400(scripted: Scripted, generate: Ask, post: Ask) -> None:
    scripted.say("Hi", *GOOD[:2], Overloaded())
    *_, last = generate(stream=True)
    body = {"model": "qwen-plus", "input": {"messages": HELLO}}
    text = post(GENERATION, body, **{"X-DashScope-SSE": "enable"}).text

    assert (last.status_code, last.code) == (400, "ModelServingError")
    # The comment says the true status; a `status:` line, which the service does not send, would change what is seen.
    assert ":HTTP_STATUS/503\n" in text
    assert "\nstatus:" not in text


def test_09_a_native_stream_ends_without_a_word(post: Ask, generate: Ask) -> None:
    body = {"model": "qwen-plus", "input": {"messages": HELLO}}
    text = post(GENERATION, body, **{"X-DashScope-SSE": "enable"}).text

    assert "[DONE]" not in text
    assert [answer.status_code for answer in generate(stream=True)] == [200] * 3


def test_10_false_arrives_as_true_and_is_believed(generate: Ask) -> None:
    # The client sends true and joins the pieces itself; snapshots in their place would be joined too.
    texts = [each.output.choices[0].message.content for each in generate(stream=True, incremental_output=False)]

    assert texts == ["Hel", "Hello\n\n你", "Hello\n\n你"]


def test_11_without_the_parameter_a_stream_is_cumulative(generate: Ask) -> None:
    texts = [each.output.choices[0].message.content for each in generate(stream=True)]

    assert texts == ["Hel", "Hello\n\n你", "Hello\n\n你"]


def test_12_a_merged_multimodal_stream_ends_whole(first_dashscope: dict[str, Any]) -> None:
    # The client gives out one list again and again, so only the last item is looked at.
    conversation: Any = dashscope.MultiModalConversation
    *_, last = conversation.call(
        model="qwen-vl-max", messages=PARTS, stream=True, incremental_output=False, **first_dashscope
    )

    assert last.output.choices[0].message.content == [{"text": "Hello\n\n你"}]


def test_13_a_call_is_named_once_and_has_an_index(scripted: Scripted, native: Ask) -> None:
    scripted.say("Hi", *CALLED)
    frames = native(stream=True, result_format="message", incremental_output=True, tools=BOTH)
    calls = [call for frame in frames for call in frame["output"]["choices"][0]["message"].get("tool_calls", ())]

    assert [(call["index"], call["id"], call["function"].get("name")) for call in calls] == [
        (0, "call_1", "weather"),
        (0, "", ""),
        (0, "", ""),
        (1, "call_2", "time"),
    ]


@every_native_answer
def test_14_multimodal_content_is_a_list(native: Ask, stream: bool) -> None:
    for answer in native(MULTIMODAL, stream=stream):
        assert isinstance(answer["output"]["choices"][0]["message"]["content"], list)


def test_15_whole_answers_and_errors_are_declared_as_json(scripted: Scripted, post: Ask) -> None:
    body = {"model": "qwen-plus", "input": {"messages": HELLO}}
    good = post(GENERATION, body)
    bad = post(GENERATION, {"model": "gpt-4", "input": {"messages": HELLO}}, **{"X-DashScope-SSE": "enable"})
    scripted.say("Hi", *BROKEN)
    broken = post(GENERATION, body, **{"X-DashScope-SSE": "enable"})
    last = json.loads(broken.text.rpartition("data:")[2])

    assert [answer.headers["content-type"] for answer in (good, bad)] == ["application/json"] * 2
    assert sorted(last) == ["code", "message", "request_id"]


def test_16_an_upload_is_answered_with_200_and_led_to_a_whole_address(scripted: Scripted, picture: Path) -> None:
    bearer = {"Authorization": f"Bearer {scripted.key}"}
    policy = {"action": "getPolicy", "model": "qwen-vl-max"}
    leave = httpx.get(f"{scripted.url}/api/v1/uploads", params=policy, headers=bearer, timeout=60).json()["data"]
    form = {
        "OSSAccessKeyId": leave["oss_access_key_id"],
        "Signature": leave["signature"],
        "policy": leave["policy"],
        "key": f"{leave['upload_dir']}/a.png",
        "x-oss-object-acl": leave["x_oss_object_acl"],
        "x-oss-forbid-overwrite": leave["x_oss_forbid_overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": "image/png",
    }
    answer = httpx.post(leave["upload_host"], data=form, files={"file": ("a.png", picture.read_bytes())}, timeout=60)

    assert (answer.status_code, answer.content) == (200, b"")
    assert urlsplit(leave["upload_host"]).scheme == "http"


def test_17_a_native_file_needs_no_purpose(first_dashscope: dict[str, Any], picture: Path) -> None:
    files: Any = dashscope.Files
    made = files.upload(str(picture), purpose="fine-tune", **first_dashscope)

    assert (made.status_code, made.output["failed_uploads"]) == (200, [])
    files.delete(made.output["uploaded_files"][0]["file_id"], **first_dashscope)


def test_18_a_compatible_stream_says_that_it_is_done(post: Ask) -> None:
    text = post(CHAT, {"model": "qwen-plus", "messages": HELLO, "stream": True}).text

    assert text.endswith("\n\ndata: [DONE]\n\n")


def test_19_a_refused_stream_is_json(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="qwen-plus", messages=HELLO, n=9, stream=True)

    assert caught.value.response.headers["content-type"] == "application/json"
    assert caught.value.code == "invalid_parameter_error"


def test_20_a_throttled_call_is_asked_three_times(scripted: Scripted, client: openai.OpenAI) -> None:
    scripted.say("Hi", RateExceeded())
    with pytest.raises(openai.RateLimitError) as caught:
        client.with_options(max_retries=2).chat.completions.create(model="qwen-plus", messages=HELLO)

    # As with the service, which says nothing of trying again.
    assert "x-should-retry" not in caught.value.response.headers
    assert caught.value.request.headers["x-stainless-retry-count"] == "2"
    assert scripted.times("Hi") == 3


def test_20_a_budget_that_is_spent_for_hours_is_told_at_once(scripted: Scripted, client: openai.OpenAI) -> None:
    scripted.say("Hi", QuotaExceeded(retry_after_s=40_000))
    # The client would sleep until then, eleven hours, before it says anything.
    with pytest.raises(openai.RateLimitError) as caught:
        client.with_options(max_retries=2).chat.completions.create(model="qwen-plus", messages=HELLO)

    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["x-should-retry"], scripted.times("Hi")) == ("40000", "false", 1)


def test_21_vectors_are_had_in_base64(scripted: Scripted, client: openai.OpenAI, post: Ask) -> None:
    body = {"model": "multilingual-e5-small", "input": "Hi", "encoding_format": "base64"}
    answer = client.embeddings.create(model="multilingual-e5-small", input="Hi")

    assert answer.data[0].embedding == [float(n) for n in range(4)]
    assert isinstance(post("/compatible-mode/v1/embeddings", body).json()["data"][0]["embedding"], str)


def test_22_a_chunk_without_choices_comes_only_if_asked(chunks: Ask) -> None:
    assert [bool(chunk["choices"]) for chunk in chunks()] == [True] * 4
    asked = chunks(stream_options={"include_usage": True})
    assert [bool(chunk["choices"]) for chunk in asked] == [True] * 4 + [False]


def test_23_usage_is_null_in_ordinary_chunks(chunks: Ask) -> None:
    assert [chunk["usage"] for chunk in chunks()] == [None] * 4


def test_24_a_call_keeps_its_first_id(scripted: Scripted, chunks: Ask, client: openai.OpenAI) -> None:
    scripted.say("Hi", *CALLED)
    calls = [call for chunk in chunks(tools=BOTH) for call in chunk["choices"][0]["delta"].get("tool_calls") or ()]
    with client.chat.completions.stream(model="qwen-plus", messages=HELLO, tools=BOTH) as stream:
        joined = stream.get_final_completion().choices[0].message.tool_calls

    assert [(call["index"], call["id"], call["function"].get("name")) for call in calls] == [
        (0, "call_1", "weather"),
        (0, "", None),
        (0, "", None),
        (1, "call_2", "time"),
    ]
    assert [call.id for call in joined or ()] == ["call_1", "call_2"]


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_25_a_protocol_at_the_native_address_is_not_found(scripted: Scripted, protocol: str) -> None:
    # The second client adds no prefix of a protocol to an address that it was given.
    with (
        dashscope.Client(api_key=scripted.key, base_url=f"{scripted.url}/api/v1", protocol=protocol) as client,
        pytest.raises(v2.NotFoundError),
    ):
        client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=9)


def test_26_an_unknown_model_is_an_empty_list(scripted: Scripted, first_dashscope: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {scripted.key}"}
    answer = httpx.get(f"{scripted.url}/api/v1/models?model=gpt-4&page_no=1&page_size=1", headers=bearer, timeout=60)
    models: Any = dashscope.Models
    seen = models.get("gpt-4", **first_dashscope)

    assert (answer.status_code, answer.json()["output"]["models"]) == (200, [])
    assert (seen.status_code, seen.message) == (404, "Model 'gpt-4' not found")


def test_26b_only_the_second_client_asks_without_a_key(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("DASHSCOPE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    # Keys are also looked for in the home folder.
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(AuthenticationError):
        dashscope.Generation.call(model="qwen-plus", messages=HELLO)
    with pytest.raises(openai.OpenAIError):
        openai.OpenAI(base_url=scripted.url)
    with (
        dashscope.Client(base_url=f"{scripted.url}/api/v1", protocol="native") as client,
        pytest.raises(v2.AuthenticationError) as caught,
    ):
        client.chat.completions.create(model="qwen-plus", messages=HELLO)

    assert (caught.value.status_code, caught.value.code, caught.value.message) == (
        401,
        "InvalidApiKey",
        "No API-key provided.",
    )


def test_26c_choices_are_held_back_until_all_have_ended(scripted: Scripted, generate: Ask) -> None:
    scripted.say("Hi", *TWICE)
    *before, last = generate(stream=True, incremental_output=False, n=2)

    assert [choice["message"]["content"] for choice in last.output["choices"]] == ["a", "b"]
    assert all(each.output.choices[0].finish_reason == "null" for each in before)


def test_27_every_answer_has_an_id_and_a_time_in_seconds(chunks: Ask, post: Ask) -> None:
    body = {"model": "qwen-plus", "messages": HELLO}
    answers = {
        "native": post(GENERATION, {"model": "qwen-plus", "input": {"messages": HELLO}}),
        "native error": post(GENERATION, {"model": "gpt-4", "input": {"messages": HELLO}}),
        "compatible error": post(CHAT, body | {"model": "gpt-4"}),
        "anthropic error": post("/apps/anthropic/v1/messages", body | {"model": "gpt-4", "max_tokens": 9}),
    }
    whole = post(CHAT, body)

    assert {name: answer.json()["request_id"] for name, answer in answers.items()} == {
        name: answer.headers["x-request-id"] for name, answer in answers.items()
    }
    assert whole.json()["id"] == f"chatcmpl-{whole.headers['x-request-id']}"
    assert {type(whole.json()["created"]), *(type(chunk["created"]) for chunk in chunks())} == {int}
