"""Traces of a whole gateway, as somebody who takes OTLP sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qwenport.app.tracing import open_traces, traced_house_engine, traced_upstream_engine
from qwenport.catalog.catalog import Catalog
from qwenport.core.errors import EngineFailed, UpstreamKeyRefused
from qwenport.core.secret import Secret
from qwenport.engines.engine import Engine
from qwenport.engines.upstream.place import Place
from qwenport.engines.upstream.upstream import Upstream
from qwenport.observability.metrics import Metrics
from qwenport.observability.traces import Traces
from qwenport.settings.configuration_file import RetryTable, RouteTable
from qwenport.settings.settings import Settings, load_settings
from qwenport.testing.gateway import KEY, Gateway, Plan, bearer, running_gateway
from qwenport.testing.otlp_receiver import OtlpReceiver, ReceivedSpan, otlp_receiver
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait, answer
from qwenport.testing.scripted_upstream import DONE, ScriptedUpstream, chunk, counts, place, stream

pytestmark = pytest.mark.anyio

HERE = "llama/smollm2-135m-instruct"
THERE = "up/qwen-plus"
QUESTION = "What does my secret diary say?"
ANSWER = "Nothing that a trace may know."
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1,other=2"}


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiver:
        yield receiver


def settings_for(receiver: OtlpReceiver, folder: Path, **table: object) -> Settings:
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"endpoint": receiver.url, **table}.items()]
    file = folder / "traced.toml"
    file.write_text("\n".join(["[traces]", *lines]), "utf-8")
    return load_settings({"QWENPORT_CONFIG": str(file), "COLLECTOR": "X-Team=blue, api-key=pa%2Css"}, folder)


@asynccontextmanager
async def traced(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[Traces]:
    traces = open_traces(settings, metrics or Metrics(), 1)
    assert traces is not None
    try:
        yield traces
    finally:
        await traces.close()


@asynccontextmanager
async def gateway_of(
    receiver: OtlpReceiver, folder: Path, *scripts: Sequence[Step], **table: object
) -> AsyncIterator[Gateway]:
    """Give a gateway with traces: the first script is the house's, the second an upstream's that comes after it."""
    routed = RouteTable(model="qwen-plus", to=(HERE, THERE)[: len(scripts)])
    catalog = Catalog.load().with_routes((routed,), {"up": ("qwen-plus",)})
    async with traced(settings_for(receiver, folder, **table)) as traces:
        engines = [
            dressed(ScriptedEngine(lambda _, steps=steps: steps, target=target), traces)  # type: ignore[misc] # the default binds it
            for steps, target in zip(scripts, (HERE, THERE), strict=False)
        ]
        plan = Plan(engines=engines, catalog=catalog, traces=traces, retries=RetryTable(tries=2))
        async with running_gateway(folder, plan) as gateway:
            yield gateway


def dressed(engine: Engine, traces: Traces) -> Engine:
    if engine.target == HERE:
        return traced_house_engine(engine, traces)
    return traced_upstream_engine(engine, traces, Place(name="up", kind="openai", base_urls=("https://up.example/v1",)))


def body(**more: object) -> bytes:
    content = {"model": "qwen-plus", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0.5}
    return json.dumps(content | more).encode()


async def ask(gateway: Gateway, headers: Mapping[str, str] | None = None, **more: object) -> tuple[int, bytes]:
    async with gateway.client() as client:
        found = await client.ask("POST", "/v1/chat/completions", {**bearer(), **(headers or {})}, body(**more))
    await gateway.idle()
    return found.status, found.body


async def spans_of(receiver: OtlpReceiver, count: int) -> list[ReceivedSpan]:
    """Return so many spans, requests first, tries in the order in which they ended."""
    return sorted(await asyncio.to_thread(receiver.wait_for, count), key=lambda span: span.kind != "SERVER")


def spans_counted(metrics: Metrics, outcome: str) -> float:
    return metrics.registry.get_sample_value("qwenport_spans_total", {"outcome": outcome}) or 0.0


def without_times(span: ReceivedSpan) -> dict[str, object]:
    """Return the attributes but for those that no two calls share."""
    timed = {"gen_ai.response.time_to_first_chunk", "qwenport.first_event_ms", "qwenport.queue_ms"}
    ids = {"qwenport.account.id", "qwenport.workspace.id", "qwenport.key.id"}
    return {name: value for name, value in span.attributes.items() if name not in timed | ids}


async def test_a_whole_call_is_a_request_and_one_try_within_it(receiver: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway_of(receiver, tmp_path, answer(ANSWER, served_by=HERE), service_name="port") as gateway:
        status, _ = await ask(gateway)
    request, attempt = await spans_of(receiver, 2)

    assert status == 200
    assert (request.name, request.kind, request.parent_id, request.status) == (
        "POST chat.completions",
        "SERVER",
        "",
        "UNSET",
    )
    assert without_times(request) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.path": "/v1/chat/completions",
        "gen_ai.request.model": "qwen-plus",
        "qwenport.request.id": "00000000-0000-9000-8000-000000000001",
        "qwenport.face": "openai",
        "qwenport.operation": "chat.completions",
        "qwenport.outcome": "finished",
        "qwenport.served_by": HERE,
        "qwenport.input_tokens": 7,
        "qwenport.output_tokens": 1,
    }
    assert (attempt.name, attempt.kind, attempt.status) == ("chat smollm2-135m-instruct", "CLIENT", "UNSET")
    assert (attempt.trace_id, attempt.parent_id) == (request.trace_id, request.span_id)
    assert without_times(attempt) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "qwenport",
        "gen_ai.request.model": "smollm2-135m-instruct",
        "gen_ai.request.max_tokens": attempt.attributes["gen_ai.request.max_tokens"],
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": attempt.attributes["gen_ai.request.top_p"],
        "gen_ai.response.model": "smollm2-135m-instruct",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 1,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "qwenport.target": HERE,
    }
    assert (request.resource["service.name"], request.resource["telemetry.sdk.language"]) == ("port", "python")
    assert {"qwenport.key.id", "qwenport.account.id", "qwenport.workspace.id"} <= request.attributes.keys()
    assert isinstance(attempt.attributes["gen_ai.response.time_to_first_chunk"], float)


async def test_a_stream_is_told_as_one(receiver: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway_of(receiver, tmp_path, answer("a", "b", "c", served_by=HERE)) as gateway:
        await ask(gateway, stream=True)
    request, attempt = await spans_of(receiver, 2)

    assert (request.attributes["qwenport.stream"], attempt.attributes["gen_ai.request.stream"]) == (True, True)
    assert attempt.attributes["gen_ai.usage.output_tokens"] == 3


async def test_neither_texts_nor_keys_are_in_what_is_sent(receiver: OtlpReceiver, tmp_path: Path) -> None:
    script = [EngineFailed(f"the upstream repeated: {QUESTION}")]
    async with gateway_of(receiver, tmp_path, script, answer(ANSWER, served_by=THERE)) as gateway:
        await ask(gateway)
    await spans_of(receiver, 3)

    sent = b"".join(receiver.bodies)
    assert [word for word in (QUESTION, ANSWER, KEY) if word.encode() in sent] == []


async def test_a_call_that_is_tried_elsewhere_has_a_span_for_each_try(receiver: OtlpReceiver, tmp_path: Path) -> None:
    script = [EngineFailed("broke")]
    async with gateway_of(receiver, tmp_path, script, answer("b", served_by=THERE)) as gateway:
        status, _ = await ask(gateway)
    request, first, second = await spans_of(receiver, 3)

    assert (status, request.status) == (200, "UNSET")
    assert (first.status, first.attributes["error.type"]) == ("ERROR", "engine_failed")
    assert "gen_ai.usage.input_tokens" not in first.attributes
    assert (second.name, second.status, second.attributes["gen_ai.provider.name"]) == (
        "chat qwen-plus",
        "UNSET",
        "openai_compatible",
    )
    assert (second.attributes["server.address"], second.attributes["server.port"]) == ("up.example", 443)
    assert {first.parent_id, second.parent_id} == {request.span_id}


async def test_a_request_that_fails_is_an_error_of_the_server(receiver: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway_of(receiver, tmp_path, [UpstreamKeyRefused("up")]) as gateway:
        status, _ = await ask(gateway)
    request, attempt = await spans_of(receiver, 2)

    assert status >= 500
    assert (request.status, request.attributes["http.response.status_code"]) == ("ERROR", status)
    assert request.attributes["error.type"] == attempt.attributes["error.type"]


async def test_a_stream_that_breaks_off_is_an_error_although_it_began_well(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    script = [*answer("a", served_by=HERE)[:2], EngineFailed("broke")]
    async with gateway_of(receiver, tmp_path, script) as gateway:
        await ask(gateway, stream=True)
    request, attempt = await spans_of(receiver, 2)

    assert (request.attributes["http.response.status_code"], request.status) == (200, "ERROR")
    assert (attempt.attributes["error.type"], attempt.status) == ("engine_failed", "ERROR")


async def test_a_refused_call_is_no_error_of_the_server_and_tries_nothing(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    async with gateway_of(receiver, tmp_path, answer("a")) as gateway:
        status, _ = await ask(gateway, {"authorization": "Bearer sk-of-nobody"})
    (request,) = await spans_of(receiver, 1)

    assert (status, request.status, request.attributes["http.response.status_code"]) == (401, "UNSET", 401)
    assert request.attributes["error.type"]
    assert b"sk-of-nobody" not in b"".join(receiver.bodies)


async def test_a_client_that_leaves_ends_both_spans_without_an_error(receiver: OtlpReceiver, tmp_path: Path) -> None:
    pause = Wait()
    script = [*answer("a", served_by=HERE)[:2], pause]
    async with gateway_of(receiver, tmp_path, script) as gateway:
        async with gateway.client() as client:
            await client.send(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer "
                + KEY.encode()
                + b"\r\ncontent-length: "
                + str(len(body(stream=True))).encode()
                + b"\r\n\r\n"
                + body(stream=True)
            )
            await pause.arrives()
            client.leave()
        await gateway.idle()
    request, attempt = await spans_of(receiver, 2)

    assert [span.attributes["qwenport.outcome"] for span in (request, attempt)] == ["abandoned", "abandoned"]
    assert [span.status for span in (request, attempt)] == ["UNSET", "UNSET"]


async def test_the_trace_of_a_caller_goes_on(receiver: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway_of(receiver, tmp_path, answer("a", served_by=HERE), sample_percent=0) as gateway:
        await ask(gateway, SAMPLED)
    request, attempt = await spans_of(receiver, 2)

    assert [(span.trace_id, span.state) for span in (request, attempt)] == [(TRACE, "vendor=1,other=2")] * 2
    assert request.parent_id == SPAN


@pytest.mark.parametrize(
    ("headers", "percent"),
    [
        ({"traceparent": f"00-{TRACE}-{SPAN}-00"}, 100),
        ({}, 0),
    ],
    ids=["unsampled by its caller", "unsampled by the configuration"],
)
async def test_a_call_that_is_not_sampled_leaves_no_span(
    headers: dict[str, str], percent: float, receiver: OtlpReceiver, tmp_path: Path
) -> None:
    async with gateway_of(receiver, tmp_path, answer("a", served_by=HERE), sample_percent=percent) as gateway:
        await ask(gateway, headers)
        await ask(gateway, SAMPLED)
    spans = await spans_of(receiver, 2)

    assert {span.parent_id for span in spans} == {SPAN, spans[0].span_id}
    assert len(receiver.spans) == 2


@pytest.mark.parametrize(
    "parent",
    [
        "garbage",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\r\ntraceparent: 00-{TRACE}-{SPAN}-01",
    ],
)
async def test_what_is_no_traceparent_begins_a_new_trace(parent: str, receiver: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway_of(receiver, tmp_path, answer("a", served_by=HERE)) as gateway:
        status, _ = await ask(gateway, {"traceparent": parent, "tracestate": "vendor=1"})
    request, attempt = await spans_of(receiver, 2)

    assert status == 200
    assert (request.parent_id, request.state) == ("", "")
    assert request.trace_id == attempt.trace_id != TRACE


@pytest.mark.parametrize("state", ["no state", f"vendor={'x' * 2000}", "a=1,a=2"])
async def test_a_state_that_is_none_is_left_out(state: str, receiver: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway_of(receiver, tmp_path, answer("a", served_by=HERE)) as gateway:
        await ask(gateway, {**SAMPLED, "tracestate": state})
    request, _ = await spans_of(receiver, 2)

    assert (request.trace_id, request.state) == (TRACE, "")


async def test_headers_of_the_receiver_are_shown_to_it(receiver: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway_of(receiver, tmp_path, answer("a"), headers_env="COLLECTOR") as gateway:
        await ask(gateway)
    await spans_of(receiver, 2)

    # Spans that end while others are being sent follow in a request of their own.
    assert set(receiver.paths) == {"/v1/traces"}
    assert (receiver.headers[0]["x-team"], receiver.headers[0]["api-key"]) == ("blue", "pa,ss")


@pytest.mark.parametrize("sampled", [True, False])
async def test_an_upstream_is_shown_the_span_of_its_try(sampled: bool, receiver: OtlpReceiver, tmp_path: Path) -> None:
    said = stream(chunk({"content": "b"}), chunk(reason="stop"), chunk(usage=counts(7, 1)), DONE)
    catalog = Catalog.load().with_routes((RouteTable(model="qwen-plus", to=(THERE,)),), {"up": ("qwen-plus",)})
    fake = ScriptedUpstream(said)
    async with fake.listening_on_a_port() as port, traced(settings_for(receiver, tmp_path)) as traces:
        upstream = Upstream(place(port), Secret("sk-theirs"))
        engine = traced_upstream_engine(
            upstream.engine("qwen-plus", catalog.cards["qwen-plus"]), traces, upstream.place
        )
        plan = Plan(engines=[engine], catalog=catalog, traces=traces)
        async with running_gateway(tmp_path, plan) as gateway:
            flags = "01" if sampled else "00"
            await ask(gateway, SAMPLED | {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"}, stream=True)
        await upstream.close()
    spans = await spans_of(receiver, 2) if sampled else []

    version, trace_id, span_id, shown_flags = fake.headers[-1]["traceparent"].split("-")
    assert (version, trace_id, shown_flags) == ("00", TRACE, flags)
    assert fake.headers[-1]["tracestate"] == "vendor=1,other=2"
    assert span_id != SPAN
    assert [span.span_id for span in spans[1:]] == ([span_id] if sampled else [])


async def test_a_receiver_that_keeps_us_waiting_slows_no_call_and_what_is_lost_is_counted(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    metrics = Metrics()
    receiver.go.clear()
    async with traced(settings_for(receiver, tmp_path), metrics) as traces:
        plan = Plan(
            engines=[dressed(ScriptedEngine(lambda _: answer("a"), target=HERE), traces)],
            traces=traces,
        )
        async with running_gateway(tmp_path, plan) as gateway:
            await ask(gateway)
            await asyncio.to_thread(receiver.wait_for_requests, 1)
            statuses = [(await ask(gateway))[0] for _ in range(20)]
        receiver.status = 400
        receiver.go.set()

    assert statuses == [200] * 20
    assert len(receiver.spans) + spans_counted(metrics, "failed") == 42
    assert spans_counted(metrics, "sent") == len(receiver.spans) <= 2


async def test_without_an_endpoint_there_are_no_traces_and_no_wrapper(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda _: answer("a"), target=HERE)
    traces = open_traces(load_settings({"QWENPORT_DATA_DIR": str(tmp_path)}, tmp_path), Metrics(), 1)

    assert traces is None
    assert traced_house_engine(engine, traces) is engine
