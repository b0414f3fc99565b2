"""What a call may ask: the ranges at their bounds, in the words that callers match."""

from __future__ import annotations

import pytest

from qwenport.core.call import GREATEST_SEED, AnyJson, JsonSchema, Sampling
from qwenport.core.caller import Caller
from qwenport.core.errors import ModelDenied, ParameterInvalid
from qwenport.core.ids import AccountId, KeyId
from qwenport.gate.permit import permit
from qwenport.testing.calls import chat_call
from qwenport.testing.models import model_card

CARD = model_card(
    max_output_tokens=8192,
)


def caller(*models: str) -> Caller:
    return Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), currency="CNY", models=models)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("max_tokens", 1),
        ("max_tokens", 8192),
        ("temperature", 0.0),
        ("temperature", 1.9999),
        ("top_p", 0.0001),
        ("top_p", 1.0),
        ("top_k", 0),
        ("top_k", 1_000_000),
        ("repetition_penalty", 0.0001),
        ("presence_penalty", -2.0),
        ("presence_penalty", 2.0),
        ("choices", 1),
        ("choices", 4),
        ("seed", 0),
        ("seed", GREATEST_SEED),
        ("max_completion_tokens", 1),
        ("max_completion_tokens", 8192),
        ("logprobs", 0),
        ("logprobs", 5),
        ("temperature", None),
    ],
)
def test_a_value_at_the_end_of_its_range_is_let_through(parameter: str, value: float | None) -> None:
    permit(caller(), CARD, chat_call(sampling=Sampling(**{parameter: value})))  # type: ignore[arg-type] # each has its own type


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("max_tokens", 0, "Range of max_tokens should be [1, 8192]"),
        ("max_tokens", 8193, "Range of max_tokens should be [1, 8192]"),
        ("temperature", -0.0001, "Temperature should be in [0.0, 2.0)"),
        ("temperature", 2.0, "Temperature should be in [0.0, 2.0)"),
        ("temperature", float("nan"), "Temperature should be in [0.0, 2.0)"),
        ("top_p", 0.0, "Range of top_p should be (0.0, 1.0]"),
        ("top_p", 1.0001, "Range of top_p should be (0.0, 1.0]"),
        ("top_k", -1, "Parameter top_k be greater than or equal to 0"),
        ("repetition_penalty", 0.0, "Repetition_penalty should be greater than 0.0"),
        ("presence_penalty", -2.0001, "Presence_penalty should be in [-2.0, 2.0]"),
        ("presence_penalty", 2.0001, "Presence_penalty should be in [-2.0, 2.0]"),
        ("choices", 0, "Range of n should be [1, 4]"),
        ("choices", 5, "Range of n should be [1, 4]"),
        ("max_completion_tokens", 0, "Range of max_completion_tokens should be [1, 8192]"),
        ("max_completion_tokens", 8193, "Range of max_completion_tokens should be [1, 8192]"),
        ("logprobs", -1, "Range of top_logprobs should be [0, 5]"),
        ("logprobs", 6, "Range of top_logprobs should be [0, 5]"),
        ("seed", -1, "Range of seed should be [0, 9223372036854775807]"),
        ("seed", GREATEST_SEED + 1, "Range of seed should be [0, 9223372036854775807]"),
    ],
)
def test_a_value_out_of_its_range_is_refused_in_the_services_words(parameter: str, value: float, words: str) -> None:
    with pytest.raises(ParameterInvalid) as refusal:
        permit(caller(), CARD, chat_call(sampling=Sampling(**{parameter: value})))  # type: ignore[arg-type] # each has its own type

    wire_name = {"choices": "n", "logprobs": "top_logprobs"}.get(parameter, parameter)
    assert (refusal.value.message, refusal.value.parameter) == (words, wire_name)


def test_a_key_may_use_the_models_that_it_names() -> None:
    permit(caller("qwen-max", "qwen-plus"), CARD, chat_call())


def test_access_is_refused_before_parameters_are_looked_at() -> None:
    with pytest.raises(ModelDenied, match=r"Model access denied\."):
        permit(caller("qwen-max"), CARD, chat_call(sampling=Sampling(max_tokens=0)))


@pytest.mark.parametrize("text", ["Answer in JSON.", "a json object", "JsOn"])
def test_any_json_may_be_asked_for_where_the_messages_mention_it(text: str) -> None:
    permit(caller(), CARD, chat_call(text, json=AnyJson()))


def test_any_json_is_refused_where_no_message_mentions_it() -> None:
    with pytest.raises(ParameterInvalid) as refusal:
        permit(caller(), CARD, chat_call(json=AnyJson()))

    assert refusal.value.message == (
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    )


def test_a_schema_needs_no_mention() -> None:
    permit(caller(), CARD, chat_call(json=JsonSchema(name="answer", schema=b"{}")))
