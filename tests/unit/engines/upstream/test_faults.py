"""Every fault that an upstream can have ends in exactly one way: an answer, or one error of the house."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenport.core.errors import (
    EngineFailed,
    EngineTimedOut,
    ModelUnavailable,
    Overloaded,
    ParameterInvalid,
    QwenportError,
    UpstreamExhausted,
    UpstreamKeyRefused,
    UpstreamThrottled,
    UpstreamTurnedAway,
)
from qwenport.core.events import Delta, Event, Finished
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.secret import Secret
from qwenport.core.usage import UsageSource
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing.calls import chat_call
from qwenport.testing.faulty_upstream import Fault, FaultyUpstream, Manner, RetryAfter, Script, Shape, Step
from qwenport.testing.models import model_card
from qwenport.testing.raw_server import RawServer, listening
from qwenport.testing.scripted_upstream import place

pytestmark = pytest.mark.anyio
KEY = "sk-planted-0123456789abcdef"
MANNER = Manner(tokens=3, slow_s=0.01, retry_after_s=7)
TEXT = " word0 word1 word2"

Outcome = UsageSource | type[QwenportError]
TOLD, COUNTED = UsageSource.ENGINE, UsageSource.COUNTED
OUTCOMES: dict[Fault, Outcome] = {
    Fault.NONE: TOLD,
    Fault.SLOW: TOLD,
    Fault.DRIP: TOLD,
    Fault.RESET_BEFORE_HEAD: EngineFailed,
    Fault.RESET_AFTER_HEAD: EngineFailed,
    Fault.RESET_MIDWAY: EngineFailed,
    Fault.RESET_BEFORE_END: EngineFailed,
    Fault.HANG_BEFORE_HEAD: EngineTimedOut,
    Fault.HANG_MIDWAY: EngineTimedOut,
    Fault.STATUS_400: ParameterInvalid,
    Fault.STATUS_401: UpstreamKeyRefused,
    Fault.STATUS_403: UpstreamKeyRefused,
    Fault.STATUS_404: ModelUnavailable,
    Fault.STATUS_408: EngineTimedOut,
    Fault.STATUS_429: UpstreamThrottled,
    Fault.STATUS_500: EngineFailed,
    Fault.STATUS_502: EngineFailed,
    Fault.STATUS_503: Overloaded,
    Fault.STATUS_504: EngineTimedOut,
    Fault.QUOTA_EXHAUSTED: UpstreamExhausted,
    Fault.ARREARS: UpstreamExhausted,
    Fault.HTML_PAGE: EngineFailed,
    Fault.MALFORMED_JSON: EngineFailed,
    Fault.HALF_JSON: EngineFailed,
    Fault.USAGE_MISSING: COUNTED,
    Fault.USAGE_NEGATIVE: COUNTED,
    Fault.USAGE_ABSURD: COUNTED,
    Fault.USAGE_TEXT: COUNTED,
    Fault.HUGE_FRAME: EngineFailed,
    Fault.GZIP: EngineFailed,
    Fault.GZIP_BOMB: EngineFailed,
    Fault.WRONG_TYPE: TOLD,
    Fault.BOTH_LENGTHS: EngineFailed,
    Fault.GOES_ON: TOLD,
    Fault.ENDLESS_COMMENTS: EngineTimedOut,
}
PAGES: dict[Fault, Outcome] = {
    Fault.STATUS_400: EngineFailed,
    Fault.STATUS_401: UpstreamTurnedAway,
    Fault.STATUS_403: UpstreamTurnedAway,
    Fault.STATUS_404: EngineFailed,
    Fault.ARREARS: EngineFailed,
    Fault.QUOTA_EXHAUSTED: UpstreamThrottled,
}
"""Where a page of some proxy says less than the upstream itself."""
STATUSES = [fault for fault in Fault if fault.name.startswith("STATUS")] + [Fault.QUOTA_EXHAUSTED, Fault.ARREARS]


async def outcome(made: Upstream, *, streams: bool) -> Outcome | QwenportError:
    """Return where the tokens of a good answer come from, or the error."""
    engine = made.engine("m", model_card())
    events: list[Event] = []
    try:
        async with aclosing(engine.run(PreparedCall(call=chat_call(streams=streams), max_input_tokens=100))) as run:
            events = [event async for event in run]
    except QwenportError as error:
        return error
    assert "".join(event.text for event in events if isinstance(event, Delta)) == TEXT
    (usage,) = [event.usage for event in events if isinstance(event, Finished)]
    return usage.source


async def suffered(step: Step, *, streams: bool) -> Outcome | QwenportError:
    """Return what becomes of one call that suffers from this; nothing of it stays open."""
    server = FaultyUpstream(Script([step]), manner=MANNER)
    hangs = step.fault in {Fault.HANG_BEFORE_HEAD, Fault.HANG_MIDWAY, Fault.ENDLESS_COMMENTS}
    async with server.listening() as port:
        patient = Upstream(place(port), Secret(KEY))
        # Waiting is what the test is about only where nothing comes.
        hasty = Upstream(place(port, first_event_s=0.4, between_events_s=0.4), Secret(KEY))
        told = await outcome(hasty if hangs else patient, streams=streams)
        assert await outcome(patient, streams=streams) is TOLD
        await hasty.close()
        await patient.close()
    assert len(server.served) == 2
    return told


def kind_of(told: Outcome | QwenportError) -> Outcome:
    return type(told) if isinstance(told, QwenportError) else told


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_ends_in_one_way_and_the_next_call_is_well(fault: Fault, *, streams: bool) -> None:
    told = await suffered(Step(fault), streams=streams)

    assert kind_of(told) is OUTCOMES[fault]
    assert KEY not in f"{told}"
    if fault is Fault.STATUS_404:
        assert isinstance(told, ModelUnavailable)
        assert not told.passes


WORDS = {
    Fault.RESET_BEFORE_HEAD: "broke off: the server closed the connection before it answered",
    Fault.RESET_MIDWAY: "broke off: the server closed the connection in the middle of its answer",
    Fault.STATUS_500: "answered with status 500: An internal error has occured.",
    Fault.HTML_PAGE: "answered with a web page",
    Fault.HALF_JSON: "sent what is no answer",
    Fault.HUGE_FRAME: "broke off: a frame of more than 8388608 bytes",
    Fault.GZIP: "broke off: the answer is refused: it is encoded, which was not asked for",
    Fault.GZIP_BOMB: "broke off: the answer is refused: it is encoded, which was not asked for",
}


@pytest.mark.parametrize("fault", WORDS)
async def test_what_is_wrong_is_told_in_words(fault: Fault) -> None:
    assert str(await suffered(Step(fault), streams=True)) == f"the upstream of `up/m` {WORDS[fault]}"


async def test_an_answer_of_two_lengths_is_told_to_be_no_http() -> None:
    told = await suffered(Step(Fault.BOTH_LENGTHS), streams=True)

    assert str(told).startswith("the upstream of `up/m` broke off: the server does not speak HTTP: ")


@pytest.mark.parametrize("shape", [Shape.FLAT, Shape.HTML])
@pytest.mark.parametrize("fault", STATUSES)
async def test_a_refusal_is_known_in_every_shape(fault: Fault, shape: Shape) -> None:
    told = await suffered(Step(fault, shape), streams=True)

    expected = PAGES.get(fault, OUTCOMES[fault]) if shape is Shape.HTML else OUTCOMES[fault]
    assert kind_of(told) is expected


@pytest.mark.parametrize("way", RetryAfter)
@pytest.mark.parametrize("fault", [Fault.STATUS_429, Fault.STATUS_503, Fault.STATUS_504])
async def test_when_to_come_back_is_passed_on(fault: Fault, way: RetryAfter) -> None:
    told = await suffered(Step(fault, retry_after=way), streams=True)

    assert isinstance(told, QwenportError)
    assert told.told_s in ({None} if way is RetryAfter.UNTOLD else {4, 5, 6, 7})
    unsaid = 1 if fault is Fault.STATUS_503 else None
    # A date has whole seconds, and some of them pass on the way.
    possible: dict[RetryAfter, set[int | None]] = {RetryAfter.UNTOLD: {unsaid}, RetryAfter.DATE: {4, 5, 6, 7}}
    assert told.retry_after_s in possible.get(way, {7})


async def away(base_url: str, dialect: str = "vllm") -> tuple[str, str]:
    """Return what a caller and what the operator is told of an upstream that cannot be reached."""
    made = Upstream(replace(place(1, dialect=dialect), base_urls=(f"{base_url}/v1",)), Secret(KEY))
    told = await outcome(made, streams=True)
    await made.close()
    assert isinstance(told, ModelUnavailable)
    assert told.passes
    return str(told), made.condition().reason


UNREACHABLE = "Model is unavailable, please try again later. (the upstream `up` cannot be reached)"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate of `localhost`, signed by itself, and its key in one file."""
    key, signed = (tmp_path_factory.mktemp("tls") / name for name in ("key", "signed"))
    kind = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command = ["openssl", "req", "-x509", *kind, "-keyout", str(key), "-out", str(signed)]
    subprocess.run(command, check=True, capture_output=True)
    key.write_bytes(key.read_bytes() + signed.read_bytes())
    return key


@pytest.mark.parametrize("dialect", ["vllm", ""])
async def test_a_name_that_does_not_exist_is_told_to_the_operator_in_words(
    dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    told, reason = await away("http://nobody.invalid", dialect=dialect)

    assert told == UNREACHABLE
    assert reason == "up cannot be reached: the name of `http://nobody.invalid` cannot be resolved"
    assert [record.message for record in caplog.records] == [reason]


async def test_a_certificate_that_nobody_vouches_for_is_told_to_the_operator_in_words(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with listening(RawServer().serve, tls=context) as port:
        told, reason = await away(f"https://localhost:{port}")

    url = f"https://localhost:{port}"
    assert told == UNREACHABLE
    assert reason == f"up cannot be reached: the certificate of `{url}` is not accepted: self-signed certificate"


async def test_a_server_without_tls_where_tls_was_meant_is_told_to_the_operator_in_words() -> None:
    async with FaultyUpstream().listening() as port:
        told, reason = await away(f"https://127.0.0.1:{port}")

    assert told == UNREACHABLE
    assert reason.startswith(f"up cannot be reached: no connection to `https://127.0.0.1:{port}`: ")


async def test_a_header_that_ends_another_answer_is_no_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    smuggled = b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    async with listening(RawServer([head + smuggled]).serve) as port:
        made = Upstream(place(port), Secret(KEY))
        told = await outcome(made, streams=False)
        await made.close()

    assert type(told) is EngineFailed
    assert str(told).startswith("the upstream of `up/m` broke off: ")
