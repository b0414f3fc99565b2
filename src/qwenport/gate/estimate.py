"""How much a call can consume at most, before anything of it was counted."""

from __future__ import annotations

from qwenport.core.call import Call
from qwenport.core.model_card import ModelCard

TEMPLATE_TOKENS = 16
"""More than a chat template adds around one message."""


def most_input_tokens(call: Call, card: ModelCard) -> int:
    """Return an upper bound of the prompt in tokens: a token is a byte of UTF-8 at the least."""
    size = sum(len(message.content.encode("utf-8")) + TEMPLATE_TOKENS for message in call.messages) + TEMPLATE_TOKENS
    return min(size, card.max_input_tokens)


def most_output_tokens(call: Call, card: ModelCard) -> int:
    """Return an upper bound of the answer in tokens, all choices together."""
    return answer_tokens(call, card) * call.sampling.choices


def answer_tokens(call: Call, card: ModelCard) -> int:
    """Return the bound on one choice: the caller's, else the card's; JSON ends by itself and has the widest."""
    if call.sampling.max_tokens is not None:
        return call.sampling.max_tokens
    if call.json is not None or card.default_output_tokens is None:
        return card.max_output_tokens
    return min(card.default_output_tokens, card.max_output_tokens)
