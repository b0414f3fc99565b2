"""How the supervisor tells gateways the condition of each engine: one small file an engine in the runtime folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import quote

import msgspec

from qwenport.engines.engine import Condition, EngineState, Site

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Condition).decode

_NOT_WRITTEN_YET = Condition(state=EngineState.LOADING)


def path_of(site: Site, target: str) -> Path:
    """Return where the condition of this engine is kept."""
    return site.runtime_dir / f"{quote(target, safe='')}.condition.json"


def write(site: Site, target: str, condition: Condition) -> None:
    """Replace the condition of an engine; a reader sees the old one or the new one, never half of it.

    Raises:
        OSError: the runtime folder cannot be written.
    """
    path = path_of(site, target)
    handle, temporary = tempfile.mkstemp(dir=site.runtime_dir, prefix=".condition-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_encode(condition))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(site: Site, target: str) -> Condition:
    """Return the condition that was last written; loading while there is none."""
    try:
        return _decode(path_of(site, target).read_bytes())
    except FileNotFoundError:
        return _NOT_WRITTEN_YET
    except msgspec.MsgspecError:
        # Only a supervisor of another version writes what this one cannot read; the engine itself may be well.
        return Condition(state=EngineState.LOADING, reason=f"the condition of `{target}` cannot be read")


class ConditionReader:
    """Reads one engine's condition again only after it was replaced, because routing asks for it with every call."""

    def __init__(self, site: Site, target: str) -> None:
        self._site = site
        self._target = target
        self._path = path_of(site, target)
        self._version: tuple[int, int, int] | None = None
        self._condition = _NOT_WRITTEN_YET

    def read(self) -> Condition:
        """Return the condition that was last written; loading while there is none."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._version = None
            return _NOT_WRITTEN_YET
        version = (status.st_ino, status.st_mtime_ns, status.st_size)
        if version != self._version:
            self._condition = read(self._site, self._target)
            self._version = version
        return self._condition
