"""A scripted face behind a local address, for clients that cannot be handed anything else."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from qwenport.testing.scripted_face import ScriptedFace


class FaceSocket(ThreadingHTTPServer):
    """Answers one request a connection."""

    daemon_threads = True

    def __init__(self, face: ScriptedFace) -> None:
        """Listen at a free port of this machine's own address."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.face = face

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    """One request; the connection ends with its answer."""

    server: FaceSocket

    def answer(self) -> None:
        """Hand the request to the face and send what it says."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        reply = self.server.face.answer(self.command, self.path, dict(self.headers), body)
        self.send_response(reply.status)
        for name, value in (*reply.headers, (b"content-length", b"%d" % len(reply.body))):
            self.send_header(name.decode(), value.decode())
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = answer  # noqa: N815 - the names that the base class looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
        """Say nothing."""
