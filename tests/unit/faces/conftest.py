"""What the tests of the faces have in common: requests to hand in and answers to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime

import pytest

from qwenport.core.events import Event
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard, ResultFormat
from qwenport.faces.face import Cards, Exchange, Request

MakeRequest = Callable[..., Request]
Encode = Callable[[Exchange, Iterable[Event]], bytes]


@pytest.fixture(scope="session")
def make_request() -> MakeRequest:
    """Return a maker of requests; a body that is not bytes is sent as JSON."""

    def make(
        body: object = b"",
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        path_parameters: Mapping[str, str] | None = None,
    ) -> Request:
        return Request(
            id=RequestId("00000000-0000-9000-8000-000000000001"),
            received_at=datetime(2026, 1, 1, tzinfo=UTC),
            headers=headers or {},
            query=query or {},
            path_parameters=path_parameters or {},
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        )

    return make


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Return a function that gives the whole bytes of an answer to these events."""

    def encode_events(exchange: Exchange, events: Iterable[Event]) -> bytes:
        answer = exchange.answer
        if hasattr(answer, "frame"):
            return b"".join(answer.frame(event) for event in events)
        for event in events:
            answer.add(event)
        return answer.reply().body

    return encode_events


@pytest.fixture(scope="session")
def cards() -> Cards:
    """Return a catalog of a model that stands in and one that is what its name says."""
    return {
        "qwen-turbo": ModelCard(
            name="qwen-turbo",
            description="Fast and cheap.",
            family="qwen-turbo",
            released=date(2024, 9, 19),
            context_tokens=1_000_000,
            max_input_tokens=1_000_000,
            max_output_tokens=8192,
            route=("llama/smollm2-135m-instruct",),
            stands_in=True,
        ),
        "qwen3-max": ModelCard(
            name="qwen3-max",
            description="The strongest.",
            family="qwen3",
            released=date(2025, 9, 23),
            context_tokens=262_144,
            max_input_tokens=258_048,
            max_output_tokens=65_536,
            default_result_format=ResultFormat.MESSAGE,
            route=("alibaba/qwen3-max",),
        ),
    }
