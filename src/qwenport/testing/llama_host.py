"""A fake llama.cpp host: speaks the same HTTP as the real child, follows a script, remembers what it was asked.

As a program it is a fast upstream for benchmarks: one answer, encoded once.
`python -m qwenport.testing.llama_host --socket PATH | --port N [--chunks 100]`
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from qwenport.testing.scripted_engine import Wait

OK = "200 OK"
_MODEL = "fake"


class Reply(Struct, frozen=True, kw_only=True):
    """What the host answers to one request."""

    steps: Sequence[bytes | Wait]
    """Bytes are sent, a wait is waited for."""
    status: str = OK
    content_type: str = "text/event-stream"
    delays_head: bool = False
    """Whether the status line, too, comes only after the first step."""
    breaks_off: bool = False
    """Whether the connection is closed before the answer's proper end."""


def progress(total: int, *, cache: int = 0, processed: int = 0, index: int = 0) -> bytes:
    """Return the chunk that tells how far the prompt was read."""
    return frame(
        {
            "choices": [{"finish_reason": None, "index": index, "delta": {"role": "assistant", "content": None}}],
            "timings": {"predicted_n": 0},
            "prompt_progress": {"total": total, "cache": cache, "processed": processed, "time_ms": 1},
        },
    )


def piece(text: str, predicted: int, *, index: int = 0, logprobs: Sequence[dict[str, object]] = ()) -> bytes:
    """Return the chunk of a piece of text, after which the choice has `predicted` tokens."""
    choice: dict[str, object] = {"finish_reason": None, "index": index, "delta": {"content": text}}
    if logprobs:
        choice["logprobs"] = {"content": logprobs}
    return _chunk(choice, predicted)


def thought(text: str, predicted: int, *, index: int = 0) -> bytes:
    """Return the chunk of a piece of reasoning."""
    return _chunk({"finish_reason": None, "index": index, "delta": {"reasoning_content": text}}, predicted)


def call_piece(call: int, predicted: int, *, name: str = "", arguments: str = "", index: int = 0) -> bytes:
    """Return the chunk of a piece of a tool call, as llama.cpp makes them for a template that tells tools."""
    said: dict[str, object] = {"index": call, "function": {"arguments": arguments}}
    if name:
        said |= {"id": "WPDyICCCrueWzKOi", "type": "function", "function": {"name": name, "arguments": arguments}}
    return _chunk({"finish_reason": None, "index": index, "delta": {"tool_calls": [said]}}, predicted)


def completion_piece(text: str, predicted: int, *, index: int = 0) -> bytes:
    """Return the chunk of a piece of text where there is no chat."""
    return _chunk({"text": text, "index": index, "logprobs": None, "finish_reason": None}, predicted)


def completion_end(completion_tokens: int, *, reason: str = "stop", index: int = 0) -> bytes:
    """Return the one chunk that ends a choice where there is no chat."""
    choice = {"text": "", "index": index, "logprobs": None, "finish_reason": reason}
    return frame({"choices": [choice], "usage": {"completion_tokens": completion_tokens, "prompt_tokens": 7}})


def _chunk(choice: dict[str, object], predicted: int) -> bytes:
    timings = {"cache_n": 0, "prompt_n": 7, "prompt_ms": 43.06, "predicted_n": predicted, "predicted_ms": 1.5}
    return frame({"choices": [choice], "timings": timings})


def end(completion_tokens: int, *, reason: str = "stop", index: int = 0, prompt_tokens: int = 7) -> bytes:
    """Return the two chunks that end a choice: its reason and its usage."""
    finish = frame({"choices": [{"finish_reason": reason, "index": index, "delta": {}}]})
    usage = {
        "completion_tokens": completion_tokens,
        "prompt_tokens": prompt_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    return finish + frame({"choices": [], "usage": usage, "timings": {"predicted_n": completion_tokens}})


DONE = b"data: [DONE]\n\n"


def frame(body: dict[str, object]) -> bytes:
    """Return one event of a stream, with the fields that every chunk of llama.cpp has."""
    common = {
        "created": 1_700_000_000,
        "id": "chatcmpl-fake",
        "model": _MODEL,
        "system_fingerprint": "b0-unknown",
        "object": "chat.completion.chunk",
    }
    return b"data: " + msgspec.json.encode(body | common) + b"\n\n"


def answer(*pieces: str, prompt_tokens: int = 7) -> Reply:
    """Return a good answer: the pieces in order, a token each, and one token for the end of the turn."""
    steps = [progress(prompt_tokens), *(piece(text, number) for number, text in enumerate(pieces, start=1))]
    return Reply(steps=[*steps, end(len(pieces) + 1, prompt_tokens=prompt_tokens), DONE])


def error(status: str, kind: str, message: str, **more: int) -> Reply:
    """Return a refusal in llama.cpp's shape."""
    body = msgspec.json.encode({"error": {"code": int(status[:3]), "message": message, "type": kind, **more}})
    return Reply(steps=[body], status=status, content_type="application/json; charset=utf-8")


class FakeLlamaHost:
    """Answers every request with `reply`; `paths` holds where they went, `requests` their bodies."""

    def __init__(
        self,
        reply: Reply,
        *,
        secret: str = "",
        health_status: str = OK,
        says_close: bool = False,
        text_tokens: int | None = None,
    ) -> None:
        """Refuse keys other than `secret`, where one is given; `says_close` tells callers that connections end.

        `text_tokens` is what it answers when it is asked to count a prompt; None for a host that does not count.
        """
        self.reply = reply
        self.health_status = health_status
        self.paths: list[str] = []
        self.requests: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.open_connections = 0
        self.left = asyncio.Event()
        """Set once a caller closed its connection before the answer was complete."""
        self._secret = secret
        self._says_close = says_close
        self._text_tokens = text_tokens

    @asynccontextmanager
    async def listening(self, socket: Path) -> AsyncGenerator[FakeLlamaHost, None]:
        """Listen on a Unix socket until the block ends."""
        server = await asyncio.start_unix_server(self._serve, str(socket))
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    @asynccontextmanager
    async def listening_on_a_port(self) -> AsyncGenerator[int, None]:
        """Listen on a free port of the loopback, which is yielded, until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_connections += 1
        try:
            path = await self._read(reader)
            await self._answer(self._choose(path), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            self.open_connections -= 1
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(": ") for line in head[1:] if line)
        headers = {name.lower(): value for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = head[0].split(" ")[1]
        if body:
            self.paths.append(path)
            self.headers.append(headers)
            self.requests.append(msgspec.json.decode(body, type=dict[str, object]))
        return path

    def _choose(self, path: str) -> Reply:
        if path == "/health":
            return Reply(steps=[b"{}"], status=self.health_status, content_type="application/json; charset=utf-8")
        if self._secret and self.headers[-1].get("authorization") != f"Bearer {self._secret}":
            return error("401 Unauthorized", "authentication_error", "Invalid API Key")
        if path.endswith("/input_tokens"):
            return self._counted()
        return self.reply

    def _counted(self) -> Reply:
        if self._text_tokens is None:
            return error("404 Not Found", "not_found_error", "File Not Found")
        counted = msgspec.json.encode({"input_tokens": self._text_tokens, "object": "response.input_tokens"})
        return Reply(steps=[counted], content_type="application/json; charset=utf-8")

    async def _answer(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send the reply; a caller who leaves ends it, as he ends the real host's work."""
        sending = asyncio.ensure_future(self._send(reply, writer))
        leaving = asyncio.ensure_future(reader.read(1))
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        sending.cancel()
        leaving.cancel()
        ended, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        if isinstance(ended, BaseException):
            self.left.set()

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        if not reply.delays_head:
            writer.write(_head(reply, says_close=self._says_close))
        for number, part in enumerate(reply.steps, start=1):
            if isinstance(part, Wait):
                part.reached.set()
                await part.go.wait()
            else:
                writer.write(_as_chunk(part))
                await writer.drain()
            if reply.delays_head and number == 1:
                writer.write(_head(reply, says_close=self._says_close))
        if not reply.breaks_off:
            writer.write(b"0\r\n\r\n")
            await writer.drain()


def _head(reply: Reply, *, says_close: bool = False) -> bytes:
    fields = f"HTTP/1.1 {reply.status}\r\nServer: llama.cpp\r\nContent-Type: {reply.content_type}\r\n"
    if says_close:
        fields += "Connection: close\r\n"
    return f"{fields}Transfer-Encoding: chunked\r\n\r\n".encode()


def _as_chunk(part: bytes) -> bytes:
    """Return the part in HTTP's chunked encoding."""
    return b"%x\r\n%s\r\n" % (len(part), part)


class _CannedHost(asyncio.Protocol):
    """Answers whatever was asked with the same bytes."""

    def __init__(self, canned: bytes) -> None:
        self._canned = canned
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer once the request is complete."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or self._transport is None:
            return
        _, _, length = head.lower().partition(b"content-length: ")
        if len(body) >= int(length.partition(b"\r\n")[0] or 0):
            self._received = b""
            self._transport.write(self._canned)


def canned(chunks: int) -> bytes:
    """Return a whole HTTP response of this many pieces of text."""
    reply = answer(*(f" word{number}" for number in range(chunks)))
    parts = [step for step in reply.steps if isinstance(step, bytes)]
    return _head(reply) + b"".join(_as_chunk(part) for part in parts) + b"0\r\n\r\n"


async def _listen(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    body = canned(arguments.chunks)
    if arguments.socket:
        server = await loop.create_unix_server(lambda: _CannedHost(body), arguments.socket)
    else:
        server = await loop.create_server(lambda: _CannedHost(body), "127.0.0.1", arguments.port)
    await server.serve_forever()


def main() -> None:
    """Serve one answer until interrupted."""
    parser = argparse.ArgumentParser(description="A fake llama.cpp host for benchmarks.")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--socket")
    place.add_argument("--port", type=int)
    parser.add_argument("--chunks", type=int, default=100)
    uvloop.run(_listen(parser.parse_args()))


if __name__ == "__main__":
    main()
