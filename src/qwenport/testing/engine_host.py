"""The host of an embedded engine as a real child process, without a supervisor."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.catalog.weights import WeightsStore
from qwenport.core.capabilities import Capabilities
from qwenport.engines.engine import WATCH_VARIABLE, Engine, EngineKind, Site

_LOAD_S = 60.0


@dataclass
class RunningHost:
    """A child, its gateway's side and the supervisor's end of its pipe."""

    process: subprocess.Popen[bytes]
    engine: Engine
    model: EngineModel
    site: Site
    pipe: int
    """Set to -1 by who closes it."""
    log: Path


def stand_in(
    kind: EngineKind, weights: Path, *, context_tokens: int, projector: Path | None = None, image_tokens: int = 0
) -> EngineModel:
    """Return a model of two slots whose weights are this file, and one that sees where there is a projector."""
    return EngineModel(
        name="stand-in",
        kind=kind.name,
        weights=_unpinned(weights),
        projector=None if projector is None else _unpinned(projector),
        context_tokens=context_tokens,
        slots=2,
        capabilities=Capabilities(vision=projector is not None),
        image_tokens=image_tokens,
    )


def _unpinned(path: Path) -> Weights:
    return Weights(source=f"file:{path}", sha256="0" * 64, size_bytes=1, licence="Apache-2.0")


def start_host(
    kind: EngineKind, model: EngineModel, site: Site, log: Path, *, watch: int | None = None
) -> subprocess.Popen[bytes]:
    """Start the host as the supervisor would; `watch` is its end of a pipe."""
    command = kind.host_command(model, site)
    if command is None:
        raise ValueError(f"the host of `{model.target}` runs elsewhere")
    watched = {} if watch is None else {WATCH_VARIABLE: str(watch)}
    with log.open("wb") as file:
        return subprocess.Popen(  # noqa: S603 - our own command
            command.arguments,
            env={**os.environ, **command.environment, **watched},
            stdout=file,
            stderr=file,
            pass_fds=() if watch is None else (watch,),
        )


async def until_ready(kind: EngineKind, model: EngineModel, site: Site, process: subprocess.Popen[bytes]) -> None:
    """Wait until the host answers.

    Raises:
        ChildProcessError: it ended instead.
        TimeoutError: it took too long.
    """
    async with asyncio.timeout(_LOAD_S):
        while not await kind.is_ready(model, site):
            if process.poll() is not None:
                raise ChildProcessError(f"the host of `{model.target}` ended with {process.returncode} while it loaded")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running_host(kind: EngineKind, model: EngineModel, site: Site) -> AsyncIterator[RunningHost]:
    """Give a host that is ready; its files are linked to where they are looked for."""
    store = WeightsStore(site.models_dir)
    for file in model.files:
        if file.weights.source.startswith("file:"):
            store.path(file).symlink_to(file.weights.source.removeprefix("file:"))
    reading, writing = os.pipe()
    log = site.runtime_dir / "log"
    process = start_host(kind, model, site, log, watch=reading)
    os.close(reading)
    host = RunningHost(process, kind.connect(model, site), model, site, writing, log)
    try:
        await until_ready(kind, model, site, process)
        yield host
    finally:
        await host.engine.close()
        host.process.kill()
        host.process.wait()
        if host.pipe >= 0:
            os.close(host.pipe)
