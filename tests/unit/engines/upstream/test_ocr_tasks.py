"""Built-in OCR tasks at upstreams: Model Studio's native service, and prompts for all others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest

from qwenport.core.call import Call, ChatInput, Sampling
from qwenport.core.capabilities import Capabilities
from qwenport.core.content import Message, Picture, Role
from qwenport.core.errors import EngineFailed, ParameterInvalid, QwenportError, UpstreamThrottled
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.secret import Secret
from qwenport.core.usage import Usage, UsageSource
from qwenport.engines.dialects import TASK_PROMPTS
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing.calls import call_of
from qwenport.testing.llama_host import Reply
from qwenport.testing.models import model_card
from qwenport.testing.native_upstream import NativeUpstream, Said, running_upstream
from qwenport.testing.scripted_upstream import DONE, ScriptedUpstream, chunk, counts, place, stream, whole

pytestmark = pytest.mark.anyio

SERVICE = "/api/v1/services/aigc/multimodal-generation/generation"
FIELDS = OcrTask.KEY_INFORMATION_EXTRACTION
PICTURE = Picture(
    data=b"x", media_type="image/png", width=64, height=64, tokens=6, least_pixels=3072, most_pixels=9999, rotates=True
)
SEEING = Capabilities(vision=True)
URL = "data:image/png;base64,eA=="


def asked(task: OcrTask, schema: bytes = b"", *, streams: bool = True, sampling: Sampling | None = None) -> Call:
    options = OcrOptions(task=task, result_schema=schema)
    chat = ChatInput(messages=(Message(role=Role.USER, content=(PICTURE,)),), ocr=options)
    return call_of(chat, streams=streams, sampling=sampling or Sampling())


async def run(made: Upstream, call: Call, able: Capabilities = SEEING) -> list[Event]:
    engine = made.engine("ocr-there", model_card(capabilities=able))
    async with aclosing(engine.run(PreparedCall(call=call, max_input_tokens=1000))) as events:
        return [event async for event in events]


def piece(text: str | None, tokens: int, reason: str = "null", **beside: Any) -> dict[str, Any]:
    """Return one frame of Model Studio: a piece of text and what was used so far."""
    content = [] if text is None else [{"text": text, **beside}]
    message = {"role": "assistant", "content": content}
    usage = {
        "input_tokens": 926,
        "output_tokens": tokens,
        "total_tokens": 926 + tokens,
        "image_tokens": 754,
        "input_tokens_details": {"image_tokens": 754, "text_tokens": 172},
        "output_tokens_details": {"text_tokens": tokens},
    }
    output = {"choices": [{"finish_reason": reason, "message": message}]}
    return {"output": output, "usage": usage, "request_id": "theirs"}


@asynccontextmanager
async def studio(*said: Said) -> AsyncIterator[tuple[NativeUpstream, Upstream]]:
    script = NativeUpstream(said=list(said))
    async with running_upstream(script) as made:
        yield script, made


RESULT = {"kv_result": {"车次": "G1948", "票价": ""}}
PIECES = (
    piece('```json\n{"车次":', 5),
    piece('"G1948"}\n```', 12),
    piece("", 13, "stop", ocr_result=RESULT),
)
EVENTS: list[Event] = [
    Started(served_by="studio/ocr-there", input_tokens=926, image_tokens=754),
    Delta(text='```json\n{"车次":', tokens=5),
    Delta(text='"G1948"}\n```', tokens=7),
    Recognized(result=msgspec.json.encode(RESULT)),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=926, output_tokens=13, image_tokens=754)),
]


async def test_model_studio_is_asked_for_a_task_at_its_native_address() -> None:
    sampling = Sampling(temperature=0.01, top_p=0.001, top_k=1, max_tokens=100, seed=3, stop=("x",))
    async with studio(Said(pieces=PIECES)) as (script, made):
        events = await run(made, asked(FIELDS, '{"车次":"","票价":""}'.encode(), sampling=sampling))
        [request] = script.asked

    assert events == EVENTS
    assert request.path == SERVICE
    assert request.headers["x-dashscope-sse"] == "enable"
    image = {"image": URL, "min_pixels": 3072, "max_pixels": 9999, "enable_rotate": True}
    assert request.body == {
        "model": "ocr-there",
        "input": {"messages": [{"role": "user", "content": [image]}]},
        "parameters": {
            "ocr_options": {
                "task": "key_information_extraction",
                "task_config": {"result_schema": {"车次": "", "票价": ""}},
            },
            "incremental_output": True,
            "temperature": 0.01,
            "top_p": 0.001,
            "top_k": 1,
            "seed": 3,
            "stop": ["x"],
            "max_tokens": 100,
        },
    }


@pytest.mark.parametrize("task", OcrTask)
async def test_every_task_streams_from_model_studio_also_for_a_whole_answer(task: OcrTask) -> None:
    async with studio(Said(pieces=PIECES)) as (script, made):
        events = await run(made, asked(task, streams=False))
        [request] = script.asked

    assert events == EVENTS
    assert request.body["parameters"] == {"ocr_options": {"task": task.value}, "incremental_output": True}


async def test_an_answer_that_comes_whole_is_read_too() -> None:
    async with studio(Said(body=piece("all", 13, "length", ocr_result=RESULT))) as (_, made):
        events = await run(made, asked(FIELDS))

    assert events == [
        Started(served_by="studio/ocr-there", input_tokens=926, image_tokens=754),
        Delta(text="all", tokens=1),
        Recognized(result=msgspec.json.encode(RESULT)),
        ChoiceFinished(reason=FinishReason.LENGTH, tokens=12),
        Finished(usage=Usage(input_tokens=926, output_tokens=13, image_tokens=754)),
    ]


async def test_a_task_without_a_result_has_none_and_a_string_is_a_text() -> None:
    told = piece("", 1, "stop")
    told["output"]["choices"][0]["message"]["content"] = "$$x$$"
    async with studio(Said(pieces=(piece(None, 0), told))) as (_, made):
        events = await run(made, asked(OcrTask.FORMULA_RECOGNITION))

    assert [event for event in events if isinstance(event, Delta | Recognized)] == [Delta(text="$$x$$", tokens=1)]


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (
            Said(status=400, body={"code": "InvalidParameter", "message": "The image format is illegal"}),
            ParameterInvalid,
            "The image format is illegal",
        ),
        (Said(status=429, body={"code": "Throttling.RateQuota", "message": "Slow down"}), UpstreamThrottled, ""),
        (
            Said(pieces=(PIECES[0], {"code": "InternalError", "message": "It broke", "request_id": "theirs"})),
            EngineFailed,
            "the upstream of `studio/ocr-there` broke off: It broke",
        ),
        (Said(pieces=PIECES[:2]), EngineFailed, "broke off in the middle of its answer"),
        (Said(body={"output": {"choices": []}, "request_id": "theirs"}), EngineFailed, "sent an empty answer"),
        (Said(pieces=({"output": 5},)), EngineFailed, "sent what is no answer"),
    ],
)
async def test_what_model_studio_says_instead_is_an_error(said: Said, error: type[QwenportError], words: str) -> None:
    async with studio(said) as (_, made):
        with pytest.raises(error) as raised:
            await run(made, asked(FIELDS))

    assert words in str(raised.value)


async def test_a_task_is_asked_again_for_no_more_than_fits() -> None:
    words = (
        "This model's maximum context length is 40 tokens. However, you requested 108 tokens (8 in the messages, 100"
    )
    refusal = Said(status=400, body={"code": "InvalidParameter", "message": words})
    async with studio(refusal, Said(pieces=PIECES)) as (script, made):
        events = await run(made, asked(FIELDS, sampling=Sampling(max_tokens=100)))

    assert events == EVENTS
    assert [request.body["parameters"]["max_tokens"] for request in script.asked] == [100, 32]


@asynccontextmanager
async def seeing_server(reply: Reply, **more: Any) -> AsyncIterator[tuple[ScriptedUpstream, Upstream]]:
    server = ScriptedUpstream(reply)
    async with server.listening_on_a_port() as port:
        made = Upstream(place(port, **more), Secret("sk-of-a-test"))
        try:
            yield server, made
        finally:
            await made.close()


def messages_of(request: dict[str, object]) -> list[Any]:
    messages = request["messages"]
    assert isinstance(messages, list)
    return messages


FENCED = '```json\n{"车次": "G1948", "more": "left out"}\n```'


async def test_others_are_asked_by_a_prompt_and_their_json_is_what_was_found() -> None:
    answer = {"choices": [{"message": {"content": FENCED}, "finish_reason": "stop"}], "usage": counts(90, 20)}
    async with seeing_server(whole(answer)) as (server, made):
        events = await run(made, asked(FIELDS, '{"车次":"","票价":""}'.encode(), streams=False))
        [request] = server.requests

    assert events == [
        Started(served_by="up/ocr-there", input_tokens=90, image_tokens=6),
        Delta(text=FENCED, tokens=12),
        Recognized(result=msgspec.json.encode(RESULT)),
        ChoiceFinished(reason=FinishReason.STOP, tokens=8),
        Finished(usage=Usage(input_tokens=90, output_tokens=20, image_tokens=6)),
    ]
    [message] = messages_of(request)
    assert message["content"][0] == {"type": "image_url", "image_url": {"url": URL}}
    assert message["content"][1]["text"].startswith(TASK_PROMPTS[FIELDS])
    assert "ocr_options" not in request


async def test_an_upstream_of_alibabas_without_the_native_address_gets_the_prompt() -> None:
    reply = stream(chunk({"content": "plain text"}), chunk(reason="stop"), DONE)
    async with seeing_server(reply, kind="alibaba", dialect="model-studio", native_url="") as (server, made):
        events = await run(made, asked(OcrTask.TEXT_RECOGNITION))
        [request] = server.requests

    [message] = messages_of(request)
    assert message["content"][0] == {
        "type": "image_url",
        "image_url": {"url": URL},
        "min_pixels": 3072,
        "max_pixels": 9999,
    }
    assert message["content"][1]["text"] == TASK_PROMPTS[OcrTask.TEXT_RECOGNITION]
    assert [event for event in events if isinstance(event, Delta | Recognized)] == [Delta(text="plain text", tokens=2)]


async def test_tokens_that_nobody_tells_are_counted_with_those_of_the_images() -> None:
    reply = stream(chunk({"content": "text"}), chunk(reason="stop"), DONE)
    async with seeing_server(reply) as (_, made):
        events = await run(made, asked(OcrTask.TEXT_RECOGNITION))

    prompt = -(-len(TASK_PROMPTS[OcrTask.TEXT_RECOGNITION]) // 4)
    assert events[-1] == Finished(
        usage=Usage(input_tokens=4 + prompt + 6, output_tokens=1, image_tokens=6, source=UsageSource.COUNTED)
    )


async def test_who_sees_takes_every_task_and_who_does_not_none() -> None:
    async with seeing_server(stream(DONE)) as (server, made):
        able = [made.engine("m", model_card(capabilities=each)).capabilities for each in (SEEING, Capabilities())]
        with pytest.raises(ParameterInvalid, match="cannot see images"):
            await run(made, asked(FIELDS), Capabilities())

    assert [each.ocr_tasks for each in able] == [tuple(OcrTask), ()]
    assert server.requests == []
