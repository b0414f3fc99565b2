"""What calls cost, by prices that the caller knows: about, after an answer; at most, before it is asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct

from qwenport.client.faces import Answered, Conversation, messages_of

_MESSAGE_TOKENS = 16
"""More than a chat template says around one message."""
_OWN_WORDS_TOKENS = 64
"""More than it says by itself."""


class CostUnknown(Exception):
    """What a call costs at most cannot be told before it is asked."""


class Cost(Struct, frozen=True, kw_only=True):
    """An amount, and what it is for."""

    amount: Decimal
    currency: str
    input_tokens: int
    output_tokens: int


class Price(Struct, frozen=True, kw_only=True):
    """What tokens of one model cost."""

    input: Decimal
    """Of `per_tokens` tokens, in units of the currency."""
    output: Decimal
    currency: str
    """An ISO 4217 code."""
    per_tokens: int = 1_000_000

    def of(self, answered: Answered) -> Cost:
        """Return what an answer cost: nothing where it was kept from before."""
        return self.cost(0, 0) if answered.from_cache else self.cost(answered.input_tokens, answered.output_tokens)

    def cost(self, input_tokens: int, output_tokens: int) -> Cost:
        """Return what so many tokens cost, exactly."""
        amount = (self.input * input_tokens + self.output * output_tokens) / self.per_tokens
        return Cost(amount=amount, currency=self.currency, input_tokens=input_tokens, output_tokens=output_tokens)


def most_cost(price: Price, conversation: Conversation, **parameters: Any) -> Cost:
    """Return the most that `Client.ask` of a text with these parameters can cost: no token is less than a byte.

    Raises:
        CostUnknown: nothing bounds the answer, or a message holds more than text.
    """
    bound = parameters.get("max_tokens") or parameters.get("max_completion_tokens")
    if not bound:
        raise CostUnknown("nothing bounds the answer: give `max_tokens`")
    sizes = [_size(message.get("content")) + _MESSAGE_TOKENS for message in messages_of(conversation)]
    return price.cost(_OWN_WORDS_TOKENS + sum(sizes), int(bound) * int(parameters.get("n") or 1))


def _size(content: object) -> int:
    if content is None:
        return 0
    if not isinstance(content, str):
        raise CostUnknown("a message holds more than text, and what images count is not known here")
    return len(content.encode())
