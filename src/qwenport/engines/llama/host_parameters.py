"""What the host process is told; known to both sides of the fork."""

from __future__ import annotations

from msgspec import Struct

PARAMETERS_VARIABLE = "QWENPORT_LLAMA_HOST"
"""Environment variable that holds `HostParameters` as JSON; a command line could be read by every user."""


class HostParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model to host."""

    model: str
    """Name that the host gives itself in its answers."""
    weights: str
    socket: str
    context_tokens: int
    """Context of one slot."""
    slots: int
    secret: str
    projector: str = ""
    """File that turns images into what the model reads; empty for a model of text."""
    image_tokens: int = 0
    """Most tokens of one image; 0 for the projector's own bound."""
