"""An upstream that asks a running server in its turn, and keeps what the model says."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.gateway import Gateway

_ASK_S = 900.0


class Recorder:
    """Listens on loopback; answers once it knows the server to ask."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        """Texts in the order in which they came; empty for a call that failed."""
        self._gateway: Gateway | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Recorder]:
        """Listen while the block runs."""
        recorder = cls()
        thread = threading.Thread(target=recorder._server.serve_forever)
        thread.start()
        try:
            yield recorder
        finally:
            recorder._server.shutdown()
            thread.join()
            recorder._server.server_close()

    def lead_to(self, gateway: Gateway) -> None:
        """Ask this server from now on."""
        self._gateway = gateway

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, kind, answer = recorder._asked(body)
                recorder.answers.append(_text_of(answer) if status == 200 else "")
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler

    def _asked(self, body: bytes) -> tuple[int, str, bytes]:
        if self._gateway is None:
            return 503, "text/plain", b"no server yet"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._gateway.port}/v1/chat/completions",
            data=body,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._gateway.key}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_ASK_S) as answer:  # noqa: S310 - loopback
                return answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read()


def _text_of(answer: bytes) -> str:
    """Return the text of a whole answer or of a stream's frames."""
    if answer.lstrip().startswith(b"{"):
        return str(json.loads(answer)["choices"][0]["message"]["content"] or "")
    frames = [line[5:].strip() for line in answer.splitlines() if line.startswith(b"data:")]
    choices = [json.loads(frame).get("choices") or [{}] for frame in frames if frame != b"[DONE]"]
    return "".join(choice[0].get("delta", {}).get("content") or "" for choice in choices)
