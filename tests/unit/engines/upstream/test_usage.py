"""Counts are read wherever an upstream puts them."""

from __future__ import annotations

import pytest

from qwenport.engines.upstream.usage import NOTHING, Told, told


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 2}, Told(input_tokens=7, output_tokens=2)),
        ({"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}, Told(input_tokens=7, output_tokens=2)),
        (
            {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 5}},
            Told(input_tokens=7, output_tokens=2, cached_tokens=5),
        ),
        (
            {"prompt_tokens": 7, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}},
            Told(input_tokens=7, output_tokens=2, reasoning_tokens=1),
        ),
        ({"input_tokens": 7, "image_tokens": 3}, Told(input_tokens=7, image_tokens=3)),
        ([7, 2], NOTHING),
    ],
)
def test_details_count_with_and_without_a_total(usage: object, expected: Told) -> None:
    assert told(usage) == expected
