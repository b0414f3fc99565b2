"""Where the host of a model listens, how it is asked whether it is ready, and what is said when nobody answers."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from qwenport.catalog.engine_model import EngineModel
from qwenport.core.errors import ModelUnavailable
from qwenport.engines.engine import Condition, EngineState, Site

_LONGEST_SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
"""What `sockaddr_un` holds, without its closing zero."""
_IDLE_S = 2.0
"""An idle connection is closed after this time, before the host does so; 5 s are usual there."""
_HEALTH_DEADLINE = aiohttp.ClientTimeout(total=2.0)


class SocketPathTooLong(ValueError):
    """The runtime folder lies so deep that no socket can be made in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAddress:
    """Where a host listens, and what it wants to be shown."""

    url: str
    """Scheme, host and port; of a socket only the scheme counts."""
    socket: Path | None = None
    secret: str
    keeps_connections: bool = False
    """Whether a connection serves further calls. llama.cpp says so and closes it after a stream all the same."""

    def connector(self) -> aiohttp.BaseConnector:
        """Return what opens connections to it, as many as are wanted."""
        idle: dict[str, Any] = {"keepalive_timeout": _IDLE_S} if self.keeps_connections else {"force_close": True}
        if self.socket is None:
            return aiohttp.TCPConnector(limit=0, **idle)
        return aiohttp.UnixConnector(str(self.socket), limit=0, **idle)

    async def is_healthy(self) -> bool:
        """Tell whether `GET /health` is answered with 200."""
        async with aiohttp.ClientSession(self.url, connector=self.connector(), timeout=_HEALTH_DEADLINE) as session:
            try:
                async with session.get("/health") as response:
                    return response.status == 200
            except (aiohttp.ClientError, OSError, TimeoutError):
                return False


def address_of(model: EngineModel, site: Site) -> HostAddress:
    """Return where the host of this model listens: our own child process, or one that somebody else started."""
    local = f"http://{model.kind}"
    if not model.url:
        return HostAddress(url=local, socket=socket_path(model, site), secret=site.secret)
    secret = os.environ.get(model.secret_env, "") if model.secret_env else ""
    if model.url.startswith("unix:"):
        socket = Path(model.url.removeprefix("unix:"))
        return HostAddress(url=local, socket=socket, secret=secret, keeps_connections=True)
    return HostAddress(url=model.url, secret=secret, keeps_connections=True)


def socket_path(model: EngineModel, site: Site) -> Path:
    """Return where our own host of this model listens.

    Raises:
        SocketPathTooLong: the operating system cannot make a socket at such a path.
    """
    # A digest, because names of models may be longer than the path of a socket.
    path = site.runtime_dir / f"{model.kind}-{hashlib.sha256(model.target.encode()).hexdigest()[:12]}.sock"
    size = len(bytes(path))
    if size > _LONGEST_SOCKET_PATH_BYTES:
        raise SocketPathTooLong(
            f"the path `{path}` of a socket has {size} bytes, and at most {_LONGEST_SOCKET_PATH_BYTES} are possible: "
            "choose a data directory with a shorter path",
        )
    return path


def unavailable(name: str, condition: Condition) -> ModelUnavailable:
    """Return why nobody answers for the model of this name."""
    default_reasons = {
        EngineState.ABSENT: f"the weights of `{name}` are not on this machine: run `qwenport models pull {name}`",
        EngineState.LOADING: f"`{name}` is loading",
        EngineState.ENDED: f"the engine of `{name}` ended and is being restarted",
        # The supervisor has yet to notice what the gateway just did.
        EngineState.READY: f"the engine of `{name}` ended and is being restarted",
    }
    reason = condition.reason or default_reasons[condition.state]
    return ModelUnavailable(reason, passes=condition.state is not EngineState.ABSENT)
