"""Completions on the OpenAI face: what is asked, what is refused, and what the official client reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from qwenport.core.call import PromptInput, Sampling
from qwenport.core.errors import BodyNotJson, EngineFailed, ModelMissing, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started, TokenLogprob, TopToken
from qwenport.core.usage import Usage
from qwenport.faces.face import Cards, Request
from qwenport.faces.openai import OPENAI
from qwenport.faces.openai.completions import decode_completion
from qwenport.testing.scripted_face import ScriptedFace, Step

MakeRequest = Callable[..., Request]
STARTED = Started(served_by="scripted/model", input_tokens=4)
GOOD: tuple[Step, ...] = (
    STARTED,
    Delta(text="x = "),
    Delta(text=""),
    Delta(text="1 你"),
    ChoiceFinished(reason=FinishReason.LENGTH, tokens=1),
    Finished(usage=Usage(input_tokens=4, output_tokens=4, cached_tokens=2)),
)
TWICE: tuple[Step, ...] = (
    STARTED,
    Delta(text="b", choice=1),
    Delta(text="a", choice=0),
    ChoiceFinished(reason=FinishReason.STOP, choice=0),
    ChoiceFinished(reason=FinishReason.LENGTH, choice=1),
    Finished(usage=Usage(input_tokens=4, output_tokens=2)),
)
LIKELY: tuple[Step, ...] = (
    STARTED,
    Delta(text="def", logprobs=(TokenLogprob(token="def", logprob=-0.5, top=(TopToken(token="if", logprob=-1.5),)),)),
    Delta(
        text=" f(",
        tokens=2,
        logprobs=(TokenLogprob(token=" f", logprob=-0.25), TokenLogprob(token="(", logprob=float("-inf"))),
    ),
    ChoiceFinished(reason=FinishReason.STOP),
    Finished(usage=Usage(input_tokens=4, output_tokens=3)),
)


@pytest.fixture
def face(cards: Cards) -> ScriptedFace:
    made = ScriptedFace(OPENAI, cards)
    made.script = GOOD
    return made


@pytest.fixture
def client(face: ScriptedFace, connect_openai: Callable[[ScriptedFace], openai.OpenAI]) -> openai.OpenAI:
    return connect_openai(face)


def test_what_was_asked_is_what_the_call_says(face: ScriptedFace, client: openai.OpenAI) -> None:
    client.completions.create(
        model="qwen-coder-turbo",
        prompt=["def f("],
        suffix="return 1",
        max_tokens=5,
        temperature=0.5,
        top_p=0.9,
        presence_penalty=0.1,
        seed=7,
        stop=["\n\n"],
        n=2,
        best_of=2,
        logprobs=3,
        extra_body={"top_k": 5, "repetition_penalty": 1.1},
    )
    call = face.calls[0]

    assert (call.face, call.operation, call.model, call.streams) == ("openai", "completions", "qwen-coder-turbo", False)
    assert call.input == PromptInput(prompt="def f(", suffix="return 1")
    assert call.sampling == Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=5,
        repetition_penalty=1.1,
        presence_penalty=0.1,
        seed=7,
        max_tokens=5,
        stop=("\n\n",),
        choices=2,
        logprobs=3,
    )


def test_openai_reads_a_whole_completion(client: openai.OpenAI) -> None:
    completion = client.completions.create(model="qwen-coder-turbo", prompt="let ")

    assert completion.to_dict() == {
        "id": "cmpl-00000000-0000-9000-8000-000000000001",
        "choices": [{"text": "x = 1 你", "finish_reason": "length", "index": 0, "logprobs": None}],
        "created": 1767225600,
        "model": "qwen-coder-turbo",
        "object": "text_completion",
        "system_fingerprint": None,
        "usage": {
            "prompt_tokens": 4,
            "completion_tokens": 4,
            "total_tokens": 8,
            "prompt_tokens_details": {"cached_tokens": 2},
        },
    }


def test_openai_reads_a_stream(client: openai.OpenAI) -> None:
    stream = client.completions.create(
        model="qwen-coder-turbo", prompt="let ", stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream

    assert [(chunk.choices[0].text, chunk.choices[0].finish_reason) for chunk in chunks] == [
        ("x = ", None),
        ("1 你", None),
        ("", "length"),
    ]
    assert chunks[0].to_dict() == {
        "id": "cmpl-00000000-0000-9000-8000-000000000001",
        "choices": [{"text": "x = ", "finish_reason": None, "index": 0, "logprobs": None}],
        "created": 1767225600,
        "model": "qwen-coder-turbo",
        "object": "text_completion",
        "system_fingerprint": None,
        "usage": None,
    }
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 8


def test_a_stream_ends_with_done_and_tells_no_usage_unasked(face: ScriptedFace) -> None:
    body = {"model": "m", "prompt": "let ", "stream": True}
    reply = face.answer("POST", "/v1/completions", {}, json.dumps(body).encode())
    *chunks, done, end = reply.body.split(b"\n\n")

    assert reply.headers == ((b"content-type", b"text/event-stream;charset=UTF-8"),)
    assert (len(chunks), done, end) == (3, b"data: [DONE]", b"")


def test_every_choice_is_told_apart(face: ScriptedFace, client: openai.OpenAI) -> None:
    face.script = TWICE
    completion = client.completions.create(model="m", prompt="let ", n=2)
    stream = client.completions.create(model="m", prompt="let ", n=2, stream=True)

    assert [(choice.index, choice.text, choice.finish_reason) for choice in completion.choices] == [
        (0, "a", "stop"),
        (1, "b", "length"),
    ]
    pieces = [(chunk.choices[0].index, chunk.choices[0].text, chunk.choices[0].finish_reason) for chunk in stream]
    assert pieces == [(1, "b", None), (0, "a", None), (0, "", "stop"), (1, "", "length")]


def test_the_prompt_is_said_again_where_it_is_wanted(face: ScriptedFace, client: openai.OpenAI) -> None:
    face.script = TWICE
    completion = client.completions.create(model="m", prompt="let ", n=2, echo=True)
    stream = client.completions.create(model="m", prompt="let ", n=2, echo=True, stream=True)
    texts = ["", ""]
    for chunk in stream:
        texts[chunk.choices[0].index] += chunk.choices[0].text

    assert [choice.text for choice in completion.choices] == texts == ["let a", "let b"]


def test_log_probabilities_are_lists_side_by_side(face: ScriptedFace, client: openai.OpenAI) -> None:
    face.script = LIKELY
    completion = client.completions.create(model="m", prompt="let ", logprobs=1)
    stream = client.completions.create(model="m", prompt="let ", logprobs=1, stream=True)
    chunks = [chunk.choices[0].logprobs for chunk in stream]
    logprobs = completion.choices[0].logprobs
    assert logprobs is not None

    assert logprobs.to_dict() == {
        "tokens": ["def", " f", "("],
        "token_logprobs": [-0.5, -0.25, -9999.0],
        "top_logprobs": [{"if": -1.5, "def": -0.5}, {" f": -0.25}, {"(": -9999.0}],
        "text_offset": [0, 3, 5],
    }
    assert [None if chunk is None else chunk.text_offset for chunk in chunks] == [[0], [3, 5], None]


def test_a_failure_inside_a_stream_is_raised(face: ScriptedFace, client: openai.OpenAI) -> None:
    face.script = (*GOOD[:2], EngineFailed("the engine broke off"))
    stream = client.completions.create(model="m", prompt="let ", stream=True)
    with pytest.raises(openai.APIError, match="the engine broke off") as caught:
        list(stream)

    assert caught.value.code == "internal_error"


@pytest.mark.parametrize(
    ("change", "words", "parameter"),
    [
        ({"prompt": None}, "'prompt' is a required property", "prompt"),
        ({"prompt": ""}, "'' is too short - 'prompt'", "prompt"),
        ({"prompt": []}, "[] is too short - 'prompt'", "prompt"),
        ({"prompt": ["a", "b"]}, "The prompt parameter supports one text in each call.", "prompt"),
        ({"prompt": [1, 2]}, "The prompt parameter does not support token ids, send it as text.", "prompt"),
        ({"prompt": [[1, 2]]}, "The prompt parameter does not support token ids, send it as text.", "prompt"),
        ({"best_of": 3}, "The best_of parameter is not supported by this model.", "best_of"),
        (
            {"echo": True, "logprobs": 1},
            "The echo parameter is not supported together with logprobs.",
            "echo",
        ),
    ],
)
def test_content_that_cannot_be_served_is_refused_once_the_model_was_looked_at(
    change: dict[str, Any], words: str, parameter: str, make_request: MakeRequest
) -> None:
    refusal = decode_completion(make_request({"model": "m", "prompt": "let ", **change}), {}).call.refusal

    assert refusal is not None
    assert (refusal.message, refusal.parameter) == (words, parameter)


def test_a_body_that_cannot_be_understood_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(ModelMissing):
        decode_completion(make_request({"prompt": "let "}), {})
    with pytest.raises(BodyNotJson):
        decode_completion(make_request(b'{"model":'), {})
    with pytest.raises(ParameterInvalid, match="'logprobs' must be Integer"):
        decode_completion(make_request({"model": "m", "prompt": "let ", "logprobs": True}), {})


def test_a_huge_number_of_choices_costs_nothing_before_it_is_refused(make_request: MakeRequest) -> None:
    """The range of `n` is the gate's to check, so the encoders must not set anything aside for it."""
    body = {"model": "m", "prompt": "let ", "n": 2**62}

    assert decode_completion(make_request(body), {}).call.sampling.choices == 2**62
    assert decode_completion(make_request({**body, "stream": True}), {}).call.sampling.choices == 2**62
