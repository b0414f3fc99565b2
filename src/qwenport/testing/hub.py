"""A stand-in of the Hugging Face Hub and of ModelScope: their HTTP as their own clients use it, and faults."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "c0ffee" * 6 + "cafe"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request."""

    method: str
    host: str
    path: str
    range: str
    authorization: str
    user_agent: str


@dataclass
class Hub:
    """What is published, what goes wrong, and what was asked for."""

    url: str = ""
    cdn_url: str = ""
    content: bytes = b""
    path: str = "Owner/Repo/file.gguf"
    status: int = HTTPStatus.OK
    """Answered instead of the file where it is not 200."""
    breaks_after: list[int] = field(default_factory=list)
    """After how many bytes the connection is closed, one entry for each transfer; later ones are whole."""
    seen: list[Seen] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return hashlib.sha256(self.content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base names it so
        pass

    def _answer(self) -> None:
        named = {name: self.headers.get(name, "") for name in ("host", "range", "authorization")}
        agent = self.headers.get("user-agent", "")
        self.hub.seen.append(Seen(method=self.command, path=self.path, user_agent=agent, **named))
        address = urlsplit(self.path)
        owner, _, file = self.hub.path.rpartition("/")
        if address.path == "/cdn":
            self._send_file()
        elif self.hub.status != HTTPStatus.OK:
            code = {401: "GatedRepo", 404: "EntryNotFound"}.get(self.hub.status, "")
            self._send(self.hub.status, {"X-Error-Code": code, "X-Error-Message": "as the test wants it"})
        elif re.fullmatch(rf"/{re.escape(owner)}/resolve/[^/]+/{re.escape(file)}", unquote(address.path)):
            linked = {"X-Linked-Size": str(len(self.hub.content)), "X-Linked-ETag": f'"{self.hub.digest}"'}
            location = f"{self.hub.cdn_url}/cdn"
            self._send(HTTPStatus.FOUND, {"Location": location, "X-Repo-Commit": COMMIT, **linked})
        elif address.path in {f"/api/v1/models/{owner}/repo", f"/models/{owner}/resolve/master/{file}"}:
            wanted = parse_qs(address.query).get("FilePath", [file])
            self._send_file() if wanted == [file] else self._send(HTTPStatus.NOT_FOUND, {})
        else:
            self._send(HTTPStatus.NOT_FOUND, {"X-Error-Code": "EntryNotFound"})

    def _send(self, status: int, headers: dict[str, str]) -> None:
        body = b'{"Code":%d,"Message":"as the test wants it","Success":false}' % status if status >= 400 else b""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _send_file(self) -> None:
        content = self.hub.content
        match = _RANGE.fullmatch(self.headers.get("range", ""))
        first = int(match[1]) if match else 0
        last = min(int(match[2]), len(content) - 1) if match and match[2] else len(content) - 1
        piece = content[first : last + 1]
        self.send_response(HTTPStatus.PARTIAL_CONTENT if match else HTTPStatus.OK)
        if match:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        for name, value in {"ETag": f'"{self.hub.digest}"', "Accept-Ranges": "bytes"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.hub.breaks_after:
            self.wfile.write(piece[: self.hub.breaks_after.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(piece)


@contextmanager
def running_hub(content: bytes) -> Iterator[Hub]:
    """Run a hub, and the CDN that it sends its callers to, on two ports of the loopback."""
    hub = Hub(content=content)
    handler = type("Handler", (_Handler,), {"hub": hub})
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
    hub.url, hub.cdn_url = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
