"""A stand-in of Model Studio's native services: whole answers, streams, and tasks that do what a test says."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from qwenport.core.secret import Secret
from qwenport.engines.upstream.place import Place
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing.raw_server import listening, read_request

KEY = "sk-the-key-that-the-gateway-shows"

_LINE = re.compile(rb"(\S+) (\S+) HTTP/1.1")
_PHRASES = {200: "OK", 400: "Bad Request", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Unavailable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    """Lower-case names."""
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer: a JSON object, or the pieces of a stream, or nothing where the connection is to break."""

    body: dict[str, Any] | None = None
    status: int = 200
    pieces: Sequence[dict[str, Any]] = ()
    breaks: bool = False


@dataclass
class NativeUpstream:
    """Answers POSTs with `said` in turn, the last again and again, and tells of tasks what `tasks` holds."""

    said: list[Said] = field(default_factory=list)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Answers by the id of a task; one that is not here is refused."""
    stages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What is told of a task at each look in turn, before what `tasks` has of it."""
    asked: list[Asked] = field(default_factory=list)
    compatible: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Answers of its compatible faces, by path."""
    cancels: list[str] = field(default_factory=list)
    """Ids of tasks that were cancelled, or tried to be."""

    @property
    def made(self) -> list[Asked]:
        """Requests that may have made something."""
        return [each for each in self.asked if "/services/" in each.path]

    @property
    def looks(self) -> list[str]:
        """Paths of the tasks that were asked for."""
        return [each.path for each in self.asked if each.method == "GET" and "/tasks/" in each.path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until it ends."""
        while True:
            asked = _read(await read_request(reader))
            self.asked.append(asked)
            said = self._answer(asked)
            if said.breaks:
                return
            writer.write(_head(said) + _content(said))
            await writer.drain()
            if said.pieces:
                return

    def _answer(self, asked: Asked) -> Said:
        if asked.path in self.compatible:
            return Said(body=self.compatible[asked.path])
        if "/services/" in asked.path:
            return self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if asked.path.endswith("/models"):
            return Said(body={"object": "list", "data": []})
        task_id = asked.path.split("/tasks/")[-1].partition("/")[0]
        if asked.path.endswith("/cancel"):
            self.cancels.append(task_id)
            if self.tasks[task_id]["output"]["task_status"] != "PENDING":
                return Said(status=400, body={"code": "UnsupportedOperation", "message": "no", "request_id": "theirs"})
            self.tasks[task_id]["output"]["task_status"] = "CANCELED"
            return Said(body={"request_id": "theirs"})
        stages = self.stages.get(task_id)
        found = stages.pop(0) if stages else self.tasks.get(task_id)
        return Said(status=500, body={"code": "InternalError", "message": "no"}) if found is None else Said(body=found)


def task(task_id: str, status: str, usage: dict[str, Any] | None = None, **output: Any) -> dict[str, Any]:
    """Return what the service says of a task."""
    said: dict[str, Any] = {
        "request_id": "theirs",
        "output": {"task_id": task_id, "task_status": status, **output},
    }
    return said if usage is None else said | {"usage": usage}


@asynccontextmanager
async def running_upstream(script: NativeUpstream, name: str = "studio") -> AsyncIterator[Upstream]:
    """Give an `alibaba` upstream that leads to the stand-in while the block lasts."""
    async with listening(script.serve) as port:
        root = f"http://127.0.0.1:{port}"
        place = Place(
            name=name,
            kind="alibaba",
            base_urls=(f"{root}/compatible-mode/v1",),
            native_url=f"{root}/api/v1",
            connect_s=2.0,
            first_event_s=5.0,
            total_s=10.0,
        )
        upstream = Upstream(place, Secret(KEY))
        try:
            yield upstream
        finally:
            await upstream.close()


def _read(request: bytes) -> Asked:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *rest = head.split(b"\r\n")
    found = _LINE.match(line)
    if found is None:
        raise ValueError(f"no request line: {line!r}")
    pairs = (each.decode().partition(":") for each in rest)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Asked(
        method=found[1].decode(), path=found[2].decode(), headers=headers, body=json.loads(body) if body else None
    )


def _head(said: Said) -> bytes:
    kind = "text/event-stream" if said.pieces else "application/json"
    length = "Connection: close" if said.pieces else f"Content-Length: {len(_content(said))}"
    return f"HTTP/1.1 {said.status} {_PHRASES[said.status]}\r\nContent-Type: {kind}\r\n{length}\r\n\r\n".encode()


def _content(said: Said) -> bytes:
    if said.pieces:
        return b"".join(
            f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{json.dumps(piece)}\n\n".encode()
            for number, piece in enumerate(said.pieces, 1)
        )
    return json.dumps(said.body).encode()
