"""`qwenport doctor --drill` beside an installation, which it does not touch."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qwenport.app.drill import MOST_S
from qwenport.testing.faulty_upstream import SURVIVABLE
from qwenport.testing.upstream_tables import configure

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
LONGEST_S = MOST_S + 60
"""What a drill may take, with its start and its end."""


def test_a_drill_loses_nothing_and_touches_nothing(make_server: Callable[..., Server]) -> None:
    server = make_server()
    configure(server.data_dir, "this is no configuration\n")
    before = sorted(server.data_dir.rglob("*"))
    server.command_s = LONGEST_S
    drill = server.run("doctor", "--drill", "--json")

    assert drill.returncode == 0, drill.stdout + drill.stderr
    found = json.loads(drill.stdout)
    assert (found["billed_twice"], found["findings"]) == (0, [])
    assert found["tried_more_than_once"] > 0
    assert len({met["fault"] for met in found["faults"]} & SURVIVABLE) > len(SURVIVABLE) / 2
    assert sorted(server.data_dir.rglob("*")) == before
    assert list(server.temporary.iterdir()) == []


def test_a_drill_that_is_ended_leaves_nothing_behind(
    make_server: Callable[..., Server], eventually: Eventually
) -> None:
    server = make_server()
    drill = subprocess.Popen(
        [sys.executable, "-m", "qwenport.testing.failover", "--calls", "1000000"],
        env=server.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    eventually(lambda: len(_processes_with(server.temporary)) >= 5, "two upstreams, a gateway and its worker run")
    drill.send_signal(signal.SIGTERM)

    assert drill.wait(60) != 0
    eventually(lambda: not _processes_with(server.temporary), "all of them have ended")
    eventually(lambda: list(server.temporary.iterdir()) == [], "the folder is gone")


def _processes_with(folder: Path) -> list[int]:
    """Return the processes whose temporary files lie in a folder."""
    mark = f"TMPDIR={folder}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found
