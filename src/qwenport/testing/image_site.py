"""A server on the network that answers for images, and a name server that says where it is."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp.abc import AbstractResolver, ResolveResult

from qwenport.media.fetch import Fetcher
from qwenport.media.outbound import Outbound

IMAGE = b"\x89PNG\r\n\x1a\n" + struct.pack(">L4sLL", 13, b"IHDR", 689, 487) + b"\x08\x02\x00\x00\x00"
"""The header of an image, and nothing behind it."""


def reply(body: bytes = IMAGE, status: str = "200 OK", **headers: str) -> bytes:
    """Return an answer; a header without a value is left out, `_` in its name stands for a dash."""
    given = {"Content-Type": "image/png", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    """Return an answer that leads elsewhere."""
    return reply(b"", status, Location=location)


HANG = b""
"""The answer of a server that says nothing."""


@dataclass
class Site:
    """A server that answers by the path, and what it was asked."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    heads: list[bytes] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    finishes: bool = True
    """Whether a connection is closed after its answer, instead of being left open without another byte."""
    gate: asyncio.Event | None = None
    """What answers wait for."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [head.split(b" ", 2)[1].decode() for head in self.heads]

    def url(self, path: str = "/", host: str = "images.example") -> str:
        """Return the address of a path."""
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            self.arrived.set()
            if self.gate is not None:
                await self.gate.wait()
            answer = self.answers.get(self.paths[-1], self.answers.get("*", HANG))
            writer.write(answer)
            await writer.drain()
            if not (answer and self.finishes):
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            self.left.set()
            writer.close()


@asynccontextmanager
async def site(**answers: bytes) -> AsyncIterator[Site]:
    """Run a server with these answers, by name of the path; `*` is for all others."""
    made = Site(answers={f"/{name}": answer for name, answer in answers.items()})
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
        server.close()


NO_NAMES: Mapping[str, Sequence[str]] = {}


class Names(AbstractResolver):
    """A name server of the tests; each name has a list of answers, the last of which stays."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._names = {name: list(answers) for name, answers in names.items()}

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - as the base has it
    ) -> list[ResolveResult]:
        """Return the next answer for a name."""
        answers = self._names.get(host)
        if not answers:
            raise OSError(f"no such name: {host}")
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in address.split()
        ]

    async def close(self) -> None:
        """Hold nothing."""


def fetcher(
    *private_hosts: str, seconds: float = 10.0, wait_s: float = 10.0, names: Mapping[str, Sequence[str]] = NO_NAMES
) -> Fetcher:
    """Return a fetcher that may reach these hosts, by default `images.example`, which is this machine."""
    known = Names({"images.example": ["127.0.0.1"], **names})
    return Fetcher(Outbound(private_hosts or ["images.example"]), seconds=seconds, wait_s=wait_s, resolver=known)
