"""A tiny model, and texts embedded with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenport.engines.embed.embedder import Embedder
from qwenport.engines.embed.packed_weights import PackedWeights
from qwenport.testing.tiny_embedding_model import write_tiny_model


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.bin"
    write_tiny_model(path)
    return path


@pytest.fixture(scope="session")
def weights(weights_file: Path) -> PackedWeights:
    return PackedWeights(weights_file)


@pytest.fixture(scope="session")
def embedder(weights: PackedWeights) -> Embedder:
    return Embedder(weights)
