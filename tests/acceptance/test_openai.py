"""The official `openai` client for Python, blocking and asynchronous."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started, TokenLogprob, TopToken
from qwenport.core.usage import Usage
from qwenport.testing.scripts import CALLED, THOUGHT, TWICE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted
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
    key = new_key(expires_at=(datetime.now(UTC) + timedelta(seconds=10)).isoformat())
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


@pytest.mark.parametrize("stream", [False, True])
def test_a_round_of_tools_is_a_real_call_its_result_and_an_answer(client: openai.OpenAI, stream: bool) -> None:
    call: dict[str, Any] = {
        "model": "qwen-plus",
        "messages": HELLO,
        "tools": [WEATHER],
        "max_tokens": 40,
        "temperature": 0,
    }
    if stream:
        with client.chat.completions.stream(**call, tool_choice=NAMED) as chunks:
            choice: Any = chunks.get_final_completion().choices[0]
    else:
        choice = client.chat.completions.create(**call, tool_choice=NAMED).choices[0]
    (asked,) = choice.message.tool_calls
    arguments = json.loads(asked.function.arguments)
    result = {"role": "tool", "tool_call_id": asked.id, "content": "Sunny, 21 degrees."}
    messages = [*HELLO, choice.message.to_dict(), result]
    answer = client.chat.completions.create(
        model="qwen-plus", messages=messages, tools=[WEATHER], max_tokens=6, temperature=0
    )

    assert (choice.finish_reason, asked.function.name, sorted(arguments)) == (
        "tool_calls",
        "get_weather",
        ["city", "unit"],
    )
    assert len(arguments["city"]) <= 12
    assert arguments["unit"] in {"celsius", "fahrenheit"}
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in {"stop", "length"}


def test_a_conversation_of_several_turns_goes_on(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="qwen-plus", messages=HELLO, max_tokens=6)
    said: Any = first.choices[0].message.to_dict()
    messages: list[Any] = [*HELLO, said, {"role": "user", "content": "And again."}]
    second = client.chat.completions.create(model="qwen-plus", messages=messages, max_tokens=6)

    assert second.choices[0].message.content
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.prompt_tokens > first.usage.prompt_tokens + 6


def test_texts_become_vectors_that_are_alike_where_they_mean_the_same(client: openai.OpenAI) -> None:
    texts = ["A cat sleeps on the sofa.", "一只猫在沙发上睡觉。", "The stock market fell sharply."]
    compact = client.embeddings.create(model="multilingual-e5-small", input=texts)
    plain = client.embeddings.create(model="multilingual-e5-small", input=texts, encoding_format="float")
    cat, same, other = (each.embedding for each in compact.data)

    def likeness(one: list[float], two: list[float]) -> float:
        return sum(a * b for a, b in zip(one, two, strict=True))

    assert [each.embedding for each in plain.data] == [pytest.approx(each.embedding) for each in compact.data]
    assert likeness(cat, same) > likeness(cat, other)


def test_a_prompt_is_completed_and_a_response_kept(client: openai.OpenAI) -> None:
    completion = client.completions.create(model="qwen-coder-turbo", prompt="def f(", suffix="return x", max_tokens=4)
    response = client.responses.create(model="qwen-plus", input="Say hello.", max_output_tokens=6)

    assert completion.choices[0].text
    assert response.output_text
    assert client.responses.retrieve(response.id).output_text == response.output_text


# --- with a script ---


@pytest.fixture
def scripted_client(scripted: Scripted) -> Iterator[openai.OpenAI]:
    url = f"{scripted.url}/compatible-mode/v1"
    with openai.OpenAI(api_key=scripted.key, base_url=url, max_retries=0) as opened:
        yield opened


def test_thoughts_stream_before_the_text_and_not_otherwise(scripted: Scripted, scripted_client: openai.OpenAI) -> None:
    scripted.say("Say hello.", *THOUGHT)
    body: dict[str, Any] = {"enable_thinking": True, "thinking_budget": 32}
    thinking: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "extra_body": body}
    usage: Any = {"include_usage": True}
    *chunks, last = scripted_client.chat.completions.create(**thinking, stream=True, stream_options=usage)
    deltas = [chunk.choices[0].delta.to_dict() for chunk in chunks]

    assert [(delta.get("content"), delta.get("reasoning_content")) for delta in deltas] == [
        (None, ""),
        (None, "So "),
        (None, "what?"),
        ("Hel", None),
        ("lo", None),
        ("", None),
    ]
    assert last.usage is not None
    assert last.usage.completion_tokens_details is not None
    assert last.usage.completion_tokens_details.reasoning_tokens == 3
    assert (scripted.conversation.thinking, scripted.conversation.thinking_budget) == (True, 32)
    assert "must be set to false for non-streaming calls" in refusal(scripted_client, **thinking).message


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_calls_and_choices_are_told_apart(
    scripted: Scripted, scripted_client: openai.OpenAI, stream: bool
) -> None:
    def ask(**call: Any) -> Any:
        if not stream:
            return scripted_client.chat.completions.create(model="qwen-plus", **call)
        with scripted_client.chat.completions.stream(model="qwen-plus", **call) as chunks:
            return chunks.get_final_completion()

    scripted.say("two tools", *CALLED)
    scripted.say("two choices", *TWICE)
    called = ask(messages=[{"role": "user", "content": "two tools"}], tools=BOTH, parallel_tool_calls=True)
    assert scripted.conversation.parallel_tool_calls
    chosen = ask(messages=[{"role": "user", "content": "two choices"}], n=2)

    assert [
        (call.id, call.function.name, call.function.arguments) for call in called.choices[0].message.tool_calls
    ] == [("call_1", "weather", '{"city":"Ulm"}'), ("call_2", "time", "{}")]
    assert [(choice.index, choice.message.content) for choice in chosen.choices] == [(0, "a"), (1, "b")]


@pytest.mark.parametrize("stream", [False, True])
def test_log_probabilities_are_told(scripted: Scripted, scripted_client: openai.OpenAI, stream: bool) -> None:
    likely = TokenLogprob(token="Hi", logprob=-0.5, bytes=(72, 105), top=(TopToken(token="Ho", logprob=-1.5),))
    scripted.say(
        "Say hello.",
        Started(served_by="scripted/model", input_tokens=7),
        Delta(text="Hi", logprobs=(likely,)),
        ChoiceFinished(reason=FinishReason.STOP),
        Finished(usage=Usage(input_tokens=7, output_tokens=1)),
    )
    call: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO, "logprobs": True, "top_logprobs": 1}
    if stream:
        with scripted_client.chat.completions.stream(**call) as chunks:
            completion: Any = chunks.get_final_completion()
    else:
        completion = scripted_client.chat.completions.create(**call)

    (told,) = completion.choices[0].logprobs.content
    assert (told.token, told.logprob, told.bytes) == ("Hi", -0.5, [72, 105])
    assert [(other.token, other.logprob) for other in told.top_logprobs] == [("Ho", -1.5)]


def test_a_local_image_is_seen(
    scripted: Scripted, scripted_client: openai.OpenAI, picture: Path, picture_url: str
) -> None:
    parts: list[Any] = [
        {"type": "image_url", "image_url": {"url": picture_url}},
        {"type": "text", "text": "What is it?"},
    ]
    scripted_client.chat.completions.create(model="qwen-vl-max", messages=[{"role": "user", "content": parts}])

    assert scripted.seen == [picture.read_bytes()]
    assert scripted.conversation.messages[0].text == "What is it?"


def test_the_asynchronous_client_sees_the_same(scripted: Scripted, picture: Path, picture_url: str) -> None:
    scripted.say("two tools", *CALLED)
    url = f"{scripted.url}/compatible-mode/v1"
    parts: list[Any] = [{"type": "image_url", "image_url": {"url": picture_url}}]

    async def ask() -> tuple[Any, ...]:
        async with openai.AsyncOpenAI(api_key=scripted.key, base_url=url, max_retries=0) as client:
            create = client.chat.completions.create
            whole = await create(model="qwen-plus", messages=HELLO)
            pieces = [chunk async for chunk in await create(model="qwen-plus", messages=HELLO, stream=True)]
            messages: Any = [{"role": "user", "content": "two tools"}]
            async with client.chat.completions.stream(model="qwen-plus", messages=messages, tools=BOTH) as stream:
                called = await stream.get_final_completion()
            await create(model="qwen-vl-max", messages=[{"role": "user", "content": parts}])
            vectors = await client.embeddings.create(model="multilingual-e5-small", input="Hi")
            made = await client.files.create(file=picture, purpose="file-extract")  # type: ignore[arg-type]  # the service's own purpose
            gone = await client.files.delete(made.id)
            models = [model.id async for model in client.models.list()]
            with pytest.raises(openai.NotFoundError):
                await create(model="gpt-4", messages=HELLO)
            return whole, pieces, called, vectors, gone.deleted, models

    whole, pieces, called, vectors, is_deleted, models = asyncio.run(ask())

    assert whole.choices[0].message.content == "Hello\n\n你"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in pieces) == "Hello\n\n你"
    assert [call.function.name for call in called.choices[0].message.tool_calls] == ["weather", "time"]
    assert vectors.data[0].embedding == [float(n) for n in range(4)]
    assert is_deleted
    assert "qwen-plus" in models
    assert scripted.seen == [picture.read_bytes()]
