"""A configuration that is put in force while calls run: one reading after another, mistakes told, all workers asked."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from qwenport.app.live_reload import LiveReload, ask_supervisor
from qwenport.app.reload import Configuration, Reload, read_configuration
from qwenport.server.admin.parts import Reloaded
from qwenport.settings.settings import Settings, load_settings

pytestmark = pytest.mark.anyio


class Applied:
    """What was put in force, and how many at a time."""

    def __init__(self) -> None:
        self.tries: list[int] = []
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, configuration: Configuration) -> None:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(0)
        self.tries.append(configuration.settings.file.retries.tries)
        self.at_once -= 1


@pytest.fixture
def applied() -> Applied:
    return Applied()


@pytest.fixture
def live(tmp_path: Path, applied: Applied) -> LiveReload:
    def read() -> Settings:
        return load_settings({"QWENPORT_DATA_DIR": str(tmp_path)}, tmp_path)

    return LiveReload(Reload(read_configuration(read()), read), applied, supervisor=0)


async def test_what_changed_is_put_in_force_once(live: LiveReload, applied: Applied, tmp_path: Path) -> None:
    (tmp_path / "qwenport.toml").write_text("[retries]\ntries = 2\n")

    found = await asyncio.gather(live.again(), live.for_operator())

    assert tuple(found) == (Reloaded(changed=("[retries]",)), Reloaded())
    assert (applied.tries, applied.most_at_once) == ([2], 1)


async def test_a_mistake_is_told_and_logged_and_puts_nothing_in_force(
    live: LiveReload, applied: Applied, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "qwenport.toml").write_text("[retries\n")
    with caplog.at_level(logging.INFO):
        found = await live.for_operator()

    assert "is not valid" in found.error
    assert applied.tries == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_what_waits_for_a_restart_is_in_the_log(
    live: LiveReload, applied: Applied, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "qwenport.toml").write_text("[server]\nkeep_alive_s = 1\n")
    with caplog.at_level(logging.INFO):
        assert await live.again() == Reloaded(needs_restart=("[server]",))

    assert applied.tries == []
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "changed, but read at the start alone: [server]"
    ]


def test_the_supervisor_is_asked_and_nobody_in_its_place() -> None:
    asked = "import os; from qwenport.app.live_reload import ask_supervisor; "
    seen: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: seen.append(number))
    try:
        words = f"print(ask_supervisor({os.getpid()}), ask_supervisor(os.getpid()))"
        told = subprocess.run([sys.executable, "-c", asked + words], capture_output=True, text=True, check=True)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert (told.stdout.strip(), seen) == ("True False", [signal.SIGHUP])
    assert ask_supervisor(os.getpid()) is False


SEEING_THE_END = """
import os, signal, time
from qwenport.app.terminal import Terminal
{before}
terminal = Terminal()
ended = []
signal.signal(signal.SIGHUP, lambda *_: ended.append(terminal.is_gone()))
os.write({told}, str(terminal.is_gone()).encode() + b"\\n")
while not ended:
    time.sleep(0.01)  # the signal may have come before a pause, which would then have no end
os.write({told}, str(ended[0]).encode() + b"\\n")
"""


@pytest.mark.parametrize(
    ("before", "words"),
    [("", ["False", "True"]), ("signal.signal(signal.SIGHUP, signal.SIG_IGN)", ["False", "False"])],
)
def test_a_terminal_that_was_closed_is_told_from_a_reload(before: str, words: list[str]) -> None:
    ours, theirs = os.openpty()
    heard, told = os.pipe()
    code = SEEING_THE_END.format(before=before, told=told)

    def take_terminal() -> None:
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-c", code],
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 - this process has no other threads that hold locks
        pass_fds=(told,),
        stdin=theirs,
    )
    os.close(theirs)
    os.close(told)
    with os.fdopen(heard) as lines:
        first = lines.readline()
        os.close(ours)  # the kernel sends SIGHUP to whom the terminal belongs
        found = [first.strip(), lines.readline().strip()]

    assert (process.wait(timeout=30), found) == (0, words)


def test_without_a_terminal_there_is_none_to_be_closed() -> None:
    words = "from qwenport.app.terminal import Terminal; print(Terminal().is_gone())"
    alone = subprocess.run(
        [sys.executable, "-c", words], start_new_session=True, capture_output=True, text=True, check=True
    )

    assert alone.stdout == "False\n"
