"""The `response` object: what is known of it before the answer, and how it is completed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.json import Encoder

from qwenport.core.call import Call
from qwenport.core.ids import RequestId
from qwenport.core.responses import LARGEST_STORED_BYTES, KeepResponse, StoredResponse
from qwenport.core.usage import Usage
from qwenport.faces.openai.responses.answers import ResponseHead
from qwenport.faces.openai.responses.schema import Echoed, ResponsesRequest

_ENCODE = Encoder().encode
_TEXT: dict[str, Any] = {"format": {"type": "text"}}
_REASONING: dict[str, Any] = {"effort": None, "summary": None}
_NULL = b"null"
_TAIL = b',"status":"%b","store":%b,"error":%b,"incomplete_details":%b,"output":[%b],"usage":%b}'
_CUT = b'{"reason":"max_output_tokens"}'
_USAGE = (
    b'{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d,"cache_write_tokens":0},'
    b'"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d,"x_details":[{'
    b'"input_tokens":%d,"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},'
    b'"prompt_tokens_details":{"cached_tokens":%d},"total_tokens":%d,"x_billing_type":"response_api"}]}'
)

INCOMPLETE = b"incomplete"
IN_PROGRESS = b"in_progress"
FAILED = b"failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseObject:
    """What every part of one answer has in common."""

    request_id: RequestId
    id: str
    model: str
    created_at: datetime
    previous_id: str
    head: bytes
    items: bytes | None
    """The conversation before the answer as it would be kept; None where nothing is to be."""

    @classmethod
    def of(
        cls, call: Call, received_at: datetime, body: ResponsesRequest, echoed: Echoed, items: bytes | None
    ) -> ResponseObject:
        """Return what the answers to this call have in common."""
        identity = f"resp_{call.id}"
        head = ResponseHead(
            background=False,
            created_at=int(received_at.timestamp()),
            id=identity,
            instructions=body.instructions,
            max_output_tokens=body.max_output_tokens,
            metadata=body.metadata or {},
            model=call.model,
            object="response",
            parallel_tool_calls=bool(body.parallel_tool_calls),
            previous_response_id=body.previous_response_id or None,
            reasoning=echoed.reasoning or _REASONING,
            temperature=body.temperature,
            text=echoed.text or _TEXT,
            tool_choice=echoed.tool_choice or "auto",
            tools=echoed.tools or [],
            top_p=body.top_p,
            truncation="disabled",
        )
        return cls(
            request_id=call.id,
            id=identity,
            model=call.model,
            created_at=received_at,
            previous_id=body.previous_response_id or "",
            head=_ENCODE(head)[:-1],
            items=items,
        )

    def begun(self) -> bytes:
        """Return the object before anything was made."""
        return self._encode(IN_PROGRESS, stored=self._fits(b""))

    def failed(self, message: str, output: bytes) -> bytes:
        """Return the object of an answer that broke off; what is incomplete is never kept."""
        error = b'{"code":"server_error","message":%b}' % _ENCODE(message)
        return self._encode(FAILED, stored=False, error=error, output=output)

    def ended(self, status: bytes, output: bytes, usage: Usage) -> bytes:
        """Return the object of a whole answer."""
        incomplete = _CUT if status == INCOMPLETE else _NULL
        return self._encode(
            status, stored=self._fits(output), incomplete=incomplete, output=output, usage=_encode_usage(usage)
        )

    def keep(self, output: bytes, body: bytes) -> KeepResponse | None:
        """Return what is to be stored of a whole answer; None where the caller wants nothing or it is too large."""
        if self.items is None or not self._fits(output):
            return None
        return KeepResponse(
            response=StoredResponse(
                id=self.id,
                model=self.model,
                created_at=self.created_at,
                previous_id=self.previous_id,
                items=self.items,
                body=body,
            )
        )

    def _fits(self, output: bytes) -> bool:
        return self.items is not None and len(self.items) + len(self.head) + len(output) <= LARGEST_STORED_BYTES

    def _encode(  # noqa: PLR0913 - the members that change, each with what it mostly is
        self,
        status: bytes,
        *,
        stored: bool,
        error: bytes = _NULL,
        incomplete: bytes = _NULL,
        output: bytes = b"",
        usage: bytes = _NULL,
    ) -> bytes:
        return self.head + _TAIL % (status, b"true" if stored else b"false", error, incomplete, output, usage)


def _encode_usage(usage: Usage) -> bytes:
    return _USAGE % (
        usage.input_tokens,
        usage.cached_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.total_tokens,
        usage.input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.cached_tokens,
        usage.total_tokens,
    )
