"""What one request turns into when it is over: a log line and metrics."""

from __future__ import annotations

import time

from qwenport.core.caller import Caller
from qwenport.core.errors import QwenportError
from qwenport.core.events import Event, Finished, Generated, Started
from qwenport.core.ids import RequestId
from qwenport.gate.admission import Admission
from qwenport.observability.log import REQUESTS, RequestLine
from qwenport.observability.metrics import Metrics
from qwenport.server.asgi import Scope
from qwenport.server.body_copy import BodyCopy
from qwenport.server.idempotency import Asked
from qwenport.server.recorded_answer import RecordedAnswer


class RequestRecord:
    """Collects while the request is answered; `close` writes it down."""

    def __init__(self, scope: Scope, request_id: RequestId, face: str, operation: str) -> None:
        self._began = time.perf_counter()
        self.line = RequestLine(
            request_id=request_id, face=face, operation=operation, method=scope["method"], path=scope["path"]
        )
        self.copy: BodyCopy | None = None
        """Of what the call says, where its key asks for one."""
        self.asked: Asked | None = None
        """What is asked for, where it is to be answered once."""
        self.recorded: RecordedAnswer | None = None
        """The answer to it."""
        self.is_in_books = False
        """Whether a call was admitted and settled; what a refused one said could never be found again."""
        self.was_billed = False
        """Whether it consumed anything, by what the books will say."""

    def identify(self, caller: Caller) -> None:
        """Note who asks."""
        line = self.line
        line.key_id, line.account_id, line.workspace_id = caller.key_id, caller.account_id, caller.workspace_id

    def observe(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, Generated):
            self.line.output_tokens += event.tokens
        elif isinstance(event, Started):
            self.line.first_event_ms = self._elapsed_ms()
            self.line.served_by = event.served_by
            self.line.input_tokens = event.input_tokens
        elif isinstance(event, Finished):
            self.line.input_tokens = event.usage.input_tokens
            self.line.output_tokens = event.usage.output_tokens

    def settle(self, admission: Admission | None) -> None:
        """Note what the books will say of the call; nothing where it was not admitted."""
        settlement = None if admission is None else admission.settlement
        if settlement is not None:
            self.is_in_books = True
            self.was_billed = settlement.input_tokens + settlement.output_tokens > 0 or bool(settlement.items)
            line = self.line
            line.queue_ms = settlement.queue_ms
            line.cost_nanos = settlement.cost_nanos
            line.currency = settlement.hold.currency

    def fail(self, error: QwenportError) -> None:
        """Note the error that ends the request."""
        self.line.error = error.code
        self.line.outcome = "failed"

    def leave(self) -> None:
        """Note that the client left before its answer was complete."""
        self.line.outcome = "abandoned"

    def close(self, metrics: Metrics) -> None:
        """Write the log line and count the request."""
        line = self.line
        line.total_ms = self._elapsed_ms()
        line.outcome = line.outcome or "finished"
        REQUESTS.info(line)
        metrics.count_request(line.face, line.operation, line.status)
        metrics.duration.observe(line.total_ms / 1000)
        if line.first_event_ms:
            metrics.first_event.observe(line.first_event_ms / 1000)
        if line.error:
            metrics.refused.labels(line.error).inc()

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._began) * 1000, 3)
