"""What the endpoint does around a call: maintenance, bodies that are kept, what the limits leave, its log line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import pytest
from msgspec import structs

from qwenport.core.call import Call
from qwenport.core.caller import BodyKeeping, Caller
from qwenport.core.errors import (
    BurstExceeded,
    ConcurrencyExceeded,
    Draining,
    EngineFailed,
    KeyInvalid,
    ModelUnavailable,
    Overloaded,
    QuotaExceeded,
    QwenportError,
    RateExceeded,
    StorageUnavailable,
    UnderMaintenance,
)
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import AccountId, KeyId, WorkspaceId
from qwenport.core.limit_standing import Standing
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.responses import KeepResponse
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.gate.admission import Admission
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.observability.log import RequestLine
from qwenport.observability.metrics import Metrics
from qwenport.pipeline.serve import Parts
from qwenport.routing.answer import Answer, Observer
from qwenport.server.asgi import Message
from qwenport.server.endpoint import FaceEndpoint, FaceParts, Uploads
from qwenport.server.maintenance import Maintenance
from qwenport.server.response import Patience
from qwenport.storage.body_rows import StoredBody
from qwenport.storage.moments import milliseconds
from qwenport.testing.calls import CALLER
from qwenport.testing.clock import CountingIds, FakeClock
from qwenport.testing.models import model_card
from qwenport.testing.plain_call import FIRST_ID, START, PlainCall, every_plain_call
from qwenport.testing.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.anyio

TARGET = "llama/qwen-plus"
WHOLE: tuple[Event, ...] = (
    Started(served_by=TARGET, input_tokens=7),
    Delta(text="Hello"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=2)),
)
CALLS = [call for call in every_plain_call(FACES) if call.model == "qwen-plus"]
STANDINGS = (
    Standing(is_requests=True, cap=60, left=59, reset_s=1.0),
    Standing(is_requests=False, cap=1000, left=900, reset_s=61.5),
)
HOLD = Hold(
    id=FIRST_ID,
    at=0.0,
    expires_at=3600.0,
    key_id=KeyId("key-1"),
    account_id=AccountId("acc-1"),
    currency="CNY",
    model="qwen-plus",
    face="openai",
    operation="chat.completions",
    streams=False,
    input_tokens=9,
    output_tokens=9,
)
SETTLEMENT = Settlement(
    hold=HOLD, at=1.0, outcome=Outcome.FINISHED, status=200, priced=True, cost_nanos=4_200, queue_ms=3
)


@pytest.fixture(params=CALLS, ids=lambda call: call.name)
def call(request: pytest.FixtureRequest) -> PlainCall:
    asked: PlainCall = request.param
    return asked


class Admitted:
    """An admission that says what it was told to say."""

    def __init__(self, refusal: Exception | None, standings: Sequence[Standing]) -> None:
        self._refusal = refusal
        self.standings = standings
        self.settlement: Settlement | None = None

    async def __aenter__(self) -> Self:
        if self._refusal is not None:
            raise self._refusal
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settlement = SETTLEMENT

    def observe(self, event: Event) -> None:
        """Count nothing."""

    def routed(self) -> None:
        """Note nothing."""

    def loaded(self, images: int, pages: int) -> None:
        """Note nothing."""


@dataclass(kw_only=True)
class Place:
    """One endpoint with nothing real around it but the face."""

    caller: Caller = CALLER
    steps: Sequence[Event | Exception] = WHOLE
    refusal: Exception | None = None
    standings: Sequence[Standing] = ()
    maintenance: Maintenance = field(default_factory=Maintenance)
    bodies: list[StoredBody] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    received: int = 0
    breaks_after: int | None = None
    """Messages after which the connection is lost."""

    async def ask(self, call: PlainCall, *, key_is_valid: bool = True, body: bytes | None = None) -> FaceEndpoint:
        def identify(_headers: object, _address: object) -> Caller:
            if not key_is_valid:
                raise KeyInvalid
            return self.caller

        parts = FaceParts(
            identify=identify,
            client_address=lambda _: None,
            pipeline=self._pipeline(),
            cards={"qwen-plus": model_card()},
            clock=FakeClock(),
            ids=CountingIds(),
            metrics=Metrics(),
            patience=Patience(),
            body_limit_bytes=1 << 20,
            desk={KeepResponse: _keep_response},
            uploads=cast("Uploads", None),
            maintenance=self.maintenance,
            keep_body=self.bodies.append,
        )
        endpoint = FaceEndpoint(call.face, {call.operation.method: call.operation}, parts)
        headers = [(name.encode(), value.encode()) for name, value in call.headers("sk-x").items()]
        scope: dict[str, Any] = {
            "type": "http",
            "method": call.operation.method,
            "path": call.operation.path,
            "query_string": b"",
            "headers": headers,
        }
        messages = iter([{"type": "http.request", "body": call.body if body is None else body, "more_body": False}])

        async def receive() -> Message:
            for message in messages:
                self.received += 1
                return message
            return await _never()

        await endpoint(scope, receive, self._send)
        return endpoint

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    async def _send(self, message: Message) -> None:
        if self.breaks_after is not None and len(self.sent) >= self.breaks_after:
            raise BrokenPipeError
        self.sent.append(message)

    def _pipeline(self) -> Parts:
        engine = ScriptedEngine(lambda _: self.steps, target=TARGET)

        async def prepare(_caller: Caller, call: Call, _card: ModelCard) -> PreparedCall:
            return PreparedCall(call=call, max_input_tokens=900)

        @asynccontextmanager
        async def route(
            _caller: Caller, _card: ModelCard, prepared: PreparedCall, observer: Observer
        ) -> AsyncIterator[Answer]:
            observer.routed()
            async with aclosing(engine.run(prepared)) as events:
                yield Answer(begun=(), rest=events)

        return Parts(
            resolve=lambda _: model_card(),
            permit=lambda *_: None,
            admit=lambda *_: cast("Admission", Admitted(self.refusal, self.standings)),
            prepare=prepare,
            route=route,
        )


async def _never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("nobody leaves")


async def _keep_response(_caller: Caller, _query: KeepResponse) -> None:
    """Store nothing."""


def keeping(most_bytes: int = 1 << 16, days: int = 7) -> Caller:
    return structs.replace(CALLER, bodies=BodyKeeping(most_bytes=most_bytes, days=days))


def stored(call: PlainCall, answer: bytes) -> StoredBody:
    return StoredBody(
        request_id=FIRST_ID,
        account_id=CALLER.account_id,
        key_id=CALLER.key_id,
        at=milliseconds(START),
        expires_at=milliseconds(START) + 7 * 86_400_000,
        request=call.body,
        answer=answer,
        request_bytes=len(call.body),
        answer_bytes=len(answer),
    )


async def test_of_a_key_that_does_not_ask_for_it_nothing_is_kept(call: PlainCall) -> None:
    place = Place()
    await place.ask(call)

    assert (place.status, place.bodies) == (200, [])


async def test_request_and_answer_are_kept_as_they_were_sent(call: PlainCall) -> None:
    place = Place(caller=keeping())
    await place.ask(call)

    assert place.bodies == [stored(call, place.body)]
    assert b"Hello" in place.body


async def test_bodies_are_cut_at_the_keys_bound_and_their_sizes_are_told(call: PlainCall) -> None:
    place = Place(caller=keeping(most_bytes=20))
    await place.ask(call)

    [kept] = place.bodies
    assert (kept.request, kept.answer) == (call.body[:20], place.body[:20])
    assert (kept.request_bytes, kept.answer_bytes) == (len(call.body), len(place.body))


async def test_an_error_is_kept_as_well_as_an_answer(call: PlainCall) -> None:
    place = Place(caller=keeping(), steps=[EngineFailed("the engine broke off")])
    await place.ask(call)

    assert (place.status, place.bodies) == (500, [stored(call, place.body)])


async def test_of_a_request_that_becomes_no_call_nothing_is_kept(call: PlainCall) -> None:
    place = Place(caller=keeping())
    await place.ask(call, body=b"no json")

    assert (place.status, place.bodies) == (400, [])


async def test_of_an_answer_that_the_client_did_not_take_only_the_part_that_was_sent_is_kept() -> None:
    streamed = next(call for call in CALLS if call.streams)
    place = Place(caller=keeping(), breaks_after=2)
    await place.ask(streamed)

    [kept] = place.bodies
    assert (kept.answer, len(place.sent)) == (place.body, 2)


async def test_no_key_is_in_what_is_kept(call: PlainCall) -> None:
    place = Place(caller=keeping())
    await place.ask(call)

    [kept] = place.bodies
    assert b"sk-x" not in kept.request + kept.answer
    assert call.text not in repr(kept)


async def test_during_maintenance_a_holder_of_a_key_reads_why_nothing_is_answered(call: PlainCall) -> None:
    place = Place(maintenance=Maintenance(is_on=True, words="back at noon"))
    await place.ask(call)

    assert (place.status, place.body) == (503, call.refusal(UnderMaintenance("back at noon")).body)
    assert (place.headers["retry-after"], place.received) == ("30", 0)


async def test_during_maintenance_a_stranger_learns_no_more_than_ever(call: PlainCall) -> None:
    place = Place(maintenance=Maintenance(is_on=True))
    await place.ask(call, key_is_valid=False)

    assert (place.status, place.body) == (401, call.refusal(KeyInvalid()).body)


async def test_after_maintenance_calls_are_answered(call: PlainCall) -> None:
    maintenance = Maintenance(is_on=True)
    maintenance.is_on = False
    place = Place(maintenance=maintenance)
    await place.ask(call)

    assert place.status == 200


async def test_a_call_that_cannot_be_recorded_is_refused_before_the_first_byte(call: PlainCall) -> None:
    error = StorageUnavailable("the journal cannot grow: No space left on device")
    place = Place(refusal=error)
    await place.ask(call)

    assert (place.status, place.body) == (503, call.refusal(error).body)
    assert b"The service cannot record calls now" in place.body
    assert (place.headers["retry-after"], place.headers["content-type"]) == ("5", "application/json")


WAITABLE: tuple[tuple[QwenportError, int, int], ...] = (
    (RateExceeded(retry_after_s=7), 429, 7),
    (BurstExceeded(retry_after_s=1), 429, 1),
    (QuotaExceeded(retry_after_s=3600), 429, 3600),
    (ConcurrencyExceeded(retry_after_s=1), 429, 1),
    (Overloaded(), 503, 1),
    (ModelUnavailable("it is loading"), 503, 5),
    (Draining(), 503, 5),
)
"""Errors that pass by themselves, their status, and after how many seconds."""


@pytest.mark.parametrize(("error", "status", "seconds"), WAITABLE, ids=lambda value: type(value).__name__)
async def test_a_refusal_that_passes_says_when_to_come_again(
    call: PlainCall, error: QwenportError, status: int, seconds: int
) -> None:
    place = Place(refusal=error)
    await place.ask(call)

    assert (place.status, place.headers["retry-after"]) == (status, str(seconds))


NAMES = {
    "openai": {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "900",
        "x-ratelimit-reset-tokens": "1m1.5s",
    },
    "anthropic": {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "59",
        "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:01Z",
        "anthropic-ratelimit-tokens-limit": "1000",
        "anthropic-ratelimit-tokens-remaining": "900",
        "anthropic-ratelimit-tokens-reset": "2026-01-01T00:01:01Z",
    },
    "dashscope": {},
}
"""What each face says of the limits; the native one says nothing, as production."""


def limit_lines(place: Place) -> dict[str, str]:
    return {name: value for name, value in place.headers.items() if "ratelimit" in name}


async def test_what_the_limits_leave_is_told_in_each_faces_words(call: PlainCall) -> None:
    place = Place(standings=STANDINGS)
    await place.ask(call)

    assert limit_lines(place) == NAMES[call.face.name]


async def test_where_no_limit_binds_nothing_is_told_of_limits(call: PlainCall) -> None:
    place = Place()
    await place.ask(call)

    assert limit_lines(place) == {}


async def test_of_requests_and_tokens_only_what_binds_is_told() -> None:
    call = next(call for call in CALLS if call.face.name == "openai")
    place = Place(standings=STANDINGS[:1])
    await place.ask(call)

    assert sorted(limit_lines(place)) == [name for name in sorted(NAMES["openai"]) if name.endswith("requests")]


async def test_the_log_line_says_who_called_how_long_it_waited_and_what_it_cost(
    call: PlainCall, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "qwenport.request")
    caller = structs.replace(CALLER, workspace_id=WorkspaceId("ws-1"))
    endpoint = await Place(caller=caller).ask(call)

    [line] = [record.msg for record in caplog.records if isinstance(record.msg, RequestLine)]
    assert (line.key_id, line.account_id, line.workspace_id) == ("key-1", "acc-1", "ws-1")
    assert (line.queue_ms, line.cost_nanos, line.currency) == (3, 4_200, "CNY")
    assert endpoint._admissions.find(FIRST_ID) is None


async def test_the_log_line_of_a_call_that_was_not_admitted_says_nothing_of_cost(
    call: PlainCall, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "qwenport.request")
    endpoint = await Place(refusal=StorageUnavailable("disk full")).ask(call)

    [line] = [record.msg for record in caplog.records if isinstance(record.msg, RequestLine)]
    assert (line.queue_ms, line.cost_nanos, line.currency, line.error) == (None, None, "", "storage_unavailable")
    assert endpoint._admissions.find(FIRST_ID) is None
