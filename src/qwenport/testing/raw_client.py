"""An HTTP client that sees every byte and can leave at any of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

PATIENCE_S = 60.0
"""Time after which what a test waits for will never come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response; of repeated headers the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request_bytes(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return a request of HTTP/1.1; it declares its length where `headers` say nothing of it."""
    lines = {"host": "gateway", **(headers or {})}
    if "transfer-encoding" not in lines:
        lines.setdefault("content-length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


class RawClient:
    """One connection. What it does not ask for it does not read, but for the 128 KiB that a stream buffers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._is_chunked = False

    async def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(content)
        try:
            await self._writer.drain()
        except ConnectionResetError as error:
            async with asyncio.timeout(PATIENCE_S):
                error.add_note(f"the server had closed the connection; unread: {await self._reader.read(-1)!r}")
            raise

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send a request and return the whole response."""
        await self.send(request_bytes(method, target, headers, body))
        return await self.answer(has_body=method != "HEAD")

    async def head(self) -> tuple[int, dict[str, str]]:
        """Return the status and the headers of the next response."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").rstrip().split("\r\n")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        self._is_chunked = headers.get("transfer-encoding") == "chunked"
        return int(status.split(" ")[1]), headers

    async def answer(self, *, has_body: bool = True) -> Answer:
        """Return the next response."""
        status, headers = await self.head()
        body = await self.content(headers) if has_body else b""
        return Answer(status=status, headers=headers, body=body)

    async def content(self, headers: Mapping[str, str]) -> bytes:
        """Return the whole body of the response whose head has these headers."""
        if self._is_chunked:
            return await self.body()
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readexactly(int(headers.get("content-length", "0")))

    async def chunk(self) -> bytes:
        """Return the next chunk of a chunked body, empty at its end."""
        async with asyncio.timeout(PATIENCE_S):
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            return (await self._reader.readexactly(size + 2))[:-2]

    async def body(self) -> bytes:
        """Return what is left of a chunked body."""
        chunks: list[bytes] = []
        while chunk := await self.chunk():
            chunks.append(chunk)
        return b"".join(chunks)

    async def rest(self) -> bytes:
        """Return everything until the server closes the connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read(-1)

    def leave(self) -> None:
        """Break the connection off at once."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):  # the server was quicker
            await self._writer.wait_closed()
