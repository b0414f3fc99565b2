"""Answers that are given again: encoded, stored and found in a thread of their own, away from the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from qwenport.core.clock import Clock
from qwenport.core.errors import StorageUnavailable
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Generated,
    Reasoning,
    Started,
    ToolCallDelta,
)
from qwenport.storage.answer_file import AnswerFile

log = logging.getLogger(__name__)

MOST_WAITING = 64
"""Answers that may wait to be stored; more are not kept."""

Events = tuple[Event, ...]
"""A whole answer."""

T = TypeVar("T")

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(Events)


class CacheCounts(Protocol):
    """Hears what becomes of calls and answers."""

    def count_cache(self, event: str, size_bytes: int = 0) -> None:
        """Count one."""
        ...


class AnswerCache:
    """The cache of one worker on the file that all workers share. What fails is counted and no call's concern."""

    def __init__(self, file: AnswerFile, clock: Clock, counts: CacheCounts, *, max_answer_bytes: int) -> None:
        self._file = file
        self._clock = clock
        self.counts = counts
        self.max_answer_bytes = max_answer_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._storing: set[asyncio.Task[None]] = set()

    @property
    def size_bytes(self) -> int:
        """How much disk it takes."""
        return self._file.size_bytes

    async def find(self, key: bytes, age_s: int) -> Events | None:
        """Return an answer that is at most so old."""
        now = self._now_ms()
        try:
            content = await self._run(lambda: self._file.find(key, now, now - age_s * 1000))
        except StorageUnavailable as error:
            await self._note(error)
            return None
        if content is None:
            return None
        try:
            return _DECODER.decode(content)
        except msgspec.MsgspecError:
            # Written by another version, whose events are not ours.
            return None

    def put(self, key: bytes, events: Sequence[Event], age_s: int) -> None:
        """Begin to store an answer."""
        if len(self._storing) >= MOST_WAITING:
            self.counts.count_cache("dropped")
            return
        task = asyncio.get_running_loop().create_task(self._store(key, events, age_s))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def close(self) -> None:
        """Wait for what is being stored, and close the file."""
        while self._storing:
            await asyncio.wait(self._storing)
        await self._run(self._file.close)
        self._thread.shutdown()

    async def _store(self, key: bytes, events: Sequence[Event], age_s: int) -> None:
        now = self._now_ms()

        def write() -> int:
            content = _ENCODE(compact(events))
            if len(content) <= self.max_answer_bytes:
                self._file.put(key, content, now, now + age_s * 1000)
            return len(content)

        try:
            size = await self._run(write)
        except StorageUnavailable as error:
            await self._note(error)
        except UnicodeEncodeError:
            self.counts.count_cache("failed")
        else:
            stored = size <= self.max_answer_bytes
            self.counts.count_cache("stored" if stored else "too_large", size if stored else 0)

    async def _note(self, error: StorageUnavailable) -> None:
        self.counts.count_cache("failed")
        log.warning("the response cache fails, calls go on without it: %s", error)
        await self._run(lambda: self._file.renew_if_damaged(error))

    def _run(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _now_ms(self) -> int:
        return round(self._clock.timestamp() * 1000)


def is_whole(events: Sequence[Event]) -> bool:
    """Tell whether an answer came to its own end: not broken off, and not cut at a bound."""
    return (
        bool(events)
        and isinstance(events[0], Started)
        and isinstance(events[-1], Finished)
        and not any(isinstance(event, ChoiceFinished) and event.reason is FinishReason.LENGTH for event in events)
    )


def compact(events: Sequence[Event]) -> Events:
    """Return the answer with pieces that follow one another joined."""
    runs: list[list[Event]] = []
    for event in events:
        if runs and _goes_on(runs[-1][-1], event):
            runs[-1].append(event)
        else:
            runs.append([event])
    return tuple(run[0] if len(run) == 1 else _joined(run) for run in runs)


def _goes_on(last: Event, event: Event) -> bool:
    match last, event:
        case (Delta(choice=choice), Delta(choice=same)) | (Reasoning(choice=choice), Reasoning(choice=same)):
            return choice == same
        case ToolCallDelta(), ToolCallDelta():
            return (last.choice, last.index, "", "") == (event.choice, event.index, event.id, event.name)
        case _:
            return False


def _joined(run: Sequence[Event]) -> Event:
    first = run[0]
    tokens = sum(event.tokens for event in run if isinstance(event, Generated))
    match first:
        case Delta():
            deltas = [event for event in run if isinstance(event, Delta)]
            logprobs = tuple(each for event in deltas for each in event.logprobs)
            return replace(first, text="".join(event.text for event in deltas), tokens=tokens, logprobs=logprobs)
        case Reasoning():
            return replace(
                first, text="".join(event.text for event in run if isinstance(event, Reasoning)), tokens=tokens
            )
        case ToolCallDelta():
            arguments = "".join(event.arguments for event in run if isinstance(event, ToolCallDelta))
            return replace(first, arguments=arguments, tokens=tokens)
        case _:
            return first
