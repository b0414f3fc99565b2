"""What the supervisor and the gateway know of embedding hosts as a kind of engine."""

from __future__ import annotations

import os

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.weights import WeightsStore
from qwenport.engines.condition_file import ConditionReader
from qwenport.engines.embed.engine import EmbedEngine
from qwenport.engines.embed.host_parameters import EmbedParameters
from qwenport.engines.engine import Engine, HostCommand, Site
from qwenport.engines.host_address import is_healthy, peer_of, socket_path
from qwenport.engines.host_parameters import host_command
from qwenport.engines.host_process import usable_cores

_THREADS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""By which the libraries that NumPy multiplies matrices with are told how many threads to use."""


class EmbedKind:
    """Child processes that host an embedding model behind a Unix socket."""

    name = "embed"

    def connect(self, model: EngineModel, site: Site) -> Engine:
        """Return the gateway's side of the engine; opens nothing yet."""
        return EmbedEngine(
            target=model.target,
            slots=model.slots,
            peer=peer_of(model, site),
            read_condition=ConditionReader(site, model.target).read,
        )

    def host_command(self, model: EngineModel, site: Site) -> HostCommand | None:
        """Return how to start the host, None for one that runs elsewhere."""
        if model.url:
            return None
        parameters = EmbedParameters(
            model=model.name,
            weights=str(WeightsStore(site.models_dir).path(model)),
            socket=str(socket_path(model, site)),
            secret=site.secret,
        )
        return host_command("qwenport.engines.embed.host", parameters, _threads())

    async def is_ready(self, model: EngineModel, site: Site) -> bool:
        """Tell whether the host answers that its model is loaded."""
        return await is_healthy(peer_of(model, site))


def _threads() -> dict[str, str]:
    """Return how many threads multiply matrices, unless the operator has said it.

    Threads wait for one another by spinning, so a core is left to the gateway: with one core of two busy elsewhere,
    two threads read 1,000-2,100 tokens a second, one read 2,000-3,200.
    """
    count = str(max(1, usable_cores() - 1))
    return {variable: os.environ.get(variable, count) for variable in _THREADS_VARIABLES}
