"""Cards and engine models of small bounds, for tests to which the rest of a model does not matter."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec.structs import replace

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.core.model_card import ModelCard

_CARD = ModelCard(
    name="qwen-plus",
    description="Balanced.",
    family="qwen-plus",
    released=date(2024, 12, 1),
    context_tokens=1000,
    max_input_tokens=900,
    max_output_tokens=100,
)
_ENGINE_MODEL = EngineModel(
    name="tiny",
    kind="llama",
    weights=Weights(source="file:/weights/tiny.gguf", sha256="ab" * 32, size_bytes=1, licence="Apache-2.0"),
    context_tokens=512,
    slots=3,
)


def model_card(**changes: Any) -> ModelCard:
    """Return the card of qwen-plus with 900 tokens of input and 100 of output, changed in these fields."""
    return replace(_CARD, **changes)


def engine_model(**changes: Any) -> EngineModel:
    """Return a llama model of three slots, changed in these fields."""
    return replace(_ENGINE_MODEL, **changes)
