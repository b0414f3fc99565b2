"""What the host process is told; known to both sides of the fork."""

from __future__ import annotations

from qwenport.engines.host_parameters import HostParameters


class EmbedParameters(HostParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model to host."""

    weights: str
