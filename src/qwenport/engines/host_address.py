"""Where the host of a model listens, how it is asked whether it is ready, and what is said when nobody answers."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from qwenport.catalog.engine_model import EngineModel
from qwenport.core.errors import ModelUnavailable
from qwenport.engines.connections import CallFailed, Connections, Peer
from qwenport.engines.engine import Condition, EngineState, Site

_LONGEST_SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
"""What `sockaddr_un` holds, without its closing zero."""
_IDLE_S = 2.0
"""An idle connection is closed after this time, before the host does so; 5 s are usual there."""
_HEALTH_S = 2.0


class SocketPathTooLong(ValueError):
    """The runtime folder lies so deep that no socket can be made in it."""


def peer_of(model: EngineModel, site: Site) -> Peer:
    """Return where the host of this model listens: our own child process, or one that somebody else started."""
    local = f"http://{model.kind}"
    if not model.url:
        # llama.cpp says that it keeps a connection, and closes it after a stream all the same.
        return host_peer(local, socket=socket_path(model, site), secret=site.secret, keeps_connections=False)
    secret = os.environ.get(model.secret_env, "") if model.secret_env else ""
    if model.url.startswith("unix:"):
        return host_peer(local, socket=Path(model.url.removeprefix("unix:")), secret=secret)
    return host_peer(model.url, secret=secret)


def host_peer(url: str, *, secret: str, socket: Path | None = None, keeps_connections: bool = True) -> Peer:
    """Return a host as the other end of connections; an empty secret is not shown."""
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    return Peer(url=url, socket=socket, headers=headers, keeps_connections=keeps_connections, idle_s=_IDLE_S)


async def is_healthy(peer: Peer) -> bool:
    """Tell whether `GET /health` is answered with 200."""
    connections = Connections(replace(peer, connect_s=_HEALTH_S, keeps_connections=False))
    try:
        answer = await connections.get("/health", status_s=_HEALTH_S)
    except CallFailed:
        return False
    else:
        return answer.status == HTTPStatus.OK
    finally:
        await connections.close()


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
