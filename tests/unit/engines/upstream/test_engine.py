"""What an upstream answers and what becomes of it: events, or one error of the house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from qwenport.core.call import Call, EmbeddingInput, RerankInput, Sampling, TextKind
from qwenport.core.capabilities import Ability, Capabilities, Thinking
from qwenport.core.content import Message, Role
from qwenport.core.errors import (
    ContentBlocked,
    EngineFailed,
    EngineTimedOut,
    InputTooLong,
    ModelUnavailable,
    Overloaded,
    ParameterInvalid,
    QwenportError,
    UpstreamExhausted,
    UpstreamKeyRefused,
    UpstreamThrottled,
    UpstreamTurnedAway,
)
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Embedded,
    Event,
    Finished,
    FinishReason,
    Ranked,
    Reasoning,
    Started,
    ToolCallDelta,
)
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.secret import Secret
from qwenport.core.tools import Tool
from qwenport.core.usage import Usage, UsageSource
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.llama_host import Reply
from qwenport.testing.models import model_card
from qwenport.testing.scripted_engine import Wait
from qwenport.testing.scripted_upstream import (
    DONE,
    ScriptedUpstream,
    chunk,
    counts,
    frame,
    place,
    stream,
    whole,
)

pytestmark = pytest.mark.anyio
KEY = "sk-planted-0123456789abcdef"
STREAMED = chat_call(streams=True)
STOP = chunk(reason="stop")


@asynccontextmanager
async def upstream(reply: Reply, **more: Any) -> AsyncGenerator[tuple[ScriptedUpstream, Upstream]]:
    server = ScriptedUpstream(reply, owner=more.pop("owner", "vllm"))
    async with server.listening_on_a_port() as port:
        made = Upstream(place(port, **more), Secret(KEY))
        try:
            yield server, made
        finally:
            await made.close()


async def events_of(made: Upstream, call: Call = STREAMED, **able: Any) -> list[Event]:
    engine = made.engine("m", model_card(capabilities=Capabilities(**able)))
    async with aclosing(engine.run(PreparedCall(call=call, max_input_tokens=100))) as events:
        return [event async for event in events]


async def answered(reply: Reply, call: Call = STREAMED, **able: Any) -> list[Event]:
    async with upstream(reply) as (_, made):
        return await events_of(made, call, **able)


async def refused(reply: Reply, call: Call = STREAMED, **more: Any) -> QwenportError:
    async with upstream(reply, **more) as (_, made):
        with pytest.raises(QwenportError) as caught:
            await events_of(made, call)
        return caught.value


def end(usage: Usage, tokens: int = 0, reason: FinishReason = FinishReason.STOP) -> list[Event]:
    return [ChoiceFinished(reason=reason, tokens=tokens), Finished(usage=usage)]


async def test_a_stream_becomes_events_and_its_usage_is_the_upstreams() -> None:
    usage = counts(7, 5, prompt_tokens_details={"cached_tokens": 3}, completion_tokens_details={"reasoning_tokens": 1})
    reply = stream(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Hm"}),
        chunk({"content": "Hello"}),
        STOP,
        chunk(usage=usage),
        DONE,
    )

    assert await answered(reply) == [
        Started(served_by="up/m", input_tokens=5),
        Reasoning(text="Hm"),
        Delta(text="Hello"),
        *end(Usage(input_tokens=7, output_tokens=5, cached_tokens=3, reasoning_tokens=1), 3),
    ]


async def test_a_server_that_counts_along_is_believed_from_the_first_piece() -> None:
    reply = stream(
        chunk({"content": ""}, usage=counts(9, 0)),
        chunk({"content": "Hello there"}, usage=counts(9, 1)),
        chunk({"content": "!"}, reason="stop", usage=counts(9, 3)),
        chunk(usage=counts(9, 3)),
        DONE,
    )

    assert await answered(reply) == [
        Started(served_by="up/m", input_tokens=9),
        Delta(text="Hello there", tokens=1),
        Delta(text="!", tokens=2),
        *end(Usage(input_tokens=9, output_tokens=3)),
    ]


@pytest.mark.parametrize(
    "usage",
    [
        None,
        counts(-1, -5),
        counts("7", "2"),
        counts(None, None),
        counts(into=True, out=True),
        counts(10**12, 10**12),
        [],
        "x",
    ],
    ids=repr,
)
async def test_a_usage_that_cannot_be_true_is_counted_and_marked(usage: object) -> None:
    reply = stream(chunk({"content": "Hello"}), STOP, chunk(usage=usage), DONE)

    events = await answered(reply)

    assert events[-1] == Finished(usage=Usage(input_tokens=5, output_tokens=1, source=UsageSource.COUNTED))


async def test_a_whole_answer_is_asked_for_where_the_caller_wants_one_and_leaving_stops_it() -> None:
    message = {"role": "assistant", "content": "Hello", "reasoning": "Hm"}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": counts(7, 4)}
    async with upstream(whole(body)) as (server, made):
        events = await events_of(made, chat_call())

    assert "stream" not in server.requests[0]
    assert events == [
        Started(served_by="up/m", input_tokens=7),
        Reasoning(text="Hm"),
        Delta(text="Hello", tokens=1),
        *end(Usage(input_tokens=7, output_tokens=4, reasoning_tokens=1), 2),
    ]


@pytest.mark.parametrize(("kind", "dialect"), [("openai", "plain"), ("openai", "llama.cpp"), ("alibaba", "")])
async def test_elsewhere_every_answer_streams(kind: str, dialect: str) -> None:
    reply = stream(chunk({"content": "a"}), STOP, DONE)
    async with upstream(reply, kind=kind, dialect=dialect) as (server, made):
        await events_of(made, chat_call())

    assert server.requests[0]["stream"] is True


async def test_a_whole_answer_in_the_place_of_a_stream_and_the_reverse_are_read() -> None:
    body = {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "length"}], "usage": counts(7, 1)}
    told: list[Event] = [
        Started(served_by="up/m", input_tokens=7),
        Delta(text="a"),
        *end(Usage(input_tokens=7, output_tokens=1), reason=FinishReason.LENGTH),
    ]
    streamed = stream(chunk({"content": "a"}, usage=counts(7, 1)), chunk(reason="length"), chunk(usage=counts(7, 1)))

    assert await answered(whole(body)) == told
    assert await answered(streamed, chat_call()) == told


def piece(name: str | None = None, arguments: object = None, **more: object) -> bytes:
    return chunk({"tool_calls": [{**more, "function": {"name": name, "arguments": arguments}}]})


@pytest.mark.parametrize(
    "pieces",
    [
        [piece("f", "", index=0, id="c1"), piece(None, "{", index=0, id=""), piece(None, "}", index=0, id="")],
        [piece("f", "{", index=-1, id="c1"), piece("f", "}", index=-1, id="c1")],
        [piece("f", "{", id="c1"), piece(None, "}")],
        [piece(None, "", index=0, id="c1"), piece("f", "{", index=0), piece("f", "}", index=0)],
        [piece("f", {}, index=0, id="c1")],
    ],
    ids=["empty ids", "position -1", "no position", "name later and again", "an object"],
)
async def test_pieces_of_a_tool_call_are_made_whole(pieces: list[bytes]) -> None:
    call = chat_call(streams=True, tools=(Tool(name="f"),))

    events = await answered(stream(*pieces, STOP, DONE), call)

    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [(each.index, each.id, each.name) for each in calls if each.name] == [(0, "c1", "f")]
    assert "".join(each.arguments for each in calls) == "{}"
    assert [each.reason for each in events if isinstance(each, ChoiceFinished)] == [FinishReason.TOOL_CALLS]


async def test_several_calls_at_one_position_are_several_where_they_were_asked_for() -> None:
    call = chat_call(streams=True, tools=(Tool(name="f"),), parallel_tool_calls=True)
    reply = stream(piece("f", "{}", index=0, id="a"), piece("f", "[]", index=0, id="b"), STOP, DONE)

    calls = [(each.index, each.id) for each in await answered(reply, call) if isinstance(each, ToolCallDelta)]

    assert calls == [(0, "a"), (1, "b")]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_think_tags_that_a_server_leaves_are_reasoning(size: int) -> None:
    text = "<think>\nHm < so\n</think>\n\nHello <think>"
    pieces = [chunk({"content": text[at : at + size]}) for at in range(0, len(text), size)]

    events = await answered(stream(*pieces, STOP, DONE), thinking=Thinking.HYBRID)

    assert "".join(each.text for each in events if isinstance(each, Reasoning)).strip() == "Hm < so"
    assert "".join(each.text for each in events if isinstance(each, Delta)).strip() == "Hello <think>"


async def test_a_model_that_does_not_think_may_say_the_tag() -> None:
    events = await answered(stream(chunk({"content": "<think>"}), STOP, DONE))

    assert [each.text for each in events if isinstance(each, Delta)] == ["<think>"]


BROKEN: list[tuple[str, Reply, type[QwenportError]]] = [
    ("half JSON", stream(b'data: {"choices": [{"ind\n\n', DONE), EngineFailed),
    ("an empty stream", stream(), EngineFailed),
    ("done too early", stream(chunk({"content": "a"}), DONE, STOP), EngineFailed),
    ("no end", stream(chunk({"content": "a"})), EngineFailed),
    ("broken off", Reply(steps=[chunk({"content": "a"})], breaks_off=True), EngineFailed),
    ("an unknown reason", stream(chunk({"content": "a"}, reason="tired"), DONE), EngineFailed),
    ("blocked", stream(chunk({"content": "a"}, reason="content_filter"), DONE), ContentBlocked),
    ("an error", stream(frame({"error": {"message": "x", "code": 500}})), EngineFailed),
    ("an error of vLLM", stream(frame({"error": {"message": "x", "code": 429}})), UpstreamThrottled),
    (
        "a native error",
        stream(b'id:1\nevent:error\n:S\ndata:{"code":"Throttling","message":"x"}\n\n'),
        UpstreamThrottled,
    ),
    ("a foreign choice", stream(chunk({"content": "a"}, index=3)), EngineFailed),
    ("a page", whole(b"<html>", content_type="text/html"), EngineFailed),
    ("no object", whole(b"[]"), EngineFailed),
    ("nothing", whole(b"{}"), EngineFailed),
    ("an error with 200", whole({"code": "Arrearage", "message": "x"}), UpstreamExhausted),
    ("a nameless call", stream(piece(None, "{}", index=0), STOP, DONE), EngineFailed),
    ("going on after the end", stream(STOP, chunk({"content": "a"})), EngineFailed),
]


@pytest.mark.parametrize(("reply", "kind"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
async def test_what_is_no_answer_is_one_error(reply: Reply, kind: type[QwenportError]) -> None:
    assert type(await refused(reply)) is kind


async def test_an_error_after_the_first_event_is_never_the_callers() -> None:
    reply = stream(chunk({"content": "a"}), frame({"error": {"message": "bad request", "code": 400}}))

    assert type(await refused(reply)) is EngineFailed


def openai(code: object, message: str = "x", kind: str = "t") -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def native(code: str, message: str = "x") -> dict[str, object]:
    return {"code": code, "message": message, "request_id": "r"}


QUOTA = "Allocated quota exceeded, please increase your quota limit."
REFUSALS: list[tuple[str, object, type[QwenportError]]] = [
    ("400 Bad", openai("invalid_parameter_error"), ParameterInvalid),
    ("400 Bad", native("DataInspectionFailed"), ContentBlocked),
    ("400 Bad", native("Arrearage"), UpstreamExhausted),
    ("400 Bad", native("InvalidParameter", "Model not exist."), ModelUnavailable),
    ("400 Bad", openai(None, "Range of input length should be [1, 50]"), InputTooLong),
    ("400 Bad", {"error": {"message": "x", "type": "exceed_context_size_error", "n_ctx": 64}}, InputTooLong),
    ("401 No", native("InvalidApiKey", f"Invalid {KEY}"), UpstreamKeyRefused),
    ("403 No", native("AccessDenied.Unpurchased"), ModelUnavailable),
    ("403 No", native("AccessDenied", "The model is not activated."), ModelUnavailable),
    ("403 No", native("AccessDenied"), UpstreamKeyRefused),
    ("403 No", native("AccessDenied", "current user api does not support synchronous calls."), ParameterInvalid),
    ("403 No", native("Model.AccessDenied"), ModelUnavailable),
    ("403 No", native("AllocationQuota.FreeTierOnly"), UpstreamExhausted),
    ("401 No", {"error": "Unauthorized"}, UpstreamKeyRefused),
    ("401 No", {"error": {"type": "authentication_error"}}, UpstreamKeyRefused),
    ("401 No", b"Unauthorized\n", UpstreamKeyRefused),
    ("403 No", b"Forbidden", UpstreamKeyRefused),
    ("403 No", openai(403, "Your chosen model requires moderation and your input was flagged"), ContentBlocked),
    ("403 No", openai(403, "We cannot help with that."), UpstreamTurnedAway),
    ("403 No", openai(403, "Key limit exceeded."), UpstreamKeyRefused),
    ("403 No", openai(None, "You have no access.", "permission_error"), UpstreamKeyRefused),
    ("403 No", native("", "账户已停用"), UpstreamKeyRefused),
    ("400 Bad", openai(400, "Invalid tool schema: type of property model 'date' cannot be found"), ParameterInvalid),
    ("400 Bad", openai(400, "the model of tool 'x' was not found"), ParameterInvalid),
    ("400 Bad", openai(400, "Invalid request: model 'm' not found"), ModelUnavailable),
    ("400 Bad", openai(400, "The model `m` does not exist."), ModelUnavailable),
    ("400 Bad", openai(400, "m is not a valid model ID"), ModelUnavailable),
    ("400 Bad", openai(400, "Unknown model: m"), ModelUnavailable),
    ("401 No", b"<html>", UpstreamTurnedAway),
    ("401 No", b"", UpstreamTurnedAway),
    ("403 No", b"<html>", UpstreamTurnedAway),
    ("403 No", b"Blocked.", UpstreamTurnedAway),
    ("403 No", b"error code: 1020", UpstreamTurnedAway),
    ("403 No", b"{}", UpstreamTurnedAway),
    ("404 No", openai("model_not_found"), ModelUnavailable),
    ("404 No", {"detail": "Not Found"}, ModelUnavailable),
    ("408 No", b"", EngineTimedOut),
    ("409 No", b"", EngineFailed),
    ("422 No", {"detail": [{"msg": "x"}]}, ParameterInvalid),
    ("429 No", native("Throttling.RateQuota"), UpstreamThrottled),
    ("429 No", native("Throttling.AllocationQuota", QUOTA), UpstreamThrottled),
    ("429 No", native("Throttling.AllocationQuota", "Free allocated quota exceeded."), UpstreamExhausted),
    ("429 No", openai("insufficient_quota"), UpstreamExhausted),
    ("429 No", native("PrepaidBillOverdue"), UpstreamExhausted),
    ("429 No", b"", UpstreamThrottled),
    ("500 No", b"<html>", EngineFailed),
    ("502 No", b"<html>", EngineFailed),
    ("503 No", b"", Overloaded),
    ("504 No", b"", EngineTimedOut),
    ("302 No", b"", EngineFailed),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS, ids=[f"{row[0]} {row[1]!r}"[:60] for row in REFUSALS])
async def test_a_refusal_is_one_error_and_tells_no_key(status: str, body: object, kind: type[QwenportError]) -> None:
    error = await refused(whole(body, status=status))

    assert type(error) is kind
    assert "sk-" not in f"{error}{error.__cause__!r}"


@pytest.mark.parametrize(
    ("reply", "is_sure"),
    [
        (whole(openai("model_not_found"), status="400 Bad"), True),
        (whole({"detail": "Not Found"}, status="404 No"), True),
        (whole(native("AccessDenied.Unpurchased"), status="403 No"), True),
        (whole(openai(None, "Unknown model: m"), status="400 Bad"), False),
        (whole(openai(None, "The model is not activated."), status="403 No"), False),
    ],
)
async def test_that_a_model_is_missing_is_sure_by_a_code_and_not_by_words_alone(reply: Reply, *, is_sure: bool) -> None:
    error = await refused(reply)

    assert isinstance(error, ModelUnavailable)
    assert (error.is_sure, error.passes) == (is_sure, False)


async def test_a_refusal_of_one_call_alone_is_told_in_the_upstreams_words() -> None:
    error = await refused(whole(openai(403, "We cannot help with that."), status="403 No"))

    assert str(error) == "The upstream `up` refused the call: We cannot help with that."


async def test_model_studios_quota_of_a_minute_is_a_throttle() -> None:
    reply = whole(openai("insufficient_quota"), status="429 No")

    assert type(await refused(reply, kind="alibaba")) is UpstreamThrottled


async def test_words_of_an_upstream_lose_their_prefix_and_their_keys() -> None:
    message = f"<400> InternalError.Algo.InvalidParameter: bad\n {KEY} thing"

    error = await refused(whole(openai("invalid_parameter_error", message), status="400 Bad"))

    assert str(error) == "bad … thing"


async def test_a_body_of_no_known_shape_is_shown_to_nobody() -> None:
    trace = whole(b"Traceback: request={'content': 'my diagnosis'}", status="500 No", content_type="text/plain")

    assert str(await refused(trace)) == "the upstream of `up/m` answered with status 500"


async def test_a_bound_that_leaves_no_room_for_the_prompt_is_lowered_once() -> None:
    words = (
        "This model's maximum context length is 40 tokens. However, you requested 108 tokens (8 in the messages, 100"
    )
    call = chat_call(streams=True, sampling=Sampling(max_tokens=100))
    async with upstream(whole(openai(None, words), status="400 Bad")) as (server, made):
        server.later = [stream(chunk({"content": "a"}), STOP, DONE)]
        events = await events_of(made, call)

    assert [request["max_completion_tokens"] for request in server.requests] == [100, 32]
    assert Delta(text="a") in events


async def test_the_key_goes_in_a_header_and_can_be_changed() -> None:
    async with upstream(stream(STOP, DONE)) as (server, made):
        await events_of(made)
        made.use_key(Secret("sk-another-key-0123456789"))
        await events_of(made)

    assert [each["authorization"] for each in server.headers] == [f"Bearer {KEY}", "Bearer sk-another-key-0123456789"]


async def test_a_dialect_is_found_once() -> None:
    async with upstream(stream(STOP, DONE), owner="sglang", dialect="") as (server, made):
        await events_of(made)
        await events_of(made)

        assert (server.lists, made.dialect and made.dialect.name) == (1, "sglang")


async def test_nobody_there_is_unavailable_and_shows_in_the_condition() -> None:
    async with upstream(stream(STOP)) as (_, made):
        port = made.place.base_urls[0]
    gone = Upstream(place(int(port.rpartition(":")[2].partition("/")[0])), None)
    with pytest.raises(ModelUnavailable) as caught:
        await events_of(gone)
    await gone.close()

    assert (caught.value.passes, gone.condition().state) == (True, EngineState.ENDED)


async def test_a_probe_tells_what_is_wrong_and_that_it_is_well_again() -> None:
    async with upstream(stream(STOP, DONE)) as (server, made):
        good, server.listed = server.listed, whole(native("InvalidApiKey"), status="401 No")
        refused_key = await made.probe()
        server.listed = whole(b"", status="500 No")
        broken = await made.probe()
        server.listed = good

        assert (refused_key.state, broken.state) == (EngineState.ABSENT, EngineState.ENDED)
        assert await made.probe() == Condition(state=EngineState.READY)


async def test_silence_before_and_between_events_ends_in_a_time_out() -> None:
    for steps in ([Wait()], [chunk({"content": "a"}), Wait()]):
        error = await refused(stream(*steps), first_event_s=0.3, between_events_s=0.3)
        assert type(error) is EngineTimedOut


async def test_leaving_closes_the_connection() -> None:
    wait = Wait()
    async with upstream(stream(chunk({"content": "a"}), wait)) as (server, made):
        engine = made.engine("m", model_card())
        events = engine.run(PreparedCall(call=STREAMED, max_input_tokens=100))
        await anext(events)
        await events.aclose()
        async with asyncio.timeout(5):
            await server.left.wait()


async def test_a_prefix_cannot_be_said_to_a_plain_server() -> None:
    begun = chat_call(messages=(Message(role=Role.ASSISTANT, content="a", is_partial=True),))

    assert type(await refused(stream(STOP), begun, dialect="plain")) is ParameterInvalid


VECTORS = {
    "data": [{"index": 1, "embedding": [0.5]}, {"index": 0, "embedding": "AACAPw=="}],
    "usage": {"total_tokens": 4},
}


async def test_vectors_are_put_in_their_places() -> None:
    call = call_of(EmbeddingInput(texts=("a", "b")))

    events = await answered(whole(VECTORS), call, abilities=(Ability.EMBEDDING,))

    assert [(each.index, each.vector.hex()) for each in events if isinstance(each, Embedded)] == [
        (1, "0000003f"),
        (0, "0000803f"),
    ]
    assert events[-1] == Finished(usage=Usage(input_tokens=4))


@pytest.mark.parametrize(
    ("asked", "model", "path"),
    [
        (EmbeddingInput(texts=("a",)), "m", "/v1/embeddings"),
        (
            EmbeddingInput(texts=("a",), kind=TextKind.QUERY),
            "m",
            "/api/v1/services/embeddings/text-embedding/text-embedding",
        ),
        (RerankInput(query="q", documents=("a",)), "qwen3-rerank", "/compatible-api/v1/reranks"),
        (RerankInput(query="q", documents=("a",)), "gte-rerank-v2", "/api/v1/services/rerank/text-rerank/text-rerank"),
    ],
)
async def test_the_native_face_is_used_where_only_it_has_the_feature(
    asked: EmbeddingInput | RerankInput, model: str, path: str
) -> None:
    output = {"embeddings": [{"text_index": 0, "embedding": [1.0]}], "results": [{"index": 0, "relevance_score": 0.5}]}
    body = {"output": output, "data": [{"index": 0, "embedding": [1.0]}], "results": output["results"]}
    async with upstream(whole(body), kind="alibaba") as (server, made):
        engine = made.engine(model, model_card())
        async for _ in engine.run(PreparedCall(call=call_of(asked), max_input_tokens=100)):
            pass

    assert server.paths == [path]


async def test_figures_beyond_a_probability_keep_their_order() -> None:
    call = call_of(RerankInput(query="q", documents=("a", "b")))
    reply = whole([{"index": 0, "score": -3.0}, {"index": 1, "score": 3.0}])

    scores = {each.index: each.score for each in await answered(reply, call) if isinstance(each, Ranked)}

    assert 0 < scores[0] < 0.5 < scores[1] < 1


@pytest.mark.parametrize(
    "body", [{"data": []}, {"data": [{"embedding": [1.0], "index": 5}]}, {"data": [{"embedding": []}]}, {}, b"x"]
)
async def test_vectors_that_are_none_are_a_failure(body: object) -> None:
    assert type(await refused(whole(body), call_of(EmbeddingInput(texts=("a",))))) is EngineFailed
