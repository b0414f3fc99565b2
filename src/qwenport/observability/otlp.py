"""Sending spans by OTLP over HTTP, as https://opentelemetry.io/docs/specs/otlp/ has it."""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from qwenport.core.secret import Secret
from qwenport.observability.traces import TracesInvalid

SEND_S = 5.0
"""How long one batch may take, with all tries."""
_PATH = "/v1/traces"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_VALUE = re.compile(r"[ -~]*", re.ASCII)


def span_exporter(endpoint: str, headers: Secret | None) -> OTLPSpanExporter:
    """Return what sends spans to an endpoint, with or without its `/v1/traces`; raises `TracesInvalid`."""
    # It tells of every batch that is lost, and of what clients sent; what an operator needs is said by the queue.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    session = requests.Session()
    # Neither a proxy of the environment nor a password of ~/.netrc is meant for spans.
    session.trust_env = False
    base = endpoint.rstrip("/")
    return OTLPSpanExporter(
        endpoint=base if base.endswith(_PATH) else base + _PATH,
        headers=read_headers(headers),
        timeout=SEND_S,
        compression=Compression.Gzip,
        session=session,
    )


def read_headers(text: Secret | None) -> dict[str, str]:
    """Return headers that are written as OpenTelemetry writes them: `name=value`, with commas, values URL-encoded.

    Raises:
        TracesInvalid: something else stands there; the message does not show it.
    """
    headers: dict[str, str] = {}
    for number, part in enumerate((text.reveal() if text else "").split(","), start=1):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        name, value = name.strip().lower(), unquote(value.strip())
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise TracesInvalid(
                f"part {number} of the variable that `headers_env` names is no header: write `name=value`, with commas "
                "in between, and a comma within a value as `%2C`"
            )
        headers[name] = value
    return headers
