"""What the host process is told; known to both sides of the fork."""

from __future__ import annotations

from qwenport.engines.host_parameters import HostParameters


class LlamaParameters(HostParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model to host, under whose name it answers."""

    weights: str
    context_tokens: int
    """Context of one slot."""
    slots: int
    projector: str = ""
    """File that turns images into what the model reads; empty for a model of text."""
    image_tokens: int = 0
    """Most tokens of one image; 0 for the projector's own bound."""
