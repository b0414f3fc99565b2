"""What the supervisor and the gateway know of llama.cpp as a kind of engine."""

from __future__ import annotations

import msgspec

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.weights import WeightsStore
from qwenport.core.capabilities import Capabilities
from qwenport.core.ocr import OcrTask
from qwenport.engines.condition_file import ConditionReader
from qwenport.engines.engine import Engine, HostCommand, Site
from qwenport.engines.host_address import is_healthy, peer_of, socket_path
from qwenport.engines.host_parameters import host_command
from qwenport.engines.llama.engine import LlamaEngine, Profile
from qwenport.engines.llama.host_parameters import LlamaParameters


class LlamaKind:
    """Child processes that host llama.cpp behind a Unix socket."""

    name = "llama"

    def connect(self, model: EngineModel, site: Site) -> Engine:
        """Return the gateway's side of the engine; opens nothing yet."""
        profile = Profile(
            target=model.target,
            slots=model.slots,
            capabilities=capabilities_of(model),
            context_tokens=model.context_tokens,
            template_tools=model.template_tools,
        )
        return LlamaEngine(
            profile,
            peer=peer_of(model, site),
            read_condition=ConditionReader(site, model.target).read,
        )

    def host_command(self, model: EngineModel, site: Site) -> HostCommand | None:
        """Return how to start the host, None for one that runs elsewhere."""
        if model.url:
            return None
        store = WeightsStore(site.models_dir)
        projector = next((str(store.path(file)) for file in model.files if file.table == "projector"), "")
        parameters = LlamaParameters(
            model=model.name,
            weights=str(store.path(model)),
            projector=projector,
            image_tokens=model.image_tokens,
            socket=str(socket_path(model, site)),
            context_tokens=model.context_tokens,
            slots=model.slots,
            secret=site.secret,
        )
        return host_command("qwenport.engines.llama.host", parameters)

    async def is_ready(self, model: EngineModel, site: Site) -> bool:
        """Tell whether the host answers that its model is loaded."""
        return await is_healthy(peer_of(model, site))


def capabilities_of(model: EngineModel) -> Capabilities:
    """Return what the model can do here: what its card says, images only with a projector, and no videos.

    The built-in OCR tasks reach a model that sees as prompts.
    """
    sees = model.capabilities.vision and model.projector is not None
    tasks = tuple(OcrTask) if sees else ()
    return msgspec.structs.replace(model.capabilities, vision=sees, video=False, ocr_tasks=tasks)
