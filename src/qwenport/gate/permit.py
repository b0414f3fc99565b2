"""What a call may ask: access to the model, then the ranges of its parameters, which the model card knows.

The words are those of Model Studio's error page; callers match on them.
"""

from __future__ import annotations

from collections.abc import Callable

from qwenport.core.call import GREATEST_SEED, AnyJson, Call, Sampling
from qwenport.core.caller import Caller
from qwenport.core.errors import ModelDenied, ParameterInvalid
from qwenport.core.model_card import ModelCard

GREATEST_CHOICES = 4
"""Model Studio's bound on `n`."""

Check = tuple[str, float | None, Callable[[float], bool], str]
"""Parameter, its value, what the value must fulfil, the words when it does not."""


def permit(caller: Caller, card: ModelCard, call: Call) -> None:
    """Let a call pass or refuse it; nothing was taken or run yet.

    Raises:
        ModelDenied: the key is restricted to other models.
        ParameterInvalid: the content is refused, or a parameter is out of range for this model.
    """
    if not caller.may_use(card.name):
        raise ModelDenied
    if call.refusal is not None:
        raise call.refusal
    check_ranges(call.sampling, card)
    if isinstance(call.json, AnyJson) and not _mentions_json(call):
        raise ParameterInvalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            parameter="response_format",
        )


def check_ranges(sampling: Sampling, card: ModelCard) -> None:
    """Refuse the first parameter that is out of range.

    Raises:
        ParameterInvalid: with the documented words for that parameter.
    """
    most = card.max_output_tokens
    checks: tuple[Check, ...] = (
        ("max_tokens", sampling.max_tokens, lambda v: 1 <= v <= most, f"Range of max_tokens should be [1, {most}]"),
        ("temperature", sampling.temperature, lambda v: 0 <= v < 2, "Temperature should be in [0.0, 2.0)"),
        ("top_p", sampling.top_p, lambda v: 0 < v <= 1, "Range of top_p should be (0.0, 1.0]"),
        ("top_k", sampling.top_k, lambda v: v >= 0, "Parameter top_k be greater than or equal to 0"),
        (
            "repetition_penalty",
            sampling.repetition_penalty,
            lambda v: v > 0,
            "Repetition_penalty should be greater than 0.0",
        ),
        (
            "presence_penalty",
            sampling.presence_penalty,
            lambda v: -2 <= v <= 2,
            "Presence_penalty should be in [-2.0, 2.0]",
        ),
        ("n", sampling.choices, lambda v: 1 <= v <= GREATEST_CHOICES, f"Range of n should be [1, {GREATEST_CHOICES}]"),
        ("seed", sampling.seed, lambda v: 0 <= v <= GREATEST_SEED, f"Range of seed should be [0, {GREATEST_SEED}]"),
    )
    for parameter, value, is_in_range, words in checks:
        if value is not None and not is_in_range(value):
            raise ParameterInvalid(words, parameter=parameter, value=value)


def _mentions_json(call: Call) -> bool:
    return any("json" in message.content.lower() for message in call.messages)
