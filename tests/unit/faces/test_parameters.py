from __future__ import annotations

import pytest
from msgspec.json import decode

from qwenport.core.call import AnyJson, ChatInput, Sampling
from qwenport.core.content import Message, Role
from qwenport.core.errors import ParameterInvalid
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.faces.parameters import WireParameters, read_chat, read_sampling

HELLO = (Message(role=Role.USER, content="Hello"),)
MIXED = (
    'The "stop" parameter must be of type "str", "list[str]", "list[int]", or "list[list[int]]", and all elements '
    "within the list must be of the same type."
)


def read(body: bytes) -> Sampling:
    return read_sampling(decode(body, type=WireParameters))


def ask(body: bytes) -> ChatInput:
    return read_chat(HELLO, decode(body, type=WireParameters))[0]


def test_everything_left_open_stays_open() -> None:
    assert read_chat(HELLO, WireParameters()) == (ChatInput(messages=HELLO), Sampling())


def test_null_is_the_same_as_absent() -> None:
    names = WireParameters.__struct_fields__
    body = b"{" + b",".join(b'"%b":null' % name.encode() for name in names) + b"}"

    assert (ask(body), read(body)) == (ChatInput(messages=HELLO), Sampling())


def test_every_sampling_parameter_arrives_unchecked() -> None:
    body = (
        b'{"temperature":7,"top_p":-1.5,"top_k":-3,"repetition_penalty":0,"presence_penalty":9,"seed":-1,'
        b'"max_tokens":0,"max_completion_tokens":-5,"stop":["a","b"],"n":99999999999999999999,"logprobs":true,'
        b'"top_logprobs":9}'
    )

    assert read(body) == Sampling(
        temperature=7.0,
        top_p=-1.5,
        top_k=-3,
        repetition_penalty=0.0,
        presence_penalty=9.0,
        seed=-1,
        max_tokens=0,
        max_completion_tokens=-5,
        stop=("a", "b"),
        choices=99999999999999999999,
        logprobs=9,
    )


def test_what_concerns_the_conversation_arrives_with_it() -> None:
    body = (
        b'{"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}},'
        b'"parallel_tool_calls":true,"response_format":{"type":"json_object"},"enable_thinking":false,'
        b'"thinking_budget":-1,"vl_high_resolution_images":true}'
    )

    assert ask(body) == ChatInput(
        messages=HELLO,
        tools=(Tool(name="f"),),
        tool_choice=ToolChoice(use=ToolUse.NAMED, name="f"),
        parallel_tool_calls=True,
        json=AnyJson(),
        thinking=False,
        thinking_budget=-1,
        high_resolution=True,
    )


@pytest.mark.parametrize(("top_k", "expected"), [(0, 0), (1, 1), (100, 100), (101, 0), (10**30, 0)])
def test_top_k_above_100_means_off(top_k: int, expected: int) -> None:
    assert read(b'{"top_k":%d}' % top_k) == Sampling(top_k=expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"logprobs":true}', 0),
        (b'{"logprobs":true,"top_logprobs":3}', 3),
        (b'{"logprobs":false,"top_logprobs":0}', None),
        (b'{"top_logprobs":0}', None),
    ],
)
def test_log_probabilities_are_told_where_they_are_asked_for(body: bytes, expected: int | None) -> None:
    assert read(body) == Sampling(logprobs=expected)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (b'"END"', ("END",)),
        (b'""', ()),
        (b"[]", ()),
        (b'["","x"]', ("x",)),
        (b'["' + b"x" * 1024 + b'"]', ("x" * 1024,)),
        (b"[" + b",".join([b'"x"'] * 64) + b"]", ("x",) * 64),
    ],
)
def test_stop_is_one_text_or_several(stop: bytes, expected: tuple[str, ...]) -> None:
    assert read(b'{"stop":%b}' % stop) == Sampling(stop=expected)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (b"[108386,104307]", ((108386,), (104307,))),
        (b"[[108386,103924],[35946,101243]]", ((108386, 103924), (35946, 101243))),
        (b"[[],[0]]", ((0,),)),
        (b"[2147483647]", ((2147483647,),)),
    ],
)
def test_stop_may_be_tokens_or_sequences_of_tokens(stop: bytes, expected: tuple[tuple[int, ...], ...]) -> None:
    assert read(b'{"stop":%b}' % stop) == Sampling(stop_tokens=expected)


@pytest.mark.parametrize(
    ("body", "parameter", "message"),
    [
        (b'{"functions":[{}]}', "functions", "The functions parameter is not supported, use tools instead."),
        (
            b'{"function_call":"auto"}',
            "function_call",
            "The function_call parameter is not supported, use tools instead.",
        ),
        (b'{"top_logprobs":1}', "top_logprobs", "The top_logprobs parameter requires logprobs to be true."),
        (b'{"modalities":["text","audio"]}', "modalities", "The modalities parameter is not supported by this model."),
        (
            b'{"stop":%b}' % (b"[" + b",".join([b'"x"'] * 65) + b"]"),
            "stop",
            "The stop parameter may hold at most 64 texts.",
        ),
        (b'{"stop":"%b"}' % (b"x" * 1025), "stop", "A stop text may be at most 1024 characters long."),
        (
            b'{"stop":[[%b]]}' % b",".join([b"1"] * 1025),
            "stop",
            "A stop sequence may be at most 1024 token ids long.",
        ),
        (b'{"stop":[-1]}', "stop", "The token ids of stop are numbers from 0 to 2147483647."),
        (b'{"stop":[[2147483648]]}', "stop", "The token ids of stop are numbers from 0 to 2147483647."),
        (b'{"stop":["a",1]}', "stop", MIXED),
        (b'{"stop":[1,[2]]}', "stop", MIXED),
        (b'{"stop":[[1],"a"]}', "stop", MIXED),
    ],
)
def test_what_no_model_takes_is_refused_by_name(body: bytes, parameter: str, message: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(body)

    assert (caught.value.parameter, caught.value.message) == (parameter, message)


def test_parameters_that_ask_for_nothing_or_are_not_known_are_taken() -> None:
    body = (
        b'{"functions":[],"logprobs":false,"top_logprobs":0,"modalities":["text"],"tool_choice":"auto",'
        b'"frequency_penalty":"x","logit_bias":{"1":2},"user":5,"store":true,"enable_search":true,'
        b'"reasoning_effort":"none","preserve_thinking":true}'
    )

    assert (ask(body), read(body)) == (ChatInput(messages=HELLO), Sampling())
