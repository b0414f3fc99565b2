"""The whole run: starts what is measured, measures by turns, checks the books, writes the result."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table as TerminalTable

from bench import engine_speed, ledger_speed, nginx, wrk
from bench.books import GateCost
from bench.figures import DIRECT, NGINX, QWENPORT
from bench.gateway import MODEL, Gateway, serving
from bench.ledger_speed import LedgerSpeed
from bench.machine import describe, slug
from bench.places import CONCURRENCY, FULL, QUICK, STREAM_TOKENS, WHOLE_TOKENS, Place, Plan, Round
from bench.processes import ROOT, StartFailed, free_port, pinned, python, resident_bytes, running, wait_for_port
from bench.result import BooksCheck, Memory, Result
from bench.tables import tables_of
from bench.wire_cost import WireCost
from bench.words import Language

RESULTS = ROOT / "bench" / "results"
OUT = Console(soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Which core is whose."""

    server: int
    load: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the measurements of the gateway left behind."""

    rounds: tuple[Round, ...]
    memory: Memory
    books: BooksCheck


def main() -> int:
    """Run the benchmark; the exit code says only whether it came to its end, not whether goals were met."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure what Qwenport costs.")
    parser.add_argument("--quick", action="store_true", help="a first impression in less than a minute")
    parser.add_argument("--out", type=Path, help="file for the result; default: bench/results/<date>-<machine>.json")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        OUT.print("the benchmark needs two cores: one for the server, one for the load")
        return 1
    # Whoever ends this process by SIGTERM ends what it started as well: the blocks that hold it are left in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = run(QUICK if arguments.quick else FULL, Cores(server=cores[0], load=cores[1]), quick=arguments.quick)
    show(result)
    path = arguments.out or RESULTS / f"{result.date[:10]}-{slug(result.machine)}{'-quick' * result.quick}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    OUT.print(f"\nwritten to {path}; `python -m bench.report {path}` puts the tables into docs/", markup=False)
    return 0


def run(plan: Plan, cores: Cores, *, quick: bool) -> Result:
    """Do every measurement."""
    began = time.monotonic()
    moment = datetime.now(UTC)
    layout, skipped = describe_layout(cores), reasons_to_skip()
    for line in (*layout, *(f"not measured: {name}: {reason}" for name, reason in skipped.items())):
        OUT.print(line, markup=False)
    with tempfile.TemporaryDirectory(prefix="qwenport-bench-") as place:
        served = measure_places(Path(place), plan, cores, skipped)
    gate, wire = measure_gate(plan, cores), measure_wire(plan, cores)
    ledger = None if "ledger" in skipped else measure_ledger(plan, cores)
    engine = None if "engine" in skipped else measure_engine(plan, skipped)
    return Result(
        date=moment.isoformat(timespec="seconds"),
        command="python -m bench" + " --quick" * quick,
        quick=quick,
        machine=describe(),
        layout=layout,
        plan=plan,
        rounds=served.rounds,
        memory=served.memory,
        books=served.books,
        gate=gate,
        wire=wire,
        ledger=ledger,
        engine=engine,
        skipped=skipped,
        seconds=round(time.monotonic() - began, 1),
    )


def describe_layout(cores: Cores) -> tuple[str, ...]:
    """Return what runs where, in sentences."""
    place = (
        f"Core {cores.server}: what is measured: nginx (one process), or Qwenport (supervisor and one worker). "
        f"Core {cores.load}: the load generator, wrk and the fake engine host. All on loopback."
    )
    answers = (
        f"Answers in one piece have {WHOLE_TOKENS} tokens, streams {STREAM_TOKENS}. The fake host answers direct calls "
        "and nginx with one JSON object, but Qwenport, which always streams from its engine, with the same text as a "
        f"stream of {WHOLE_TOKENS} chunks, over kept connections as nginx has them."
    )
    return (
        place,
        answers,
        "Streams: the host sends each chunk as a write of its own, as fast as it can; every chunk is checked.",
        "Direct calls have only one core, for host and generator together: the ceiling of this arrangement.",
        "Qwenport runs as `qwenport serve` starts it: API keys, journal, ledger, prices and request log are on.",
        "The embedded engine is measured on all cores, shared by gateway, engine and client, as on a user's machine.",
    )


def reasons_to_skip() -> dict[str, str]:
    """Return what cannot be measured here."""
    reasons = {
        NGINX: nginx.reason_to_skip(),
        "engine": engine_speed.reason_to_skip(),
        "wrk": wrk.reason_to_skip(),
        "ledger": ledger_speed.reason_to_skip(),
    }
    if reasons["wrk"]:
        reasons["wrk"] += "; calls at full speed come from the slower load generator in Python"
    return {name: reason for name, reason in reasons.items() if reason}


def measure_places(folder: Path, plan: Plan, cores: Cores, skipped: dict[str, str]) -> Served:
    """Measure host, nginx and gateway by turns, so that a change of the machine's mood meets all of them."""
    with started(folder, cores, with_nginx=NGINX not in skipped) as (gateway, keys, places):
        before = resident_bytes(gateway.worker)
        rounds: list[Round] = []
        for number in range(plan.rounds):
            for each in places:
                OUT.print(f"round {number + 1} of {plan.rounds}: {each.name}", markup=False)
                rounds.append(each.measure(plan))
        after = resident_bytes(gateway.worker)
        own = tuple(each for each in rounds if each.place == QWENPORT)
        books = check_books(gateway, keys, own)
    return Served(rounds=tuple(rounds), memory=Memory(before=before, after=after), books=books)


Keys = tuple[str, str]
"""Ids of the key for exact calls and of the key for wrk."""


@contextmanager
def started(folder: Path, cores: Cores, *, with_nginx: bool) -> Iterator[tuple[Gateway, Keys, list[Place]]]:
    """Run the host, the gateway and, where asked for, nginx while the block runs."""
    models, upstream, log = folder / "models", free_port(), folder / "host.log"
    models.mkdir()
    with ExitStack() as stack:
        command = pinned(cores.load, python("bench.fake_upstream", str(upstream)))
        host = stack.enter_context(running(command, log))
        wait_for_port(upstream, host, log)
        gateway = stack.enter_context(
            serving(folder / "server", core=cores.server, models_dir=models, upstream_port=upstream)
        )
        (exact_id, exact_key), (wrk_id, wrk_key) = gateway.create_key("exact"), gateway.create_key("wrk")

        def place(name: str, port: int, pid: int) -> Place:
            return Place(
                name=name,
                port=port,
                pid=pid,
                host_pid=host.pid,
                model=MODEL,
                exact_key=exact_key,
                wrk_key=wrk_key,
                folder=folder,
                generator_core=cores.load,
            )

        places = [place(DIRECT, upstream, host.pid), place(QWENPORT, gateway.port, gateway.worker)]
        if with_nginx:
            proxy = nginx.proxying(folder / "nginx", core=cores.server, upstream_port=upstream)
            places.insert(1, place(NGINX, *stack.enter_context(proxy)))
        yield gateway, (exact_id, wrk_id), places


def check_books(gateway: Gateway, keys: Keys, rounds: tuple[Round, ...]) -> BooksCheck:
    """Ask the gateway what it has counted."""
    found = gateway.command("ledger", "check")
    used = {row["key_id"]: row for row in gateway.command("usage", "--by", "key")}
    exact_id, wrk_id = keys
    streams = sum(each.one_stream.load.calls + each.streams.load.calls for each in rounds)
    whole = sum(each.one_call.load.calls for each in rounds)
    return BooksCheck(
        balanced=found["balanced"],
        open_holds=found["open_holds"],
        unposted=found["unposted"],
        exact_sent=streams + whole,
        exact_counted=used[exact_id]["requests"],
        tokens_sent=streams * STREAM_TOKENS + whole * WHOLE_TOKENS,
        tokens_counted=used[exact_id]["output_tokens"],
        wrk_answered=sum(each.full_speed.rate.calls for each in rounds),
        wrk_under_way=CONCURRENCY * len(rounds),
        wrk_counted=used[wrk_id]["requests"],
    )


def measure_gate(plan: Plan, cores: Cores) -> GateCost:
    """Measure the gate's processor time in a process of its own on the server's core."""
    OUT.print("gate, hold, settlement and flush, in one process")
    command = pinned(cores.server, python("bench.books", str(plan.gate_rounds)))
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, timeout=120, check=True)
    return msgspec.json.decode(done.stdout, type=GateCost)


def measure_wire(plan: Plan, cores: Cores) -> WireCost:
    """Measure the wire layer's processor time in a process of its own on the server's core."""
    OUT.print("reading requests and writing answers, in one process")
    command = pinned(cores.server, python("bench.wire_cost", str(plan.wire_rounds)))
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, timeout=300, check=True)
    return msgspec.json.decode(done.stdout, type=WireCost)


def measure_ledger(plan: Plan, cores: Cores) -> LedgerSpeed:
    """Measure what both databases take in a process of its own on the server's core; PostgreSQL has the other one."""
    OUT.print("the ledger on SQLite and PostgreSQL, in one process and a database server")
    module = python("bench.ledger_speed", str(plan.ledger_rounds), str(cores.load))
    done = subprocess.run(pinned(cores.server, module), stdout=subprocess.PIPE, cwd=ROOT, timeout=600, check=True)
    return msgspec.json.decode(done.stdout, type=LedgerSpeed)


def measure_engine(plan: Plan, skipped: dict[str, str]) -> engine_speed.EngineSpeed | None:
    """Measure the embedded engine; what goes wrong with it must not cost the other results."""
    OUT.print("embedded engine, on all cores")
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
    OUT.print("LiteLLM and Portkey are not part of this run: the goals relative to them are not measured here.")
    OUT.print(f"books: {msgspec.json.encode(result.books).decode()}", markup=False)
    OUT.print(f"gate: {msgspec.json.encode(result.gate).decode()}", markup=False)
    OUT.print(f"the run took {result.seconds:.0f} s")
