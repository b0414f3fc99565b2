"""Where engine hosts and the gateway meet in tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwenport.engines.engine import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a runtime folder with a short path, which sockets need."""
    with tempfile.TemporaryDirectory() as folder:
        yield Site(runtime_dir=Path(folder), models_dir=Path("/models"), secret="hush")
