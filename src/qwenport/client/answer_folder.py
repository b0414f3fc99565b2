"""Answers kept on disk, found again for exactly the same call; the oldest go when there are too many."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


class AnswerFolder:
    """A folder of one small file an answer, readable by its owner alone."""

    def __init__(self, folder: Path, *, most: int = 1_000) -> None:
        """Keep at most `most` answers in `folder`, which is made."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._most = most

    def find(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what was kept for this call; None for nothing, or for a file that was damaged."""
        try:
            return msgspec.json.decode(self._path(body).read_bytes(), type=dict[str, Any])
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def keep(self, body: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Keep an answer, and forget the oldest ones beyond the bound."""
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".")
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(answer))
        Path(name).replace(self._path(body))
        kept = sorted(self._folder.glob("*.json"), key=_made_at)
        for path in kept[: max(0, len(kept) - self._most)]:
            path.unlink(missing_ok=True)

    def _path(self, body: Mapping[str, Any]) -> Path:
        canonical = msgspec.json.encode(body, order="deterministic")
        return self._folder / f"{hashlib.sha256(canonical).hexdigest()}.json"


def _made_at(path: Path) -> int:
    """Return when a file was made, in nanoseconds; 0 where another process that shares the folder took it away."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
