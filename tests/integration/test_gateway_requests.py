"""Requests that are too large, too slow, cut off, or in an odd form of HTTP, on a real socket."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qwenport.core.errors import (
    BodyNotJson,
    BodyTooLarge,
    BodyTooSlow,
    KeyMissing,
    MethodNotAllowed,
    PathNotFound,
    StorageUnavailable,
    UnderMaintenance,
)
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.usage import Usage
from qwenport.faces.face import Face
from qwenport.faces.registry import FACES
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.server.response import Patience
from qwenport.testing.gateway import KEY, OPERATOR_TOKEN, Gateway, Plan, bearer, running_gateway
from qwenport.testing.plain_call import FIRST_ID, PlainCall, every_generating_call
from qwenport.testing.raw_client import RawClient, request_bytes
from qwenport.testing.scripted_engine import ScriptedEngine, Wait

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
WHOLE: tuple[Event, ...] = (
    Started(served_by=TARGET, input_tokens=7),
    Delta(text="Hello"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=2)),
)
CALLS = [call for call in every_generating_call(FACES) if not call.streams]
LIMIT = 4096
PREFIXES = [(face, prefix) for face in FACES for prefix in face.prefixes]


@pytest.fixture(params=CALLS, ids=lambda call: call.name)
def call(request: pytest.FixtureRequest) -> PlainCall:
    asked: PlainCall = request.param
    return asked


@pytest.fixture
def patience() -> Patience:
    """Return a patience that no machine uses up; a test that waits for its end says so in `parametrize`."""
    return Patience(drain_s=1.0)


@pytest.fixture
async def gateway(tmp_path: Path, patience: Patience) -> AsyncIterator[Gateway]:
    """Run a gateway that takes 4 KiB."""
    engine = ScriptedEngine(lambda _: WHOLE, target=TARGET)
    async with running_gateway(tmp_path, Plan(engines=[engine], patience=patience, body_limit_bytes=LIMIT)) as running:
        yield running
        await running.idle()
        assert running.journal.open_holds == {}


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with gateway.client() as connected:
        yield connected


async def assert_says(client: RawClient, call: PlainCall, error: Exception) -> None:
    """The answer is this error in the face's shape, after which the connection is closed."""
    expected = call.refusal(error)  # type: ignore[arg-type] # every caller hands in one of the house's errors
    answer = await client.answer()
    assert (answer.status, answer.body) == (expected.status, expected.body)
    assert answer.headers["connection"] == "close"
    assert await client.rest() == b""


def head(call: PlainCall, **headers: str) -> bytes:
    """Return a request without its body."""
    fields = call.headers(KEY) | {name.replace("_", "-"): value for name, value in headers.items()}
    return request_bytes(call.operation.method, call.operation.path, fields)


async def test_a_body_that_declares_to_be_too_large_is_refused_before_it_comes(
    client: RawClient, call: PlainCall
) -> None:
    await client.send(head(call, content_length=str(LIMIT + 1)))

    await assert_says(client, call, BodyTooLarge(LIMIT))


async def test_a_body_of_the_greatest_length_is_taken(client: RawClient, call: PlainCall) -> None:
    body = call.body + b" " * (LIMIT - len(call.body))
    answer = await client.ask(call.operation.method, call.operation.path, call.headers(KEY), body)

    assert answer.status == 200


async def test_a_body_in_chunks_is_refused_once_it_has_become_too_large(client: RawClient, call: PlainCall) -> None:
    await client.send(head(call, transfer_encoding="chunked") + b"1001\r\n" + b" " * (LIMIT + 1) + b"\r\n")

    await assert_says(client, call, BodyTooLarge(LIMIT))


async def test_a_body_in_chunks_is_put_together(client: RawClient, call: PlainCall, gateway: Gateway) -> None:
    pieces = [call.body[:10], call.body[10:11], call.body[11:]]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    await client.send(head(call, transfer_encoding="chunked") + chunks + b"0\r\n\r\n")

    card = gateway.plan.catalog.resolve("qwen-plus")
    assert (await client.answer()).body == call.reply(card, WHOLE).body


@pytest.mark.parametrize("patience", [Patience(body_s=0.1, drain_s=1.0)], ids=["impatient"])
async def test_a_body_that_does_not_come_is_waited_for_only_so_long(client: RawClient, call: PlainCall) -> None:
    await client.send(head(call, content_length="100") + b"{")

    await assert_says(client, call, BodyTooSlow(0.1))


# Not less: what is sent after the end would reset the connection, and with it the answer.
@pytest.mark.parametrize("patience", [Patience(headers_s=1.0, drain_s=1.0)], ids=["impatient"])
async def test_header_lines_that_do_not_come_are_waited_for_only_so_long(client: RawClient) -> None:
    await client.send(b"GET /healthz HTTP/1.1\r\nhost:")

    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("patience", [Patience(headers_s=0.1, drain_s=1.0)], ids=["impatient"])
async def test_a_connection_on_which_nothing_is_asked_is_closed(client: RawClient) -> None:
    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_many_header_lines_are_too_large(client: RawClient) -> None:
    lines = b"".join(b"x-%d: %b\r\n" % (number, b"y" * 1000) for number in range(70))
    await client.send(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\n" + lines + b"\r\n")

    assert (await client.rest()).startswith(b"HTTP/1.1 431 ")


async def test_a_header_line_without_end_is_cut_off(tmp_path: Path) -> None:
    plan = Plan(engines=[ScriptedEngine(lambda _: WHOLE, target=TARGET)], patience=Patience(headers_s=60, drain_s=1.0))
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        await client.send(b"GET /healthz HTTP/1.1\r\nx: ")
        with pytest.raises(ConnectionError):  # noqa: PT012 - which of the pieces is refused is up to the buffers
            for _ in range(60):
                await client.send(b"y" * 1_000_000)


async def test_a_long_address_is_too_large(client: RawClient) -> None:
    await client.send(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: gateway\r\n\r\n")

    assert (await client.rest()).startswith(b"HTTP/1.1 431 ")


async def test_large_header_lines_with_a_body_behind_them_are_answered_once(client: RawClient) -> None:
    lines = b"".join(b"x-%d: %b\r\n" % (number, b"y" * 1000) for number in range(70))
    await client.send(b"POST /healthz HTTP/1.1\r\nhost: gateway\r\n" + lines + b"content-length: 2\r\n\r\n{}")

    assert (await client.rest()).count(b"HTTP/1.1 ") == 1


async def test_bytes_that_are_no_http_are_refused(client: RawClient) -> None:
    await client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")

    assert (await client.rest()).startswith(b"HTTP/1.1 400 ")


async def test_an_upload_that_is_cut_off_runs_nothing(gateway: Gateway, call: PlainCall) -> None:
    async with gateway.client() as client:
        await client.send(
            head(call, content_length="100") + b'{"model"',
        )
        client.leave()
    # A request on another connection is answered after the departure was seen, or it would be counted as open.
    async with gateway.client() as other:
        assert (await other.ask("GET", "/healthz")).status == 200
    await gateway.idle()

    assert list((gateway.folder / "journal").iterdir()) == [gateway.folder / "journal" / "000000000001.journal"]
    assert gateway.journal.offset == 0


async def test_requests_sent_at_once_are_answered_in_order(client: RawClient, call: PlainCall) -> None:
    lookup = request_bytes("GET", "/v1/models/qwen-plus", bearer())
    await client.send(call.request(KEY) + lookup + call.request(KEY) + request_bytes("GET", "/healthz"))
    answers = [await client.answer() for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 200]
    ids = [answer.headers.get("x-request-id") for answer in answers]
    assert ids == [f"{FIRST_ID[:-1]}{number}" for number in (1, 2, 3)] + [None]
    assert json.loads(answers[1].body)["id"] == "qwen-plus"


async def test_a_client_of_http_1_0_gets_its_answer_and_the_end_of_the_connection(
    client: RawClient, call: PlainCall, gateway: Gateway
) -> None:
    await client.send(call.request(KEY).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n"))
    answer = await client.answer()

    assert answer.body == call.reply(gateway.plan.catalog.resolve("qwen-plus"), WHOLE).body
    assert (answer.headers["connection"], await client.rest()) == ("close", b"")


async def test_a_client_that_asks_first_is_told_to_go_on(client: RawClient, call: PlainCall) -> None:
    await client.send(head(call, expect="100-continue", content_length=str(len(call.body))))
    assert (await client.head())[0] == 100
    await client.send(call.body)

    assert (await client.answer()).status == 200


async def test_a_client_that_asks_first_is_refused_at_once(client: RawClient, call: PlainCall) -> None:
    await client.send(head(call, expect="100-continue", content_length=str(LIMIT + 1)))

    await assert_says(client, call, BodyTooLarge(LIMIT))


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe{}", b'{"model":"\xff"}', b"[" * 4000, b'{"a":' * 800, b"", b"null"],
    ids=["utf-16", "latin-1", "deep list", "deep object", "nothing", "null"],
)
async def test_a_body_that_is_no_json_object_is_refused(client: RawClient, call: PlainCall, body: bytes) -> None:
    answer = await client.ask(call.operation.method, call.operation.path, call.headers(KEY), body)

    expected = call.refusal(BodyNotJson())
    assert (answer.status, answer.body) == (expected.status, expected.body)
    assert "connection" not in answer.headers  # the body was read, so the connection can go on


async def test_a_compressed_body_is_refused_and_never_unpacked(client: RawClient) -> None:
    call = CALLS[0]
    headers = call.headers(KEY) | {"content-encoding": "gzip"}
    answer = await client.ask(call.operation.method, call.operation.path, headers, gzip.compress(call.body))

    expected = call.refusal(BodyNotJson())
    assert (answer.status, answer.body) == (expected.status, expected.body)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_another_method_is_refused_with_the_one_that_is_allowed(
    client: RawClient, call: PlainCall, method: str
) -> None:
    answer = await client.ask(method, call.operation.path, bearer())

    expected = call.refusal(MethodNotAllowed(method, (call.operation.method,)))
    body = b"" if method == "HEAD" else expected.body
    assert (answer.status, answer.headers["allow"], answer.body) == (405, call.operation.method, body)


@pytest.mark.parametrize(("face", "prefix"), PREFIXES, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_an_unknown_address_is_refused_in_its_faces_shape_once_the_key_was_checked(
    client: RawClient, face: Face, prefix: str, method: str
) -> None:
    stranger = await client.ask(method, f"{prefix}/no/such/address")
    second = RequestId(f"{FIRST_ID[:-1]}2")
    expected = face.encode_error(KeyMissing(), FIRST_ID)
    assert (stranger.status, stranger.body) == (401, expected.body)
    assert await client.rest() == b""
    assert face.encode_error(PathNotFound(), second).status == 404


@pytest.mark.parametrize(("face", "prefix"), PREFIXES, ids=lambda value: value if isinstance(value, str) else "")
async def test_an_unknown_address_is_not_found_for_those_with_a_key(client: RawClient, face: Face, prefix: str) -> None:
    answer = await client.ask("POST", f"{prefix}/no/such/address", bearer(), b"{}")

    assert (answer.status, answer.body) == (404, face.encode_error(PathNotFound(), FIRST_ID).body)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/v1", "/admin", "/docs/", "/docs/x", "//healthz", "/healthz/"])
async def test_every_other_address_asks_for_a_key_as_well(client: RawClient, path: str) -> None:
    assert (await client.ask("GET", path)).status == 401


async def test_the_operators_token_is_no_key(client: RawClient) -> None:
    answer = await client.ask("GET", "/v1/models", bearer(OPERATOR_TOKEN.reveal()))

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (401, "invalid_api_key")


async def test_a_stranger_with_a_large_upload_still_reads_why_it_was_refused(gateway: Gateway) -> None:
    async with gateway.client() as client:
        sending = asyncio.create_task(client.send(request_bytes("POST", "/v1/chat/completions", {}, b"x" * 3_000_000)))
        answer = await client.answer()
        await asyncio.gather(sending, return_exceptions=True)

    assert answer.status == 401


def a_settlement_that_the_disk_refused() -> Settlement:
    hold = Hold(
        id=RequestId("an-earlier-call"),
        at=0.0,
        expires_at=3600.0,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=1,
        output_tokens=1,
    )
    return Settlement(hold=hold, at=1.0, outcome=Outcome.FINISHED, status=200, priced=True)


@pytest.mark.parametrize("asked", every_generating_call(FACES), ids=lambda call: call.name)
async def test_while_nothing_can_be_recorded_every_call_is_refused_before_its_first_byte(
    client: RawClient, gateway: Gateway, asked: PlainCall
) -> None:
    gateway.journal.unwritten.append(a_settlement_that_the_disk_refused())
    await client.send(asked.request(KEY))
    answer = await client.answer()
    gateway.journal.unwritten.clear()
    async with gateway.client() as other:  # whether the first connection stays open is not what is asked here
        await other.send(asked.request(KEY))
        answer_then = await other.answer()

    expected = asked.refusal(StorageUnavailable("earlier settlements are still waiting for the disk"))
    assert (answer.status, answer.body) == (503, expected.body)
    assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("5", "application/json")
    assert answer_then.status == 200


async def test_maintenance_closes_the_faces_and_leaves_the_operator_his_routes(
    client: RawClient, gateway: Gateway, call: PlainCall
) -> None:
    gateway.parts.maintenance.is_on, gateway.parts.maintenance.words = True, "back at noon"
    answer = await client.ask(call.operation.method, call.operation.path, call.headers(KEY), b"")
    async with gateway.client() as other:  # what was not read of a body cannot be passed over, so each is closed
        models = await other.ask("GET", "/v1/models", bearer())
    async with gateway.operator_client() as operator:
        open_still = [(await operator.ask("GET", path)).status for path in ("/admin/v1/keys", "/metrics", "/healthz")]

    expected = call.refusal(UnderMaintenance("back at noon"))
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (503, expected.body, "30")
    assert (models.status, open_still) == (503, [200, 200, 200])


async def test_a_call_under_way_when_maintenance_begins_is_answered(tmp_path: Path, call: PlainCall) -> None:
    begun = Wait()
    engine = ScriptedEngine(lambda _: [begun, *WHOLE], target=TARGET)
    async with running_gateway(tmp_path, Plan(engines=[engine])) as gateway, gateway.client() as client:
        await client.send(call.request(KEY))
        await begun.arrives()
        gateway.parts.maintenance.is_on = True
        begun.go.set()

        assert (await client.answer()).status == 200
