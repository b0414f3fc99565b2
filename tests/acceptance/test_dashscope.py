"""The official `dashscope` client, 1.x interface, blocking and asynchronous."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dashscope
import pytest
from dashscope.aigc.generation import AioGeneration
from dashscope.client.base_api import BaseAsyncAioApi, BaseAsyncApi

from qwenport.core.content import Role
from qwenport.testing.scripts import CALLED, THOUGHT

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted
    from tests.conftest import Server

NewKey = Callable[..., str]
Generate = Callable[..., Any]
HELLO: list[Any] = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Say hello."},
]

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 12},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
NAMED: Any = {"type": "function", "function": {"name": "get_weather"}}
BOTH: list[Any] = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]


@pytest.fixture(autouse=True)
def base_address(live: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the client at the server, as its users do."""
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{live.url}/api/v1")


@pytest.fixture
def generate(live: Server) -> Generate:
    def call(**parameters: Any) -> Any:
        return dashscope.Generation.call(**{"model": "qwen-turbo", "api_key": live.key, "max_tokens": 8, **parameters})

    return call


def contents(responses: list[Any]) -> list[str]:
    return [response.output.choices[0].message.content for response in responses]


def test_the_first_call_of_the_manual_is_answered(generate: Generate) -> None:
    response = generate(messages=HELLO, result_format="message")
    choice = response.output.choices[0]

    assert (response.status_code, response.code, response.message) == (200, "", "")
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.finish_reason in {"stop", "length"}
    assert response.usage.input_tokens > 0
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert response.request_id[14] == "9"


def test_an_answer_as_text_has_no_choices(generate: Generate) -> None:
    response = generate(messages=HELLO, result_format="text")

    assert response.output.text
    assert response.output.finish_reason in {"stop", "length"}
    assert response.output.choices is None


def test_a_prompt_alone_is_answered_as_text(generate: Generate) -> None:
    assert generate(prompt="Say hello.").output.text


def test_a_history_is_part_of_the_prompt(generate: Generate) -> None:
    short = generate(prompt="And now?")
    long = generate(prompt="And now?", history=[{"user": "Say hello.", "bot": "Hello."}])

    assert long.output.text
    assert long.usage.input_tokens > short.usage.input_tokens


@pytest.mark.parametrize("result_format", ["text", "message"])
@pytest.mark.parametrize("setting", [{}, {"incremental_output": True}, {"incremental_output": False}])
def test_a_stream_is_cumulative_or_not_as_its_caller_asked(
    generate: Generate, setting: dict[str, Any], result_format: str
) -> None:
    def read(response: Any) -> str:
        output = response.output
        return str(output.text if result_format == "text" else output.choices[0].message.content)

    settings: dict[str, Any] = {"messages": HELLO, "result_format": result_format, "seed": 5}
    whole = read(generate(**settings))
    texts = [read(response) for response in generate(**settings, stream=True, **setting)]

    if setting.get("incremental_output"):
        assert "".join(texts) == whole
        assert texts[-1] == ""
    else:
        assert texts[-1] == whole
        assert texts == sorted(texts, key=len)
        assert all(whole.startswith(text) for text in texts)
    assert len(texts) > 2


def test_every_frame_of_a_stream_holds_usage_and_the_same_request_id(generate: Generate) -> None:
    responses = list(generate(messages=HELLO, result_format="message", stream=True))
    reasons = [response.output.choices[0].finish_reason for response in responses]

    assert [response.status_code for response in responses] == [200] * len(responses)
    assert len({response.request_id for response in responses}) == 1
    assert reasons == ["null"] * (len(responses) - 1) + [reasons[-1]]
    assert reasons[-1] in {"stop", "length"}
    totals = [response.usage.total_tokens for response in responses]
    assert totals == sorted(totals)


def test_several_choices_arrive_whole_at_the_end_of_a_merged_stream(generate: Generate) -> None:
    # The client holds an ended choice back only when it ended by itself, so the answers must not be cut off.
    settings: dict[str, Any] = {"messages": HELLO, "result_format": "message", "top_k": 1, "max_tokens": 200}
    *_, last = generate(**settings, n=2, stream=True, incremental_output=False)

    assert [choice["index"] for choice in last.output["choices"]] == [0, 1]
    assert all(choice["message"]["content"] for choice in last.output["choices"])


def test_json_mode_answers_an_object(generate: Generate) -> None:
    response = generate(
        messages=[{"role": "user", "content": "Name one fruit and its price in JSON."}],
        result_format="message",
        response_format={"type": "json_object"},
        seed=1,
        max_tokens=300,
    )

    assert response.output.choices[0].message.content.strip().startswith("{")


@pytest.mark.parametrize("stream", [False, True])
def test_the_multimodal_address_answers_text_in_parts(live: Server, stream: bool) -> None:
    answer: Any = dashscope.MultiModalConversation.call(
        model="qwen-vl-max",
        messages=[{"role": "user", "content": [{"text": "Say hello."}]}],
        api_key=live.key,
        max_tokens=5,
        stream=stream,
    )
    last = list(answer)[-1] if stream else answer

    assert last.status_code == 200
    assert last.output.choices[0].message.content[0]["text"]


def test_a_model_is_had_at_the_address_of_its_kind_only(live: Server) -> None:
    messages = [{"role": "user", "content": [{"text": "Say hello."}]}]
    wrong: list[Any] = [
        dashscope.Generation.call(model="qwen3.5-plus", prompt="Say hello.", api_key=live.key),
        dashscope.MultiModalConversation.call(model="qwen-plus", messages=messages, api_key=live.key),
    ]

    words = "url error, please check url！"  # noqa: RUF001 - the service's own full-width mark
    assert [(each.status_code, each.code, each.message) for each in wrong] == [(400, "InvalidParameter", words)] * 2


def test_models_are_listed_by_page_and_found_by_name(live: Server) -> None:
    models: Any = dashscope.Models
    first = models.list(page=1, page_size=2, api_key=live.key)
    found = models.get("qwen-plus", api_key=live.key)
    missing = models.get("gpt-4", api_key=live.key)

    assert (first.output["page_no"], first.output["page_size"], len(first.output["models"])) == (1, 2, 2)
    assert first.output["total"] > 2
    assert found.output["name"] == "qwen-plus"
    assert (missing.status_code, missing.message) == (404, "Model 'gpt-4' not found")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"model": "gpt-4"}, (404, "ModelNotFound", "Model can not be found.")),
        ({"temperature": 2}, (400, "InvalidParameter", "Temperature should be in [0.0, 2.0)")),
        ({"top_p": 1.5}, (400, "InvalidParameter", "Range of top_p should be (0.0, 1.0]")),
        ({"top_k": -1}, (400, "InvalidParameter", "Parameter top_k be greater than or equal to 0")),
        ({"repetition_penalty": -1}, (400, "InvalidParameter", "Repetition_penalty should be greater than 0.0")),
        ({"presence_penalty": -3}, (400, "InvalidParameter", "Presence_penalty should be in [-2.0, 2.0]")),
        ({"n": 5}, (400, "InvalidParameter", "Range of n should be [1, 4]")),
        ({"seed": -1}, (400, "InvalidParameter", "Range of seed should be [0, 9223372036854775807]")),
        ({"max_tokens": 9000}, (400, "InvalidParameter", "Range of max_tokens should be [1, 8192]")),
        (
            {"messages": [{"role": "user", "content": "word " * 6000}]},
            (400, "InvalidParameter", "Range of input length should be [1, 4095]"),
        ),
        (
            {"response_format": {"type": "json_object"}},
            (
                400,
                "InvalidParameter",
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            ),
        ),
    ],
)
def test_refusals_are_returned_in_the_services_words(
    generate: Generate, call: dict[str, Any], expected: tuple[int, str, str], stream: bool
) -> None:
    answer = generate(**{"messages": HELLO, "result_format": "message", "stream": stream, **call})
    responses = list(answer) if stream else [answer]

    assert [(each.status_code, each.code, each.message) for each in responses] == [expected]


@pytest.mark.parametrize("state", ["wrong", "disabled", "deleted"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_is_not_valid_is_refused(generate: Generate, new_key: NewKey, state: str, stream: bool) -> None:
    key = "sk-0123456789abcdef" if state == "wrong" else new_key(state)
    answer = generate(messages=HELLO, api_key=key, stream=stream)
    responses = list(answer) if stream else [answer]

    assert [(each.status_code, each.code, each.message) for each in responses] == [
        (401, "InvalidApiKey", "Invalid API-key provided.")
    ]
    assert len(responses[0].request_id) == 36


def test_a_key_for_other_models_is_denied(generate: Generate, new_key: NewKey) -> None:
    response = generate(messages=HELLO, api_key=new_key(models=["qwen-plus"]))

    assert (response.status_code, response.code, response.message) == (
        403,
        "Model.AccessDenied",
        "Model access denied.",
    )


def test_a_workspace_is_the_accounts_own_or_refused(live: Server, generate: Generate) -> None:
    (account,) = live.operator("GET", "/accounts").json()
    own = generate(messages=HELLO, workspace=account["workspace_id"], max_tokens=1)
    foreign = generate(messages=HELLO, workspace="ws-of-others")

    assert own.status_code == 200
    assert (foreign.status_code, foreign.code, foreign.message) == (
        403,
        "Workspace.AccessDenied",
        "Workspace access denied.",
    )


def test_asynchronous_calls_are_answered_whole_and_streamed(live: Server) -> None:
    settings: dict[str, Any] = {
        "model": "qwen-turbo",
        "messages": HELLO,
        "api_key": live.key,
        "result_format": "message",
        "max_tokens": 6,
        "seed": 3,
    }

    async def ask() -> tuple[Any, list[Any], Any]:
        whole: Any = await AioGeneration.call(**settings)
        stream: Any = await AioGeneration.call(**settings, stream=True, incremental_output=True)
        pieces = [response async for response in stream]
        refused: Any = await AioGeneration.call(**{**settings, "api_key": "sk-0123456789abcdef"})
        close: Any = dashscope.close_shared_aio_session
        await close()
        return whole, pieces, refused

    whole, pieces, refused = asyncio.run(ask())

    assert "".join(contents(pieces)) == contents([whole])[0]
    assert (refused.status_code, refused.code) == (401, "InvalidApiKey")


@pytest.mark.parametrize(
    "transport",
    [{}, {"stream": True}, {"stream": True, "incremental_output": False}],
    ids=["whole", "cumulative", "merged by the client"],
)
def test_a_round_of_tools_is_a_real_call_its_result_and_an_answer(
    generate: Generate, transport: dict[str, Any]
) -> None:
    settings: dict[str, Any] = {"result_format": "message", "tools": [WEATHER], "max_tokens": 40, "top_k": 1}
    answer = generate(messages=HELLO, tool_choice=NAMED, **settings, **transport)
    asked = list(answer)[-1] if transport else answer
    message = asked.output.choices[0].message
    (call,) = message.tool_calls
    arguments = json.loads(call["function"]["arguments"])
    result = {"role": "tool", "tool_call_id": call["id"], "content": "Sunny, 21 degrees."}
    last = generate(messages=[*HELLO, message, result], **{**settings, "max_tokens": 6})

    assert (asked.output.choices[0].finish_reason, call["function"]["name"]) == ("tool_calls", "get_weather")
    assert sorted(arguments) == ["city", "unit"]
    assert arguments["unit"] in {"celsius", "fahrenheit"}
    assert (last.status_code, last.code) == (200, "")
    assert last.output.choices[0].message.content


def test_an_answer_follows_its_schema(generate: Generate) -> None:
    shape = {"name": "weather", "schema": WEATHER["function"]["parameters"], "strict": True}
    response = generate(
        messages=HELLO,
        result_format="message",
        response_format={"type": "json_schema", "json_schema": shape},
        top_k=1,
        max_tokens=150,
    )

    assert sorted(json.loads(response.output.choices[0].message.content)) == ["city", "unit"]


def test_a_conversation_of_several_turns_goes_on(generate: Generate) -> None:
    first = generate(messages=HELLO, result_format="message")
    again = {"role": "user", "content": "And again."}
    second = generate(messages=[*HELLO, first.output.choices[0].message, again], result_format="message")

    assert second.output.choices[0].message.content
    assert second.usage.input_tokens > first.usage.input_tokens + 8


def test_texts_become_vectors_and_documents_are_ordered(live: Server) -> None:
    rerank: Any = dashscope.TextReRank
    embedding: Any = dashscope.TextEmbedding
    documents = ["The stock market fell sharply.", "一只猫在沙发上睡觉。"]
    vectors = embedding.call(model="multilingual-e5-small", input=documents, text_type="query", api_key=live.key)
    ranked = rerank.call(
        model="qwen3-rerank",
        query="Where does the cat sleep?",
        documents=documents,
        return_documents=True,
        top_n=1,
        api_key=live.key,
    )

    assert [(each["text_index"], len(each["embedding"])) for each in vectors.output["embeddings"]] == [
        (0, 384),
        (1, 384),
    ]
    assert vectors.usage["total_tokens"] > 0
    (best,) = ranked.output.results
    # The client's `best.document` is None whatever it got; its own class stands before what was sent.
    assert (best.index, best["document"]) == (1, {"text": documents[1]})


# --- with a script ---


def test_a_local_image_is_uploaded_and_seen(scripted: Scripted, first_dashscope: dict[str, Any], picture: Path) -> None:
    conversation: Any = dashscope.MultiModalConversation
    other = picture.with_name("other.png")
    other.write_bytes(picture.read_bytes())
    content = [{"image": str(picture)}, {"image": f"file://{other}"}, {"text": "What is it?"}]
    call = {"model": "qwen-vl-max", "messages": [{"role": "user", "content": content}], **first_dashscope}
    answer = conversation.call(**call)
    *_, last = conversation.call(**call, stream=True)

    assert answer.output.choices[0].message.content == [{"text": "Hello\n\n你"}]
    assert last.output.choices[0].message.content == [{"text": "Hello\n\n你"}]
    assert scripted.seen == [picture.read_bytes()] * 2
    assert scripted.asked.resolves_uploads


def test_asynchronous_clients_upload_think_and_call_tools(
    scripted: Scripted, first_dashscope: dict[str, Any], picture: Path
) -> None:
    scripted.say("tools", *CALLED)
    scripted.say("think", *THOUGHT)
    generation: Any = AioGeneration
    conversation: Any = dashscope.AioMultiModalConversation
    rerank: Any = dashscope.AioTextReRank

    async def last(call: dict[str, Any], text: str, **more: Any) -> Any:
        stream = await generation.call(messages=[{"role": "user", "content": text}], stream=True, **call, **more)
        *_, end = [response async for response in stream]
        return end.output.choices[0].message

    async def ask() -> tuple[Any, ...]:
        call = {"model": "qwen-plus", "result_format": "message", **first_dashscope}
        thought = await last(call, "think", enable_thinking=True, incremental_output=False)
        called = await last(call, "tools", tools=BOTH, parallel_tool_calls=True)
        messages = [{"role": "user", "content": [{"image": str(picture)}]}]
        seen = await conversation.call(model="qwen-vl-max", messages=messages, **first_dashscope)
        ranked = await rerank.call(model="qwen3-rerank", query="?", documents=["a", "b"], **first_dashscope)
        task = await BaseAsyncAioApi.wait("8a-1", **first_dashscope)
        cancelled = await BaseAsyncAioApi.cancel("8a-1", **first_dashscope)
        tasks = await BaseAsyncAioApi.list(**first_dashscope)
        close: Any = dashscope.close_shared_aio_session
        await close()
        return thought, called, seen, ranked, task, cancelled, tasks

    thought, called, seen, ranked, task, cancelled, tasks = asyncio.run(ask())

    assert (thought.reasoning_content, thought.content) == ("So what?", "Hello")
    assert [call["function"]["name"] for call in called.tool_calls] == ["weather", "time"]
    assert seen.output.choices[0].message.content == [{"text": "Hello\n\n你"}]
    assert scripted.seen == [picture.read_bytes()]
    assert [(each.index, each.relevance_score) for each in ranked.output.results] == [(0, 1.0), (1, 0.5)]
    assert (task.status_code, task.output["task_status"]) == (200, "UNKNOWN")
    assert (cancelled.status_code, cancelled.code) == (400, "UnsupportedOperation")
    assert (tasks.status_code, tasks.output["total"]) == (200, 0)


def test_files_come_and_go(scripted: Scripted, first_dashscope: dict[str, Any], tmp_path: Path) -> None:
    files: Any = dashscope.Files
    path = tmp_path / "a.txt"
    path.write_text("some text")
    made = files.upload(str(path), purpose="inference", **first_dashscope)
    file_id = made.output["uploaded_files"][0]["file_id"]
    listed = files.list(**first_dashscope)
    found = files.get(file_id, **first_dashscope)
    gone = files.delete(file_id, **first_dashscope)
    missing = files.get(file_id, **first_dashscope)

    assert [each["file_id"] for each in listed.output["files"]] == [file_id]
    assert (found.output["name"], found.output["size"], gone.status_code) == ("a.txt", 9, 200)
    assert (missing.status_code, missing.code) == (400, "InvalidParameter")


@pytest.mark.parametrize("text", ["Hello, 你好! 😀", "  def f(x):\n\treturn x", "<|im_start|>user"])
def test_tokens_are_those_of_the_clients_own_vocabulary(first_dashscope: dict[str, Any], text: str) -> None:
    tokenization: Any = dashscope.Tokenization
    tokens = tokenization.call(model="qwen-turbo", prompt=text, **first_dashscope)

    assert tokens.output["token_ids"] == dashscope.get_tokenizer("qwen-turbo").encode(text)
    assert tokens.usage["input_tokens"] == len(tokens.output["token_ids"]) == len(tokens.output["tokens"])


def test_no_task_is_known_and_none_can_be_made(first_dashscope: dict[str, Any]) -> None:
    asynchronous: Any = BaseAsyncApi
    made = asynchronous.async_call(
        model="qwen-plus",
        input={"messages": HELLO},
        task_group="aigc",
        task="text-generation",
        function="generation",
        **first_dashscope,
    )

    assert (made.status_code, made.code, made.message) == (
        403,
        "AccessDenied",
        "current user api does not support asynchronous calls.",
    )
    assert asynchronous.wait("8a-1", **first_dashscope).output["task_status"] == "UNKNOWN"
    assert asynchronous.list(**first_dashscope).output["total"] == 0
    cancelled = asynchronous.cancel("8a-1", **first_dashscope)
    assert (cancelled.status_code, cancelled.code) == (400, "UnsupportedOperation")


def test_a_prefix_and_parts_of_text_are_understood(scripted: Scripted, first_dashscope: dict[str, Any]) -> None:
    parts = [{"text": "Say "}, {"type": "text", "text": "hello."}]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": "Hel", "partial": True}]
    conversation: Any = dashscope.MultiModalConversation
    conversation.call(model="qwen-vl-max", messages=messages[:1], **first_dashscope)
    first = scripted.conversation.messages
    generation: Any = dashscope.Generation
    generation.call(model="qwen-plus", messages=[*HELLO, messages[1]], **first_dashscope)
    last = scripted.conversation.messages[-1]

    assert [message.content for message in first] == ["Say hello."]
    assert (last.role, last.content, last.is_partial) == (Role.ASSISTANT, "Hel", True)
