"""From an admitted call to what an engine gets: what the caller left open is filled in, what it named is fetched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput, Sampling
from qwenport.core.caller import Caller
from qwenport.core.capabilities import Thinking, thinks
from qwenport.core.ids import AccountId
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.gate.estimate import answer_tokens, reasoning_tokens

Load = Callable[[AccountId, Call, ModelCard], Awaitable[ChatInput]]
"""Fetches the images and documents that a chat names; raises `ParameterInvalid` for what cannot be had."""

TextOfTokens = Callable[[Sequence[int]], Awaitable[str]]
"""Turns tokens of Qwen's vocabulary into text; raises `ModelUnavailable` where the vocabulary is not here."""


class Prepare:
    """Completes calls from their model cards."""

    def __init__(self, load: Load, text_of_tokens: TextOfTokens) -> None:
        self._load = load
        self._text_of_tokens = text_of_tokens

    async def __call__(self, caller: Caller, call: Call, card: ModelCard) -> PreparedCall:
        """Return what the engine gets; `max_tokens` and `thinking_budget` become what the hold was taken for.

        Raises:
            ParameterInvalid: an image or a document cannot be had.
            ModelUnavailable: tokens to stop at were given, and the vocabulary is not on this machine.
        """
        asked = call.input
        if isinstance(asked, ChatInput):
            if any(not isinstance(message.content, str) for message in asked.messages):
                asked = await self._load(caller.account_id, call, card)
            if card.capabilities.thinking is not Thinking.NONE:
                asked = replace(
                    asked,
                    thinking=thinks(asked, card.capabilities),
                    thinking_budget=reasoning_tokens(call, card) or asked.thinking_budget,
                )
        sampling = complete(call, card)
        if sampling.stop_tokens:
            texts = [await self._text_of_tokens(tokens) for tokens in sampling.stop_tokens]
            sampling = replace(sampling, stop=(*sampling.stop, *(text for text in texts if text)), stop_tokens=())
        return PreparedCall(
            call=replace(call, input=asked, sampling=sampling),
            max_input_tokens=card.max_input_tokens,
        )


def complete(call: Call, card: ModelCard) -> Sampling:
    """Return the sampling with the card's values where the caller gave none."""
    given, default = call.sampling, card.sampling
    return Sampling(
        temperature=default.temperature if given.temperature is None else given.temperature,
        top_p=default.top_p if given.top_p is None else given.top_p,
        top_k=default.top_k if given.top_k is None else given.top_k,
        repetition_penalty=default.repetition_penalty if given.repetition_penalty is None else given.repetition_penalty,
        presence_penalty=default.presence_penalty if given.presence_penalty is None else given.presence_penalty,
        seed=given.seed,
        max_tokens=answer_tokens(call, card),
        max_completion_tokens=given.max_completion_tokens,
        stop=given.stop,
        stop_tokens=given.stop_tokens,
        choices=given.choices,
        logprobs=given.logprobs,
    )
