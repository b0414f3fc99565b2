"""Tests of routing run on a loop in which waiting takes no time."""

from __future__ import annotations

import pytest

from qwenport.testing.quick_loop import QuickLoop


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": QuickLoop}
