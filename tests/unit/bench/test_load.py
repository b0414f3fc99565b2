"""The load generator's requests are what the order says."""

from __future__ import annotations

import json

import pytest
from bench.load import LoadOrder, request_bytes
from msgspec.structs import replace

ORDER = LoadOrder(
    port=80, path="/v1/chat/completions", key="k", model="m", streams=True, tokens=3, concurrency=1, seconds=1
)


@pytest.mark.parametrize("length", [1000, 32_000, 400_000])
def test_a_body_has_the_length_that_was_ordered(length: int) -> None:
    head, _, body = request_bytes(replace(ORDER, body_bytes=length)).partition(b"\r\n\r\n")

    assert (len(body), f"Content-Length: {length}" in head.decode()) == (length, True)
    assert json.loads(body)["max_tokens"] == 3


def test_a_short_body_holds_one_question_and_further_headers_are_sent() -> None:
    head, _, body = request_bytes(replace(ORDER, headers={"x-more": "1"})).partition(b"\r\n\r\n")

    assert json.loads(body)["messages"] == [{"role": "user", "content": "How do you do? "}]
    assert "x-more: 1" in head.decode().split("\r\n")
