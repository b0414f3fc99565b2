"""A copy of what one call says, for keys whose bodies are kept; nothing of this runs for the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from qwenport.core.caller import Caller
from qwenport.core.ids import RequestId
from qwenport.server.asgi import Message, Send
from qwenport.storage.body_rows import StoredBody
from qwenport.storage.moments import milliseconds

KeepBody = Callable[[StoredBody], None]
"""Takes what a call said, without waiting; what cannot be kept is dropped and counted."""


class BodyCopy:
    """Collects the answer while it is sent; neither body takes more memory than the key's bound."""

    def __init__(self, caller: Caller, request: bytes, received_at: datetime) -> None:
        """Begin with a request; the caller's key says how much is kept, and how long."""
        keeping = caller.bodies
        most_bytes, days = (keeping.most_bytes, keeping.days) if keeping is not None else (0, 0)
        self._caller = caller
        self._at = received_at
        self._expires_at = received_at + timedelta(days=days)
        self._request = request[:most_bytes]
        self._request_bytes = len(request)
        self._pieces: list[bytes] = []
        self._room = most_bytes
        self._answer_bytes = 0

    def listening(self, send: Send) -> Send:
        """Return a way of sending that copies what the client was sent; what could not be sent is not copied."""

        async def send_and_copy(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body":
                self._add(message["body"])

        return send_and_copy

    def stored(self, request_id: RequestId) -> StoredBody:
        """Return the copy as far as it has come."""
        return StoredBody(
            request_id=request_id,
            account_id=self._caller.account_id,
            key_id=self._caller.key_id,
            at=milliseconds(self._at),
            expires_at=milliseconds(self._expires_at),
            request=self._request,
            answer=b"".join(self._pieces),
            request_bytes=self._request_bytes,
            answer_bytes=self._answer_bytes,
        )

    def _add(self, piece: bytes) -> None:
        self._answer_bytes += len(piece)
        if self._room > 0:
            self._pieces.append(piece[: self._room])
            self._room -= len(piece)
