"""What is done to a connection, one thing after the other, to give one answer with its fault."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import lru_cache

from qwenport.testing.faulty_upstream.faults import Fault
from qwenport.testing.faulty_upstream.manner import Manner


class Do(Enum):
    """What is done other than writing bytes and waiting."""

    RESET = auto()
    HANG = auto()
    END_CALL = auto()
    """Everything that the call generated has been written."""


Action = bytes | float | Do
"""Bytes are written, a number is waited for in seconds."""

_JSON = "application/json"
_EVENTS = "text/event-stream"
_PAGE = b"<!doctype html><html><head><title>Welcome</title></head><body>It works!</body></html>"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_BOTH = b"Content-Length: 5\r\n" + _CHUNKED
_BEAT_S = 0.02
"""Between two signs of life that mean nothing; shorter than any deadline."""


def whole(body: bytes, fault: Fault, manner: Manner) -> Iterator[Action]:
    """Give a whole answer."""
    if fault in _BODIES:
        body = _BODIES[fault](body, manner.huge_bytes)
    kind = {Fault.WRONG_TYPE: "text/plain", Fault.HTML_PAGE: "text/html"}.get(fault, _JSON)
    yield from _before(fault, manner)
    if fault is Fault.ENDLESS_COMMENTS:
        yield _head(kind, _CHUNKED)
        yield from _endless(_chunk(b" "))
    if fault is Fault.BOTH_LENGTHS:
        yield _head(kind, _BOTH) + _chunk(body) + b"0\r\n\r\n"
    else:
        head = _head(kind, b"Content-Length: %d\r\n%b" % (len(body), _encoding(fault)))
        yield from _broken(head, body, fault)
    yield Do.END_CALL
    if fault is Fault.GOES_ON:
        yield from _endless(b" ")


def stream(frames: list[bytes], fault: Fault, manner: Manner) -> Iterator[Action]:
    """Give a stream of frames."""
    yield from _before(fault, manner)
    head = _head(_type_of_stream(fault), _BOTH if fault is Fault.BOTH_LENGTHS else _CHUNKED)
    if fault in {Fault.HTML_PAGE, Fault.GZIP, Fault.GZIP_BOMB}:
        body = _BODIES[fault](b"".join(frames), manner.huge_bytes)
        head = _head(_type_of_stream(fault), b"Content-Length: %d\r\n%b" % (len(body), _encoding(fault)))
        yield head + body
    elif fault is Fault.RESET_AFTER_HEAD:
        yield head
        yield Do.RESET
    else:
        yield head
        if fault is Fault.ENDLESS_COMMENTS:
            yield from _endless(_chunk(b": keep-alive\n\n"))
        yield from _body(frames, fault, manner)
    yield Do.END_CALL
    if fault is Fault.GOES_ON:
        yield from _endless(_chunk(frames[0]))


def frames_sent(count: int, fault: Fault) -> int:
    """Return how many of the frames of a stream are sent before its fault ends it."""
    if fault in {Fault.RESET_MIDWAY, Fault.HANG_MIDWAY}:
        return count // 2
    if fault in {Fault.RESET_BEFORE_HEAD, Fault.HANG_BEFORE_HEAD, Fault.RESET_AFTER_HEAD, Fault.ENDLESS_COMMENTS}:
        return 0
    return count - 1 if fault is Fault.RESET_BEFORE_END else count


def dripping(actions: Iterator[Action], size: int) -> Iterator[Action]:
    """Give the same, a few bytes at a time, each in a turn of the loop of its own."""
    for action in actions:
        if isinstance(action, bytes):
            for start in range(0, len(action), size):
                yield action[start : start + size]
                yield 0.0
        else:
            yield action


def _body(frames: list[bytes], fault: Fault, manner: Manner) -> Iterator[Action]:
    sent = frames_sent(len(frames), fault)
    if fault in {Fault.MALFORMED_JSON, Fault.HALF_JSON, Fault.HUGE_FRAME}:
        middle = len(frames) // 2
        frames[middle] = b"data: " + _BODIES[fault](frames[middle][6:-2], manner.huge_bytes) + b"\n\n"
    if manner.between_chunks_s:
        for frame in frames[:sent]:
            yield _chunk(frame)
            yield manner.between_chunks_s
    else:
        yield b"".join(map(_chunk, frames[:sent]))
    if fault is Fault.GOES_ON:
        return
    if sent == len(frames):
        yield b"0\r\n\r\n"
    else:
        # What was written is to arrive before the reset does.
        yield 0.01
        yield Do.HANG if fault is Fault.HANG_MIDWAY else Do.RESET


def _broken(head: bytes, body: bytes, fault: Fault) -> Iterator[Action]:
    """Give a body with a length, as far as it comes."""
    parts = {
        Fault.RESET_AFTER_HEAD: 0,
        Fault.RESET_MIDWAY: len(body) // 2,
        Fault.HANG_MIDWAY: len(body) // 2,
        Fault.RESET_BEFORE_END: len(body) - 1,
    }
    if fault not in parts:
        yield head + body
        return
    yield head + body[: parts[fault]]
    yield 0.01
    yield Do.HANG if fault is Fault.HANG_MIDWAY else Do.RESET


def _endless(sign: bytes) -> Iterator[Action]:
    """Give the same until the other end hangs up."""
    while True:
        yield sign
        yield _BEAT_S


def _before(fault: Fault, manner: Manner) -> Iterator[Action]:
    """Give what happens before the head."""
    if fault is Fault.SLOW:
        yield manner.slow_s
    elif fault is Fault.RESET_BEFORE_HEAD:
        yield Do.RESET
    elif fault is Fault.HANG_BEFORE_HEAD:
        yield Do.HANG


def _head(content_type: str, more: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%b\r\n" % (content_type.encode(), more)


def _type_of_stream(fault: Fault) -> str:
    return {Fault.WRONG_TYPE: "text/plain", Fault.HTML_PAGE: "text/html"}.get(fault, _EVENTS)


def _encoding(fault: Fault) -> bytes:
    return b"Content-Encoding: gzip\r\n" if fault in {Fault.GZIP, Fault.GZIP_BOMB} else b""


def _chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


@lru_cache(maxsize=2)
def _huge(size: int) -> bytes:
    return b'{"choices":[{"index":0,"delta":{"content":"%b"}}]}' % (b"x" * size)


@lru_cache(maxsize=2)
def _bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)


_BODIES: dict[Fault, Callable[[bytes, int], bytes]] = {
    Fault.HTML_PAGE: lambda _body, _size: _PAGE,
    Fault.MALFORMED_JSON: lambda body, _size: body.replace(b'"choices":', b'"choices" oops ', 1),
    Fault.HALF_JSON: lambda body, _size: body[: len(body) // 2],
    Fault.HUGE_FRAME: lambda _body, size: _huge(size),
    Fault.GZIP: lambda body, _size: gzip.compress(body, 1),
    Fault.GZIP_BOMB: lambda _body, size: _bomb(size),
}
"""What becomes of a body, or of a frame, by the fault and the size of what is huge."""
