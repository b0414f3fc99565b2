"""The official `openai` client against a live server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from tests.conftest import Server

NewKey = Callable[..., str]
WHO_ARE_YOU: list[Any] = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "你是谁？"},  # noqa: RUF001 - the manual's question
]
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]
FRUITS: list[Any] = [{"role": "user", "content": "List three fruits and their prices. Answer in JSON."}]
PRICE_LIST = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "price": {"type": "integer", "minimum": 1, "maximum": 99},
    },
    "required": ["name", "price"],
    "additionalProperties": False,
}


@pytest.fixture(scope="session")
def client(live: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=live.key, base_url=f"{live.url}/compatible-mode/v1", max_retries=0) as client:
        yield client


@pytest.fixture(params=["/compatible-mode/v1", "/v1"])
def either(request: pytest.FixtureRequest, live: Server, client: openai.OpenAI) -> openai.OpenAI:
    """Give a client for each of the two addresses of this face."""
    return client.with_options(base_url=live.url + request.param)


def refusal(client: openai.OpenAI, **call: Any) -> openai.APIStatusError:
    """Return the error that a call is refused with."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**{"model": "qwen-plus", "messages": HELLO, **call})
    return caught.value


def test_the_first_call_of_the_manual_is_answered(either: openai.OpenAI) -> None:
    raw = either.chat.completions.with_raw_response.create(model="qwen-plus", messages=WHO_ARE_YOU, max_tokens=40)
    completion = raw.parse()

    assert completion.choices[0].message.content
    assert (completion.object, completion.model, completion.choices[0].message.role) == (
        "chat.completion",
        "qwen-plus",
        "assistant",
    )
    assert completion.usage is not None
    assert completion.usage.prompt_tokens > 10
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion.id == f"chatcmpl-{completion._request_id}"
    assert raw.headers["x-qwenport-served-by"] == "llama/smollm2-135m-instruct; stand-in"


def test_a_stream_holds_the_text_of_the_whole_answer(either: openai.OpenAI) -> None:
    settings: dict[str, Any] = {"model": "qwen-plus", "messages": WHO_ARE_YOU, "max_tokens": 30, "seed": 7}
    whole = either.chat.completions.create(**settings)
    chunks = list(either.chat.completions.create(**settings, stream=True, stream_options={"include_usage": True}))
    *answer, last = chunks

    assert "".join(chunk.choices[0].delta.content or "" for chunk in answer) == whole.choices[0].message.content
    assert answer[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in answer[:-1]] == [None] * (len(answer) - 1)
    assert answer[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert last.choices == []
    assert last.usage is not None
    assert whole.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (
        whole.usage.prompt_tokens,
        whole.usage.completion_tokens,
    )
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1


def test_a_stream_holds_no_usage_unless_asked(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=4, stream=True))

    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)
    assert all(chunk.choices for chunk in chunks)


def test_two_choices_are_two_answers_for_one_prompt(client: openai.OpenAI) -> None:
    one = client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=6)
    two = client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=6, n=2)

    assert [choice.index for choice in two.choices] == [0, 1]
    assert all(choice.message.content for choice in two.choices)
    assert one.usage is not None
    assert two.usage is not None
    assert two.usage.prompt_tokens == one.usage.prompt_tokens
    assert 2 <= two.usage.completion_tokens <= 12


def test_two_choices_are_streamed_beside_one_another(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=6, n=2, stream=True))
    ended = [chunk.choices[0].index for chunk in chunks if chunk.choices[0].finish_reason]

    assert sorted(ended) == [0, 1]


def test_an_answer_ends_before_a_stop_word(client: openai.OpenAI) -> None:
    counting: list[Any] = [{"role": "user", "content": "Repeat exactly: alpha beta gamma delta"}]
    settings: dict[str, Any] = {"model": "qwen-plus", "messages": counting, "temperature": 0, "max_tokens": 16}
    free = client.chat.completions.create(**settings).choices[0]
    assert free.message.content is not None
    word = free.message.content.split()[-1]
    cut = client.chat.completions.create(**settings, stop=[word]).choices[0]

    assert (cut.message.content, cut.finish_reason) == (free.message.content.partition(word)[0], "stop")


def test_the_same_seed_gives_the_same_answer_and_another_gives_another(client: openai.OpenAI) -> None:
    def answers(seed: int) -> str | None:
        completion = client.chat.completions.create(
            model="qwen-plus", messages=WHO_ARE_YOU, seed=seed, temperature=1.2, max_tokens=10
        )
        return completion.choices[0].message.content

    first = answers(1)

    assert answers(1) == first
    assert len({first, answers(2), answers(3), answers(4)}) > 1


def test_an_answer_is_not_longer_than_asked(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="qwen-plus", messages=WHO_ARE_YOU, max_tokens=3)

    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 3


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_json_mode_answers_an_object(client: openai.OpenAI, seed: int) -> None:
    completion = client.chat.completions.create(
        model="qwen-plus", messages=FRUITS, response_format={"type": "json_object"}, seed=seed, max_tokens=600
    )
    content = completion.choices[0].message.content

    assert completion.choices[0].finish_reason == "stop", content
    assert isinstance(json.loads(content or ""), dict)


@pytest.mark.parametrize("seed", [1, 2])
def test_an_answer_follows_its_schema(client: openai.OpenAI, seed: int) -> None:
    completion = client.chat.completions.create(
        model="qwen-plus",
        messages=[{"role": "user", "content": "Name a fruit and its price as JSON."}],
        response_format={"type": "json_schema", "json_schema": {"name": "price", "schema": PRICE_LIST, "strict": True}},
        seed=seed,
        max_tokens=100,
    )
    fruit = json.loads(completion.choices[0].message.content or "")

    assert sorted(fruit) == ["name", "price"]
    assert isinstance(fruit["name"], str)
    assert len(fruit["name"]) <= 20
    assert 1 <= fruit["price"] <= 99


@pytest.mark.parametrize("state", ["wrong", "disabled", "deleted"])
def test_a_key_that_is_not_valid_is_refused(client: openai.OpenAI, new_key: NewKey, state: str) -> None:
    key = "sk-0123456789abcdef" if state == "wrong" else new_key(state)
    error = refusal(client.with_options(api_key=key))

    assert isinstance(error, openai.AuthenticationError)
    assert (error.status_code, error.code, error.type) == (401, "invalid_api_key", "invalid_request_error")
    assert "Incorrect API key provided." in error.message
    assert key not in error.message


def test_an_expired_key_is_refused(
    client: openai.OpenAI, new_key: NewKey, eventually: Callable[[Callable[[], object], str], None]
) -> None:
    key = new_key(expires_at=(datetime.now(UTC) + timedelta(seconds=2)).isoformat())
    expiring = client.with_options(api_key=key)
    assert expiring.models.list().data

    def is_refused() -> bool:
        try:
            expiring.models.list()
        except openai.AuthenticationError as error:
            return error.code == "invalid_api_key"
        return False

    eventually(is_refused, "the key expires")


def test_a_call_without_a_key_is_refused(client: openai.OpenAI) -> None:
    headers: dict[str, Any] = {"Authorization": openai.Omit()}
    error = refusal(client, extra_headers=headers)

    assert isinstance(error, openai.AuthenticationError)
    assert error.code == "InvalidApiKey"
    assert "No API-key provided." in error.message


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    error = refusal(client, model="gpt-4")

    assert isinstance(error, openai.NotFoundError)
    assert (error.code, error.type) == ("model_not_found", "invalid_request_error")
    assert "The model `gpt-4` does not exist or you do not have access to it." in error.message


def test_a_key_for_other_models_is_denied(client: openai.OpenAI, new_key: NewKey) -> None:
    error = refusal(client.with_options(api_key=new_key(models=["qwen-turbo"])))

    assert isinstance(error, openai.PermissionDeniedError)
    assert (error.code, error.type) == ("Model.AccessDenied", "Model.AccessDenied")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"max_tokens": 0}, "Range of max_tokens should be [1, 8192]"),
        ({"max_tokens": 8193}, "Range of max_tokens should be [1, 8192]"),
        ({"temperature": 2}, "Temperature should be in [0.0, 2.0)"),
        ({"temperature": -0.1}, "Temperature should be in [0.0, 2.0)"),
        ({"top_p": 0}, "Range of top_p should be (0.0, 1.0]"),
        ({"extra_body": {"top_k": -1}}, "Parameter top_k be greater than or equal to 0"),
        ({"extra_body": {"repetition_penalty": 0}}, "Repetition_penalty should be greater than 0.0"),
        ({"presence_penalty": 2.5}, "Presence_penalty should be in [-2.0, 2.0]"),
        ({"n": 5}, "Range of n should be [1, 4]"),
        ({"n": 0}, "Range of n should be [1, 4]"),
        (
            {"response_format": {"type": "json_object"}},
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        ),
        ({"messages": []}, "[] is too short"),
    ],
)
def test_parameters_out_of_range_are_refused_in_the_services_words(
    client: openai.OpenAI, call: dict[str, Any], words: str, stream: bool
) -> None:
    error = refusal(client, stream=stream, **call)

    assert isinstance(error, openai.BadRequestError)
    assert (error.code, error.type) == ("invalid_parameter_error", "invalid_request_error")
    assert isinstance(error.body, dict)
    assert words in error.body["message"]


def test_a_negative_seed_is_refused_with_a_code_of_its_own(client: openai.OpenAI) -> None:
    error = refusal(client, seed=-1)

    assert (error.status_code, error.code) == (400, "invalid_value")
    assert "-1 is lesser than the minimum of 0 - 'seed'" in error.message


def test_a_prompt_that_is_too_long_is_refused_with_the_engines_bound(client: openai.OpenAI) -> None:
    error = refusal(client, messages=[{"role": "user", "content": "word " * 6000}])

    assert isinstance(error, openai.BadRequestError)
    assert error.code == "invalid_parameter_error"
    assert "Range of input length should be [1, 4095]" in error.message


def test_models_are_listed_and_found(either: openai.OpenAI) -> None:
    models = {model.id: model for model in either.models.list()}

    assert {"qwen-plus", "qwen-turbo", "qwen-max", "qwen-long", "smollm2-135m-instruct"} <= set(models)
    assert either.models.retrieve("qwen-plus") == models["qwen-plus"]
    assert models["qwen-plus"].object == "model"
    with pytest.raises(openai.NotFoundError) as caught:
        either.models.retrieve("gpt-4")
    assert caught.value.code == "model_not_found"


def test_many_asynchronous_calls_are_answered_at_once(live: Server) -> None:
    async def ask(client: openai.AsyncOpenAI, number: int) -> str:
        stream = await client.chat.completions.create(
            model="qwen-turbo", messages=HELLO, max_tokens=5, seed=number, stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def ask_all() -> list[str]:
        async with openai.AsyncOpenAI(api_key=live.key, base_url=f"{live.url}/v1", max_retries=0) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(12)))

    answers = asyncio.run(ask_all())

    assert len(answers) == 12
    assert all(answers)
