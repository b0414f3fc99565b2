"""What the host of every kind is told when it is started; known to both sides of the fork."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec import Struct

from qwenport.engines.engine import HostCommand

PARAMETERS_VARIABLE = "QWENPORT_HOST_PARAMETERS"
"""Environment variable that holds `HostParameters` as JSON; a command line could be read by every user."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class HostParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to listen, and to whom; each kind adds what it hosts."""

    model: str
    """Name that the host gives itself."""
    socket: str
    secret: str


def host_command(module: str, parameters: HostParameters, environment: Mapping[str, str] = _NOTHING) -> HostCommand:
    """Return how to start a module as a host, with further variables of its environment."""
    told = msgspec.json.encode(parameters).decode()
    return HostCommand(arguments=(sys.executable, "-m", module), environment={PARAMETERS_VARIABLE: told, **environment})
