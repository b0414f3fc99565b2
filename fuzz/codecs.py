"""A face without a server: its decoders, the gate's checks and its encoders, for bodies of any kind."""

from __future__ import annotations

from random import Random
from typing import Any, cast

from msgspec import json

from fuzz.corpus import good_bodies
from fuzz.engine import events_of
from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import Caller
from qwenport.core.errors import EngineFailed, Refused
from qwenport.core.ids import AccountId, KeyId
from qwenport.faces.face import CallOperation, Exchange, Face, QueryOperation, Request, StreamedAnswer, WholeAnswer
from qwenport.gate.estimate import most_input_tokens
from qwenport.gate.permit import Permit
from qwenport.testing.clock import FakeClock
from qwenport.testing.plain_call import FIRST_ID, START

CALLER = Caller(key_id=KeyId("key-1"), account_id=AccountId("account-1"), currency="CNY")
PERMIT = Permit(lambda *_: False, FakeClock())

_PATH_PARAMETERS = {
    "response_id": "resp_1",
    "task_id": "1",
    "group": "aigc",
    "task": "text2image",
    "function": "synthesis",
}


class Codecs:
    """Every operation of a face that reads a body."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._operations = [
            each
            for each in face.operations
            if isinstance(each, CallOperation | QueryOperation) and each.method == "POST"
        ]
        self._catalog = Catalog.load()

    def bodies(self) -> list[tuple[int, dict[str, Any]]]:
        """Return good bodies, each with the place of its operation."""
        return [
            (at, body)
            for at, operation in enumerate(self._operations)
            for body in good_bodies(self._face, operation.name)
        ]

    def seeds(self) -> list[bytes]:
        """Return what `run` takes, to begin with."""
        return [bytes((at, streams)) + json.encode(body) for at, body in self.bodies() for streams in (0, 1)]

    def run(self, content: bytes) -> None:
        """Decode a body after two bytes that say which operation and whether it streams; answer what makes a call.

        Raises what no face may raise.
        """
        if len(content) < 2:
            return
        operation = self._operations[content[0] % len(self._operations)]
        request = Request(
            id=FIRST_ID,
            received_at=START,
            headers={"x-dashscope-sse": "enable"} if content[1] % 2 else {},
            query={},
            path_parameters=_PATH_PARAMETERS,
            body=content[2:],
        )
        try:
            decoded = operation.decode(request, self._catalog.cards)
            if isinstance(decoded, Exchange):
                self._answer(decoded)
        except Refused as refusal:
            json.decode(self._face.encode_error(refusal, FIRST_ID).body)

    def _answer(self, exchange: Exchange) -> None:
        call = exchange.call
        card = self._catalog.resolve(call.model)
        PERMIT(CALLER, card, call)
        most_input_tokens(call, card)
        events = events_of(Random(0), call)
        if call.streams:
            stream = cast("StreamedAnswer", exchange.answer)
            for event in events:
                stream.frame(event)
            stream.failure(EngineFailed("it broke off"))
            return
        whole = cast("WholeAnswer", exchange.answer)
        for event in events:
            whole.add(event)
        json.decode(whole.reply().body)
