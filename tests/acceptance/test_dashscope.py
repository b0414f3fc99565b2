"""The official `dashscope` client, 1.x interface, against a live server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dashscope
import pytest
from dashscope.aigc.generation import AioGeneration

if TYPE_CHECKING:
    from tests.conftest import Server

NewKey = Callable[..., str]
Generate = Callable[..., Any]
HELLO: list[Any] = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Say hello."},
]


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
