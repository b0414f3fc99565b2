"""From the rounds of a run to one figure of each kind: medians over the rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct

from bench.places import Cell, Measured, Round

DIRECT, NGINX, QWENPORT = "direct", "nginx", "qwenport"
LITELLM, PORTKEY = "litellm", "portkey"
PLACES = (DIRECT, NGINX, QWENPORT, LITELLM, PORTKEY)

MAIN = Cell(streams=False, concurrency=32)
ALONE = Cell(streams=False, concurrency=1)
STREAMS = Cell(streams=True, concurrency=16)


class CellFigures(Struct, frozen=True, kw_only=True):
    """The figures of one place under one kind of load."""

    calls_a_second: float
    """Or streams."""
    pieces_a_second: float
    call_cpu_us: float
    """Processor time of the server for a call."""
    piece_cpu_us: float
    """The same for a chunk, the stream's beginning and end included; 0 for answers in one piece."""
    server_share: float
    """Share of its core that the server used meanwhile."""
    p50_ms: float
    p99_ms: float
    first_p50_ms: float
    """Until the first piece of text."""
    first_p99_ms: float


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of one place."""

    place: str
    cells: tuple[tuple[Cell, CellFigures], ...]
    pieces: int
    """Chunks checked, in all rounds together."""
    faults: int
    """Chunks lost, doubled or misplaced, and answers that failed or were wrong, in all rounds together."""
    memory_after: int
    """Resident bytes after the last round."""
    memory_grown: int | None
    """By so many bytes more than after the first round; None after one round."""

    def at(self, cell: Cell) -> CellFigures | None:
        """Return the figures under one kind of load; None where it was not measured."""
        return next((found for each, found in self.cells if each == cell), None)


def figures_of(place: str, rounds: Sequence[Round]) -> Figures | None:
    """Return the figures of a place; None where it was not measured."""
    own = [each for each in rounds if each.place == place]
    if not own:
        return None
    every = [measured for each in own for measured in each.measured]
    cells = dict.fromkeys(measured.cell for measured in every)
    return Figures(
        place=place,
        cells=tuple((cell, _figures([measured for measured in every if measured.cell == cell])) for cell in cells),
        pieces=sum(measured.load.pieces for measured in every),
        faults=sum(map(_faults, every)),
        memory_after=own[-1].memory_after,
        memory_grown=own[-1].memory_after - own[0].memory_after if len(own) > 1 else None,
    )


def _figures(measured: Sequence[Measured]) -> CellFigures:
    def middle(value: Callable[[Measured], float]) -> float:
        return median(value(each) for each in measured)

    return CellFigures(
        calls_a_second=middle(lambda each: each.load.calls / (each.load.seconds or 1)),
        pieces_a_second=middle(lambda each: each.load.pieces / (each.load.seconds or 1)),
        call_cpu_us=middle(lambda each: 1e6 * each.server_cpu_s / max(1, each.load.calls)),
        piece_cpu_us=middle(lambda each: 1e6 * each.server_cpu_s / each.load.pieces if each.load.pieces else 0.0),
        server_share=middle(lambda each: each.server_cpu_s / each.seconds),
        p50_ms=middle(lambda each: each.load.p50_ms),
        p99_ms=middle(lambda each: each.load.p99_ms),
        first_p50_ms=middle(lambda each: each.load.first_p50_ms),
        first_p99_ms=middle(lambda each: each.load.first_p99_ms),
    )


def _faults(measured: Measured) -> int:
    load = measured.load
    return load.failed + load.wrong + load.lost + load.doubled + load.misplaced
