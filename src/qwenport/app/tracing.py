"""Traces as the configuration asks for them; without an endpoint there are none, and OpenTelemetry is not imported."""

from __future__ import annotations

import importlib.util
import socket
from urllib.parse import urlsplit

from qwenport.app.refusal import StartRefused
from qwenport.core.clock import SystemClock
from qwenport.core.secret import Secret
from qwenport.engines.engine import Engine
from qwenport.engines.tracing.traced_engine import TracedEngine
from qwenport.engines.upstream.place import Place
from qwenport.observability.metrics import Metrics
from qwenport.observability.traces import TracedTarget, Traces, TracesInvalid
from qwenport.settings.settings import Settings

_OF_THE_HOUSE = "qwenport"
_MODEL_STUDIO = "alibaba_cloud"
_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def check_traces(settings: Settings) -> None:
    """Make sure that traces can be sent where they are asked for; nothing is sent yet.

    Raises:
        StartRefused: a package is missing, or a header cannot be read.
    """
    if not settings.file.traces.endpoint:
        return
    if not all(map(_is_installed, _NEEDED)):
        raise StartRefused(
            "[traces] has an `endpoint`, but OpenTelemetry is not installed: install it with "
            "`pip install 'qwenport[traces]'`, or take the endpoint out"
        )
    from qwenport.observability.otlp import read_headers  # noqa: PLC0415 - OpenTelemetry may not be installed

    try:
        read_headers(_headers(settings))
    except TracesInvalid as error:
        raise StartRefused(f"[traces]: {error}") from error


def open_traces(settings: Settings, metrics: Metrics, slot: int) -> Traces | None:
    """Return the traces of the worker in this slot; None where there is no endpoint. Raises as `check_traces`."""
    table = settings.file.traces
    if not table.endpoint:
        return None
    check_traces(settings)
    # It may not be installed; and nobody should load it who does not use it.
    from qwenport.observability.open_telemetry import OpenTelemetry  # noqa: PLC0415
    from qwenport.observability.otlp import span_exporter  # noqa: PLC0415
    from qwenport.observability.span_queue import SpanQueue  # noqa: PLC0415

    return OpenTelemetry(
        SpanQueue(span_exporter(table.endpoint, _headers(settings)), metrics.count_spans),
        SystemClock(),
        service_name=table.service_name,
        sample_percent=table.sample_percent,
        instance=f"{socket.gethostname()}:{slot}",
    )


def traced_house_engine(engine: Engine, traces: Traces | None) -> Engine:
    """Return an engine of the house with spans of its runs, where there are traces."""
    if traces is None:
        return engine
    return TracedEngine(engine, traces, TracedTarget(target=engine.target, provider=_OF_THE_HOUSE))


def traced_upstream_engine(engine: Engine, traces: Traces | None, place: Place) -> Engine:
    """Return an engine of an upstream with spans of its runs, where there are traces."""
    if traces is None:
        return engine
    url = urlsplit(place.base_urls[0])
    to = TracedTarget(
        target=engine.target,
        provider=_MODEL_STUDIO if place.kind == "alibaba" else place.dialect or "openai_compatible",
        address=url.hostname or "",
        port=url.port or (443 if url.scheme == "https" else 80),
    )
    return TracedEngine(engine, traces, to)


def _headers(settings: Settings) -> Secret | None:
    return settings.named_secrets.get(settings.file.traces.headers_env)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
