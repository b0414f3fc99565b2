from __future__ import annotations

import pytest
from msgspec.json import decode

from qwenport.core.call import Sampling
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.parameters import WireParameters, read_sampling


def read(body: bytes) -> Sampling:
    return read_sampling(decode(body, type=WireParameters), "qwen-turbo")


def test_everything_left_open_stays_open() -> None:
    assert read(b"{}") == Sampling()


def test_null_is_the_same_as_absent() -> None:
    names = WireParameters.__struct_fields__
    body = b"{" + b",".join(b'"%b":null' % name.encode() for name in names) + b"}"

    assert read(body) == Sampling()


def test_every_sampling_parameter_arrives_unchecked() -> None:
    body = (
        b'{"temperature":7,"top_p":-1.5,"top_k":-3,"repetition_penalty":0,"presence_penalty":9,"seed":-1,'
        b'"max_tokens":0,"stop":["a","b"],"n":99999999999999999999}'
    )

    assert read(body) == Sampling(
        temperature=7.0,
        top_p=-1.5,
        top_k=-3,
        repetition_penalty=0.0,
        presence_penalty=9.0,
        seed=-1,
        max_tokens=0,
        stop=("a", "b"),
        choices=99999999999999999999,
    )


@pytest.mark.parametrize(("top_k", "expected"), [(0, 0), (1, 1), (100, 100), (101, 0), (10**30, 0)])
def test_top_k_above_100_means_off(top_k: int, expected: int) -> None:
    assert read(b'{"top_k":%d}' % top_k) == Sampling(top_k=expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"max_tokens":5}', 5),
        (b'{"max_completion_tokens":6}', 6),
        (b'{"max_tokens":5,"max_completion_tokens":6}', 6),
        (b'{"max_tokens":5,"max_completion_tokens":0}', 0),
    ],
)
def test_max_completion_tokens_goes_before_max_tokens(body: bytes, expected: int) -> None:
    assert read(body) == Sampling(max_tokens=expected)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (b'"END"', ("END",)),
        (b'""', ()),
        (b"[]", ()),
        (b'["","x"]', ("x",)),
        (b'["' + b"x" * 1024 + b'"]', ("x" * 1024,)),
    ],
)
def test_stop_is_one_text_or_several(stop: bytes, expected: tuple[str, ...]) -> None:
    assert read(b'{"stop":%b}' % stop) == Sampling(stop=expected)


@pytest.mark.parametrize(
    ("body", "parameter", "message"),
    [
        (b'{"tools":[{}]}', "tools", "The tools parameter is not supported by this model."),
        (b'{"functions":[{}]}', "functions", "The functions parameter is not supported by this model."),
        (b'{"logprobs":true}', "logprobs", "The logprobs parameter is not supported by this model."),
        (b'{"top_logprobs":1}', "top_logprobs", "The top_logprobs parameter is not supported by this model."),
        (b'{"modalities":["text","audio"]}', "modalities", "The modalities parameter is not supported by this model."),
        (b'{"enable_thinking":true}', "enable_thinking", "The model qwen-turbo does not support enable_thinking."),
        (
            b'{"stop":%b}' % (b"[" + b",".join([b'"x"'] * 65) + b"]"),
            "stop",
            "The stop parameter may hold at most 64 texts.",
        ),
        (b'{"stop":"%b"}' % (b"x" * 1025), "stop", "A stop text may be at most 1024 characters long."),
    ],
)
def test_what_would_change_the_answers_shape_is_refused_by_name(body: bytes, parameter: str, message: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(body)

    assert (caught.value.parameter, caught.value.message) == (parameter, message)


def test_refusable_parameters_that_ask_for_nothing_are_taken() -> None:
    body = (
        b'{"tools":[],"functions":[],"logprobs":false,"top_logprobs":0,"modalities":["text"],"enable_thinking":false,'
        b'"frequency_penalty":"x","logit_bias":{"1":2},"user":5,"store":true,"enable_search":true,"tool_choice":"auto"}'
    )

    assert read(body) == Sampling()
