"""Requests that schemathesis makes of the OpenAPI description, over sockets: what it allows, and what it does not."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import schemathesis
import uvloop
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import Case, GenerationMode

from fuzz.asked import Answered, Asked
from fuzz.books import faults_of_books
from fuzz.engine import Engines
from fuzz.gateway import fuzzed_gateway
from fuzz.judge import SLOWEST_S, Judge
from qwenport.faces.face import Face, Operation
from qwenport.server.openapi import listed_operations
from qwenport.testing.gateway import KEY, Gateway

_ACCESS = frozenset({"authorization", "x-api-key", "x-dashscope-workspace"})
_WITH_ODD_ACCESS = 20
"""One in so many requests shows whatever key and workspace schemathesis thought of."""
_MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(slots=True)
class SocketOutcome:
    """What came of the requests to one face."""

    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


class Background:
    """A gateway in a thread of its own, since schemathesis waits for each answer."""

    def __init__(self, gateway: Gateway, engines: Engines, loop: asyncio.AbstractEventLoop) -> None:
        self._gateway = gateway
        self._loop = loop
        self.engines = engines
        self.url = f"http://127.0.0.1:{gateway.port}"

    def faults_of_books(self) -> list[str]:
        """Return what is wrong with the books."""
        faults = faults_of_books(self._gateway, self.engines)
        return asyncio.run_coroutine_threadsafe(faults, self._loop).result(SLOWEST_S)


@contextmanager
def background_gateway(folder: Path, seed: int) -> Iterator[Background]:
    """Run a gateway while the block lasts."""
    engines = Engines(seed)
    started = threading.Event()
    running: list[Background] = []
    leave: list[asyncio.Event] = []

    async def serve() -> None:
        try:
            async with fuzzed_gateway(folder, engines) as gateway:
                leave.append(asyncio.Event())
                running.append(Background(gateway, engines, asyncio.get_running_loop()))
                started.set()
                await leave[0].wait()
        finally:
            started.set()

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    started.wait()
    try:
        yield running[0]
    finally:
        if running:
            running[0]._loop.call_soon_threadsafe(leave[0].set)  # noqa: SLF001 - our own
        thread.join()


def ask_by_schema(face: Face, document: bytes, background: Background, seed: int, cases: int) -> SocketOutcome:
    """Send about so many requests, as many of them to each operation and of each mode."""
    schema = schemathesis.openapi.from_dict(json.loads(document))
    outcome = SocketOutcome()
    asker = _Asker(face, background, outcome)
    operations = {(each.method.lower(), each.path): each for each in listed_operations(face)}
    each = max(1, cases // (len(operations) * len(_MODES)))
    for result in schema.get_all_operations():
        described = result.ok()  # type: ignore[union-attr]  # a test holds the document to be valid
        operation = operations.get((described.method.lower(), described.path))
        if operation is not None:
            for mode in _MODES:
                asker.ask_many(operation, described.as_strategy(generation_mode=mode), seed, each)
    outcome.findings += background.faults_of_books()
    return outcome


class _Asker:
    """Sends what schemathesis makes, and judges what comes back."""

    def __init__(self, face: Face, background: Background, outcome: SocketOutcome) -> None:
        self._face = face
        self._background = background
        self._outcome = outcome
        self._judge = Judge(face, background.engines.failed.__contains__)
        self._session = requests.Session()
        self._sent = 0

    def ask_many(self, operation: Operation, strategy: Any, seed: int, times: int) -> None:
        """Send so many requests to one operation; the first finding ends it."""

        @seeded(seed)
        @settings(
            max_examples=times,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        )
        @given(case=strategy)
        def ask(case: Case[Any]) -> None:
            self._ask(operation, case)

        ask()

    def _ask(self, operation: Operation, case: Case[Any]) -> None:
        example = operation.description.example
        if isinstance(case.body, dict) and "model" in case.body and "model" in example:
            # No schema can say which models there are, and a call of an unknown one ends early.
            case.body = {**case.body, "model": example["model"]}
        self._sent += 1
        if self._sent % _WITH_ODD_ACCESS:
            for name in _ACCESS & {*map(str.lower, case.headers)}:
                del case.headers[name]
            case.headers["authorization"] = f"Bearer {KEY}"
        try:
            response = case.call(base_url=self._background.url, session=self._session, timeout=SLOWEST_S)
        except requests.exceptions.Timeout:
            self._outcome.findings.append(f"no end within {SLOWEST_S:g} s: {case.as_curl_command()}")
            return
        except (requests.exceptions.InvalidHeader, UnicodeError):
            return  # it cannot be sent
        answered = Answered(
            status=response.status_code,
            headers={name.lower(): values[0] for name, values in response.headers.items()},
            body=bytearray(response.content),
            is_whole=True,
        )
        self._outcome.statuses[answered.status] += 1
        asked = Asked(face=self._face, operation=operation, method=case.method, path=case.formatted_path)
        for fault in self._judge.faults(asked, answered):
            self._outcome.findings.append(
                f"{fault}: {case.as_curl_command()[:2000]}\n  answer {answered.status} {bytes(answered.body[:500])!r}"
            )
