"""Ranges of the sampling parameters, in the documented words."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from qwenport.core.call import GREATEST_SEED, Sampling
from qwenport.core.errors import ParameterInvalid
from qwenport.core.model_card import ModelCard

GREATEST_CHOICES = 4
"""Model Studio's bound on `n`."""
GREATEST_TOP_LOGPROBS = 5
"""Model Studio's bound on `top_logprobs`."""

Check = tuple[str, Callable[[Sampling], float | None], Callable[[float, ModelCard], bool], Callable[[ModelCard], str]]
"""Parameter, its value in `Sampling`, what a value must fulfil for this model, the words when it does not."""


def check_ranges(sampling: Sampling, card: ModelCard) -> None:
    """Refuse the first parameter that is out of range.

    Raises:
        ParameterInvalid: with the documented words for that parameter.
    """
    for parameter, value_in, is_in_range, words in _CHECKS:
        value = value_in(sampling)
        if value is not None and not is_in_range(value, card):
            raise ParameterInvalid(words(card), parameter=parameter, value=value)


def _most_in_all(card: ModelCard) -> int:
    return card.max_output_tokens + (card.capabilities.max_thinking_tokens or 0)


_CHECKS: tuple[Check, ...] = (
    (
        "max_tokens",
        attrgetter("max_tokens"),
        lambda value, card: 1 <= value <= card.max_output_tokens,
        lambda card: f"Range of max_tokens should be [1, {card.max_output_tokens}]",
    ),
    (
        "max_completion_tokens",
        attrgetter("max_completion_tokens"),
        lambda value, card: 1 <= value <= _most_in_all(card),
        lambda card: f"Range of max_completion_tokens should be [1, {_most_in_all(card)}]",
    ),
    (
        "temperature",
        attrgetter("temperature"),
        lambda value, _: 0 <= value < 2,
        lambda _: "Temperature should be in [0.0, 2.0)",
    ),
    (
        "top_p",
        attrgetter("top_p"),
        lambda value, _: 0 < value <= 1,
        lambda _: "Range of top_p should be (0.0, 1.0]",
    ),
    (
        "top_k",
        attrgetter("top_k"),
        lambda value, _: value >= 0,
        lambda _: "Parameter top_k be greater than or equal to 0",
    ),
    (
        "repetition_penalty",
        attrgetter("repetition_penalty"),
        lambda value, _: value > 0,
        lambda _: "Repetition_penalty should be greater than 0.0",
    ),
    (
        "presence_penalty",
        attrgetter("presence_penalty"),
        lambda value, _: -2 <= value <= 2,
        lambda _: "Presence_penalty should be in [-2.0, 2.0]",
    ),
    (
        "n",
        attrgetter("choices"),
        lambda value, _: 1 <= value <= GREATEST_CHOICES,
        lambda _: f"Range of n should be [1, {GREATEST_CHOICES}]",
    ),
    (
        "seed",
        attrgetter("seed"),
        lambda value, _: 0 <= value <= GREATEST_SEED,
        lambda _: f"Range of seed should be [0, {GREATEST_SEED}]",
    ),
    (
        "top_logprobs",
        attrgetter("logprobs"),
        lambda value, _: 0 <= value <= GREATEST_TOP_LOGPROBS,
        lambda _: f"Range of top_logprobs should be [0, {GREATEST_TOP_LOGPROBS}]",
    ),
)
