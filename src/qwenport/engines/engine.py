"""What an engine is to the gateway, and what an engine kind is to the supervisor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from qwenport.catalog.engine_model import EngineModel
from qwenport.core.capabilities import Capabilities
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.settings.configuration_file import OcrTable

WATCH_VARIABLE = "QWENPORT_WATCH_FD"
"""Environment variable of a host: the descriptor of a pipe that reads end of file when the supervisor has ended."""


class EngineState(StrEnum):
    """What an engine can do at the moment."""

    READY = "ready"
    LOADING = "loading"
    ABSENT = "absent"
    """Its weights are not on this machine."""
    ENDED = "ended"
    """Its process ended and waits for its next start."""


class Condition(Struct, frozen=True, kw_only=True):
    """The state of one engine, in words an operator can act on."""

    state: EngineState
    reason: str = ""
    restarts: int = 0
    resident_bytes: int = 0
    """Memory that its process holds; 0 where there is none."""


class Engine(Protocol):
    """The gateway's side of one engine: the target of a route."""

    target: str
    """`kind/model`, as routes name it."""

    @property
    def slots(self) -> int:
        """How many choices it works on at the same time."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can really do by what is known now; routing gives it no call that it would refuse for this."""
        ...

    def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; closing the generator stops the work.

        Raises:
            InputTooLong: the prompt does not fit; before the first event.
            ParameterInvalid: the engine cannot do what was asked; before the first event.
            ModelUnavailable: absent, loading or ended; before the first event.
            EngineFailed, EngineTimedOut: at any time.
        """
        ...

    def condition(self) -> Condition:
        """Tell what the engine can do now, without waiting."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an engine host and the gateway meet."""

    runtime_dir: Path
    """A folder that only this user can read; sockets and condition files live in it."""
    models_dir: Path
    secret: str
    """What the gateway shows to the host, so that nobody else on the machine can use it."""
    ocr: OcrTable = field(default_factory=OcrTable)
    """What the OCR engine is given of the machine, as the operator has said it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCommand:
    """How to start an engine host as a child process."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class EngineKind(Protocol):
    """A kind of engine; the registry holds one of each."""

    name: str

    def connect(self, model: EngineModel, site: Site) -> Engine:
        """Return the gateway's side of the engine; opens nothing yet."""
        ...

    def host_command(self, model: EngineModel, site: Site) -> HostCommand | None:
        """Return how to start the host of this model, or None where nothing is to be started here."""
        ...

    async def is_ready(self, model: EngineModel, site: Site) -> bool:
        """Tell whether the host answers; asked again and again while it loads and, more rarely, while it works."""
        ...
