"""The whole run: starts what is measured, measures by turns, checks the books, writes the result."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.table import Table as TerminalTable

from bench import engine_speed, ledger_speed, nginx, rivals, wrk
from bench.arrangement import Arrangement, Cores, describe_layout, started
from bench.books import GateCost
from bench.figures import NGINX, QWENPORT
from bench.ledger_speed import LedgerSpeed
from bench.machine import describe
from bench.places import FULL, QUICK, STREAM_TOKENS, WHOLE_TOKENS, Place, Plan, Round
from bench.processes import ROOT, StartFailed, pinned, python
from bench.result import BooksCheck, Result
from bench.tables import tables_of
from bench.wire_cost import WireCost
from bench.words import Language
from bench.written import write_down

_T = TypeVar("_T")

OUT = Console(soft_wrap=True, highlight=False)
_MAY_BE_LEFT_OUT = (NGINX, *rivals.RIVALS, "engine", "ledger")


_BEGAN = time.monotonic()


def say(step: str) -> None:
    """Tell which step begins, and how long the run has taken so far."""
    OUT.print(f"{time.monotonic() - _BEGAN:4.0f} s: {step}", markup=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the measurements of all places left behind."""

    rounds: tuple[Round, ...]
    memory_idle: dict[str, int]
    books: BooksCheck


def main() -> int:
    """Run the benchmark; the exit code says only whether it came to its end, not whether goals were met."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure what Qwenport costs.")
    parser.add_argument("--quick", action="store_true", help="a first impression in less than two minutes")
    parser.add_argument(
        "--without", default="", metavar="NAMES", help=f"leave out, with commas: {', '.join(_MAY_BE_LEFT_OUT)}"
    )
    parser.add_argument("--out", type=Path, help="file for the result; default: bench/results/<date>-<machine>.json")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        OUT.print("the benchmark needs two cores: one for the server, one for the load")
        return 1
    # Whoever ends this process by SIGTERM ends what it started as well: the blocks that hold it are left in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    left_out = frozenset(filter(None, arguments.without.split(",")))
    if unknown := left_out.difference(_MAY_BE_LEFT_OUT):
        parser.error(f"--without knows {', '.join(_MAY_BE_LEFT_OUT)}, not {', '.join(sorted(unknown))}")
    plan = QUICK if arguments.quick else FULL
    result = run(plan, Cores(server=cores[0], load=cores[1]), left_out, quick=arguments.quick)
    show(result)
    path = write_down(result, "quick" * result.quick, arguments.out)
    OUT.print(f"\nwritten to {path}; `python -m bench.report {path}` puts the tables into docs/", markup=False)
    return 0


def run(plan: Plan, cores: Cores, left_out: frozenset[str], *, quick: bool) -> Result:
    """Do every measurement but those that are left out."""
    began = time.monotonic()
    moment = datetime.now(UTC)
    layout, skipped = describe_layout(cores, plan), reasons_to_skip(left_out)
    for line in (*layout, *(f"not measured: {name}: {reason}" for name, reason in skipped.items())):
        OUT.print(line, markup=False)
    with tempfile.TemporaryDirectory(prefix="qwenport-bench-") as place:
        served = measure_places(Path(place), plan, cores, skipped)
    gate, wire = measure_gate(plan, cores), measure_wire(plan, cores)
    ledger = None if "ledger" in skipped else measure_ledger(plan, cores)
    engine = None if "engine" in skipped else measure_engine(plan, skipped)
    without = f" --without {','.join(sorted(left_out))}" if left_out else ""
    return Result(
        date=moment.isoformat(timespec="seconds"),
        command="python -m bench" + " --quick" * quick + without,
        quick=quick,
        machine=describe(),
        layout=layout,
        plan=plan,
        rounds=served.rounds,
        memory_idle=served.memory_idle,
        books=served.books,
        gate=gate,
        wire=wire,
        ledger=ledger,
        engine=engine,
        skipped=skipped,
        rivals=rivals.versions(),
        seconds=round(time.monotonic() - began, 1),
    )


def reasons_to_skip(left_out: frozenset[str]) -> dict[str, str]:
    """Return what cannot or shall not be measured here; installs other gateways where they are not yet."""
    reasons = dict.fromkeys(sorted(left_out), "left out by --without")
    checks = {
        NGINX: nginx.reason_to_skip,
        "engine": engine_speed.reason_to_skip,
        "wrk": wrk.reason_to_skip,
        "ledger": ledger_speed.reason_to_skip,
    }
    reasons |= {name: check() for name, check in checks.items() if name not in reasons}
    if reasons["wrk"]:
        reasons["wrk"] += "; calls at full speed come from the slower load generator in Python"
    for name in rivals.RIVALS:
        if name not in reasons:
            OUT.print(f"{name} {rivals.versions()[name]}: installed below build/rivals/, if it is not yet")
            reasons[name] = rivals.reason_to_skip(name)
    return {name: reason for name, reason in reasons.items() if reason}


def measure_places(folder: Path, plan: Plan, cores: Cores, skipped: dict[str, str]) -> Served:
    """Measure all places by turns, so that a change of the machine's mood meets all of them."""
    rounds: list[Round] = []
    with started(folder, cores, skipped) as arrangement:
        for each in arrangement.places:
            say(f"warming up: {each.name}")
            attempt(each, skipped, lambda place: place.warm_up(plan.warm_up_s))
        for number in range(plan.rounds):
            for each in arrangement.places:
                if each.name in rivals.RIVALS and (number >= plan.rival_rounds or each.name in skipped):
                    continue
                say(f"round {number + 1} of {plan.rounds}: {each.name}")
                found = attempt(each, skipped, lambda place: place.measure(plan))
                rounds.extend(() if found is None else (found,))
        own = tuple(each for each in rounds if each.place == QWENPORT)
        books = check_books(arrangement, own)
    return Served(rounds=tuple(rounds), memory_idle=arrangement.memory_idle, books=books)


def attempt(place: Place, skipped: dict[str, str], work: Callable[[Place], _T]) -> _T | None:
    """Do something at a place; another gateway that fails under the load must not cost the other results."""
    try:
        return work(place)
    except (subprocess.SubprocessError, OSError) as error:
        if place.name not in rivals.RIVALS:
            raise
        skipped[place.name] = f"it failed under the load: {type(error).__name__}: {error}"
        return None


def check_books(arrangement: Arrangement, rounds: tuple[Round, ...]) -> BooksCheck:
    """Ask the gateway what it has counted."""
    found = arrangement.gateway.command("ledger", "check")
    used = {row["key_id"]: row for row in arrangement.gateway.command("usage", "--by", "key")}
    exact, by_wrk = used.get(arrangement.exact_id, {}), used.get(arrangement.wrk_id, {})
    sent = [each for one in rounds for each in one.measured]
    streams = sum(each.load.calls for each in sent if each.cell.streams)
    whole = sum(each.load.calls for each in sent if not each.cell.streams and not each.by_wrk)
    return BooksCheck(
        balanced=found["balanced"],
        open_holds=found["open_holds"],
        unposted=found["unposted"],
        exact_sent=streams + whole,
        exact_counted=exact.get("requests", 0),
        tokens_sent=streams * STREAM_TOKENS + whole * WHOLE_TOKENS,
        tokens_counted=exact.get("output_tokens", 0),
        wrk_answered=sum(each.load.calls for each in sent if each.by_wrk),
        wrk_under_way=sum(each.cell.concurrency for each in sent if each.by_wrk),
        wrk_counted=by_wrk.get("requests", 0),
    )


def measure_gate(plan: Plan, cores: Cores) -> GateCost:
    """Measure the gate's processor time in a process of its own on the server's core."""
    say("gate, hold, settlement and flush, in one process")
    command = pinned(cores.server, python("bench.books", str(plan.gate_rounds)))
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, timeout=120, check=True)
    return msgspec.json.decode(done.stdout, type=GateCost)


def measure_wire(plan: Plan, cores: Cores) -> WireCost:
    """Measure the wire layer's processor time in a process of its own on the server's core."""
    say("reading requests and writing answers, in one process")
    command = pinned(cores.server, python("bench.wire_cost", str(plan.wire_rounds)))
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, timeout=300, check=True)
    return msgspec.json.decode(done.stdout, type=WireCost)


def measure_ledger(plan: Plan, cores: Cores) -> LedgerSpeed:
    """Measure what both databases take in a process of its own on the server's core; PostgreSQL has the other one."""
    say("the ledger on SQLite and PostgreSQL, in one process and a database server")
    module = python("bench.ledger_speed", str(plan.ledger_rounds), str(cores.load))
    done = subprocess.run(pinned(cores.server, module), stdout=subprocess.PIPE, cwd=ROOT, timeout=600, check=True)
    return msgspec.json.decode(done.stdout, type=LedgerSpeed)


def measure_engine(plan: Plan, skipped: dict[str, str]) -> engine_speed.EngineSpeed | None:
    """Measure the embedded engine; what goes wrong with it must not cost the other results."""
    say("embedded engine, on all cores")
    try:
        return engine_speed.measure(plan.engine_pairs, plan.engine_tokens, plan.engine_s)
    except (StartFailed, TimeoutError, OSError) as error:
        skipped["engine"] = f"{type(error).__name__}: {error}"
        return None


def show(result: Result) -> None:
    """Print the tables."""
    for table in tables_of(result, Language.ENGLISH):
        head, *rows = table.rows
        shown = TerminalTable(title=table.title, title_justify="left")
        for number, name in enumerate(head):
            shown.add_column(name, justify="right" if number else "left")
        for row in rows:
            shown.add_row(*(cell.replace("*", "") for cell in row))
        OUT.print(shown)
    for name, reason in result.skipped.items():
        OUT.print(f"not measured: {name}: {reason}", markup=False)
    OUT.print(f"books: {msgspec.json.encode(result.books).decode()}", markup=False)
    OUT.print(f"gate: {msgspec.json.encode(result.gate).decode()}", markup=False)
    OUT.print(f"the run took {result.seconds:.0f} s")
