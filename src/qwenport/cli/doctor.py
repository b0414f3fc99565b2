"""`qwenport doctor`: checks all that a user can get wrong, and says the fix."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from qwenport.app.configured_limits import configured_limits
from qwenport.app.operators_catalog import is_routed, load_catalog
from qwenport.app.places import places
from qwenport.app.refusal import StartRefused
from qwenport.app.reload import checked_words
from qwenport.app.tls import open_tls
from qwenport.app.tracing import check_traces
from qwenport.catalog.errors import WeightsError
from qwenport.catalog.weights import WeightsStore
from qwenport.cli import doctor_storage
from qwenport.cli.arguments import AsDrill, AsJson
from qwenport.cli.banner import going_to, listed
from qwenport.cli.context import is_listening, operator, settings
from qwenport.cli.display import OUT, show_json
from qwenport.cli.drill import drill as hold_and_show
from qwenport.cli.findings import MIB, Finding, note, ok, problem
from qwenport.client.admin_client import AdminError
from qwenport.engines.upstream.upstream_keys import KeyKind, key_kind
from qwenport.settings.settings import Settings

LEAST_FREE_BYTES = 512 * MIB
QWEN_MODELS = (
    ("Qwen3-0.6B, 8 bit", 1.6),
    ("Qwen3-1.7B, 8 bit", 3.5),
    ("Qwen3-4B, 4 bit", 5.0),
    ("Qwen3-8B, 4 bit", 8.5),
)
"""Real Qwen models as GGUF, and the memory in GiB that one needs here with its context."""


def doctor(*, drill: AsDrill = False, json: AsJson = False) -> int:
    """Check all that a user can get wrong, from settings to engines; the exit code is 1 when something needs a fix.

    Args:
        drill: instead, rehearse failing upstreams for half a minute with a gateway and books made for it; the exit
            code is 1 when a call was lost, or billed wrongly or twice.
        json: print JSON.
    """
    if drill:
        return hold_and_show(json=json)
    findings = list(examine())
    if json:
        show_json([asdict(finding) for finding in findings])
    else:
        marks = {"ok": "[green]ok     [/]", "note": "[yellow]note   [/]", "problem": "[red]problem[/]"}
        for finding in findings:
            OUT.print(f"{marks[finding.verdict]}  {finding.check}: ", end="")
            OUT.print(finding.words, markup=False, soft_wrap=True)
    return 1 if any(finding.verdict == "problem" for finding in findings) else 0


def examine() -> Iterator[Finding]:
    """Yield the findings, from the machine to the running server."""
    yield ok("python", f"{sys.version.split()[0]} at {sys.executable}")
    chosen = settings()
    for warning in chosen.warnings:
        yield note("settings", warning)
    yield ok("settings", f"data in {chosen.data_dir}, models in {chosen.models_dir}")
    runs = is_listening(chosen.admin_socket)
    yield from folders(chosen)
    yield from port(chosen, runs=runs)
    yield from weights(chosen)
    yield from upstreams(chosen)
    yield from configuration(chosen)
    yield from doctor_storage.database(chosen)
    yield from doctor_storage.valkey(chosen)
    yield from server(chosen, runs=runs)
    yield from room()


def folders(chosen: Settings) -> Iterator[Finding]:
    """Check that the folders can be written to and have space."""
    for name, folder in (("data directory", chosen.data_dir), ("models directory", chosen.models_dir)):
        existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        try:
            tempfile.TemporaryFile(dir=existing).close()
        except OSError as error:
            yield problem(name, f"{existing} cannot be written to ({error.strerror}); change its owner or the setting")
            continue
        free = shutil.disk_usage(existing).free
        if free < LEAST_FREE_BYTES:
            yield problem(
                name, f"only {free // MIB} MiB are free at {existing}; free at least {LEAST_FREE_BYTES // MIB}"
            )
        else:
            yield ok(name, f"{folder}, {free // MIB:,} MiB free")


def port(chosen: Settings, *, runs: bool) -> Iterator[Finding]:
    """Check that the port is free, unless our own server has it."""
    if runs:
        return
    with socket.socket(socket.AF_INET6 if ":" in chosen.host else socket.AF_INET) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((chosen.host, chosen.port))
        except OSError as error:
            yield problem("port", f"cannot listen on {chosen.host}:{chosen.port} ({error.strerror}); set QWENPORT_PORT")
        else:
            yield ok("port", f"{chosen.host}:{chosen.port} is free")


def weights(chosen: Settings) -> Iterator[Finding]:
    """Check that the weights that routes lead to are there and whole."""
    try:
        catalog = load_catalog(chosen)
    except StartRefused as error:
        yield problem("catalog", str(error))
        return
    yield ok("catalog", f"{len(catalog.cards)} models")
    store = WeightsStore(chosen.models_dir)
    for target, model in catalog.engine_models.items():
        if not is_routed(target, catalog) or model.url:
            continue
        try:
            store.verify(model)
        except WeightsError as error:
            yield problem("weights", str(error))
        else:
            yield ok("weights", f"{model.name} is whole, at {store.path(model)}")
    stand_ins = sum(card.stands_in for card in catalog.cards.values())
    if stand_ins:
        yield note("stand-in", f"{stand_ins} models are answered by a small stand-in, not by the Qwen of their name")


def upstreams(chosen: Settings) -> Iterator[Finding]:
    """Say where upstreams are and what kind of key each is given; they are not called."""
    try:
        found = places(chosen)
        catalog = load_catalog(chosen)
    except StartRefused:
        return  # told where the catalog is checked
    for place in found:
        kind = key_kind(chosen.upstream_keys.get(place.name))
        words = f"{place.base_urls[0]}, {'no key' if kind is KeyKind.NONE else f'key of the kind `{kind}`'}"
        if names := going_to(place.name, catalog):
            yield ok(f"upstream {place.name}", f"{words}; {listed(names)} there")
        else:
            yield note(f"upstream {place.name}", f"{words}; no route leads there: name it in one of [[routes]]")


def configuration(chosen: Settings) -> Iterator[Finding]:
    """Check what else of the configuration file the server refuses to start with."""
    is_refused = False
    for check in (configured_limits, checked_words, check_traces, open_tls):
        try:
            check(chosen)
        except StartRefused as error:
            is_refused = True
            yield problem("configuration", str(error))
    if not is_refused:
        yield ok("configuration", "limits, check, traces and TLS can be used as they are, or are not asked for")


def server(chosen: Settings, *, runs: bool) -> Iterator[Finding]:
    """Ask the running server how it and its engines are, and check the books."""
    if not runs:
        yield note("server", "not running with this data directory; start it with `qwenport serve`")
        return

    async def ask() -> tuple[dict[str, Any], dict[str, Any]]:
        async with operator(chosen) as client:
            return await client.get("/status"), await client.get("/ledger/check")

    try:
        status, books = asyncio.run(ask())
    except AdminError as error:
        yield problem("server", str(error))
        return
    yield ok("server", f"running; the gateway holds {status['gateway_resident_bytes'] / MIB:.0f} MiB of memory")
    for target, condition in status["engines"].items():
        memory = condition["resident_bytes"] / MIB
        words = f"{condition['state']}, {memory:.0f} MiB of memory, {condition['restarts']} restarts"
        is_well = condition["state"] == "ready"
        yield (ok if is_well else problem)(target, words if is_well else f"{words}: {condition['reason']}")
    yield from doctor_storage.journals(status)
    if books["balanced"]:
        yield ok("books", f"{books['calls']:,} calls, balanced")
    else:
        yield problem("books", "they do not balance; `qwenport ledger check` lists the differences")


def room() -> Iterator[Finding]:
    """Offer a real Qwen where the machine has room for one."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    fitting = [name for name, need in QWEN_MODELS if need <= total * 0.6]
    if fitting:
        yield note(
            "a real Qwen",
            f"this machine has {total:.0f} GiB of memory, room for {fitting[-1]} as GGUF: describe "
            "the file in <data directory>/catalog/NAME.toml (docs/en/models.md), then `qwenport models pull NAME`",
        )
