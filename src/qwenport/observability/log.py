"""Log lines: JSON on standard error, one line an event, one line a request."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime

import msgspec

REQUESTS = logging.getLogger("qwenport.request")
"""One line a request, at its end. No prompt or answer text, no key."""


class RequestLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is said of one request."""

    time: str = ""
    level: str = "info"
    request_id: str
    face: str
    operation: str
    method: str
    path: str
    status: int = 0
    """Status as sent; 0 where nothing was sent."""
    outcome: str = ""
    error: str = ""
    key_id: str = ""
    account_id: str = ""
    workspace_id: str = ""
    model: str = ""
    served_by: str = ""
    streams: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: int | None = None
    """Nano-units of the currency; None for a request that is no call, and for a call without a price."""
    currency: str = ""
    """Of the account, where a call was admitted."""
    queue_ms: int | None = None
    """From admission until an engine took the call; None where none did."""
    first_event_ms: float = 0.0
    total_ms: float = 0.0


def time_text(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self) -> None:
        super().__init__()
        self._encoder = msgspec.json.Encoder()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its line feed."""
        if isinstance(record.msg, RequestLine):
            record.msg.time = time_text(record.created)
            return self._encoder.encode(record.msg).decode()
        line = {
            "time": time_text(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return self._encoder.encode(line).decode()


def configure_logging(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn", "uvicorn.error", "aiohttp.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for fields in ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"):
        setattr(logging, fields, False)  # none of them is printed; collecting them costs time on every line
