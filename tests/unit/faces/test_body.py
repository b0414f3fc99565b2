from __future__ import annotations

import pytest
from msgspec import Struct
from msgspec.json import Decoder

from qwenport.core.errors import BodyNotJson, ParameterInvalid
from qwenport.faces.body import read_body


class Inner(Struct):
    content: str | None = None
    seed: int | None = None


class Body(Struct):
    seed: int | None = None
    temperature: float | None = None
    stream: bool | None = None
    stop: str | list[str] | None = None
    input: Inner | None = None
    parameters: Inner | None = None
    messages: list[Inner] | None = None


DECODER = Decoder(Body)


@pytest.mark.parametrize(
    ("body", "parameter", "message"),
    [
        (b'{"seed":"1"}', "seed", "'seed' must be Integer"),
        (b'{"seed":1.5}', "seed", "'seed' must be Integer"),
        (b'{"seed":1.0}', "seed", "'seed' must be Integer"),
        (b'{"seed":true}', "seed", "'seed' must be Integer"),
        (b'{"temperature":"hot"}', "temperature", "'temperature' must be Float"),
        (b'{"temperature":false}', "temperature", "'temperature' must be Float"),
        (b'{"temperature":1e999}', "temperature", "'temperature' is out of range"),
        (b'{"seed":' + b"9" * 5000 + b"}", "seed", "'seed' is out of range"),
        (b'{"stream":1}', "stream", "'stream' must be Boolean"),
        (b'{"stop":7}', "stop", "'stop' must be String or Array"),
        (b'{"stop":[[1,2]]}', "stop", "'stop[0]' must be String"),
        (b'{"messages":["hi"]}', "messages", "'messages[0]' must be Object"),
        (b'{"messages":[{"content":5}]}', "messages", "input content must be a string."),
        (b'{"parameters":{"seed":"1"}}', "seed", "'seed' must be Integer"),
        (b'{"input":"text"}', "input", "The input parameter requires json format."),
    ],
)
def test_a_field_of_a_wrong_type_is_named_in_plain_words(body: bytes, parameter: str, message: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read_body(DECODER, body)

    assert (caught.value.parameter, caught.value.message) == (parameter, message)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{} {}",
        b"{'model':1}",
        b'{"seed":NaN}',
        b'{"temperature":Infinity}',
        b'{"other":-Infinity}',
        b'{"other":"\xff"}',
        b'{"stop":"\xff"}',
        b'{"stop":"\xed\xa0\x80"}',
        b'{"stop":"\\ud800"}',
        b'{"other":"\\udc00"}',
        b"\xef\xbb\xbf{}",
        '{"stop":"a"}'.encode("utf-16"),
        b'{"other":' + b"[" * 100_000,
        b'{"other":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    ],
)
def test_what_is_no_json_object_in_utf8_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(BodyNotJson) as caught:
        read_body(DECODER, body)

    assert caught.value.message == "Required body invalid, please check the request body format."


def test_integers_beyond_64_bits_and_unknown_fields_are_taken() -> None:
    assert read_body(DECODER, b'{"seed":99999999999999999999,"other":{"deep":[1]}}') == Body(seed=99999999999999999999)


def test_a_key_that_stands_twice_counts_as_it_stands_last() -> None:
    assert read_body(DECODER, b'{"seed":2,"seed":1,"stream":true,"stream":false}') == Body(seed=1, stream=False)
