"""What a reading process is told: which models read, what computes, and with how much of the machine."""

from __future__ import annotations

from msgspec import Struct

from qwenport.settings.configuration_file import OcrBackend


class ModelFile(Struct, frozen=True, kw_only=True):
    """A file that is read at start, and what it must be."""

    path: str
    sha256: str


class ReaderOrder(Struct, frozen=True, kw_only=True):
    """One way of reading pages."""

    detector: ModelFile
    """ONNX model that finds lines of text."""
    recogniser: ModelFile
    """ONNX model that reads one line."""
    characters: ModelFile | None = None
    """Text file with what the recogniser knows, one character a line; None where the model itself holds it."""
    orientation: ModelFile
    """ONNX model that tells which way a page stands, by its looks."""
    backend: OcrBackend = OcrBackend.ONNX_RUNTIME
    threads: int = 1
