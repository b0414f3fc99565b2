"""Which reader pages come from, so that figures and kept pages can be told apart."""

from __future__ import annotations

from importlib.metadata import version

from qwenport.settings.configuration_file import OcrBackend, OcrTable

_PACKAGES = {OcrBackend.ONNX_RUNTIME: "onnxruntime", OcrBackend.OPENVINO: "openvino"}


def versions(table: OcrTable) -> dict[str, str]:
    """Return the versions of all that decides how a page is read."""
    return {name: version(name) for name in ("qwenport", "rapidocr", _PACKAGES[table.backend])}


def reader_name(table: OcrTable) -> str:
    """Return the model, what computes, and the versions, in one line."""
    packages = ", ".join(f"{name} {number}" for name, number in versions(table).items())
    return f"{table.model.value} by {table.backend.value}, {packages}"
