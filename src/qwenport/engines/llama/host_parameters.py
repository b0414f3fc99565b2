"""What the host process is told, and what it tells by its exit code; known to both sides of the fork."""

from __future__ import annotations

from enum import IntEnum

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


class HostExit(IntEnum):
    """Exit codes of the host; others are crashes."""

    ENDED = 0
    PARAMETERS_INVALID = 10
    WEIGHTS_MISSING = 11
    WEIGHTS_CORRUPT = 12
    SOCKET_IN_USE = 13
    SOCKET_REFUSED = 14
