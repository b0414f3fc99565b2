"""The admissions of the calls under way, for those who answer them: the pipeline gives out events only."""

from __future__ import annotations

from collections.abc import Callable

from qwenport.core.call import Call
from qwenport.core.caller import Caller
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.gate.admission import Admission

Admit = Callable[[Caller, ModelCard, Call], Admission]


class Admissions:
    """Admits calls as the gate does, and remembers each admission until it is taken out."""

    __slots__ = ("_admit", "_open")

    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self._open: dict[RequestId, Admission] = {}

    def __call__(self, caller: Caller, card: ModelCard, call: Call) -> Admission:
        """Return the gate's admission of a call; raises what the gate raises."""
        admission = self._open[call.id] = self._admit(caller, card, call)
        return admission

    def find(self, request_id: RequestId) -> Admission | None:
        """Return the admission of a call that is answered; None before it was asked for."""
        return self._open.get(request_id)

    def take_out(self, request_id: RequestId) -> Admission | None:
        """Return the admission and forget it."""
        return self._open.pop(request_id, None)
