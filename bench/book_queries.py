"""How long the questions of an operator take on books that `bench.books_generator` made.

Run as `python -m bench.book_queries --database PATH_OR_URL`; each question is asked 20 times after a first time. With
`--out` the result is written to a file. The goal holds for what the books promise to answer at once; other questions
go through a month, or everything.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.books_generator import MODELS, accounts, open_database, version_of
from bench.machine import Machine, describe
from bench.percentile import percentile
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.ledger import check
from qwenport.metering.reports import By, CallQuery, Reports, UsageQuery
from qwenport.metering.statement import statement
from qwenport.storage.database import Database

RUNS = 20
GOAL_MS = 200

Question = tuple[str, Callable[[], object]]

_WITHOUT_GOAL = frozenset(
    {
        "top 20 keys of all time",
        "top 20 models of all time",
        "calls: route",
    }
)


class Answered(Struct, frozen=True, kw_only=True):
    """How long one question took, in milliseconds."""

    question: str
    p50_ms: float
    p95_ms: float
    own_cpu_ms: float
    """Median of this process's own time on the processor; SQLite works inside of it."""
    has_goal: bool

    @property
    def is_late(self) -> bool:
        """Tell whether it missed its goal."""
        return self.has_goal and self.p95_ms > GOAL_MS


class Checked(Struct, frozen=True, kw_only=True):
    """What `ledger check` found, and in how many seconds."""

    calls: int
    balanced: bool
    seconds: float


class QueriesResult(Struct, frozen=True, kw_only=True):
    """One run."""

    date: str
    machine: Machine
    database: str
    """Name and version."""
    layout: str
    load_average: tuple[float, float]
    """Processes that were running or waiting in the minute before the run and before its end."""
    runs: int
    goal_ms: float
    answered: tuple[Answered, ...]
    check: Checked | None


def questions(database: Database, until: date, timezone: str) -> list[Question]:
    """Return every question with its name."""
    reports = Reports(database, timezone=timezone)
    today = datetime(until.year, until.month, until.day, tzinfo=UTC)
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    after = today.replace(day=1)
    found = reports.calls(CallQuery(limit=1, until=month + timedelta(days=9)))[0].request_id
    account = accounts()[1].id

    def usage(by: By, since: datetime, end: datetime, top: int | None = None) -> Callable[[], object]:
        return lambda: reports.usage(UsageQuery(by=by, since=since, until=end, top=top))

    return [
        ("today by hour", usage(By.HOUR, today, today + timedelta(days=1))),
        ("a month by day and key", usage(By.DAY_KEY, month, after)),
        ("top 20 keys of a month", usage(By.KEY, month, after, 20)),
        ("top 20 models of a month", usage(By.MODEL, month, after, 20)),
        ("top 20 keys of all time", lambda: reports.usage(UsageQuery(by=By.KEY, top=20))),
        ("top 20 models of all time", lambda: reports.usage(UsageQuery(by=By.MODEL, top=20))),
        ("one call by its id", lambda: reports.call(found)),
        ("one call that is not there", lambda: reports.call(RequestId("00000000-0000-9000-8000-000000000001"))),
        ("statement of the last month", lambda: statement(database, account, f"{month:%Y-%m}", timezone=timezone)),
        ("statement of this month", lambda: statement(database, account, f"{today:%Y-%m}", timezone=timezone)),
        *_lists(reports, today),
    ]


def _lists(reports: Reports, today: datetime) -> list[Question]:
    busy, rare, none = KeyId(f"key-{0:012x}"), KeyId(f"key-{399:012x}"), KeyId("key-unknown")
    account, past = AccountId(f"acc-{1:012x}"), today - timedelta(days=300)
    queries = {
        "newest": CallQuery(limit=100),
        "busy key": CallQuery(limit=100, key_id=busy),
        "rare key": CallQuery(limit=100, key_id=rare),
        "unknown key": CallQuery(limit=100, key_id=none),
        "account": CallQuery(limit=100, account_id=account),
        "model": CallQuery(limit=100, model=MODELS[0]),
        "rare model": CallQuery(limit=100, model=MODELS[-2]),
        "status 429": CallQuery(limit=100, status=429),
        "status that never was": CallQuery(limit=100, status=418),
        "status 200": CallQuery(limit=100, status=200),
        "busy key, status 429": CallQuery(limit=100, key_id=busy, status=429),
        "busy key, status that never was": CallQuery(limit=100, key_id=busy, status=418),
        "rare key, status 500": CallQuery(limit=100, key_id=rare, status=500),
        "model, status 499": CallQuery(limit=100, model=MODELS[0], status=499),
        "busy key, each model": CallQuery(limit=100, key_id=busy, model=MODELS[0]),
        "busy key, model that it never called": CallQuery(limit=100, key_id=busy, model=MODELS[-2]),
        "rare key, busy model": CallQuery(limit=100, key_id=rare, model=MODELS[0]),
        "account, rare model": CallQuery(limit=100, account_id=account, model=MODELS[-3]),
        "account, key of another": CallQuery(limit=100, account_id=account, key_id=busy),
        "an hour of the past": CallQuery(limit=100, since=past, until=past + timedelta(hours=1)),
        "busy key, a week of the past": CallQuery(limit=100, key_id=busy, since=past, until=past + timedelta(days=7)),
        "busy key, status 500, a week of the past": CallQuery(
            limit=100, key_id=busy, status=500, since=past, until=past + timedelta(days=7)
        ),
        "route": CallQuery(limit=100, served_by="llama/smollm2-135m-instruct"),
    }
    return [(f"calls: {name}", _asking(reports, query)) for name, query in queries.items()]


def _asking(reports: Reports, query: CallQuery) -> Callable[[], object]:
    return lambda: reports.calls(query)


def measure(asked: Sequence[Question]) -> Iterator[Answered]:
    """Yield how long each question takes when it has been asked once before."""
    for name, ask in asked:
        ask()
        spent, own = [], []
        for _ in range(RUNS):
            began, own_began = time.perf_counter(), time.process_time()
            ask()
            spent.append((time.perf_counter() - began) * 1000)
            own.append((time.process_time() - own_began) * 1000)
        yield Answered(
            question=name,
            p50_ms=round(percentile(spent, 0.5), 2),
            p95_ms=round(percentile(spent, 0.95), 2),
            own_cpu_ms=round(percentile(own, 0.5), 2),
            has_goal=name not in _WITHOUT_GOAL,
        )


def run(database: Database, order: argparse.Namespace) -> QueriesResult:
    """Ask everything and print each line as it comes."""
    began, load = datetime.now(UTC), os.getloadavg()[0]
    answered = []
    for name, ask in questions(database, order.until, order.timezone):
        if order.only in name:
            for each in measure([(name, ask)]):
                answered.append(each)
                print(_line(each), flush=True)
    checked = _check(database) if order.check else None
    return QueriesResult(
        date=began.isoformat(timespec="seconds"),
        machine=describe(),
        database=version_of(database),
        layout=order.layout,
        load_average=(load, os.getloadavg()[0]),
        runs=RUNS,
        goal_ms=GOAL_MS,
        answered=tuple(answered),
        check=checked,
    )


def _line(each: Answered) -> str:
    late = "   <-- above the goal" if each.is_late else ""
    figures = f"p50 {each.p50_ms:8.1f} ms   p95 {each.p95_ms:8.1f} ms   cpu {each.own_cpu_ms:8.1f} ms"
    return f"{each.question:45} {figures}{late}"


def _check(database: Database) -> Checked:
    began = time.perf_counter()
    found = check(database)
    checked = Checked(calls=found.calls, balanced=found.balanced, seconds=round(time.perf_counter() - began, 1))
    print(f"ledger check: {checked.calls:,} calls, balanced {checked.balanced}, {checked.seconds} s")
    return checked


def main() -> None:
    """Read the command line, ask, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 11, 22), help="the last day with calls")
    parser.add_argument("--timezone", default="UTC")
    parser.add_argument("--only", default="", help="only questions whose names hold this")
    parser.add_argument("--check", action="store_true", help="time the check of the books too")
    parser.add_argument("--layout", default="", help="a sentence on what runs where, for the result")
    parser.add_argument("--out", type=Path, help="file for the result")
    order = parser.parse_args()
    with open_database(order.database) as database:
        result = run(database, order)
    if order.out:
        order.out.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")


if __name__ == "__main__":
    main()
