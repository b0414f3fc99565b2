"""Images read without a cloud: the official clients and plain HTTP before a live server and its embedded OCR engine.

The documents are drawn here, so that every character on them is known. The first request is the train ticket of the
Qwen-OCR guide of Model Studio: ten fields asked for in words, as JSON, between bounds of pixels.
"""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

import base64
import io
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import cv2
import dashscope
import numpy as np
import openai
import pytest
import requests
from PIL import Image

from qwenport.core.ocr import OcrTask
from qwenport.evaluation.html_tables import grids_of
from qwenport.evaluation.metrics.cells import GridCell
from qwenport.evaluation.rendering import Sample, layouts, render, table_layouts, text_page

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServeFolder
    from tests.conftest import Server

pytestmark = pytest.mark.engine

MODEL = "qwen-vl-ocr-latest"
TICKET = "train-ticket-blue"
TABLE = "table-stock"
SEED = 7
PROMPT = (
    "请提取车票图像中的发票号码、车次、起始站、终点站、发车日期和时间点、座位号、席别类型、票价、身份证号码、购票人姓名。"
    "要求准确无误的提取上述关键信息、不要遗漏和捏造虚假信息，模糊或者强光遮挡的单个文字可以用英文问号?代替。"
    "返回数据格式以json方式输出，格式为：{'发票号码'：'xxx', '车次'：'xxx', '起始站'：'xxx', "
    "'终点站'：'xxx', '发车日期和时间点'：'xxx', '座位号'：'xxx', '席别类型'：'xxx','票价':'xxx', "
    "'身份证号码'：'xxx', '购票人姓名'：'xxx'"
)
PIXELS = {"min_pixels": 3072, "max_pixels": 8388608}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give files: the ticket, clean and as a skewed photo, a table, a page of text, and a document of two pages."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = {name: folder / name for name in ("clean.png", "photo.jpg", "table.png", "text.png", "pages.pdf")}
    for name in ("clean.png", "photo.jpg"):
        paths[name].write_bytes(ticket(name).image)
    paths["table.png"].write_bytes(table().image)
    paths["text.png"].write_bytes(text().image)
    pages = [Image.open(paths[name]).convert("RGB") for name in ("clean.png", "table.png")]
    pages[0].save(paths["pages.pdf"], save_all=True, append_images=pages[1:], resolution=100)
    return paths


@pytest.fixture(scope="module")
def server(reader: Server) -> Server:
    """Give the server that reads."""
    return reader


@pytest.fixture(scope="module")
def web(serve_folder: ServeFolder, pictures: dict[str, Path]) -> Iterator[str]:
    """Give the address of a web server that has the pictures."""
    with serve_folder(pictures["clean.png"].parent) as url:
        yield url


def ticket(name: str) -> Sample:
    return render(layouts()[TICKET], SEED, photo=name == "photo.jpg")


def table() -> Sample:
    return render(table_layouts()[TABLE], SEED)


def text() -> Sample:
    return text_page(SEED, "en")


def data_url(path: Path) -> str:
    kind = {".jpg": "image/jpeg", ".png": "image/png", ".pdf": "application/pdf"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def fields_in(text: str) -> Any:
    """Return the JSON of an answer, with or without a fence around it."""
    return json.loads(text.strip().removeprefix("```json").removesuffix("```"))


def spoken(text: str) -> str:
    """Return a text without what tells its lines and words apart."""
    return "".join(text.split())


def openai_client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(api_key=server.key, base_url=f"{server.url}/compatible-mode/v1", max_retries=0)


# --- the train ticket, four ways ---


def by_requests(server: Server, address: str) -> str:
    image: Any = {"type": "image_url", "image_url": {"url": address}, **PIXELS}
    response = requests.post(
        f"{server.url}/compatible-mode/v1/chat/completions",
        headers=server.bearer,
        json={"model": MODEL, "messages": [{"role": "user", "content": [image, {"type": "text", "text": PROMPT}]}]},
        timeout=120,
    )
    assert response.status_code == 200, response.text
    # The engine of the house stands in for a model of Model Studio, and says so.
    assert response.headers["x-qwenport-served-by"] == "ocr/pp-ocrv6-small; stand-in"
    assert response.json()["usage"]["prompt_tokens_details"]["image_tokens"] > 0
    return str(response.json()["choices"][0]["message"]["content"])


def by_openai(server: Server, address: str) -> str:
    image: Any = {"type": "image_url", "image_url": {"url": address}, **PIXELS}
    completion = openai_client(server).chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": [image, {"type": "text", "text": PROMPT}]}]
    )
    return completion.choices[0].message.content or ""


def by_dashscope(server: Server, address: str) -> str:
    response = converse(server, [{"image": address, **PIXELS}, {"text": PROMPT}])
    assert response.status_code == 200, response
    return str(response.output.choices[0].message.content[0]["text"])


def by_dashscope_v2(server: Server, address: str) -> str:
    settings: dict[str, Any] = {"base_url": f"{server.url}/api/v1", "protocol": "native", "max_retries": 0}
    with dashscope.Client(api_key=server.key, **settings) as client:
        content = [{"image": address, **PIXELS}, {"text": PROMPT}]
        answer: Any = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
    return str(answer.output_text)


def by_url(path: Path, web: str) -> str:
    return f"{web}/{path.name}"


def by_base64(path: Path, _: str) -> str:
    return data_url(path)


def by_file(path: Path, _: str) -> str:
    return f"file://{path}"


def converse(server: Server, content: list[Any], **parameters: Any) -> Any:
    """Ask through version 1 of the client, which uploads local files first, to the address that it is told here."""
    dashscope.base_http_api_url = f"{server.url}/api/v1"
    conversation: Any = dashscope.MultiModalConversation
    messages = [{"role": "user", "content": content}]
    return conversation.call(model=MODEL, messages=messages, api_key=server.key, **parameters)


@pytest.fixture(autouse=True)
def _address_of_the_client() -> Iterator[None]:
    before = dashscope.base_http_api_url
    yield
    dashscope.base_http_api_url = before


WAYS = [
    *(
        (ask, address)
        for ask in (by_requests, by_openai, by_dashscope, by_dashscope_v2)
        for address in (by_url, by_base64)
    ),
    (by_dashscope, by_file),
]


@pytest.mark.parametrize("name", ["clean.png", "photo.jpg"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(each.__name__ for each in way))
def test_the_ten_fields_of_a_ticket_come_out_right(
    server: Server, web: str, pictures: dict[str, Path], way: Any, name: str
) -> None:
    ask, address = way
    expected = dict(ticket(name).fields)

    assert (len(expected), fields_in(ask(server, address(pictures[name], web)))) == (10, expected)


def test_characters_that_are_scribbled_over_are_told_as_unreadable(server: Server, tmp_path: Path) -> None:
    image = np.array(Image.open(io.BytesIO(ticket("clean.png").image)).convert("RGB"))
    # A cross over the second character of the name, and a grid over the point and the figure before it.
    for start, end in (((492, 385), (523, 416)), ((523, 385), (492, 416))):
        cv2.line(image, start, end, (0, 0, 0), 6)
    for x, y in ((111, 276), (124, 284), (138, 292)):
        cv2.line(image, (x, 272), (x, 298), (20, 20, 20), 5)
        cv2.line(image, (111, y), (138, y), (20, 20, 20), 5)
    path = tmp_path / "scribbled.png"
    Image.fromarray(image).save(path)

    expected = dict(ticket("clean.png").fields) | {"购票人姓名": "杨?怡", "票价": "¥55?5元"}
    assert fields_in(by_openai(server, data_url(path))) == expected


# --- the tasks of the native face, on local files ---


def work(server: Server, task: OcrTask, path: Path, schema: Any = None, **parameters: Any) -> Any:
    options = {"task": task.value} | ({"task_config": {"result_schema": schema}} if schema else {})
    return converse(server, [{"image": f"file://{path}"}], ocr_options=options, **parameters)


def part(answer: Any) -> dict[str, Any]:
    """Return the only part of an answer that ended by itself."""
    assert answer.status_code == 200, answer
    [choice] = answer.output.choices
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    [found] = choice.message.content
    return dict(found)


@pytest.mark.parametrize("task", [OcrTask.TEXT_RECOGNITION, OcrTask.MULTI_LANGUAGE])
def test_all_text_comes_line_by_line(server: Server, pictures: dict[str, Path], task: OcrTask) -> None:
    found = part(work(server, task, pictures["text.png"]))

    assert sorted(found) == ["processed_text", "text"]
    lines = [spoken(line) for line in found["text"].splitlines()]
    printed = [spoken(line.text) for line in text().lines]
    assert sum(line in lines for line in printed) >= 0.9 * len(printed), found["text"]


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the common area of two quadrilaterals as a share of what they cover together."""
    first, second = (np.array(quad, np.float32).reshape(4, 2) for quad in (one, other))
    common, _ = cv2.intersectConvexConvex(first, second)
    return float(common / (cv2.contourArea(first) + cv2.contourArea(second) - common))


def test_places_of_lines_lie_on_what_is_printed(server: Server, pictures: dict[str, Path]) -> None:
    found = part(work(server, OcrTask.ADVANCED_RECOGNITION, pictures["photo.jpg"]))
    words = found["ocr_result"]["words_info"]
    sample = ticket("photo.jpg")
    places = {spoken(line.text): line.quad for line in sample.lines}

    assert [sorted(word) for word in words] == [["location", "rotate_rect", "text"]] * len(words)
    assert {spoken(word["text"]) for word in words} == set(places)
    shares = [overlap(word["location"], places[spoken(word["text"])]) for word in words]
    # A reader leaves some white around the ink.
    assert min(shares) > 0.4, shares
    assert statistics.median(shares) > 0.55, shares
    assert statistics.median(word["rotate_rect"][4] for word in words) == round(sample.page.angle)
    assert fields_in(found["text"]) == [{key: word[key] for key in ("rotate_rect", "text")} for word in words]


SCHEMA = {
    "车次": "",
    "行程": {"起始站": "出发车站", "终点站": "", "发车日期和时间点": ""},
    "购票人": {"购票人姓名": "", "身份证号码": ""},
    "宠物名": "",
}


def filled() -> dict[str, Any]:
    """Return the schema with what stands on the ticket."""
    truth = ticket("clean.png").fields
    return {
        "车次": truth["车次"],
        "行程": {name: truth[name] for name in ("起始站", "终点站", "发车日期和时间点")},
        "购票人": {name: truth[name] for name in ("购票人姓名", "身份证号码")},
        "宠物名": "",
    }


def test_fields_come_in_the_shape_of_their_schema(server: Server, pictures: dict[str, Path]) -> None:
    answer = work(server, OcrTask.KEY_INFORMATION_EXTRACTION, pictures["clean.png"], SCHEMA)
    found = part(answer)

    assert found["ocr_result"] == {"kv_result": filled()}
    assert found["text"] == found["processed_text"]
    assert found["text"].startswith("```json\n{")
    assert fields_in(found["text"]) == filled()
    usage = answer.usage
    assert usage.image_tokens == usage.input_tokens_details["image_tokens"] > 500
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


@pytest.mark.parametrize("parameters", [{}, {"incremental_output": True}])
def test_a_stream_of_fields_ends_with_all_of_them(
    server: Server, pictures: dict[str, Path], parameters: dict[str, Any]
) -> None:
    answer = work(server, OcrTask.KEY_INFORMATION_EXTRACTION, pictures["clean.png"], SCHEMA, stream=True, **parameters)
    # The client gives the same list again and again where it joins, so each is looked at as it comes.
    frames = [(frame.status_code, dict(frame.output.choices[0].message.content[0])) for frame in answer]

    assert {status for status, _ in frames} == {200}
    texts = [frame["text"] for _, frame in frames]
    assert len(texts) > 2
    assert fields_in("".join(texts) if parameters else texts[-1]) == filled()
    assert [frame["ocr_result"] for _, frame in frames if "ocr_result" in frame] == [{"kv_result": filled()}]
    assert "ocr_result" in frames[-1][1]


def test_a_table_comes_as_html_with_its_cells(server: Server, pictures: dict[str, Path]) -> None:
    found = part(work(server, OcrTask.TABLE_PARSING, pictures["table.png"]))
    html = found["text"].removeprefix("```html\n").removesuffix("\n```")
    [truth] = table().tables
    cells = [
        GridCell(row=each.row, column=each.column, row_span=each.row_span, column_span=each.column_span, text=each.text)
        for each in truth.cells
    ]

    assert html.startswith("<table><tr><td>")
    [grid] = grids_of(html)
    assert sorted(grid) == sorted(cells)


def test_a_document_comes_as_latex(server: Server, pictures: dict[str, Path]) -> None:
    found = part(work(server, OcrTask.DOCUMENT_PARSING, pictures["table.png"]))

    assert sorted(found) == ["processed_text", "text"]
    assert found["text"].startswith("```latex\n")
    assert found["text"].endswith("\n```")
    assert "\\begin{tabular}" in found["text"]
    assert [each.text for each in table().tables[0].cells if each.text not in found["text"]] == []


def test_formulae_need_a_model_that_sees(server: Server, pictures: dict[str, Path]) -> None:
    answer = work(server, OcrTask.FORMULA_RECOGNITION, pictures["table.png"])

    assert (answer.status_code, answer.code) == (400, "InvalidParameter")
    assert answer.message.endswith("does not take the task `formula_recognition`: it needs a model that sees.")
    row = server.operator("GET", f"/calls/{answer.request_id}").json()
    assert (row["outcome"], row["status"], row["cost"], row["input_tokens"], row["images"]) == (
        *("failed", 400, "0.00"),
        *(0, 0),
    )


# --- the other faces, and documents of several pages ---


def test_the_openai_client_streams_a_text_and_its_usage(server: Server, pictures: dict[str, Path]) -> None:
    image: Any = {"type": "image_url", "image_url": {"url": data_url(pictures["clean.png"])}}
    stream = openai_client(server).chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": [image]}],
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = stream
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks]

    assert len(pieces) > 2
    assert [line for line in ticket("clean.png").lines if spoken(line.text) not in spoken("".join(pieces))] == []
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last.usage is not None
    assert last.usage.completion_tokens > 50


def test_the_anthropic_client_gets_the_text_of_an_image(server: Server, pictures: dict[str, Path]) -> None:
    digits = base64.b64encode(pictures["photo.jpg"].read_bytes()).decode()
    image: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": digits}}
    with anthropic.Anthropic(api_key=server.key, base_url=f"{server.url}/apps/anthropic", max_retries=0) as client:
        message = client.messages.create(
            model=MODEL,
            max_tokens=1000,
            messages=[{"role": "user", "content": [image, {"type": "text", "text": PROMPT}]}],
        )

    [block] = message.content
    assert isinstance(block, anthropic.types.TextBlock)
    assert (fields_in(block.text), message.stop_reason) == (dict(ticket("photo.jpg").fields), "end_turn")


def is_read(text: str, sample: Sample) -> bool:
    """Tell whether a text holds what is printed on a page, but for a line or two that compression spoilt."""
    printed = [spoken(line.text) for line in sample.lines]
    return sum(line in spoken(text) for line in printed) >= 0.9 * len(printed)


def test_the_pages_of_a_document_are_read_as_images(server: Server, pictures: dict[str, Path]) -> None:
    answer = work(server, OcrTask.TEXT_RECOGNITION, pictures["pages.pdf"])
    first, second = part(answer)["text"].split("\n\n", 1)
    row = server.operator("GET", f"/calls/{answer.request_id}").json()

    assert (is_read(first, ticket("clean.png")), is_read(second, table())) == (True, True), (first, second)
    assert (row["images"], row["pages"], row["served_by"]) == (0, 2, "ocr/pp-ocrv6-small")


def test_a_document_is_a_file_part_of_the_openai_client(server: Server, pictures: dict[str, Path]) -> None:
    file: Any = {"type": "file", "file": {"filename": "pages.pdf", "file_data": data_url(pictures["pages.pdf"])}}
    completion = openai_client(server).chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": [file]}]
    )
    first, second = (completion.choices[0].message.content or "").split("\n\n", 1)

    assert (is_read(first, ticket("clean.png")), is_read(second, table())) == (True, True), (first, second)
