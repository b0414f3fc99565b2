"""What takes OTLP over HTTP in tests: remembers every span, and can refuse them or keep their sender waiting."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from qwenport.testing.raw_client import PATIENCE_S

Value = str | int | float | bool | tuple["Value", ...]
"""Value of an attribute."""


class ReceivedSpan(Struct, frozen=True, kw_only=True):
    """One span as it was sent; identifiers in hexadecimal digits."""

    name: str
    kind: str
    """`SERVER` or `CLIENT`."""
    trace_id: str
    span_id: str
    parent_id: str
    """Empty for the first of its trace."""
    state: str
    """What `tracestate` says."""
    status: str
    """`UNSET`, `OK` or `ERROR`."""
    attributes: Mapping[str, Value]
    resource: Mapping[str, Value]


class OtlpReceiver:
    """One receiver on a port of this machine."""

    def __init__(self) -> None:
        self.spans: list[ReceivedSpan] = []
        self.headers: list[dict[str, str]] = []
        """Of every request, by lower-case name."""
        self.bodies: list[bytes] = []
        """Of every request, unpacked."""
        self.paths: list[str] = []
        self.status = 200
        self.go = threading.Event()
        """Cleared, it keeps whoever sends waiting."""
        self.go.set()
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wait_for(self, spans: int) -> list[ReceivedSpan]:
        """Return all spans once there are so many; raises `TimeoutError` where they never come. Blocking."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.spans) >= spans, PATIENCE_S):
                raise TimeoutError(f"{len(self.spans)} of {spans} spans came")
            return list(self.spans)

    def wait_for_requests(self, requests: int) -> None:
        """Wait until so many requests came, refused ones too; raises `TimeoutError`. Blocking."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.paths) >= requests, PATIENCE_S):
                raise TimeoutError(f"{len(self.paths)} of {requests} requests came")

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Take one request in; return the status to answer with."""
        content = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        with self._arrived:
            self.paths.append(path)
            self.headers.append(headers)
            self.bodies.append(content)
            status = self.status
            if status == 200:
                self.spans += _spans(ExportTraceServiceRequest.FromString(content))
            self._arrived.notify_all()
        self.go.wait(PATIENCE_S)
        return status

    def serve(self) -> None:
        """Serve until `close`."""
        self._server.serve_forever(poll_interval=0.01)

    def close(self) -> None:
        """Stop serving."""
        self.go.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receiver.take(self.path, headers, body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
                pass

        return Handler


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """Run a receiver while the block lasts."""
    receiver = OtlpReceiver()
    thread = threading.Thread(target=receiver.serve)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.close()
        thread.join()


def _spans(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for of_resource in request.resource_spans:
        resource = _attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield ReceivedSpan(
                    name=span.name,
                    kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    state=span.trace_state,
                    status=trace_pb2.Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
                    attributes=_attributes(span.attributes),
                    resource=resource,
                )


def _attributes(pairs: Iterator[KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(_value(each) for each in value.array_value.values)
    found: Value = getattr(value, kind or "string_value")
    return found
