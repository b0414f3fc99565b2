"""Plays schedules and says what is wrong afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from chaos.engine import Given, Play
from chaos.schedule import Ending, PlannedCall, Schedule, Storm
from chaos.world import REQUESTS_A_MINUTE, World
from qwenport.core.ids import KeyId, RandomIds, RequestId
from qwenport.metering.flush import Books
from qwenport.metering.ledger import check
from qwenport.metering.movements import Movements
from qwenport.metering.price_book import PriceBook
from qwenport.metering.replay import replay
from qwenport.metering.reports import CallQuery, CallRow, Reports
from qwenport.storage.database import Database
from qwenport.testing.gateway import Gateway

PAUSE_S = 7.0
"""What the clock moves on between schedules."""
STORM_STEPS = 40
"""Turns of the loop within which a storm begins."""
ENDING_WELL = {Ending.FINISHES, Ending.IS_ABSURD, Ending.RECOVERS_AT_FIRST, Ending.RECOVERS_MIDWAY}
LEAVING = {Ending.LEAVES_AT_FIRST, Ending.LEAVES_MIDWAY, Ending.LEAVES_WHILE_SETTLED}


@dataclass(slots=True)
class Seen:
    """What a client saw."""

    planned: PlannedCall
    request_id: RequestId | None = None
    status: int = 0
    whole: bool = False
    """Whether the answer came to its end, and was one."""


@dataclass(slots=True)
class Tale:
    """What a run of schedules was like."""

    schedules: int = 0
    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    storms: Counter[str] = field(default_factory=Counter)
    posted: int = 0
    recovered: int = 0
    """Calls that were tried more than once and then answered."""
    findings: list[str] = field(default_factory=list)


async def play_all(world: World, schedules: Sequence[Schedule], tale: Tale) -> None:
    """Play schedules one after the other; a shutdown starts the gateway anew."""
    rest = list(schedules)
    while rest:
        async with world.gateway() as gateway:
            while rest:
                schedule = rest.pop(0)
                await _play(world, gateway, schedule, tale)
                if schedule.storm is Storm.SHUTDOWN:
                    break


async def _play(world: World, gateway: Gateway, schedule: Schedule, tale: Tale) -> None:
    world.clock.advance(PAUSE_S)
    plays = {planned.number: Play(planned=planned) for planned in schedule.calls}
    world.plays.clear()
    world.plays.update(plays)
    calls = [asyncio.create_task(_ask(world, gateway, play)) for play in plays.values()]
    for _ in range(schedule.storm_after * STORM_STEPS // 8):
        await asyncio.sleep(0)
    faults = await _storm(world, gateway, schedule)
    seen = [await call for call in calls]
    await gateway.idle()
    gateway.journal.retry()
    await gateway.keeper.post()
    faults += await gateway.keeper.run(lambda: list(_faults(world, gateway.database, plays, seen)))
    if gateway.journal.open_holds:
        faults.append(f"holds are left open: {sorted(gateway.journal.open_holds)}")
    if runs := sum(engine.open_runs for engine in gateway.plan.engines):  # type: ignore[attr-defined] # they are ours
        faults.append(f"{runs} runs of engines are left open")
    tale.schedules += 1
    tale.calls += len(calls)
    tale.statuses.update(each.status for each in seen)
    tale.storms[schedule.storm] += 1
    tale.posted += sum(play.given is not None and play.given.consumed != (0, 0) for play in plays.values())
    tale.recovered += sum(each.whole and plays[each.planned.number].tries > 1 for each in seen)
    tale.findings += [f"schedule {schedule.number} ({schedule.storm}): {fault}" for fault in faults]


async def _ask(world: World, gateway: Gateway, play: Play) -> Seen:
    """Ask as a client does, and leave where the plan says so."""
    planned = play.planned
    seen = Seen(planned)
    try:
        async with gateway.client() as client:
            await client.send(planned.plain.request(world.keys[planned.caller]))
            if planned.ending is Ending.LEAVES_AT_ONCE:
                await asyncio.sleep(0)
                client.leave()
                return seen
            reading = asyncio.create_task(client.answer())
            if planned.ending in LEAVING:
                waiting = asyncio.create_task(play.holds_up.reached.wait())
                await asyncio.wait((reading, waiting), return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if not reading.done():
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
                    client.leave()
                    return seen
            answer = await reading
    except (ConnectionError, EOFError):
        return seen
    seen.request_id = RequestId(answer.headers.get("x-request-id", ""))
    seen.status = answer.status
    seen.whole = answer.status == 200 and (not planned.plain.streams or _has_its_end(planned, answer.body))
    return seen


def _has_its_end(planned: PlannedCall, body: bytes) -> bool:
    """Tell whether a stream came to its good end: an error is its last frame where it did not."""
    return planned.ending in ENDING_WELL and b"error" not in body.lower()


async def _storm(world: World, gateway: Gateway, schedule: Schedule) -> list[str]:
    match schedule.storm:
        case Storm.SHUTDOWN:
            gateway.break_off()
        case Storm.KILL if isinstance(world.place, Path):
            return await _look_at_what_a_kill_leaves(world, gateway)
        case Storm.BOOKS_DOWN if isinstance(world.place, Path):
            with _locked(world.place):
                await _turns(STORM_STEPS)
        case Storm.DISK_FULL:
            with _full_disk():
                await _turns(STORM_STEPS)
        case _:
            pass
    return []


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep everybody else from writing the books."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        with contextlib.suppress(sqlite3.OperationalError):  # the gateway writes just now
            connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def _full_disk() -> Iterator[None]:
    """Let no file of this process take another byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def _look_at_what_a_kill_leaves(world: World, gateway: Gateway) -> list[str]:
    """Copy the data directory as it stands, start from the copy, and check its books."""
    with tempfile.TemporaryDirectory(prefix="chaos-kill-") as name:
        left = Path(name) / "left"
        await gateway.keeper.run(lambda: world.copy(left))
        return await asyncio.to_thread(_faults_after_a_kill, world, gateway.plan.catalog.cards, left)


def _faults_after_a_kill(world: World, cards: object, left: Path) -> list[str]:
    with Database.open(left / "qwenport.db") as database:
        books = Books(database, PriceBook(cards))  # type: ignore[arg-type] # the catalog's cards
        replay(left / "journal", books.post, world.clock)
        found = check(database, running=False)
        return [f"after a kill: {difference}" for difference in found.differences]


def _faults(world: World, database: Database, plays: dict[int, Play], seen: Sequence[Seen]) -> Iterator[str]:
    found = check(database)
    yield from found.differences
    reports = Reports(database)
    for each in seen:
        given = plays[each.planned.number].given
        request_id = given.request_id if given else each.request_id
        row = reports.call(request_id) if request_id else None
        yield from (f"{each.planned}: {fault}" for fault in _call_faults(each, given, row))
    movements = Movements(database, world.clock, RandomIds())
    for account_id in world.prepaid:
        balance = movements.balance(account_id).balance
        if balance.startswith("-"):
            yield f"the prepaid account {account_id} owes {balance}"
    yield from _limit_faults(reports, world.key_ids[1])


def _call_faults(seen: Seen, given: Given | None, row: CallRow | None) -> Iterator[str]:
    # Of a whole answer that was broken off nothing has reached a client, unless it was the client that left.
    is_lost = row is not None and row.outcome == "failed" and not row.streams
    expected = (0, 0) if given is None or is_lost else given.consumed
    billed = (0, 0) if row is None else (row.input_tokens, row.output_tokens)
    if given is not None and given.is_absurd and not is_lost:
        if row is None or row.usage_source != "clamped":
            yield f"its engine counted {expected}, and the books have {row}"
    elif billed != expected:
        yield f"{expected} was consumed and {billed} is in the books"
    if row is not None and row.cost is not None and row.held is not None and Decimal(row.cost) > Decimal(row.held):
        yield f"it was held {row.held} for and cost {row.cost}"
    if given is not None and row is None:
        yield "an engine served it and the books do not know it"
    if seen.whole and (row is None or row.outcome != "finished"):
        yield f"its client saw all of it and the books have {row}"


def _limit_faults(reports: Reports, key_id: KeyId) -> Iterator[str]:
    moments = sorted(row.at for row in reports.calls(CallQuery(key_id=key_id, limit=1000)))
    for first, last in zip(moments, moments[REQUESTS_A_MINUTE:], strict=False):
        if (last - first).total_seconds() < 60:
            yield f"more than {REQUESTS_A_MINUTE} requests passed in the minute after {first}"
            return
