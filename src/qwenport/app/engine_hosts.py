"""Keeps the host of one embedded model running: started when its weights are there, restarted with back-off."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from pathlib import Path

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.errors import WeightsAbsent, WeightsError
from qwenport.catalog.weights import Version, WeightsStore
from qwenport.engines.condition_file import write
from qwenport.engines.engine import WATCH_VARIABLE, Condition, EngineKind, EngineState, HostCommand, Site
from qwenport.observability.memory import resident_bytes

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A host that worked this long starts its next back-off from the beginning."""
LOAD_S = 300.0
"""A host that is not ready by then is started anew."""
CHECK_S = 5.0
END_S = 3.0
"""Time that a host has to end by itself."""
MISSED_CHECKS = 3
"""A host that fails this many health checks in a row is started anew."""


class EngineHost:
    """One child process and its condition."""

    def __init__(self, kind: EngineKind, model: EngineModel, site: Site, log_file: Path) -> None:
        self._kind = kind
        self._model = model
        self._site = site
        self._log_file = log_file
        self._weights = WeightsStore(site.models_dir)
        self._restarts = 0
        self._pause_s = FIRST_PAUSE_S
        self._process: asyncio.subprocess.Process | None = None
        self._leash = -1
        self._verified: Version | None = None

    async def keep(self) -> None:
        """Run the host until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._until_usable()
                began = loop.time()
                reason = await self._run_once()
                if loop.time() - began >= STEADY_S:
                    self._pause_s = FIRST_PAUSE_S
                self._say(EngineState.ENDED, reason)
                log.error("%s; next start in %.1f s", reason, self._pause_s)
                await asyncio.sleep(self._pause_s * random.uniform(0.8, 1.2))
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
                self._restarts += 1
        finally:
            await self._end()

    def _say(self, state: EngineState, reason: str = "") -> None:
        held = resident_bytes(self._process.pid) if self._process and self._process.returncode is None else 0
        condition = Condition(state=state, reason=reason, restarts=self._restarts, resident_bytes=held)
        write(self._site, self._model.target, condition)

    async def _until_usable(self) -> None:
        """Wait until the weights are there and whole; a file is read once, and again when it was replaced."""
        while True:
            seen = self._weights.version(self._model)
            if seen is not None and seen == self._verified:
                return
            try:
                await asyncio.to_thread(self._weights.verify, self._model)
            except WeightsError as error:
                log.warning("engine %s waits: %s", self._model.target, error)
                what = "not on this machine" if isinstance(error, WeightsAbsent) else "damaged"
                name = self._model.name
                self._say(EngineState.ABSENT, f"the weights of `{name}` are {what}: run `qwenport models pull {name}`")
                while self._weights.version(self._model) == seen:  # noqa: ASYNC110 - nobody tells when a file changes
                    await asyncio.sleep(1)
            else:
                self._verified = seen

    async def _run_once(self) -> str:
        """Start the host and stay with it until it ends; return why it ended."""
        self._say(EngineState.LOADING, f"`{self._model.name}` is loading")
        command = self._kind.host_command(self._model, self._site)
        if command is None:
            return f"engines of the kind `{self._kind.name}` have no host"
        process = await self._start(command)
        try:
            if not await self._until_ready(process):
                return self._why("did not become ready", process)
            self._say(EngineState.READY)
            log.info("engine %s is ready", self._model.target)
            return await self._watch(process)
        finally:
            await self._end()

    async def _start(self, command: HostCommand) -> asyncio.subprocess.Process:
        # The host reads its end of this pipe; when our end closes, however this process ends, the host ends too.
        reader, self._leash = os.pipe()
        try:
            with self._log_file.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *command.arguments,
                    env={**os.environ, **command.environment, WATCH_VARIABLE: str(reader)},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(reader,),
                    start_new_session=True,  # Ctrl-C is the supervisor's to handle
                )
        finally:
            os.close(reader)
        return self._process

    async def _until_ready(self, process: asyncio.subprocess.Process) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOAD_S
        while process.returncode is None and loop.time() < deadline:
            if await self._kind.is_ready(self._model, self._site):
                return True
            await asyncio.sleep(0.05)
        return False

    async def _watch(self, process: asyncio.subprocess.Process) -> str:
        missed = 0
        while missed < MISSED_CHECKS:
            try:
                async with asyncio.timeout(CHECK_S):
                    await process.wait()
            except TimeoutError:
                missed = 0 if await self._kind.is_ready(self._model, self._site) else missed + 1
                self._say(EngineState.READY)
            else:
                return self._why("ended", process)
        return f"the engine of `{self._model.name}` no longer answered its health check and is being restarted"

    def _why(self, what: str, process: asyncio.subprocess.Process) -> str:
        """Return words for callers too: no path, no line of a log."""
        code = process.returncode
        if code:
            log.error("engine %s: last line of its log: %s", self._model.target, _last_line(self._log_file))
        ending = "" if code is None else f" with signal {-code}" if code < 0 else f" with exit code {code}"
        return f"the engine of `{self._model.name}` {what}{ending} and is being restarted"

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        os.close(self._leash)
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


class RemoteHost:
    """A host that somebody else started: nothing to start here, but its condition is told all the same."""

    def __init__(self, kind: EngineKind, model: EngineModel, site: Site) -> None:
        self._kind = kind
        self._model = model
        self._site = site

    async def keep(self) -> None:
        """Ask it again and again until cancelled."""
        while True:
            is_ready = await self._kind.is_ready(self._model, self._site)
            condition = (
                Condition(state=EngineState.READY)
                if is_ready
                else Condition(state=EngineState.ENDED, reason=f"the host of `{self._model.name}` does not answer")
            )
            write(self._site, self._model.target, condition)
            await asyncio.sleep(CHECK_S if is_ready else 1)


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""
