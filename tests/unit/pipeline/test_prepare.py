"""What an engine gets: the caller's wishes, and the card's for what was left open."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from qwenport.core.call import Call, Message, Role, Sampling
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard, SamplingDefaults
from qwenport.pipeline.prepare import prepare

CARD = ModelCard(
    name="qwen-plus",
    description="Balanced.",
    family="qwen-plus",
    released=date(2024, 12, 1),
    context_tokens=1000,
    max_input_tokens=900,
    max_output_tokens=100,
    sampling=SamplingDefaults(temperature=0.1, top_p=0.2, top_k=3, repetition_penalty=1.4, presence_penalty=0.5),
)
CALL = Call(
    id=RequestId("request-1"),
    face="openai",
    operation="chat.completions",
    model="qwen-plus",
    messages=(Message(role=Role.USER, content="Hi"),),
)


def test_what_the_caller_left_open_comes_from_the_card() -> None:
    prepared = prepare(CALL, CARD)

    assert prepared.max_input_tokens == 900
    assert prepared.call == replace(
        CALL,
        sampling=Sampling(
            temperature=0.1, top_p=0.2, top_k=3, repetition_penalty=1.4, presence_penalty=0.5, max_tokens=100
        ),
    )


def test_what_the_caller_said_stays_also_where_it_is_zero() -> None:
    wishes = Sampling(
        temperature=0.0,
        top_p=0.9,
        top_k=0,
        repetition_penalty=1.0,
        presence_penalty=0.0,
        seed=0,
        max_tokens=1,
        stop=("end",),
        choices=2,
    )

    assert prepare(replace(CALL, sampling=wishes), CARD).call.sampling == wishes
