"""The gateway that is fuzzed: everything real but for the engines, the clock and the ids."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from pathlib import Path

from fuzz.engine import Engines
from qwenport.core.ids import RequestId
from qwenport.settings.settings import load_settings
from qwenport.testing.clock import CountingIds
from qwenport.testing.gateway import Gateway, Plan, running_gateway

NUMBER: ContextVar[int] = ContextVar("NUMBER")
"""Number of the request that a task sends."""


class NumberedIds(CountingIds):
    """Calls a request by its number, so that what an engine says to it does not hang on which others came before."""

    def request_id(self) -> RequestId:
        """Return the id of the request that is being answered."""
        number = NUMBER.get(None)
        return super().request_id() if number is None else RequestId(f"00000000-0000-9000-8000-{number:012d}")


def fuzzed_gateway(folder: Path, engines: Engines) -> AbstractAsyncContextManager[Gateway]:
    """Return a gateway in an empty folder; it reads the vocabulary that `qwenport models pull` has fetched."""
    (folder / "models").symlink_to(load_settings(os.environ, Path.cwd()).models_dir)
    return running_gateway(folder, Plan(engines=engines.scripted, ids=NumberedIds()))
