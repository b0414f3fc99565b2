"""A face that answers HTTP requests by a script, as the server would, without a network: for official clients."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from qwenport.core.call import Call
from qwenport.core.errors import PathNotFound, QwenportError
from qwenport.core.events import Event
from qwenport.core.queries import Query
from qwenport.faces.face import (
    CallOperation,
    Cards,
    Exchange,
    Face,
    LookupOperation,
    Operation,
    Pending,
    QueryOperation,
    Reply,
    Request,
    StreamedAnswer,
    WholeAnswer,
)
from qwenport.testing.clock import CountingIds
from qwenport.testing.scripts import GOOD

Step = Event | QwenportError | bytes
"""What the engine says, an error it breaks off with, or what the server itself puts into a stream."""
SyncDesk = Mapping[type[Query], Callable[[Any], object]]
"""Who answers which kind of query, at once."""


class ScriptedFace:
    """One face; every call is answered by the script, every query at the desk."""

    def __init__(self, face: Face, cards: Cards, *, desk: SyncDesk | None = None) -> None:
        self._face = face
        self._cards = cards
        self._desk = desk or {}
        self.forget()

    def forget(self) -> None:
        """Be as new: nothing asked, `GOOD` to be said, the first request the next."""
        self.script: Sequence[Step] = GOOD
        self.calls: list[Call] = []
        self._ids = CountingIds()

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return what the server would answer, an error's answer included."""
        address = urlsplit(url)
        operation, path_parameters = self._find(method, address.path)
        request = Request(
            id=self._ids.request_id(),
            received_at=datetime(2026, 1, 1, tzinfo=UTC),
            headers={name.lower(): value for name, value in headers.items()},
            query=dict(parse_qsl(address.query)),
            path_parameters=path_parameters,
            body=body,
        )
        try:
            return self._run(operation, request)
        except QwenportError as error:
            return self._face.encode_error(error, request.id)

    def _find(self, method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
        for operation in self._face.operations:
            match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path), path)
            if operation.method == method and match is not None:
                return operation, match.groupdict()
        return None, {}

    def _run(self, operation: Operation | None, request: Request) -> Reply:
        match operation:
            case CallOperation():
                decoded = operation.decode(request, self._cards)
                if isinstance(decoded, Pending):
                    decoded = decoded.resume(self._ask(decoded.query))
                return self._follow_script(decoded)
            case QueryOperation():
                return cast("Reply", operation.encode(request, self._ask(operation.decode(request, self._cards))))
            case LookupOperation():
                return operation.respond(request, self._cards)
            case _:
                raise PathNotFound

    def _ask(self, query: Query) -> object:
        return self._desk[type(query)](query)

    def _follow_script(self, exchange: Exchange) -> Reply:
        if exchange.call.refusal is not None:
            raise exchange.call.refusal
        self.calls.append(exchange.call)
        reply = self._stream(exchange) if exchange.call.streams else self._whole(exchange)
        query = None if exchange.keep is None else exchange.keep()
        if query is not None:
            self._ask(query)
        return reply

    def _stream(self, exchange: Exchange) -> Reply:
        answer = cast("StreamedAnswer", exchange.answer)
        body = b"".join(_frame(answer, step) for step in self.script)
        return Reply(status=200, headers=answer.headers, body=body)

    def _whole(self, exchange: Exchange) -> Reply:
        answer = cast("WholeAnswer", exchange.answer)
        for step in self.script:
            if isinstance(step, QwenportError):
                raise step
            if not isinstance(step, bytes):
                answer.add(step)
        return answer.reply()


def _frame(answer: StreamedAnswer, step: Step) -> bytes:
    if isinstance(step, bytes):
        return step
    return answer.failure(step) if isinstance(step, QwenportError) else answer.frame(step)
