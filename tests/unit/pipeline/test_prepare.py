"""What an engine gets: the caller's wishes, the card's for what was left open, and what the caller named, fetched."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput, PromptInput, Sampling
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.content import ImagePart, Message, Picture, Role
from qwenport.core.ids import AccountId
from qwenport.core.model_card import ModelCard, SamplingDefaults
from qwenport.pipeline.prepare import Prepare
from qwenport.testing.calls import CALLER, call_of, chat_call
from qwenport.testing.models import model_card

pytestmark = pytest.mark.anyio

CARD = model_card(
    sampling=SamplingDefaults(temperature=0.1, top_p=0.2, top_k=3, repetition_penalty=1.4, presence_penalty=0.5),
)
COMPLETED = Sampling(temperature=0.1, top_p=0.2, top_k=3, repetition_penalty=1.4, presence_penalty=0.5, max_tokens=100)
PICTURE = Picture(data=b"x", media_type="image/png", width=32, height=32, tokens=3)


async def load(account_id: AccountId, call: Call, card: ModelCard) -> ChatInput:
    assert (account_id, card.name, isinstance(call.input, ChatInput)) == (CALLER.account_id, "qwen-plus", True)
    return ChatInput(messages=(Message(role=Role.USER, content=(PICTURE,)),))


async def text_of_tokens(tokens: Sequence[int]) -> str:
    return {(1, 2): "one two", (3,): ""}[tuple(tokens)]


PREPARE = Prepare(load, text_of_tokens)


async def test_what_the_caller_left_open_comes_from_the_card() -> None:
    prepared = await PREPARE(CALLER, chat_call(), CARD)

    assert prepared.max_input_tokens == 900
    assert prepared.call == replace(chat_call(), sampling=COMPLETED)


async def test_what_the_caller_said_stays_also_where_it_is_zero() -> None:
    wishes = Sampling(
        temperature=0.0,
        top_p=0.9,
        top_k=0,
        repetition_penalty=1.0,
        presence_penalty=0.0,
        seed=0,
        max_tokens=1,
        max_completion_tokens=2,
        stop=("end",),
        choices=2,
        logprobs=0,
    )

    assert (await PREPARE(CALLER, chat_call(sampling=wishes), CARD)).call.sampling == wishes


async def test_tokens_to_stop_at_become_texts() -> None:
    asked = chat_call(sampling=Sampling(stop=("end",), stop_tokens=((1, 2), (3,))))

    assert (await PREPARE(CALLER, asked, CARD)).call.sampling == replace(COMPLETED, stop=("end", "one two"))


async def test_what_is_no_text_is_fetched() -> None:
    asked = chat_call(messages=(Message(role=Role.USER, content=(ImagePart(url="data:,"),)),))

    assert (await PREPARE(CALLER, asked, CARD)).call.input == await load(CALLER.account_id, asked, CARD)


@pytest.mark.parametrize(
    ("asked", "by_default", "thinks"), [(None, True, True), (None, False, False), (True, False, True)]
)
async def test_a_hybrid_model_is_told_whether_to_think(asked: bool | None, by_default: bool, thinks: bool) -> None:
    hybrid = replace(CARD, capabilities=Capabilities(thinking=Thinking.HYBRID, thinks_by_default=by_default))

    prepared = await PREPARE(CALLER, chat_call(thinking=asked, streams=True), hybrid)

    assert isinstance(prepared.call.input, ChatInput)
    assert prepared.call.input.thinking is thinks


@pytest.mark.parametrize(
    ("asked", "budget"),
    [
        (chat_call(thinking=True), 60),
        (chat_call(thinking=True, thinking_budget=40), 40),
        (chat_call(thinking=False), None),
        (chat_call(thinking=True, thinking_budget=40, sampling=Sampling(max_completion_tokens=50)), 40),
    ],
)
async def test_a_model_thinks_no_longer_than_the_hold_paid_for(asked: Call, budget: int | None) -> None:
    hybrid = replace(CARD, capabilities=Capabilities(thinking=Thinking.HYBRID, max_thinking_tokens=60))

    prepared = await PREPARE(CALLER, asked, hybrid)

    assert isinstance(prepared.call.input, ChatInput)
    assert prepared.call.input.thinking_budget == budget


async def test_a_prompt_stays_as_it_is() -> None:
    asked = call_of(PromptInput(prompt="def f("))

    assert (await PREPARE(CALLER, asked, CARD)).call == replace(asked, sampling=COMPLETED)
