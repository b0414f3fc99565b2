"""What runs on which core: the fake upstream, and everything that is measured before it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import nginx
from bench.figures import DIRECT, NGINX, QWENPORT
from bench.gateway import MODEL, Gateway, serving
from bench.places import STREAM_TOKENS, WHOLE_TOKENS, Place, Plan
from bench.processes import StartFailed, free_port, pinned, python, resident_bytes, running, wait_for_port
from bench.rivals import RIVALS, running_rival


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Which core is whose."""

    server: int
    load: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Everything that runs."""

    gateway: Gateway
    exact_id: str
    """Id of the key for calls that are counted to the last."""
    wrk_id: str
    places: tuple[Place, ...]
    memory_idle: dict[str, int]
    """Resident bytes of each server before its first call."""


def describe_layout(cores: Cores, plan: Plan) -> tuple[str, ...]:
    """Return what runs where, in sentences."""
    measured = (
        f"Core {cores.server}: what is measured, each in one process: nginx, Qwenport (and its supervisor), LiteLLM, "
        f"Portkey; one at a time has calls. Core {cores.load}: load generator, wrk, fake upstream. All on loopback."
    )
    answers = (
        f"Answers in one piece have {WHOLE_TOKENS} tokens, streams {STREAM_TOKENS}. All go to the same fake upstream, "
        "which speaks OpenAI's protocol as vLLM does, over kept connections."
    )
    load = (
        "One call at a time comes from a generator that checks every answer; more at a time come from wrk, where it "
        "is installed, which looks at the status only."
    )
    gateways = (
        "Qwenport runs as `qwenport serve` starts it: API keys, three limits that bind every call, journal, ledger, "
        "prices, request log. LiteLLM checks one master key and Portkey none; neither keeps accounts."
    )
    return (
        measured,
        answers,
        "Streams: the upstream sends each chunk as a write of its own, as fast as it can; every chunk is checked.",
        load,
        "Direct calls have only one core, for upstream and generator together: the ceiling of this arrangement.",
        gateways,
        f"Rounds: {plan.rounds}, by turns; LiteLLM and Portkey take part in {plan.rival_rounds} of them.",
        "The embedded engine is measured on all cores, shared by gateway, engine and client, as on a user's machine.",
    )


@contextmanager
def started(folder: Path, cores: Cores, skipped: dict[str, str]) -> Iterator[Arrangement]:
    """Run the upstream, the gateway and all others that are not skipped while the block runs.

    Another gateway that does not start is added to `skipped`.
    """
    models, upstream, log = folder / "models", free_port(), folder / "host.log"
    models.mkdir()
    with ExitStack() as stack:
        host = stack.enter_context(running(pinned(cores.load, python("bench.fake_upstream", str(upstream))), log))
        wait_for_port(upstream, host, log)
        gateway = stack.enter_context(
            serving(folder / "server", core=cores.server, models_dir=models, upstream_port=upstream)
        )
        (exact_id, exact_key), (wrk_id, wrk_key) = gateway.create_key("exact"), gateway.create_key("wrk")
        ground = _Ground(folder=folder, cores=cores, host=host, upstream_port=upstream)
        places = [
            ground.place(DIRECT, upstream, host.pid),
            ground.place(QWENPORT, gateway.port, gateway.worker, keys=(exact_key, wrk_key, gateway.key)),
        ]
        if NGINX not in skipped:
            proxy = nginx.proxying(folder / "nginx", core=cores.server, upstream_port=upstream)
            places.insert(1, ground.place(NGINX, *stack.enter_context(proxy)))
        for name in RIVALS:
            if name not in skipped:
                try:
                    places.append(ground.rival(name, stack))
                except StartFailed as error:
                    skipped[name] = str(error)
        idle = {each.name: resident_bytes(each.pid) for each in places}
        yield Arrangement(gateway=gateway, exact_id=exact_id, wrk_id=wrk_id, places=tuple(places), memory_idle=idle)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What all places stand on."""

    folder: Path
    cores: Cores
    host: subprocess.Popen[bytes]
    upstream_port: int

    def place(
        self, name: str, port: int, pid: int, *, keys: tuple[str, str, str] = ("none",) * 3, **headers: str
    ) -> Place:
        """Return a place; its keys are those for exact calls, for wrk, and for calls that are not measured."""
        return Place(
            name=name,
            port=port,
            pid=pid,
            host_pid=self.host.pid,
            model=MODEL,
            exact_key=keys[0],
            wrk_key=keys[1],
            warm_key=keys[2],
            folder=self.folder,
            generator_core=self.cores.load,
            headers=headers,
        )

    def rival(self, name: str, stack: ExitStack) -> Place:
        """Start another gateway; raises `StartFailed`."""
        rival = stack.enter_context(
            running_rival(
                name, self.folder / name, core=self.cores.server, upstream_port=self.upstream_port, model=MODEL
            )
        )
        return self.place(name, rival.port, rival.pid, keys=(rival.key,) * 3, **rival.headers)
