"""Where the result of a run is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from bench.machine import Machine, slug
from bench.processes import ROOT

RESULTS = ROOT / "bench" / "results"


class Dated(Protocol):
    """A struct that says when and where it was found."""

    @property
    def date(self) -> str:
        """In ISO 8601."""
        ...

    @property
    def machine(self) -> Machine:
        """What it was measured on."""
        ...


def place_of(found: Dated, kind: str) -> Path:
    """Return the file, among the other results, that has its date, its machine and its kind, if any, in its name."""
    end = f"-{kind}" if kind else ""
    return RESULTS / f"{found.date[:10]}-{slug(found.machine)}{end}.json"


def write_down(found: Dated, kind: str, path: Path | None = None) -> Path:
    """Write a result as JSON to `path`, or to its own place; return where it is."""
    place = path or place_of(found, kind)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return place
