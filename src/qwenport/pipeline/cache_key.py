"""By what the response cache knows a call again: a digest of everything that decides its answer, and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from qwenport.core.call import Call, ChatInput, NativeInput, PromptInput
from qwenport.core.caller import Caller
from qwenport.core.model_card import ModelCard

VERSION = 2
"""Of the form below; a greater one makes every stored answer unknown."""

Scope = Literal["key", "account", "house"]

_ENCODE = msgspec.msgpack.Encoder(order="deterministic").encode


def is_deterministic(call: Call) -> bool:
    """Tell whether a call has the same answer every time: it asks for no chance, or for the same chance again."""
    if isinstance(call.input, NativeInput):
        return False
    if not isinstance(call.input, ChatInput | PromptInput):
        return True
    return call.sampling.temperature == 0 or call.sampling.seed is not None


def canonical_form(scope: Scope, caller: Caller, card: ModelCard, targets: Sequence[str], call: Call) -> bytes | None:
    """Return the call as bytes; None for one that has no such form, because a text of it is no Unicode.

    `targets` are those of its route, each with its address: another server under the same name is another target. The
    face, ids, whether it streams and whether it is part of a batch do not change what is answered. Regions do: they
    decide which of the targets may answer.
    """
    form = (
        VERSION,
        scope,
        _scope_id(scope, caller),
        card.name,
        targets,
        sorted(caller.regions),
        sorted(caller.terms.deactivated_regions),
        call.input,
        call.sampling if isinstance(call.input, ChatInput | PromptInput) else None,
    )
    try:
        return _ENCODE(form)
    except UnicodeEncodeError:
        return None


def digest(form: bytes) -> bytes:
    """Return the key of a canonical form."""
    return hashlib.sha256(form).digest()


def _scope_id(scope: Scope, caller: Caller) -> str:
    match scope:
        case "key":
            return caller.key_id
        case "account":
            return caller.account_id
        case "house":
            return ""
