"""W3C Trace Context: what a request says of the trace that it belongs to, and what a try tells the next server.

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from opentelemetry.trace import SpanContext, TraceFlags, TraceState

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_FIRST_VERSION = "00"
_LONGEST_STATE = 1024
"""Characters of `tracestate`; 512 must be passed on, and what is longer may be left out."""


def caller_context(headers: Iterable[tuple[bytes, bytes]]) -> SpanContext | None:
    """Return the span that a request was sent in; None where it names none, or not in the words of the standard."""
    parents: list[str] = []
    states: list[str] = []
    for name, value in headers:
        if name == b"traceparent":
            parents.append(value.decode("latin-1").strip(" \t"))
        elif name == b"tracestate":
            states.append(value.decode("latin-1"))
    if len(parents) != 1:
        return None
    match = _TRACEPARENT.fullmatch(parents[0])
    if match is None:
        return None
    version, trace, span, flags, more = match.groups()
    # Later versions may say more; of the first there is nothing more to say.
    if more is not None and version == _FIRST_VERSION:
        return None
    context = SpanContext(int(trace, 16), int(span, 16), True, TraceFlags(int(flags, 16) & 3), _state(states))  # noqa: FBT003 - as OpenTelemetry has it
    return context if context.is_valid else None


def next_headers(context: SpanContext) -> tuple[tuple[str, str], ...]:
    """Return the headers by which a server that is asked within a span knows of it."""
    parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    state = context.trace_state.to_header()
    return (("traceparent", parent), ("tracestate", state)) if state else (("traceparent", parent),)


def _state(lines: list[str]) -> TraceState:
    if sum(map(len, lines)) > _LONGEST_STATE:
        return TraceState()
    return TraceState.from_header(lines)
