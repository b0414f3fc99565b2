"""From an admitted call to what an engine gets: everything that the caller left open is filled in."""

from __future__ import annotations

from msgspec.structs import replace

from qwenport.core.call import Call, Sampling
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.gate.estimate import answer_tokens


def prepare(call: Call, card: ModelCard) -> PreparedCall:
    """Complete the sampling from the card; `max_tokens` becomes what the hold was taken for."""
    given, default = call.sampling, card.sampling
    sampling = Sampling(
        temperature=default.temperature if given.temperature is None else given.temperature,
        top_p=default.top_p if given.top_p is None else given.top_p,
        top_k=default.top_k if given.top_k is None else given.top_k,
        repetition_penalty=default.repetition_penalty if given.repetition_penalty is None else given.repetition_penalty,
        presence_penalty=default.presence_penalty if given.presence_penalty is None else given.presence_penalty,
        seed=given.seed,
        max_tokens=answer_tokens(call, card),
        stop=given.stop,
        choices=given.choices,
    )
    return PreparedCall(call=replace(call, sampling=sampling), max_input_tokens=card.max_input_tokens)
