from __future__ import annotations

import json

import pytest

from qwenport.core.call import Call, ChatInput, Input, NativeInput
from qwenport.core.ids import RequestId
from qwenport.gate.native_bounds import most_items

MOST = (("characters", 600), ("duration", 60), ("image_count", 4))


def call_of(asked: Input) -> Call:
    return Call(id=RequestId("r"), face="dashscope", operation="native-service", model="m", input=asked)


@pytest.mark.parametrize(
    ("body", "characters", "images"),
    [
        ({"input": {"text": "四个汉字", "more": ["ab", {"c": "d"}]}, "parameters": {"n": 2}}, 14, 2),
        ({"input": {"url": 3}, "parameters": {"n": True}}, 600, 4),
        ({"parameters": {"n": 0}}, 600, 4),
        ({"parameters": {"n": 9}}, 600, 9),
        ({"parameters": {"n": 10**12}}, 600, 4),
        ({"parameters": [1]}, 600, 4),
        ([], 600, 4),
    ],
)
def test_a_call_is_held_for_what_it_asks_or_for_what_any_can_use(body: object, characters: int, images: int) -> None:
    asked = NativeInput(service="a/b/c", body=json.dumps(body).encode())

    assert most_items(call_of(asked), MOST) == (
        ("characters", characters),
        ("duration", 60),
        ("image_count", images),
    )


def test_other_calls_and_prices_hold_none() -> None:
    assert most_items(call_of(ChatInput(messages=())), MOST) == ()
    assert most_items(call_of(NativeInput(service="a/b/c", body=b"{}")), ()) == ()
