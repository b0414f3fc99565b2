"""What the supervisor tells a gateway worker, beside the settings that both read."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from qwenport.engines.engine import Site
from qwenport.settings.settings import Settings

VARIABLE = "QWENPORT_WORKER_ORDER"
"""Environment variable that holds the order; the supervisor sets it, nobody else does."""


class WorkerOrder(Struct, frozen=True, kw_only=True):
    """Descriptors that the worker inherits, and where the engine hosts are."""

    slot: int
    """Number of this worker, from 1 on; its journal lies in the slot of this number."""
    workers: int
    """How many there are; they share the engines' slots."""
    public_fd: int
    port: int
    """What the public descriptor listens on."""
    admin_fd: int
    watch_fd: int
    """Reads end of file when the supervisor has ended."""
    ready_fd: int
    """One byte is written here when the worker listens."""
    supervisor: int
    """Process id of the supervisor, which hands a wish for another configuration to every worker."""
    runtime_dir: str
    engine_secret: str

    def encode(self) -> str:
        """Return the order as text for the environment."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str) -> WorkerOrder:
        """Return the order that a text holds."""
        return msgspec.json.decode(text, type=cls)

    def site(self, settings: Settings) -> Site:
        """Return where the engine hosts are met."""
        return Site(
            runtime_dir=self.runtime_path,
            models_dir=settings.models_dir,
            secret=self.engine_secret,
            ocr=settings.file.ocr,
        )

    @property
    def runtime_path(self) -> Path:
        """Return the folder of the children's sockets."""
        return Path(self.runtime_dir)
