"""One answer on its way to a client and into the store of requests that are answered once."""

from __future__ import annotations

import asyncio

from qwenport.faces.face import Headers
from qwenport.server.asgi import Message, Send
from qwenport.server.idempotency import IdempotentRequests, KeptAnswer
from qwenport.storage.idempotency_rows import Claim

REQUEST_ID = b"x-request-id"


async def never_leaves() -> Message:
    """Wait for ever in the place of a client's departure: such a request is answered whether or not it waits."""
    await asyncio.Event().wait()
    raise AssertionError


class RecordedAnswer:
    """Collects what is sent, and sends it as long as the client takes it."""

    def __init__(self, requests: IdempotentRequests, claim: Claim, *, is_call: bool, stall_s: float) -> None:
        """`stall_s` is how long a client may take no bytes before it is left to ask again.

        The answer to a call is kept when it is promised; that to anything else when it has succeeded.
        """
        self._requests = requests
        self._claim = claim
        self._is_call = is_call
        self._stall_s = stall_s
        self._status = 0
        self._headers: Headers = ()
        self._pieces: list[bytes] = []
        self._is_kept = False
        self._is_gone = False

    def listening(self, send: Send) -> Send:
        """Return a way of sending that collects; it never raises, since a client that left may come again."""

        async def send_and_collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status, self._headers = message["status"], tuple(message["headers"])
            else:
                self._pieces.append(message["body"])
                if not message["more_body"] and self._status < 400 and not self._is_call:
                    await self._keep(b"")
            await self._pass_on(send, message)

        return send_and_collect

    async def promise(self, last: bytes, *, status: int = 0, headers: Headers = ()) -> None:
        """Store a complete answer before it is settled; `last` are the bytes that are still to be sent.

        Status and headers are those of an answer of which nothing was sent yet.
        """
        self._status, self._headers = self._status or status, self._headers or headers
        await self._keep(last)

    async def end(self, *, was_billed: bool) -> None:
        """Keep an answer that cost something, however it ended; forget a request that cost nothing and has none."""
        if self._is_kept:
            return
        if was_billed and self._status:
            await self._keep(b"")
        else:
            await self._requests.release(self._claim)

    async def _keep(self, last: bytes) -> None:
        if self._is_kept:
            return
        self._is_kept = True
        body = b"".join((*self._pieces, last))
        headers = tuple(each for each in self._headers if each[0] != REQUEST_ID)
        headers += ((REQUEST_ID, self._claim.request_id.encode()),)
        answer = KeptAnswer(request_id=self._claim.request_id, status=self._status, headers=headers, body=body)
        await self._requests.keep(self._claim, answer)

    async def _pass_on(self, send: Send, message: Message) -> None:
        if self._is_gone:
            return
        try:
            async with asyncio.timeout(self._stall_s):
                await send(message)
        except (OSError, TimeoutError):
            self._is_gone = True
