"""What the supervisor and the gateway know of llama.cpp as a kind of engine."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import aiohttp
import msgspec

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.weights import WeightsStore
from qwenport.engines.condition_file import ConditionReader
from qwenport.engines.engine import Engine, HostCommand, Site
from qwenport.engines.llama.engine import Address, LlamaEngine
from qwenport.engines.llama.host_parameters import PARAMETERS_VARIABLE, HostParameters

_LONGEST_SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
"""What `sockaddr_un` holds, without its closing zero."""
_SOCKET_URL = "http://llama"
_HEALTH_DEADLINE = aiohttp.ClientTimeout(total=2.0)


class SocketPathTooLong(ValueError):
    """The runtime folder lies so deep that no socket can be made in it."""


class LlamaKind:
    """Child processes that host llama.cpp behind a Unix socket."""

    name = "llama"

    def connect(self, model: EngineModel, site: Site) -> Engine:
        """Return the gateway's side of the engine; opens nothing yet."""
        return LlamaEngine(
            target=model.target,
            slots=model.slots,
            address=address_of(model, site),
            read_condition=ConditionReader(site, model.target).read,
        )

    def host_command(self, model: EngineModel, site: Site) -> HostCommand | None:
        """Return how to start the host, None for one that runs elsewhere.

        Its parameters travel in the environment, which other users cannot read.
        """
        if model.url:
            return None
        parameters = HostParameters(
            model=model.name,
            weights=str(WeightsStore(site.models_dir).path(model)),
            socket=str(socket_path(model, site)),
            context_tokens=model.context_tokens,
            slots=model.slots,
            secret=site.secret,
        )
        return HostCommand(
            arguments=(sys.executable, "-m", "qwenport.engines.llama.host"),
            environment={PARAMETERS_VARIABLE: msgspec.json.encode(parameters).decode()},
        )

    async def is_ready(self, model: EngineModel, site: Site) -> bool:
        """Tell whether the host answers that its model is loaded."""
        address = address_of(model, site)
        async with aiohttp.ClientSession(
            address.url, connector=address.connector(), timeout=_HEALTH_DEADLINE
        ) as session:
            try:
                async with session.get("/health") as response:
                    return response.status == 200
            except (aiohttp.ClientError, OSError, TimeoutError):
                return False


def address_of(model: EngineModel, site: Site) -> Address:
    """Return where the host of this model listens, and what it wants to be shown."""
    if not model.url:
        return Address(url=_SOCKET_URL, socket=socket_path(model, site), secret=site.secret)
    secret = os.environ.get(model.secret_env, "") if model.secret_env else ""
    if model.url.startswith("unix:"):
        return Address(
            url=_SOCKET_URL,
            socket=Path(model.url.removeprefix("unix:")),
            secret=secret,
            keeps_connections=True,
        )
    return Address(url=model.url, secret=secret, keeps_connections=True)


def socket_path(model: EngineModel, site: Site) -> Path:
    """Return where the host of this model listens.

    Raises:
        SocketPathTooLong: the operating system cannot make a socket at such a path.
    """
    # A digest, because names of models may be longer than the path of a socket.
    path = site.runtime_dir / f"llama-{hashlib.sha256(model.target.encode()).hexdigest()[:12]}.sock"
    size = len(bytes(path))
    if size > _LONGEST_SOCKET_PATH_BYTES:
        raise SocketPathTooLong(
            f"the path `{path}` of a socket has {size} bytes, and at most {_LONGEST_SOCKET_PATH_BYTES} are possible: "
            "choose a data directory with a shorter path",
        )
    return path
