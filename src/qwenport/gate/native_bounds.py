"""How much of what a native service reports beyond tokens one call can use at most."""

from __future__ import annotations

from qwenport.core.call import Call, NativeInput
from qwenport.core.json_texts import json_texts
from qwenport.core.native_body import NativeBody, read_native
from qwenport.metering.bounded_usage import MAX_TOKENS

IMAGES = "image_count"
CHARACTERS = "characters"
WIDEST_CHARACTER = 2
"""What one character counts at most: some speech services count those of Chinese twice."""

Items = tuple[tuple[str, int], ...]


def most_items(call: Call, most_units: Items) -> Items:
    """Return a bound for each thing that has a price: what the call itself says, else what any call can use."""
    if not isinstance(call.input, NativeInput) or not most_units:
        return ()
    asked = read_native(call.input.body)
    return tuple((name, _said(name, asked) or most) for name, most in most_units)


def _said(name: str, asked: NativeBody) -> int:
    """Return how many a call itself asks for; 0 where it does not say."""
    if name == IMAGES:
        parameters = asked.parameters if isinstance(asked.parameters, dict) else {}
        count = parameters.get("n")
        return count if type(count) is int and 0 < count <= MAX_TOKENS else 0
    if name == CHARACTERS:
        return WIDEST_CHARACTER * sum(len(each.text) for each in json_texts(asked.input))
    return 0
