"""Calls that read text in images: the official clients of every face against a whole gateway, and what they cost."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import dashscope
import openai
import pytest
from msgspec.structs import replace

from qwenport.catalog.catalog import Catalog
from qwenport.core.call import ChatInput
from qwenport.core.content import Picture, TextPart
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.gate.reads import READ_ALL
from qwenport.metering import call_report
from qwenport.metering.call_report import CallQuery, CallRow
from qwenport.settings.configuration_file import RouteTable
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.image_site import IMAGE
from qwenport.testing.native_upstream import NativeUpstream, Said, running_upstream
from qwenport.testing.scripted_engine import ALL_CAPABILITIES, ScriptedEngine, Step

pytestmark = pytest.mark.anyio

MODEL = "qwen-vl-ocr-latest"
URL = "data:image/png;base64," + base64.b64encode(IMAGE).decode()
TEXT = '```json\n{"车次":"G1948"}\n```'
PART = {"text": TEXT, "processed_text": TEXT, "ocr_result": {"kv_result": {"车次": "G1948"}}}
TASK = OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION)
OPTIONS = {"task": "key_information_extraction"}


def read(_: PreparedCall) -> list[Step]:
    return [
        Started(served_by="scripted/model", input_tokens=504, image_tokens=332),
        Delta(text=TEXT[:9], tokens=6),
        Delta(text=TEXT[9:], tokens=5),
        Recognized(result='{"kv_result":{"车次":"G1948"}}'.encode()),
        ChoiceFinished(reason=FinishReason.STOP, tokens=1),
        Finished(usage=Usage(input_tokens=504, output_tokens=12, image_tokens=332)),
    ]


@dataclass
class House:
    """A gateway whose models that read text are one scripted engine."""

    gateway: Gateway
    engine: ScriptedEngine

    def asked(self) -> ChatInput:
        """Return what the engine was last asked, images without their bytes."""
        asked = self.engine.calls[-1].call.input
        assert isinstance(asked, ChatInput)
        return asked

    def seen(self) -> tuple[list[tuple[str, int, int, int]], list[str]]:
        """Return type, width, height and tokens of the pictures of the only message, and its texts."""
        [message] = self.asked().messages
        assert not isinstance(message.content, str)
        pictures = [each for each in message.content if isinstance(each, Picture)]
        texts = [each.text for each in message.content if isinstance(each, TextPart)]
        return [(each.media_type, each.width, each.height, each.tokens) for each in pictures], texts

    async def rows(self) -> list[CallRow]:
        await self.gateway.idle()
        await self.gateway.keeper.post_all()
        with self.gateway.database.read() as transaction:
            return list(call_report.calls_report(transaction, CallQuery()))

    async def converse(self, content: list[Any], **parameters: Any) -> Any:
        def call() -> Any:
            answer: Any = dashscope.MultiModalConversation.call(
                model=MODEL,
                messages=[
                    {"role": "system", "content": [{"text": "You are a poet."}]},
                    {"role": "user", "content": content},
                ],
                api_key=KEY,
                base_address=f"http://127.0.0.1:{self.gateway.port}/api/v1",
                **parameters,
            )
            # The client that joins gives the same list each time, so that each is kept as it was.
            return [each.output.choices[0].message.content for each in answer] if "stream" in parameters else answer

        return await asyncio.to_thread(call)


@asynccontextmanager
async def serving(folder: Path, **plan: Any) -> AsyncIterator[House]:
    able = replace(ALL_CAPABILITIES, ocr_tasks=tuple(OcrTask))
    engine = ScriptedEngine(read, capabilities=able)
    routes = [RouteTable(model=name, to=("scripted/model",)) for name in (MODEL, "qwen-vl-plus")]
    catalog = Catalog.load().with_routes(routes, {"scripted": ()})
    async with running_gateway(folder, Plan(engines=[engine], catalog=catalog, **plan)) as gateway:
        yield House(gateway, engine)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as opened:
        yield opened


async def test_a_task_is_answered_with_what_was_found_and_billed_by_its_tokens(house: House) -> None:
    response = await house.converse([{"image": URL}, {"text": "not looked at"}], ocr_options=OPTIONS)

    assert (response.status_code, response.output.choices[0].message.content) == (200, [PART])
    assert dict(response.usage) == {
        "input_tokens": 504,
        "output_tokens": 12,
        "total_tokens": 516,
        "image_tokens": 332,
        "input_tokens_details": {"text_tokens": 172, "image_tokens": 332},
        "output_tokens_details": {"text_tokens": 12},
        "characters": 0,
    }
    assert house.asked().ocr == TASK
    assert house.seen() == ([("image/png", 689, 487, 332)], [])
    [row] = await house.rows()
    assert (row.input_tokens, row.output_tokens, row.images, row.pages) == (504, 12, 1, 1)


@pytest.mark.parametrize("parameters", [{}, {"incremental_output": True}])
async def test_a_streamed_task_ends_with_what_was_found(house: House, parameters: dict[str, Any]) -> None:
    contents = await house.converse([{"image": URL}], ocr_options=OPTIONS, stream=True, **parameters)

    text = "" if parameters else TEXT
    assert contents[-1] == [{**PART, "text": text}]
    assert "".join(content[0]["text"] for content in contents) == (TEXT if parameters else TEXT[:9] + TEXT + TEXT)


async def test_images_alone_are_read_by_the_prompt_of_the_model(house: House) -> None:
    await house.converse([{"image": URL, "max_pixels": 65_536}])

    assert house.seen() == ([("image/png", 689, 487, 56)], [READ_ALL])


async def test_the_openai_client_gets_the_text_and_no_task(house: House) -> None:
    base_url = f"http://127.0.0.1:{house.gateway.port}/compatible-mode/v1"
    async with openai.AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0) as client:
        image: Any = {"type": "image_url", "image_url": {"url": URL}, "min_pixels": 3072, "max_pixels": 8_388_608}
        completion = await client.chat.completions.create(
            model=MODEL,
            messages=[
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hello!"},
                {"role": "user", "content": [image, {"type": "text", "text": "Which train?"}]},
            ],
            extra_body={"ocr_options": {"task": "no task at all"}},
        )

    assert completion.choices[0].message.content == TEXT
    assert completion.usage is not None
    assert completion.usage.model_dump(exclude_none=True) == {
        "prompt_tokens": 504,
        "completion_tokens": 12,
        "total_tokens": 516,
        "prompt_tokens_details": {"cached_tokens": 0, "image_tokens": 332, "text_tokens": 172},
        "completion_tokens_details": {"text_tokens": 12},
    }
    assert house.asked().ocr is None
    assert house.seen() == ([("image/png", 689, 487, 332)], ["Which train?"])


async def test_the_anthropic_client_gets_the_text(house: House) -> None:
    source: Any = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(IMAGE).decode()}
    base_url = f"http://127.0.0.1:{house.gateway.port}/apps/anthropic"
    async with anthropic.AsyncAnthropic(api_key=KEY, base_url=base_url, max_retries=0) as client:
        message = await client.messages.create(
            model=MODEL,
            max_tokens=100,
            messages=[{"role": "user", "content": [{"type": "image", "source": source}]}],
        )

    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": TEXT}]
    assert house.seen() == ([("image/png", 689, 487, 332)], [READ_ALL])


async def test_a_stored_image_is_read_by_its_id(house: House) -> None:
    base_url = f"http://127.0.0.1:{house.gateway.port}/compatible-mode/v1"
    async with openai.AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0) as client:
        stored = await client.files.create(file=("ticket.png", IMAGE), purpose="file-extract")  # type: ignore[arg-type] # Model Studio's own
        file: Any = {"type": "file", "file": {"file_id": stored.id}}
        await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": [file]}])

    assert house.seen() == ([("image/png", 689, 487, 332)], [READ_ALL])


async def test_an_image_that_cannot_be_read_costs_nothing(house: House) -> None:
    broken = "data:image/png;base64," + base64.b64encode(b"<svg/>").decode()
    response = await house.converse([{"image": broken}], ocr_options=OPTIONS)

    assert (response.status_code, response.code) == (400, "InvalidParameter")
    [row] = await house.rows()
    assert (row.outcome, row.input_tokens, row.images, row.pages, row.cost) == ("failed", 0, 0, 0, "0.00")
    assert house.engine.calls == []


async def test_a_task_reaches_model_studio_and_comes_back_whole(tmp_path: Path) -> None:
    result = {"words_info": [{"text": "发票", "location": [1, 2, 9, 2, 9, 6, 1, 6], "rotate_rect": [5, 4, 8, 4, 0]}]}
    said = {
        "output": {
            "choices": [
                {
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": [{"text": "read", "ocr_result": result}]},
                }
            ]
        },
        "usage": {"input_tokens": 926, "output_tokens": 72, "total_tokens": 998, "image_tokens": 754},
        "request_id": "theirs",
    }
    script = NativeUpstream(said=[Said(pieces=(said,))])
    catalog = Catalog.load().with_routes([RouteTable(model=MODEL, to=("studio/ocr-there",))], {"studio": ()})
    async with running_upstream(script) as upstream:
        engine = upstream.engine("ocr-there", catalog.cards[MODEL])
        plan = Plan(engines=[engine], catalog=catalog, upstreams={engine.target: "studio"})
        async with running_gateway(tmp_path, plan) as gateway:
            house = House(gateway, ScriptedEngine(read))
            response = await house.converse([{"image": URL}], ocr_options={"task": "advanced_recognition"})
            [row] = await house.rows()

    assert response.output.choices[0].message.content == [
        {"text": "read", "processed_text": "read", "ocr_result": result}
    ]
    assert (row.input_tokens, row.output_tokens, row.images, row.pages) == (926, 72, 1, 1)
    [request] = script.asked
    [message] = request.body["input"]["messages"]
    assert [part["image"] for part in message["content"]] == [URL]
