"""How long an answer may be."""

from __future__ import annotations

from datetime import date

import pytest

from qwenport.core.call import AnyJson, Call, Message, Role, Sampling
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.gate.estimate import most_input_tokens, most_output_tokens
from qwenport.pipeline.prepare import prepare


def card(default_output_tokens: int | None) -> ModelCard:
    return ModelCard(
        name="m",
        description="",
        family="f",
        released=date(2026, 1, 1),
        context_tokens=4096,
        max_input_tokens=3000,
        max_output_tokens=1000,
        default_output_tokens=default_output_tokens,
    )


def call(*, max_tokens: int | None = None, json: AnyJson | None = None, text: str = "Hi", choices: int = 1) -> Call:
    return Call(
        id=RequestId("r"),
        face="f",
        operation="o",
        model="m",
        messages=(Message(role=Role.USER, content=text),),
        sampling=Sampling(max_tokens=max_tokens, choices=choices),
        json=json,
    )


@pytest.mark.parametrize(
    ("asked", "default", "bound"),
    [
        (call(), None, 1000),
        (call(), 512, 512),
        (call(), 2000, 1000),
        (call(max_tokens=700), 512, 700),
        (call(json=AnyJson()), 512, 1000),
    ],
)
def test_the_engine_gets_the_bound_that_the_hold_was_taken_for(asked: Call, default: int | None, bound: int) -> None:
    assert most_output_tokens(asked, card(default)) == bound
    assert prepare(asked, card(default)).call.sampling.max_tokens == bound


def test_the_hold_covers_every_choice() -> None:
    assert most_output_tokens(call(max_tokens=10, choices=3), card(None)) == 30


@pytest.mark.parametrize(("text", "tokens"), [("", 32), ("a", 33), ("\u4f60", 35), ("x" * 5000, 3000)])
def test_a_prompt_is_at_most_its_bytes_and_what_a_template_adds(text: str, tokens: int) -> None:
    assert most_input_tokens(call(text=text), card(None)) == tokens
