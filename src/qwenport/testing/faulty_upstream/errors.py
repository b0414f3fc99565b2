"""Errors with a status, in the shapes that upstreams and what stands before them give them."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus

import msgspec

from qwenport.core.clock import SystemClock
from qwenport.testing.faulty_upstream.faults import Fault, RetryAfter, Shape, Step

_WORDS: dict[Fault, tuple[int, str, str, str]] = {
    Fault.STATUS_400: (400, "invalid_request_error", "InvalidParameter", "Required body invalid."),
    Fault.STATUS_401: (401, "invalid_request_error", "InvalidApiKey", "Incorrect API key provided."),
    Fault.STATUS_403: (403, "invalid_request_error", "AccessDenied", "Access denied."),
    Fault.STATUS_404: (404, "invalid_request_error", "ModelNotFound", "The model does not exist."),
    Fault.STATUS_408: (408, "server_error", "RequestTimeOut", "Request timed out."),
    Fault.STATUS_429: (429, "rate_limit_error", "Throttling.RateQuota", "Requests rate limit exceeded."),
    Fault.STATUS_500: (500, "server_error", "InternalError", "An internal error has occured."),
    Fault.STATUS_502: (502, "server_error", "InternalError.Upload", "Bad gateway."),
    Fault.STATUS_503: (503, "server_error", "ModelUnavailable", "Model is unavailable, please try again later."),
    Fault.STATUS_504: (504, "server_error", "RequestTimeOut", "Gateway timed out."),
    Fault.QUOTA_EXHAUSTED: (429, "insufficient_quota", "AllocationQuota.FreeTierOnly", "The free tier is exhausted."),
    Fault.ARREARS: (400, "invalid_request_error", "Arrearage", "Access denied, your account is in arrears."),
}
"""Status, OpenAI's type, Model Studio's code and message; help.aliyun.com/zh/model-studio/error-code."""


def has_status(fault: Fault) -> bool:
    """Tell whether this fault is an error with a status of its own."""
    return fault in _WORDS


def error_response(step: Step, request_id: str, retry_after_s: float) -> bytes:
    """Return the whole response of a fault that has a status."""
    status, kind, code, message = _WORDS[step.fault]
    body, content_type = _body(step.shape, (kind, code, message), request_id)
    told = b"" if status in {400, 401, 403, 404} else _retry_after(step.retry_after, retry_after_s)
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {content_type}\r\n"
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (head.encode(), told, len(body), body)


def _body(shape: Shape, words: tuple[str, str, str], request_id: str) -> tuple[bytes, str]:
    kind, code, message = words
    if shape is Shape.HTML:
        return b"<html><head><title>%b</title></head><body>nginx</body></html>" % message.encode(), "text/html"
    told: dict[str, object] = {"code": code, "message": message, "request_id": request_id}
    if shape is Shape.OPENAI:
        told = {"error": {"message": message, "type": kind, "param": None, "code": code}, "request_id": request_id}
    return msgspec.json.encode(told), "application/json"


def _retry_after(way: RetryAfter, retry_after_s: float) -> bytes:
    if way is RetryAfter.SECONDS:
        return b"Retry-After: %d\r\n" % max(1, round(retry_after_s))
    if way is RetryAfter.DATE:
        return b"Retry-After: %b\r\n" % formatdate(SystemClock().timestamp() + retry_after_s, usegmt=True).encode()
    if way is RetryAfter.MILLISECONDS:
        return b"retry-after-ms: %d\r\n" % round(retry_after_s * 1000)
    return b""
