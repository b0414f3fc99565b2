"""A client that hands its requests straight to the application, without sockets, and may go away at any time."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

from fuzz.asked import Answered, Asked
from qwenport.server.asgi import ASGIApp, Message, Scope


async def ask(application: ASGIApp, asked: Asked) -> Answered:
    """Send one request and return what came back until its end, or until the client left."""
    connection = _Connection(asked)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await application(_scope(asked), connection.receive, connection.send)
    connection.answered.seconds = loop.time() - began
    return connection.answered


class _Connection:
    """The two ends of one request."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.answered = Answered()
        self._pieces = _pieces(asked)
        self._gone = asyncio.Event()
        if asked.leaves == "before the answer" and not self._pieces:
            self._gone.set()

    async def receive(self) -> Message:
        """Return the next piece of the body; after the last one, wait until the client leaves."""
        if self._pieces:
            piece = self._pieces.pop(0)
            is_last = not self._pieces and self._asked.leaves != "in the body"
            if not self._pieces and self._asked.leaves in {"in the body", "before the answer"}:
                self._gone.set()
            return {"type": "http.request", "body": piece, "more_body": not is_last}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take in a piece of the answer."""
        if self._gone.is_set():
            raise OSError("the client has left")
        if message["type"] == "http.response.start":
            self.answered.status = message["status"]
            self.answered.headers = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]
            }
            return
        self.answered.body += message.get("body", b"")
        self.answered.is_whole = not message.get("more_body", False)
        if self._asked.leaves == "in the answer":
            self._gone.set()
        await asyncio.sleep(0)  # as a socket would, let the others go on


def _pieces(asked: Asked) -> list[bytes]:
    size = len(asked.body) // asked.pieces + 1
    return [asked.body[at : at + size] for at in range(0, len(asked.body), size)] or [b""]


def _scope(asked: Asked) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": unquote(asked.path),
        "raw_path": asked.path.encode("latin-1", "replace"),
        "query_string": asked.query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": list(asked.headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8600),
    }
