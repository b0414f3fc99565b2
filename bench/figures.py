"""From the rounds of a run to one figure of each kind: medians over the rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct

from bench.places import Round

DIRECT, NGINX, QWENPORT = "direct", "nginx", "qwenport"


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of one place."""

    place: str
    p50_ms: float
    p99_ms: float
    calls_a_second: float
    call_cpu_us: float
    """Processor time of the server for a call at full speed."""
    full_speed_share: float
    """Share of its core that the server used meanwhile."""
    streams_a_second: float
    pieces_a_second: float
    piece_cpu_us: float
    """Processor time of the server for a chunk, the stream's beginning and end included."""
    streams_share: float
    first_p50_ms: float
    """Until the first piece of text, one stream at a time."""
    first_p99_ms: float
    busy_first_p50_ms: float
    """The same with all streams at a time."""
    busy_first_p99_ms: float
    pieces: int
    faults: int
    """Chunks lost, doubled or misplaced, and answers that failed or were wrong, in all rounds together."""


def figures_of(place: str, rounds: Sequence[Round]) -> Figures | None:
    """Return the figures of a place; None where it was not measured."""
    own = [each for each in rounds if each.place == place]
    if not own:
        return None

    def middle(value: Callable[[Round], float]) -> float:
        return median(value(each) for each in own)

    return Figures(
        place=place,
        p50_ms=middle(lambda r: r.one_call.load.p50_ms),
        p99_ms=middle(lambda r: r.one_call.load.p99_ms),
        calls_a_second=middle(lambda r: r.full_speed.rate.calls_a_second),
        call_cpu_us=middle(lambda r: 1e6 * r.full_speed.server_cpu_s / max(1, r.full_speed.rate.calls)),
        full_speed_share=middle(lambda r: r.full_speed.server_cpu_s / r.full_speed.seconds),
        streams_a_second=middle(lambda r: r.streams.load.calls / r.streams.load.seconds),
        pieces_a_second=middle(lambda r: r.streams.load.pieces / r.streams.load.seconds),
        piece_cpu_us=middle(lambda r: 1e6 * r.streams.server_cpu_s / max(1, r.streams.load.pieces)),
        streams_share=middle(lambda r: r.streams.server_cpu_s / r.streams.seconds),
        first_p50_ms=middle(lambda r: r.one_stream.load.first_p50_ms),
        first_p99_ms=middle(lambda r: r.one_stream.load.first_p99_ms),
        busy_first_p50_ms=middle(lambda r: r.streams.load.first_p50_ms),
        busy_first_p99_ms=middle(lambda r: r.streams.load.first_p99_ms),
        pieces=sum(each.streams.load.pieces + each.one_stream.load.pieces for each in own),
        faults=sum(map(_faults, own)),
    )


def _faults(each: Round) -> int:
    loads = (each.one_call.load, each.one_stream.load, each.streams.load)
    broken = sum(load.failed + load.wrong + load.lost + load.doubled + load.misplaced for load in loads)
    return broken + each.full_speed.rate.failed
