"""Images and documents for models at an upstream: a live server, the official clients, a scripted upstream.

The upstream is told what to say and notes what it was asked; it reports no usage, so that the gateway counts. What
does not need it is read by the engine that comes with the server.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dashscope
import openai
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.testing.made_documents import pdf
from qwenport.testing.upstream_tables import configure, route, table, upstream

if TYPE_CHECKING:
    from tests.conftest import Server


READER, VIEWER = "qwen-vl-ocr-latest", "qwen3-vl-plus"
CHOSEN_FROM, CHOOSER = "qwen-vl-ocr-2025-08-28", "qwen-plus"
"""What is read by the engine here, with fields that a text model at the upstream chooses."""
SHARED = "qwen-vl-ocr-2025-11-20"
"""What is read by the engine here, and where it cannot, by the upstream."""
OWN, HERE = "own/Qwen3-VL-8B-Instruct", "ocr/pp-ocrv6-small"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
Json = dict[str, Any]


class Script(ThreadingHTTPServer):
    """Says one text to everybody, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Seeing)
        self.text = ""
        self.asked: list[Json] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def shown(self) -> list[Json]:
        """Return the parts of the only message that was asked last."""
        [message] = self.asked[-1]["messages"]
        return list(message["content"])


class Seeing(BaseHTTPRequestHandler):
    """One exchange of the OpenAI-compatible protocol."""

    server: Script

    def do_GET(self) -> None:
        self._say("application/json", json.dumps({"object": "list", "data": []}))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(asked)
        said = {"role": "assistant", "content": self.server.text}
        common = {"id": "c", "created": 1, "model": asked["model"]}
        if not asked.get("stream"):
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            self._say("application/json", json.dumps({**common, "object": "chat.completion", "choices": [choice]}))
            return
        choices = ({"index": 0, "delta": said}, {"index": 0, "delta": {}, "finish_reason": "stop"})
        chunks = ({**common, "object": "chat.completion.chunk", "choices": [choice]} for choice in choices)
        frames = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
        self._say("text/event-stream", f"{frames}data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _say(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    with Script() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server(server_class: type[Server], script: Script, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with the weights that it comes with alone, whose models that see or choose are upstream."""
    folder = tmp_path_factory.mktemp("upstream")
    server = server_class(folder, folder / "no-models")
    configure(
        server.data_dir,
        upstream("own", script.url, health_path=""),
        upstream("studio", script.url, health_path="", dialect="model-studio"),
        route(READER, OWN),
        route(VIEWER, "studio/qwen3-vl-plus"),
        route(CHOSEN_FROM, HERE),
        route(CHOOSER, "own/Qwen3-4B"),
        route(SHARED, HERE, OWN),
        table("[ocr]", workers=1, fields_model=CHOOSER),
    )
    try:
        server.start(until="/healthz")
        yield server
        assert server.run("ledger", "check").returncode == 0
        assert server.stop() == 0, server.output
    finally:
        server.close()


def openai_client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(api_key=server.key, base_url=f"{server.url}/compatible-mode/v1", max_retries=0)


def converse(server: Server, model: str, content: list[Json], **parameters: Any) -> Any:
    conversation: Any = dashscope.MultiModalConversation
    messages = [{"role": "user", "content": content}]
    base_address = f"{server.url}/api/v1"
    return conversation.call(
        model=model, messages=messages, api_key=server.key, base_address=base_address, **parameters
    )


def rows_of_the_last_calls(server: Server, count: int) -> list[Json]:
    """Return the latest row first."""
    return list(server.operator("GET", "/calls", params={"limit": count}).json())


def row_of_the_last_call(server: Server) -> Json:
    [row] = rows_of_the_last_calls(server, 1)
    return row


def document(*pages: str) -> str:
    return f"data:application/pdf;base64,{base64.b64encode(pdf(*pages)).decode()}"


def picture(width: int, height: int) -> str:
    return url_of(Image.new("L", (width, height), 255))


def url_of(image: Image.Image) -> str:
    output = io.BytesIO()
    image.save(output, "PNG")
    return f"data:image/png;base64,{base64.b64encode(output.getvalue()).decode()}"


def drawn(*lines: str) -> Image.Image:
    image = Image.new("RGB", (420, 20 + 60 * len(lines)), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, 34)
    for number, line in enumerate(lines):
        draw.text((20, 20 + 60 * number), line, font=font, fill="black")
    return image


def sizes(parts: list[Json]) -> list[tuple[int, int]]:
    """Return the sizes of the pictures that the upstream was shown."""
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    images = (Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls)
    return [image.size for image in images]


def test_the_pages_of_a_document_reach_an_upstream_as_pictures(server: Server, script: Script) -> None:
    script.text = "Two pages."
    content: Any = [
        {"type": "file", "file": {"file_data": document("First", "Second")}},
        {"type": "text", "text": "How many pages?"},
    ]
    with openai_client(server) as client:
        completion = client.chat.completions.create(model=READER, messages=[{"role": "user", "content": content}])
    row = row_of_the_last_call(server)

    assert completion.choices[0].message.content == "Two pages."
    # 612 by 200 points at 200 dots an inch.
    assert sizes(script.shown) == [(1700, 556)] * 2
    assert script.shown[2:] == [{"type": "text", "text": "How many pages?"}]
    assert (row["images"], row["pages"], row["served_by"]) == (0, 2, OWN)


def test_places_that_a_model_says_in_its_own_numbers_become_pixels(server: Server, script: Script) -> None:
    said = [
        {"bbox_2d": [100, 250, 300, 500], "text_content": "First", "page": 1},
        {"bbox_2d": [0, 0, 500, 500], "text_content": "Second", "page": 2},
        {"bbox_2d": [1200, 0, 1300, 500], "text_content": "nowhere", "page": 2},
    ]
    script.text = f"```json\n{json.dumps(said)}\n```"
    options = {"task": "advanced_recognition"}
    answer = converse(server, READER, [{"image": document("First")}, {"image": picture(400, 200)}], ocr_options=options)
    [part] = answer.output.choices[0].message.content

    assert "from 0 to 1000" in script.shown[-1]["text"]
    assert part["text"] == script.text
    assert part["ocr_result"] == {
        "words_info": [
            {
                "text": "First",
                "location": [170, 139, 510, 139, 510, 278, 170, 278],
                "rotate_rect": [340, 208, 340, 139, 0],
                "page": 1,
            },
            {
                "text": "Second",
                "location": [0, 0, 200, 0, 200, 100, 0, 100],
                "rotate_rect": [100, 50, 200, 100, 0],
                "page": 2,
            },
        ],
        "pages": [{"page": 1, "width": 1700, "height": 556}, {"page": 2, "width": 400, "height": 200}],
    }


@pytest.mark.parametrize(("is_high", "tokens"), [(False, 2_502), (True, 3_846)])
@pytest.mark.parametrize("face", ["openai", "dashscope"])
def test_high_resolution_goes_to_the_upstream_and_counts_in_the_books(
    server: Server, script: Script, face: str, *, is_high: bool, tokens: int
) -> None:
    # 2,000 pixels are 62 patches of 32; 2,560 patches are the most where nobody asks for more.
    url, script.text = picture(2_000, 2_000), "White."
    if face == "openai":
        messages: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
        extra = {"vl_high_resolution_images": True} if is_high else {}
        with openai_client(server) as client:
            client.chat.completions.create(model=VIEWER, messages=messages, extra_body=extra)
    else:
        parameters = {"vl_high_resolution_images": True} if is_high else {}
        answer = converse(server, VIEWER, [{"image": url}], **parameters)
        assert answer.status_code == 200, answer
    row = row_of_the_last_call(server)

    assert script.asked[-1].get("vl_high_resolution_images") == (True if is_high else None)
    assert (row["image_tokens"], row["images"], row["pages"]) == (tokens, 1, 1)
    assert row["input_tokens"] - tokens < 20


# --- what the engine here reads, and a model elsewhere does beside it ---


@pytest.mark.engine
def test_a_model_chooses_the_line_of_a_value_and_what_it_invents_is_dropped(server: Server, script: Script) -> None:
    said = {"f1": {"lines": [2], "value": "553.00"}, "f2": {"lines": [2], "value": "999.99"}}
    script.text = json.dumps(said)
    config = {"result_schema": {"total": "", "deposit": ""}, "result_places": True}
    options = {"task": "key_information_extraction", "task_config": config}
    page = url_of(drawn("Total: 100.00", "Due: 553.00"))
    answer = converse(server, CHOSEN_FROM, [{"image": page}], ocr_options=options)
    [part] = answer.output.choices[0].message.content
    chose, read = rows_of_the_last_calls(server, 2)

    assert "[1] Total: 100.00\n[2] Due: 553.00" in script.asked[-1]["messages"][0]["content"]
    assert part["ocr_result"]["kv_result"] == {"total": "553.00", "deposit": ""}
    [place] = part["ocr_result"]["kv_places"]
    [[left, top, *_]] = place["locations"]
    assert place["path"] == ["total"]
    assert (left, top) == (pytest.approx(20, abs=12), pytest.approx(85, abs=12))
    assert [(row["model"], row["operation"], row["outcome"], row["served_by"]) for row in (read, chose)] == [
        (CHOSEN_FROM, "multimodal-generation", "finished", HERE),
        (CHOOSER, "fields", "finished", "own/Qwen3-4B"),
    ]


@pytest.mark.engine
@pytest.mark.parametrize(
    ("task", "text", "served_by"),
    [("formula_recognition", "$$x^2$$", OWN), ("text_recognition", "Total: 553.00", HERE)],
)
def test_formulae_of_a_local_file_go_to_the_model_that_sees_and_text_does_not(
    server: Server,
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    task: str,
    text: str,
    served_by: str,
) -> None:
    # Files are uploaded to the address that the client was last told.
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{server.url}/api/v1")
    script.text = "$$x^2$$"
    drawn("Total: 553.00").save(tmp_path / "page.png")
    answer = converse(server, SHARED, [{"image": f"file://{tmp_path / 'page.png'}"}], ocr_options={"task": task})

    assert answer.output.choices[0].message.content[0]["text"] == text
    assert row_of_the_last_call(server)["served_by"] == served_by
