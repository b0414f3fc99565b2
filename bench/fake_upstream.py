"""A fake engine host that is as fast as Python allows: every answer is encoded once, every piece is a write of its own.

To a request with `return_progress` it speaks what llama.cpp's server speaks (`qwenport.engines.llama.wire`), with
chunks of the real length; to any other what vLLM speaks: plain chunks of OpenAI's. A request without `stream` gets the
same text as one JSON object. `max_tokens` of the request is the number of pieces.
Run as `python -m bench.fake_upstream PORT`; with `--hold` a stream has one piece, then nothing comes and nothing ends.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import resource
from collections.abc import Iterator
from functools import lru_cache
from typing import cast

import msgspec
import uvloop

from bench.answers import pieces
from qwenport.testing.llama_host import DONE, end, frame, progress

_MAX_TOKENS = re.compile(rb'"max_(?:completion_)?tokens": ?(\d+)')
_STREAMS = re.compile(rb'"stream": ?true')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PROMPT_TOKENS = 7
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_WHOLE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


def _as_chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


def _piece(text: bytes, number: int) -> bytes:
    """Return a chunk with all the timings that llama.cpp sends: some 600 bytes."""
    timings = {
        "cache_n": 0,
        "prompt_n": _PROMPT_TOKENS,
        "prompt_ms": 43.064,
        "prompt_per_token_ms": 6.152,
        "prompt_per_second": 162.54876462938883,
        "predicted_n": number,
        "predicted_ms": 1234.567,
        "predicted_per_token_ms": 12.345670000000001,
        "predicted_per_second": 81.00006480005184,
    }
    choice = {"finish_reason": None, "index": 0, "delta": {"content": text.decode()}}
    return frame({"choices": [choice], "timings": timings})


@lru_cache
def stream_writes(tokens: int) -> tuple[bytes, ...]:
    """Return the writes of a streamed answer: head and progress, one a piece, and what ends it."""
    first = _STREAM_HEAD + _as_chunk(progress(_PROMPT_TOKENS))
    parts = (_as_chunk(_piece(text, number)) for number, text in enumerate(pieces(tokens), start=1))
    last = _as_chunk(end(tokens, prompt_tokens=_PROMPT_TOKENS)) + _as_chunk(DONE) + _LAST_CHUNK
    return (first, *parts, last)


@lru_cache
def plain_writes(tokens: int) -> tuple[bytes, ...]:
    """Return the writes of a streamed answer as vLLM sends it: the role, one a piece, the end, the usage."""
    usage = {"prompt_tokens": _PROMPT_TOKENS, "completion_tokens": tokens, "total_tokens": _PROMPT_TOKENS + tokens}
    first = _STREAM_HEAD + _as_chunk(_plain_chunk([_plain_choice({"role": "assistant", "content": ""})]))
    parts = (_as_chunk(_plain_chunk([_plain_choice({"content": text.decode()})])) for text in pieces(tokens))
    end = _plain_chunk([_plain_choice({}, finish_reason="stop")]) + _plain_chunk([], usage=usage)
    return (first, *parts, _as_chunk(end) + _as_chunk(DONE) + _LAST_CHUNK)


def _plain_choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _plain_chunk(choices: list[dict[str, object]], **more: object) -> bytes:
    head = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "fake"}
    return b"data: " + msgspec.json.encode({**head, "choices": choices, **more}) + b"\n\n"


@lru_cache
def whole_answer(tokens: int) -> bytes:
    """Return the answer as one response, in the shape of OpenAI's."""
    text = b"".join(pieces(tokens)).decode()
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": _PROMPT_TOKENS, "completion_tokens": tokens, "total_tokens": _PROMPT_TOKENS + tokens}
    whole = {"id": "chatcmpl-fake", "object": "chat.completion", "created": 1_700_000_000, "model": "fake"}
    body = msgspec.json.encode({**whole, "choices": [choice], "usage": usage})
    return _WHOLE_HEAD % len(body) + body


class Host(asyncio.Protocol):
    """One connection: a request, its answer, and the next request."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, holds: bool) -> None:
        self._loop = loop
        self._holds = holds
        self._received = bytearray()
        self._wanted = 0
        """Bytes of the request under way, once its head is there."""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio tells why
        """Forget it, which ends the answer."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer once the request is complete."""
        self._received += data
        if not self._wanted:
            self._wanted = _request_length(self._received)
        if not self._wanted or len(self._received) < self._wanted or self._transport is None:
            return
        request = bytes(self._received)
        self._received.clear()
        self._wanted = 0
        if request.startswith(b"GET "):
            self._transport.write(_WHOLE_HEAD % 15 + b'{"status":"ok"}')
            return
        wanted = _found(_MAX_TOKENS, b'"max_', request)
        tokens = int(wanted[1]) if wanted else 1
        if _found(_STREAMS, b'"stream":', request):
            writes = stream_writes(tokens) if b'"return_progress"' in request else plain_writes(tokens)
            self._send(iter(writes[:2] if self._holds else writes))
        else:
            self._transport.write(whole_answer(tokens))

    def _send(self, writes: Iterator[bytes]) -> None:
        """Send one write and come back in the loop's next turn, so that none shares a packet with the one before."""
        part = next(writes, None)
        if part is not None and self._transport is not None:
            self._transport.write(part)
            self._loop.call_soon(self._send, writes)


def _request_length(received: bytearray) -> int:
    """Return the length of head and body together; 0 while the head is not complete."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return 0
    length = _LENGTH.search(received, 0, end)
    return end + 4 + (int(length[1]) if length else 0)


def _found(pattern: re.Pattern[bytes], beginning: bytes, request: bytes) -> re.Match[bytes] | None:
    """Search a request; `find` passes over 400 KB of text in a fraction of what the expression would need."""
    place = request.find(beginning)
    return pattern.match(request, place) if place >= 0 else None


async def _listen(port: int, *, holds: bool) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Host(loop, holds=holds), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--hold", action="store_true")
    order = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_listen(order.port, holds=order.hold))


if __name__ == "__main__":
    main()
