"""Pages on which nothing stands, or a single character: every task, whole and streamed, by the official clients."""

# ruff: noqa: RUF001 - full-width marks, as prompts hold them

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dashscope
import numpy as np
import openai
import pytest
from PIL import Image

from qwenport.catalog.catalog import Catalog
from qwenport.core.ocr import OcrTask
from qwenport.documents.page import Line, Page
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.host_address import host_peer
from qwenport.engines.ocr.engine import OcrEngine
from qwenport.engines.ocr.sight import Sight
from qwenport.engines.ocr.tasks import TaskWork
from qwenport.engines.ocr.wire import PageOrder, PageReply
from qwenport.settings.configuration_file import RouteTable
from qwenport.testing.gateway import KEY, Plan, running_gateway
from qwenport.testing.reading_host import FakeReadingHost, Step

pytestmark = pytest.mark.anyio

MODEL = "qwen-vl-ocr"
TARGET = "ocr/fake"


def plain_png(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(content, "PNG")
    return content.getvalue()


URL = "data:image/png;base64," + base64.b64encode(plain_png(60, 40)).decode()
SCHEMA: dict[str, Any] = {"车次": "", "乘客": {"姓名": ""}, "items": [{"name": "", "price": ""}]}
NO_FIELDS = {"车次": "", "乘客": {"姓名": ""}, "items": []}
BLANK = Page(width=60, height=40)
ONE = Page(width=60, height=40, lines=(Line(text="一", quad=(10, 10, 30, 10, 30, 30, 10, 30), score=0.9),))
WORK = TaskWork()
WORD = {"text": "一", "location": [10, 10, 30, 10, 30, 30, 10, 30], "rotate_rect": [20, 20, 20, 20, 0]}


def fenced(value: object) -> str:
    return f"```json\n{json.dumps(value, ensure_ascii=False, indent=4)}\n```"


CASES: list[tuple[OcrTask, dict[str, Any] | None, Page, dict[str, Any]]] = [
    (OcrTask.TEXT_RECOGNITION, None, BLANK, {"text": ""}),
    (OcrTask.TEXT_RECOGNITION, None, ONE, {"text": "一"}),
    (OcrTask.MULTI_LANGUAGE, None, BLANK, {"text": ""}),
    (OcrTask.MULTI_LANGUAGE, None, ONE, {"text": "一"}),
    (OcrTask.TABLE_PARSING, None, BLANK, {"text": ""}),
    (OcrTask.TABLE_PARSING, None, ONE, {"text": "一"}),
    (OcrTask.DOCUMENT_PARSING, None, BLANK, {"text": "```latex\n\n```"}),
    (OcrTask.DOCUMENT_PARSING, None, ONE, {"text": "```latex\n一\n```"}),
    (
        OcrTask.ADVANCED_RECOGNITION,
        None,
        BLANK,
        {"text": "```json\n[]\n```", "ocr_result": {"words_info": []}},
    ),
    (
        OcrTask.ADVANCED_RECOGNITION,
        None,
        ONE,
        {
            "text": '```json\n[\n    {"rotate_rect":[20,20,20,20,0],"text":"一"}\n]\n```',
            "ocr_result": {"words_info": [WORD]},
        },
    ),
    *(
        (OcrTask.KEY_INFORMATION_EXTRACTION, schema, page, {"text": fenced(found), "ocr_result": {"kv_result": found}})
        for schema, found in ((None, {}), (SCHEMA, NO_FIELDS))
        for page in (BLANK, ONE)
    ),
]
"""Task, fields that are asked for, page, and the one part of the answer."""


def answer(page: Page, **order: Any) -> PageReply:
    """Return what the engine says of a page."""
    pixels = np.full((page.height, page.width, 3), 255, dtype=np.uint8)
    return WORK.perform(PageOrder(image=b"", **order), Sight(image=pixels, page=page))


@asynccontextmanager
async def serving(folder: Path, reply: PageReply) -> AsyncIterator[int]:
    """Give the port of a gateway whose reader replies to every page with this."""
    socket = folder / "reader"
    replies: defaultdict[bytes, Step] = defaultdict(lambda: reply)
    engine = OcrEngine(
        target=TARGET,
        slots=2,
        peer=host_peer("http://ocr", socket=socket, secret="s", keeps_connections=False),
        read_condition=lambda: Condition(state=EngineState.READY),
    )
    catalog = Catalog.load().with_routes([RouteTable(model=MODEL, to=(TARGET,))], {"ocr": ()})
    async with (
        FakeReadingHost(replies).listening(socket),
        running_gateway(folder, Plan(engines=[engine], catalog=catalog)) as gateway,
    ):
        yield gateway.port


async def converse(port: int, task: OcrTask, schema: dict[str, Any] | None, **parameters: Any) -> Any:
    config = {} if schema is None else {"task_config": {"result_schema": schema}}

    def call() -> Any:
        answered: Any = dashscope.MultiModalConversation.call(
            model=MODEL,
            messages=[{"role": "user", "content": [{"image": URL}]}],
            api_key=KEY,
            base_address=f"http://127.0.0.1:{port}/api/v1",
            ocr_options={"task": task.value, **config},
            **parameters,
        )
        return list(answered) if "stream" in parameters else answered

    return await asyncio.to_thread(call)


@pytest.mark.parametrize(("task", "schema", "page", "part"), CASES)
async def test_every_task_has_its_shape_whole_and_streamed(
    task: OcrTask, schema: dict[str, Any] | None, page: Page, part: dict[str, Any], tmp_path: Path
) -> None:
    encoded = b"" if schema is None else json.dumps(schema).encode()
    async with serving(tmp_path, answer(page, task=task, result_schema=encoded)) as port:
        whole = await converse(port, task, schema)
        frames = await converse(port, task, schema, stream=True, incremental_output=True)

    assert (whole.status_code, whole.output.choices[0].finish_reason) == (200, "stop")
    assert whole.output.choices[0].message.content == [part]
    contents = [frame.output.choices[0].message.content for frame in frames]
    assert "".join(content[0]["text"] for content in contents) == part["text"]
    assert contents[-1] == [{**part, "text": ""}]
    assert frames[-1].output.choices[0].finish_reason == "stop"
    assert frames[-1].usage["output_tokens"] == whole.usage["output_tokens"]


@pytest.mark.parametrize("stream", [False, True])
async def test_formulae_are_refused(stream: bool, tmp_path: Path) -> None:
    parameters = {"stream": True} if stream else {}
    async with serving(tmp_path, answer(BLANK, task=OcrTask.TEXT_RECOGNITION)) as port:
        refused = await converse(port, OcrTask.FORMULA_RECOGNITION, None, **parameters)

    [only] = refused if stream else [refused]
    assert (only.status_code, only.code) == (400, "InvalidParameter")
    assert "formula_recognition" in only.message


ASKED = "请提取发票号码、车次，以json方式输出：{'发票号码'：'xxx', '车次'：'xxx'}"
NONE_FOUND = json.dumps({"发票号码": "", "车次": ""}, ensure_ascii=False, indent=4)
NUMBER = {"type": "object", "properties": {"total": {"type": "number"}, "paid": {"type": "boolean"}}}
WANTED = {"type": "json_schema", "json_schema": {"name": "bill", "schema": NUMBER}}


@pytest.mark.parametrize("page", [BLANK, ONE], ids=["blank", "one character"])
@pytest.mark.parametrize(
    ("order", "asked", "text"),
    [
        ({"prompt": "Read it"}, {}, None),
        ({"prompt": ASKED}, {}, NONE_FOUND),
        ({"prompt": "As JSON", "is_json": True}, {"response_format": {"type": "json_object"}}, "{}"),
        (
            {"prompt": "Read it", "result_schema": b'{"total": "", "paid": ""}'},
            {"response_format": WANTED},
            '{\n    "total": null,\n    "paid": null\n}',
        ),
    ],
    ids=["text", "listed fields", "any JSON", "JSON of a schema"],
)
async def test_a_prompt_has_its_answer_by_the_openai_client(
    page: Page, order: dict[str, Any], asked: dict[str, Any], text: str | None, tmp_path: Path
) -> None:
    content: Any = [{"type": "image_url", "image_url": {"url": URL}}, {"type": "text", "text": order["prompt"]}]
    messages: Any = [{"role": "user", "content": content}]
    async with serving(tmp_path, answer(page, **order)) as port:
        base_url = f"http://127.0.0.1:{port}/compatible-mode/v1"
        async with openai.AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0) as client:
            whole = await client.chat.completions.create(model=MODEL, messages=messages, **asked)
            stream = await client.chat.completions.create(model=MODEL, messages=messages, stream=True, **asked)
            chunks = [chunk async for chunk in stream]

    wanted = text if text is not None else "".join(line.text for line in page.lines)
    [choice] = whole.choices
    assert (choice.finish_reason, choice.message.content) == ("stop", wanted)
    said = [each for chunk in chunks for each in chunk.choices]
    assert "".join(each.delta.content or "" for each in said) == wanted
    assert [each.finish_reason for each in said if each.finish_reason] == ["stop"]
