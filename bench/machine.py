"""The machine and the software of a run, without anything that names its owner."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from bench.processes import ROOT

_PACKAGES = ("httptools", "msgspec", "qwenport", "sqlalchemy", "starlette", "uvicorn", "uvloop", "xllamacpp")


class Machine(Struct, frozen=True, kw_only=True):
    """Where and with what it was measured."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    packages: dict[str, str]
    nginx: str
    """Version, empty where it is not installed."""
    wrk: str = ""
    commit: str
    """Of the project; `+` at its end says that files had been changed since."""


def describe() -> Machine:
    """Look at this machine."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        nginx=_nginx(),
        wrk=first_line("wrk", "-v").partition(" [")[0].removeprefix("wrk ") if shutil.which("wrk") else "",
        commit=_commit(),
    )


def slug(machine: Machine) -> str:
    """Return a short description that can be part of a file's name."""
    words = re.sub(r"[^a-z0-9]+", "-", machine.cpu.lower()).strip("-")
    return f"{words}-{machine.cores}-cores"


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _nginx() -> str:
    return first_line("nginx", "-v").rpartition("/")[2] if shutil.which("nginx") else ""


def _commit() -> str:
    commit = first_line("git", "rev-parse", "--short=12", "HEAD")
    if not re.fullmatch(r"[0-9a-f]{12}", commit):
        return "none"
    return commit + ("+" if first_line("git", "status", "--porcelain") else "")


def first_line(*command: str) -> str:
    """Return the first line that a command prints, on either channel; empty where it cannot run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=10, check=False)
    except OSError:
        return ""
    return (done.stdout or done.stderr).partition("\n")[0].strip()
