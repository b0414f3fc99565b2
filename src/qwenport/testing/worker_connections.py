"""Connections to one certain worker of a server: all accept from one socket, so that chance says who gets a new one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

import httpx

LOOKS = 500
"""How often it is looked whether processes stand still; each look takes some milliseconds."""


class WorkerClient:
    """Asks one worker: whenever its connection may be a new one, the other workers stand still while it is made."""

    def __init__(self, client: httpx.Client, others: Sequence[int]) -> None:
        self._client = client
        self._others = others

    def request(self, method: str, path: str, **more: object) -> httpx.Response:
        """Return the worker's answer."""
        self._connect()
        return self._client.request(method, path, **more)  # type: ignore[arg-type]  # passed on as it came

    def stream(self, method: str, path: str, **more: object) -> AbstractContextManager[httpx.Response]:
        """Return the worker's answer, which is not read yet."""
        self._connect()
        return self._client.stream(method, path, **more)  # type: ignore[arg-type]  # passed on as it came

    def _connect(self) -> None:
        with standing_still(self._others):
            self._client.get("/healthz").raise_for_status()


@contextmanager
def client_of_each(url: str, workers: Sequence[int]) -> Iterator[dict[int, WorkerClient]]:
    """Give a client for each process; each has one connection at a time."""
    with ExitStack() as stack:
        one = httpx.Limits(max_connections=1)
        yield {
            worker: WorkerClient(
                stack.enter_context(httpx.Client(base_url=url, timeout=30, limits=one)),
                [each for each in workers if each != worker],
            )
            for worker in workers
        }


@contextmanager
def standing_still(processes: Sequence[int]) -> Iterator[None]:
    """Let processes stand still while the block lasts."""
    try:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        if not any(_are_stopped(processes) for _ in range(LOOKS)):
            raise TimeoutError(f"the processes {processes} do not stop")
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def _are_stopped(processes: Sequence[int]) -> bool:
    if not processes:
        return True
    named = ",".join(str(process) for process in processes)
    command = ["ps", "-o", "state=", "-p", named]
    states = subprocess.run(command, check=False, capture_output=True, text=True).stdout.split()  # noqa: S603 - numbers
    return len(states) == len(processes) and all(state.startswith("T") for state in states)
