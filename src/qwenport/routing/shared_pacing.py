"""One pace for all workers, in Valkey; while it is away each worker keeps to its part of the pace by itself.

A place at the target is a lease: its worker renews it while the call runs, and a worker that was killed does not.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Callable, Coroutine, Sequence
from importlib import resources
from typing import Any

from qwenport.core.clock import Clock
from qwenport.core.errors import StorageUnavailable
from qwenport.routing.pacing import NARROWEST, ONE_SIGNAL_S, RECOVERY_S, LocalPacer, LocalPermit, Rhythm
from qwenport.routing.target import Pace
from qwenport.storage.valkey import Script, ScriptsForgotten, Valkey

log = logging.getLogger(__name__)

LEASE_MS = 30_000
RENEW_S = 10.0
RENEWED_AT_ONCE = 1000
ASK_AGAIN_S = 0.05
"""How often a worker looks whether another one has given a place back."""
BELIEVED_S = 1.0
"""How long a worker believes that nothing passes; others may have used less than they took."""


def _script(name: str) -> Script:
    source = resources.files("qwenport.routing") / "scripts" / f"{name}.lua"
    return Script(source.read_text(encoding="utf-8"))


TAKE, GIVE_BACK, RENEW = (_script(name) for name in ("take", "give_back", "renew"))


class SharedPaces:
    """What this worker knows of the Valkey in which paces are shared."""

    def __init__(self, valkey: Valkey, clock: Clock, *, workers: int) -> None:
        """Share by `valkey`, which stays the caller's to close, with so many workers."""
        self.valkey = valkey
        self.clock = clock
        self.share = 1 / workers
        self.worker = secrets.token_hex(6)
        self.is_up = False
        """Whether Valkey answered the last time; while it does not, this worker paces alone."""
        self._pacers: dict[tuple[str, str], SharedPacer] = {}
        self._renewed_at = -math.inf
        self._sending: set[asyncio.Task[None]] = set()

    def pacer(self, pace: Pace) -> SharedPacer:
        """Return the pacer of an account and model; the same one as long as its pace is the same."""
        key = (pace.account, pace.model)
        known = self._pacers.get(key)
        if known is None or known.pace != pace:
            known = self._pacers[key] = SharedPacer(self, pace)
        return known

    async def keep(self) -> None:
        """Teach Valkey the scripts and renew what runs; called every second, and never raises."""
        try:
            if not self.is_up:
                await self.valkey.load((TAKE, GIVE_BACK, RENEW))
                await self._renew()  # what runs is unknown there
                self._came_up()
            now = self.clock.monotonic()
            if now - self._renewed_at >= RENEW_S:
                await self._renew()
                self._renewed_at = now
        except StorageUnavailable as error:
            self.went_down(error)

    def went_down(self, error: StorageUnavailable) -> None:
        """Pace alone from now on."""
        if self.is_up and not isinstance(error, ScriptsForgotten):
            log.warning("%s; each worker keeps to its part of the pace until then", error.message)
        self.is_up = False

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that no call waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def drain(self) -> None:
        """Wait until everything that ended is told."""
        while self._sending:
            await asyncio.wait(tuple(self._sending))

    def _came_up(self) -> None:
        self.is_up = True
        self._renewed_at = self.clock.monotonic()
        for pacer in self._pacers.values():
            pacer.tell()

    async def _renew(self) -> None:
        """Renew the places of what runs.

        What ended meanwhile was given back before it was renewed, or not at all while Valkey was coming back: it goes
        back once more, or nobody would have its place until the lease ends.
        """
        renewed = [(pacer, permit) for pacer in tuple(self._pacers.values()) for permit in await pacer.renew()]
        while ended := [(pacer, permit) for pacer, permit in renewed if not pacer.knows(permit)]:
            renewed = [(pacer, permit) for pacer, permit in renewed if pacer.knows(permit)]
            for pacer, permit in ended:
                await pacer.withdraw(permit)


class SharedPermit:
    """Leave from a pace that all workers share."""

    __slots__ = ("_alone", "_pacer", "_used", "count", "counts_tokens", "id", "tokens")

    def __init__(
        self, pacer: SharedPacer, permit_id: str, count: int, tokens: int, *, alone: LocalPermit | None = None
    ) -> None:
        """`alone` is what it was given while Valkey was away; its place is told to Valkey as soon as it is back."""
        self._pacer = pacer
        self._alone = alone
        self.id = permit_id
        self.count = count
        self.tokens = tokens
        self._used = tokens
        self.counts_tokens = pacer.pace.tokens_per_minute is not None

    def used(self, tokens: int) -> None:
        """Replace the bound that was taken by what was used."""
        if self._alone is None:
            self._used = tokens
        else:
            self._alone.used(tokens)

    def give_back(self) -> None:
        """Let the next call have its place, whoever's worker it is at."""
        self._pacer.give_back(self, self._used - self.tokens)


class SharedPacer:
    """The pace of one account and model, as one worker sees it. One request at a time is under way."""

    def __init__(self, paces: SharedPaces, pace: Pace) -> None:
        self._paces = paces
        self.pace = pace
        name = f"{paces.valkey.prefix}pace:{pace.account}/{pace.model}"
        self.keys = (name, f"{name}:leases")
        self._alone = LocalPacer(pace, paces.clock, share=paces.share)
        self._limits = (*_limit(pace.requests_per_minute), *_limit(pace.tokens_per_minute), _text(pace.concurrency))
        self._running: dict[str, SharedPermit] = {}
        self._ready: SharedPermit | None = None
        """What Valkey gave for a call whose turn in the queue comes now."""
        self._ask_at = -math.inf
        self._asking: asyncio.Task[None] | None = None
        self._number = 0
        self._given = 0
        """How often something was given back: what Valkey said before that need not hold any more."""
        self._closed_until = -math.inf

    def take(self, count: int, tokens: int) -> SharedPermit | float:
        """Return what Valkey gave; where it has not been asked, ask, and say that it will be told."""
        if not self._paces.is_up:
            return self._take_alone(count, tokens)
        now = self._paces.clock.monotonic()
        if self._ready is not None and self._ready.count == count:
            permit, self._ready = self._ready, None
            return permit
        if self._ask_at > now:
            return self._ask_at - now
        if self._asking is None:
            most = self.pace.tokens_per_minute
            self._asking = asyncio.get_running_loop().create_task(
                self._ask(count, tokens if most is None else min(tokens, most))
            )
        return math.inf

    def answered(self) -> None:
        """Note that a try of this worker ended otherwise than by a 429."""
        self._alone.answered()

    def throttled(self, retry_after_s: float | None) -> bool:
        """Narrow the pace of all workers for a while, where this worker's 429s are more than one of many answers."""
        if not self._alone.throttled(retry_after_s):
            return False
        closed_s = 0.0 if retry_after_s is None else min(retry_after_s, RECOVERY_S)
        self._closed_until = max(self._closed_until, self._paces.clock.monotonic() + closed_s)
        self._send(("", "0", "0", "1", _us(closed_s)))
        return True

    def opens_in(self) -> float:
        """Return for how many seconds nothing passes in any case, as far as this worker heard."""
        return max(0.0, self._closed_until - self._paces.clock.monotonic())

    @property
    def is_asking(self) -> bool:
        """Whether Valkey has been asked and has not answered yet."""
        return self._asking is not None

    def watch(self, on_room: Callable[[], None]) -> None:
        """Have this called when there may be room."""
        self._alone.watch(on_room)

    def unwatch(self, on_room: Callable[[], None]) -> None:
        """Undo `watch`."""
        self._alone.unwatch(on_room)

    def give_back(self, permit: SharedPermit, difference: int) -> None:
        """Give a place back, and correct the tokens of its call."""
        self._running.pop(permit.id, None)
        self._alone.in_use -= permit.count
        each = 0.0 if self.pace.tokens_per_minute is None else Rhythm.of(self.pace.tokens_per_minute).interval_s
        self._send((permit.id, str(permit.count), _us(difference * each), "0", "0"))

    async def renew(self) -> Sequence[SharedPermit]:
        """Renew the leases of the calls that run, and return whose they are; raises `StorageUnavailable`."""
        running = tuple(self._running.values())
        for start in range(0, len(running), RENEWED_AT_ONCE):
            some = running[start : start + RENEWED_AT_ONCE]
            members = (f"{permit.id}:{place}" for permit in some for place in range(1, permit.count + 1))
            await self._paces.valkey.run(RENEW, (self.keys[1],), (str(LEASE_MS), *members))
        return running

    def knows(self, permit: SharedPermit) -> bool:
        """Tell whether the call of a permit still runs."""
        return permit.id in self._running

    async def withdraw(self, permit: SharedPermit) -> None:
        """Take the leases of a call that ended out of Valkey; raises `StorageUnavailable`."""
        await self._paces.valkey.run(GIVE_BACK, self.keys, (permit.id, str(permit.count), "0", "0", "0", *_REST))
        self._note_given()

    def tell(self) -> None:
        """Have every queue that waits for this pace look again."""
        self._alone.tell()

    def _take_alone(self, count: int, tokens: int) -> SharedPermit | float:
        taken = self._alone.take(count, tokens)
        if isinstance(taken, float):
            return taken
        permit = SharedPermit(self, self._next_id(), count, tokens, alone=taken)
        self._running[permit.id] = permit
        return permit

    def _next_id(self) -> str:
        self._number += 1
        return f"{self._paces.worker}-{self._number}"

    async def _ask(self, count: int, tokens: int) -> None:
        """Ask Valkey for room, and hand it to whoever is next; what nobody wants any more goes back."""
        given = self._given
        permit = SharedPermit(self, self._next_id(), count, tokens)
        arguments = (permit.id, str(count), str(tokens), *self._limits, str(LEASE_MS), _us(RECOVERY_S))
        try:
            wait_us: int | None = int(await self._paces.valkey.run(TAKE, self.keys, arguments))
        except StorageUnavailable as error:
            self._paces.went_down(error)
            wait_us = None
        finally:
            self._asking = None
        if wait_us == 0:
            self._hand_over(permit)
            return
        if wait_us is not None and given == self._given:
            wait_s = ASK_AGAIN_S if wait_us < 0 else min(wait_us / 1e6, BELIEVED_S)
            self._ask_at = self._paces.clock.monotonic() + wait_s
        self.tell()

    def _hand_over(self, permit: SharedPermit) -> None:
        self._running[permit.id] = permit
        self._alone.in_use += permit.count
        self._ready = permit
        self.tell()
        if self._ready is permit:
            self._ready = None
            permit.used(0)
            permit.give_back()

    def _send(self, said: Sequence[str]) -> None:
        if self._paces.is_up:
            self._paces.spawn(self._give(said))
        else:
            self.tell()

    async def _give(self, said: Sequence[str]) -> None:
        try:
            await self._paces.valkey.run(GIVE_BACK, self.keys, (*said, *_REST))
        except StorageUnavailable as error:  # the lease ends by itself, and so does what the pace has counted
            self._paces.went_down(error)
        self._note_given()

    def _note_given(self) -> None:
        self._given += 1
        self._ask_at = -math.inf
        self.tell()


def _limit(per_minute: int | None) -> tuple[str, str]:
    """Return the µs that one takes up and how many pass at once."""
    if per_minute is None:
        return "", "0"
    rhythm = Rhythm.of(per_minute)
    return f"{rhythm.interval_s * 1e6:.3f}", str(rhythm.burst)


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.0f}"


_REST = (_us(RECOVERY_S), _us(ONE_SIGNAL_S), f"{NARROWEST:g}")
"""What every message to `GIVE_BACK` ends with."""
