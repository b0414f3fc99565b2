"""What a call may ask: access to the model, then what the model card knows of its abilities and its ranges.

The words are those of Model Studio's error page; callers match on them.
"""

from __future__ import annotations

from qwenport.core.call import Call
from qwenport.core.caller import Caller
from qwenport.core.errors import ModelDenied
from qwenport.core.model_card import ModelCard
from qwenport.gate.abilities import check_abilities
from qwenport.gate.ranges import check_ranges


def permit(caller: Caller, card: ModelCard, call: Call) -> None:
    """Let a call pass or refuse it; nothing was taken or run yet.

    Raises:
        ModelDenied: the key is restricted to other models.
        ModelNotServedHere: the model does another kind of work, or has another address.
        ParameterInvalid: the content is refused, or a parameter is out of range for this model.
    """
    if not caller.may_use(card.name):
        raise ModelDenied
    if call.refusal is not None:
        raise call.refusal
    check_abilities(call, card)
    check_ranges(call.sampling, card)
