"""A run of mutated requests against one face, eight at a time, with a look at the books after every thousand."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fuzz.asked import Answered, Asked
from fuzz.books import faults_of_books, faults_of_ledger
from fuzz.client import ask
from fuzz.engine import Engines
from fuzz.gateway import NUMBER
from fuzz.judge import SLOWEST_S, Judge
from fuzz.requests import Requests
from qwenport.faces.face import Face
from qwenport.observability.memory import resident_bytes
from qwenport.testing.gateway import Gateway

AT_ONCE = 8
"""Requests that are under way together."""
BATCH = 1000
"""Requests after which the books are looked at."""
MEMORY_GROWTH_BYTES = 64 << 20
"""What a process may grow by after the first tenth of a run: caches, and what its allocator does not give back."""
_TOLD_ID = re.compile(rb'"((?:resp_|file-)[^"]{8,60})"|"file_id":"([^"]{8,60})"')


@dataclass(slots=True)
class Outcome:
    """What a run against one face found."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    engine_calls: int = 0
    slowest_s: float = 0.0
    seconds: float = 0.0
    memory_before: int = 0
    memory_after: int = 0
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return one paragraph."""
        statuses = ", ".join(f"{times:,} x {status or 'left'}" for status, times in sorted(self.statuses.items()))
        return (
            f"{self.requests:,} mutated requests in {self.seconds:.0f} s ({statuses}), "
            f"{self.engine_calls:,} calls of engines, slowest {self.slowest_s:.2f} s, "
            f"memory {self.memory_before >> 20} -> {self.memory_after >> 20} MiB"
        )


class Run:
    """A run against one face."""

    def __init__(self, face: Face, seed: int, gateway: Gateway, engines: Engines) -> None:
        self._gateway = gateway
        self._engines = engines
        self._requests = Requests(face, seed)
        self._judge = Judge(face, engines.failed.__contains__)
        self._told: deque[str] = deque(maxlen=50)
        self.outcome = Outcome()

    async def __call__(self, numbers: Sequence[int]) -> Outcome:
        """Send the requests of these numbers and look at everything that can be seen."""
        outcome, loop = self.outcome, asyncio.get_running_loop()
        began = loop.time()
        warm_at = len(numbers) // 10
        for at in range(0, len(numbers), BATCH):
            batch = iter(numbers[at : at + BATCH])
            await asyncio.gather(*(self._work(batch) for _ in range(AT_ONCE)))
            for fault in await faults_of_books(self._gateway, self._engines):
                outcome.findings.append(f"after request {numbers[min(at + BATCH, len(numbers)) - 1]}: {fault}")
            outcome.engine_calls += len(self._engines.ran)
            self._engines.forget()
            outcome.memory_after = _memory()
            if not outcome.memory_before and at + BATCH >= warm_at:
                outcome.memory_before = outcome.memory_after
        for fault in faults_of_ledger(self._gateway):
            outcome.findings.append(fault)
        if outcome.memory_after - outcome.memory_before > MEMORY_GROWTH_BYTES:
            outcome.findings.append(f"memory grew from {outcome.memory_before:,} to {outcome.memory_after:,} bytes")
        outcome.seconds = loop.time() - began
        return outcome

    async def _work(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            self._requests.known_ids = list(self._told)
            asked = self._requests.make(number)
            NUMBER.set(number)
            for fault in await self._faults(asked):
                self.outcome.findings.append(f"request {number}: {fault}\n  {asked}")

    async def _faults(self, asked: Asked) -> list[str]:
        outcome = self.outcome
        outcome.requests += 1
        # A task of its own, as the server gives each request: what one leaves behind must not reach the next.
        asking = asyncio.create_task(ask(self._gateway.application, asked))
        await asyncio.wait((asking,), timeout=SLOWEST_S)
        if not asking.done():
            asking.cancel()
            return [f"no end within {SLOWEST_S:g} s"]
        if asking.cancelled():
            return ["the application passed on a cancellation that was its own"]
        if (error := asking.exception()) is not None:
            return [f"the application raised {error!r}"]
        answered = asking.result()
        outcome.statuses[answered.status] += 1
        outcome.slowest_s = max(outcome.slowest_s, answered.seconds)
        self._remember(answered)
        return [
            f"{fault}\n  answer {answered.status} {bytes(answered.body[:500])!r}"
            for fault in self._judge.faults(asked, answered)
        ]

    def _remember(self, answered: Answered) -> None:
        if answered.status == 200 and (match := _TOLD_ID.search(answered.body, 0, 4000)):
            self._told.append((match[1] or match[2]).decode())


def _memory() -> int:
    gc.collect()
    return resident_bytes(os.getpid())
