"""What a call may ask: the ranges at their bounds, in the words that callers match."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.call import GREATEST_SEED, AnyJson, JsonSchema, Sampling
from qwenport.core.caller import AccountKind, AccountState, AccountTerms, Caller, FreeQuota
from qwenport.core.errors import (
    AccessDenied,
    AccountInArrears,
    FreeTierExhausted,
    ModelDenied,
    ModelUnpurchased,
    ParameterInvalid,
)
from qwenport.core.ids import AccountId, GrantId, KeyId
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.permit import Permit
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.clock import FakeClock
from qwenport.testing.models import model_card

CARD = model_card(
    max_output_tokens=8192,
)
CLOCK = FakeClock()
COUNTERS = LocalCounters(CLOCK)
permit = Permit(COUNTERS.is_spent, CLOCK)


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


def on_terms(**terms: Any) -> Caller:
    return replace(CALLER, terms=AccountTerms(**terms))


def grant(tokens: int = 10, days: int = 1) -> FreeQuota:
    return FreeQuota(grant=GrantId("grant-1"), tokens=tokens, until=CLOCK.now() + timedelta(days=days))


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"deactivated_models": ("qwen-plus",), "state": AccountState.SUSPENDED}, ModelUnpurchased),
        ({"state": AccountState.SUSPENDED}, AccessDenied),
        ({"state": AccountState.CLOSED}, AccessDenied),
        ({"state": AccountState.IN_ARREARS}, AccountInArrears),
        ({"free_tier_only": True}, FreeTierExhausted),
        ({"free_tier_only": True, "free_quota": grant(days=0)}, FreeTierExhausted),
    ],
    ids=str,
)
def test_the_account_is_looked_at_before_the_content(terms: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        permit(on_terms(**terms), CARD, chat_call(sampling=Sampling(temperature=9)))


def test_a_model_that_costs_nothing_needs_no_free_quota() -> None:
    permit(on_terms(free_tier_only=True), replace(CARD, costs_nothing=True), chat_call())


def test_the_models_of_the_key_are_looked_at_before_the_account() -> None:
    suspended = replace(on_terms(state=AccountState.SUSPENDED), models=("qwen-max",))
    with pytest.raises(ModelDenied):
        permit(suspended, CARD, chat_call())


def test_an_account_with_a_grant_may_call_until_it_is_known_to_be_used_up() -> None:
    counters = LocalCounters(CLOCK)
    caller = on_terms(free_tier_only=True, free_quota=grant(tokens=10))
    look = Permit(counters.is_spent, CLOCK)
    counters.free_tokens(caller.account_id, GrantId("grant-1"), CARD.name).used = 9
    look(caller, CARD, chat_call())
    counters.free_tokens(caller.account_id, GrantId("grant-1"), CARD.name).used = 10
    with pytest.raises(FreeTierExhausted):
        look(caller, CARD, chat_call())


def test_a_prepaid_account_that_owes_money_may_not_call_and_a_metered_one_may() -> None:
    counters = LocalCounters(CLOCK)
    counters.purse(CALLER.account_id, CALLER.currency).used = 1
    look = Permit(counters.is_spent, CLOCK)
    look(on_terms(), CARD, chat_call())
    with pytest.raises(AccountInArrears):
        look(on_terms(kind=AccountKind.PREPAID), CARD, chat_call())
