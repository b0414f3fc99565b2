"""What the supervisor and the gateway know of reading hosts as a kind of engine."""

from __future__ import annotations

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.weights import WeightsStore
from qwenport.engines.condition_file import ConditionReader
from qwenport.engines.engine import Engine, HostCommand, Site
from qwenport.engines.host_address import is_healthy, peer_of, socket_path
from qwenport.engines.host_parameters import host_command
from qwenport.engines.ocr.engine import OcrEngine
from qwenport.engines.ocr.host_parameters import OcrParameters
from qwenport.engines.ocr.pool_order import pool_order
from qwenport.engines.ocr.reading_models import order_for


class OcrKind:
    """Child processes that read the text of images, behind a Unix socket."""

    name = "ocr"

    def connect(self, model: EngineModel, site: Site) -> Engine:
        """Return the gateway's side of the engine; opens nothing yet."""
        return OcrEngine(
            target=model.target,
            slots=model.slots,
            peer=peer_of(model, site),
            read_condition=ConditionReader(site, model.target).read,
            table=site.ocr,
        )

    def host_command(self, model: EngineModel, site: Site) -> HostCommand | None:
        """Return how to start the host, None for one that runs elsewhere."""
        if model.url:
            return None
        reader = order_for(model, site.ocr, WeightsStore(site.models_dir))
        parameters = OcrParameters(
            model=model.name,
            socket=str(socket_path(model, site)),
            secret=site.secret,
            pool=pool_order(site.ocr, reader),
        )
        return host_command("qwenport.engines.ocr.host", parameters)

    async def is_ready(self, model: EngineModel, site: Site) -> bool:
        """Tell whether the host answers."""
        return await is_healthy(peer_of(model, site))
