"""Pictures that are broken, or made to do harm, before a live server and its OCR engine: what each face says of them.

Nothing of it is billed, and the engine reads on. What is odd and no more than that is read.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.testing.made_documents import pdf, with_password, with_script

if TYPE_CHECKING:
    from tests.conftest import Server

pytestmark = pytest.mark.engine

MODEL = "qwen-vl-ocr-latest"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
NATIVE = "/api/v1/services/aigc/multimodal-generation/generation"
ILLEGAL = "The image format is illegal and cannot be opened"
BROKEN = f"{ILLEGAL} (it is damaged, or takes too much time or memory to decode)"
UNFIT = "The image length and width do not meet the model restrictions. [{}]"
INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
FAILED = "Failed to download multimodal content."
TOO_LARGE = "Multimodal file size is too large"
NEIGHBOUR = "127.0.0.2"
"""An address of this machine that images may be fetched from, as no other may be."""


@pytest.fixture(scope="module")
def server(server_class: type[Server], models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that fetches from one address of this machine, and waits some seconds for it."""
    server = server_class(tmp_path_factory.mktemp("bad"), models_dir)
    server.data_dir.mkdir(parents=True, exist_ok=True)
    (server.data_dir / "qwenport.toml").write_text(
        f'[media]\nprivate_hosts = ["{NEIGHBOUR}"]\nfetch_s = 6.0\nmax_pages = 4\n[ocr]\nworkers = 1\n'
    )
    try:
        server.start()
        yield server
        # The order of tests is by chance: whatever came last, the engine reads on and the books balance.
        assert read_by_openai(server, data_url(drawn("Total 553"))) == "Total 553"
        assert server.run("ledger", "check").returncode == 0
        assert server.stop() == 0, server.output
    finally:
        server.close()


class Hostile(BaseHTTPRequestHandler):
    """Answers as no server of images should."""

    def do_GET(self) -> None:
        match self.path:
            case "/page":
                self._head(Content_Type="text/html", Content_Length="5")
                self.wfile.write(b"<svg>")
            case "/round":
                self._head(302, Location="/round", Content_Length="0")
            case path if path.startswith("/to?"):
                self._head(302, Location=path.removeprefix("/to?"), Content_Length="0")
            case "/inside":
                self._head(302, Location="http://169.254.169.254/latest/meta-data", Content_Length="0")
            case "/slow":
                self._head(Content_Type="image/png", Content_Length="1000")
                self._go_on(0.1)
            case "/endless":
                self._head(Content_Type="image/png", Transfer_Encoding="chunked")
                self._go_on(0.001)
            case _:
                self._head(Content_Type="image/png", Content_Length="999999999")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _head(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _go_on(self, pause_s: float) -> None:
        try:
            for _ in range(600):
                self.wfile.write(b"1\r\n\0\r\n")
                time.sleep(pause_s)
        except OSError:
            self.close_connection = True


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Give the address of a hostile server."""
    with ThreadingHTTPServer((NEIGHBOUR, 0), Hostile) as hostile:
        thread = threading.Thread(target=hostile.serve_forever)
        thread.start()
        try:
            yield f"http://{NEIGHBOUR}:{hostile.server_port}"
        finally:
            hostile.shutdown()
            thread.join()


def drawn(text: str, mode: str = "RGB") -> Image.Image:
    """Return a picture with a line of text."""
    image = Image.new("RGB", (320, 90), "white")
    ImageDraw.Draw(image).text((20, 20), text, font=ImageFont.truetype(FONT, 36), fill="black")
    return image.convert(mode)


def packed(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, image_format, **options)
    return output.getvalue()


def data_url(content: bytes | Image.Image) -> str:
    if isinstance(content, Image.Image):
        content = packed(content)
    kind = "application/pdf" if content.startswith(b"%PDF") else "image/png"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", len(content), kind) + content + struct.pack(">L", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 1)


# --- what each face is asked, and how it refuses ---


def by_openai(server: Server, url: str, *, streams: bool = False) -> httpx.Response:
    content = [{"type": "image_url", "image_url": {"url": url}}]
    body = {"messages": [{"role": "user", "content": content}], "stream": streams}
    return post(server, "/compatible-mode/v1/chat/completions", body)


def by_responses(server: Server, url: str, *, streams: bool = False) -> httpx.Response:
    item = {"role": "user", "content": [{"type": "input_image", "image_url": url}]}
    return post(server, "/compatible-mode/v1/responses", {"input": [item], "stream": streams})


def by_dashscope(server: Server, url: str, *, streams: bool = False) -> httpx.Response:
    content = [{"image": url}]
    options = {"task": "text_recognition"}
    body = {"input": {"messages": [{"role": "user", "content": content}]}, "parameters": {"ocr_options": options}}
    return post(server, NATIVE, body, **({"x-dashscope-sse": "enable"} if streams else {}))


def by_anthropic(server: Server, url: str, *, streams: bool = False) -> httpx.Response:
    kind = "document" if url.startswith("data:application/pdf") else "image"
    source: dict[str, str] = {"type": "url", "url": url}
    if url.startswith("data:"):
        media_type, digits = url.removeprefix("data:").split(";base64,")
        source = {"type": "base64", "media_type": media_type, "data": digits}
    message = {"role": "user", "content": [{"type": kind, "source": source}]}
    body = {"max_tokens": 100, "messages": [message], "stream": streams}
    return post(server, "/apps/anthropic/v1/messages", body)


def post(server: Server, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    told = {**server.bearer, **headers}
    return httpx.post(f"{server.url}{path}", json={"model": MODEL, **body}, headers=told, timeout=120)


def read_by_openai(server: Server, url: str) -> str:
    response = by_openai(server, url)
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


def refusals(server: Server, url: str, *, streams: bool = False) -> dict[str, tuple[int, str, str]]:
    """Ask on every face at the same time; return status, code and words of each."""
    with ThreadPoolExecutor() as threads:
        faces = (by_openai, by_responses, by_dashscope, by_anthropic)
        asked = [threads.submit(ask, server, url, streams=streams) for ask in faces]
        openai, responses, dashscope, anthropic = (each.result() for each in asked)
    bodies = (openai.json()["error"], responses.json()["error"], dashscope.json(), anthropic.json()["error"])
    return {
        "openai": (openai.status_code, bodies[0]["code"], bodies[0]["message"]),
        "responses": (responses.status_code, bodies[1]["code"], bodies[1]["message"]),
        "dashscope": (dashscope.status_code, bodies[2]["code"], bodies[2]["message"]),
        "anthropic": (anthropic.status_code, bodies[3]["type"], bodies[3]["message"]),
    }


def refused(words: str) -> dict[str, tuple[int, str, str]]:
    return {
        "openai": (400, "invalid_parameter_error", words),
        "responses": (400, "invalid_parameter_error", words),
        "dashscope": (400, "InvalidParameter", words),
        "anthropic": (400, "invalid_request_error", words),
    }


def latest(server: Server, count: int) -> list[tuple[str, int, str | None, int, int, int]]:
    """Return outcome, status, cost, tokens, images and pages of the latest calls."""
    rows = server.operator("GET", "/calls", params={"limit": count}).json()
    return [
        (row["outcome"], row["status"], row["cost"], row["input_tokens"], row["images"], row["pages"]) for row in rows
    ]


ALL_FREE = [("failed", 400, "0.00", 0, 0, 0)] * 4
"""What the books say of a refusal on every face."""
WHOLE = packed(Image.effect_noise((200, 200), 90))
BAD: dict[str, tuple[bytes, str]] = {
    "truncated": (WHOLE[: len(WHOLE) // 2], BROKEN),
    "one byte": (b"x", ILLEGAL),
    "1x1": (png(1, 1), UNFIT.format("height:1 or width:1 must be larger than 10")),
    "50,000x50,000": (png(50_000, 50_000), UNFIT.format("height*width must not be larger than 100000000")),
    "200:1": (png(2_211, 11), UNFIT.format("absolute aspect ratio must be smaller than 200, got 201")),
    "a note that is a bomb": (
        png(64, 48, chunk(b"zTXt", b"Comment\0\0" + zeros(100 << 20)), chunk(b"IDAT", zeros(48 * 193))),
        BROKEN,
    ),
    "drawing with a script": (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        f"{ILLEGAL} (SVG is not taken; send the drawing as PNG or JPEG)",
    ),
    "document with a password": (with_password(pdf("a")), f"{ILLEGAL} (the PDF is protected by a password)"),
    "document of 5,000 pages": (
        pdf("a", count=5_000),
        f"{TOO_LARGE} (the documents of one call may have 4 pages together)",
    ),
    "half a document": (
        pdf("a")[:300],
        f"{ILLEGAL} (the PDF is damaged, or takes too much time or memory to draw)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_picture_that_cannot_be_taken_is_refused_in_words_and_costs_nothing(server: Server, name: str) -> None:
    content, words = BAD[name]

    assert refusals(server, data_url(content)) == refused(words)
    assert latest(server, 4) == ALL_FREE


def test_a_stream_is_refused_before_it_begins(server: Server) -> None:
    content, words = BAD["truncated"]

    assert refusals(server, data_url(content), streams=True) == refused(words)
    assert latest(server, 4) == ALL_FREE


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("", INVALID),
        ("garbage", INVALID),
        ("%%%", INVALID),
        ("aGk=aGk", INVALID),
        ("A" * 10_485_760, "Exceeded limit on max bytes per data-uri item : 10485760"),
    ],
    ids=["nothing", "garbage", "signs", "something behind its end", "too long"],
)
def test_base64_that_cannot_be_taken_is_refused(server: Server, digits: str, words: str) -> None:
    assert refusals(server, f"data:image/png;base64,{digits}") == refused(words)
    assert latest(server, 4) == ALL_FREE


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://100.100.100.200/latest/meta-data",
        "http://metadata.google.internal/",
    ],
)
def test_addresses_of_the_machine_and_its_network_are_not_asked(server: Server, url: str) -> None:
    assert refusals(server, url) == refused(FAILED)
    assert latest(server, 4) == ALL_FREE


@pytest.mark.parametrize("is_redirected", [False, True], ids=["named", "by a redirect"])
def test_what_listens_on_the_machine_is_not_asked(server: Server, site: str, *, is_redirected: bool) -> None:
    # It would answer with what is no image, and be told so in other words.
    url = f"{server.url}/healthz"

    assert httpx.get(url, timeout=60).status_code == 200
    assert refusals(server, f"{site}/to?{url}" if is_redirected else url) == refused(FAILED)
    assert latest(server, 4) == ALL_FREE


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/page", "Wrong Content-Type of multimodal url"),
        ("/round", FAILED),
        ("/inside", FAILED),
        ("/slow", "Download multimodal file timed out"),
        ("/endless", "Missing Content-Length of multimodal url."),
        ("/huge", TOO_LARGE),
    ],
)
def test_answers_of_a_hostile_server_are_refused(server: Server, site: str, path: str, words: str) -> None:
    assert refusals(server, site + path) == refused(words)
    assert latest(server, 4) == ALL_FREE


# --- what only one face can be asked ---


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth > 1 else {"a": ""}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "'task' is a required property - 'ocr_options'"),
        ({"task": "poetry"}, "'poetry' is not one of ['text_recognition', 'multi_lan', 'advanced_recognition', "),
        (
            {"task": "key_information_extraction", "task_config": {"result_schema": nested(4)}},
            "The result_schema of ocr_options may be nested at most 3 levels deep.",
        ),
        (
            {"task": "key_information_extraction", "task_config": {"result_schema": ["a"]}},
            "'ocr_options.task_config.result_schema' must be Object",
        ),
        (
            {"task": "key_information_extraction", "task_config": {"result_schema": {"a": 1}}},
            "The result_schema cannot be used: the value of `a` must be a description, an object or a list of one, ",
        ),
        (
            {"task": "table_parsing", "task_config": {"result_schema": {"a": ""}}},
            "The result_schema of ocr_options is for the task 'key_information_extraction' alone",
        ),
        (
            {"task": "formula_recognition"},
            "The engine `ocr/pp-ocrv6-small`, which answers for this model here, does not take the task ",
        ),
    ],
    ids=[
        "no task",
        "unknown task",
        "deep schema",
        "list as schema",
        "number in a schema",
        "schema of a table",
        "formulae",
    ],
)
def test_options_that_cannot_be_met_are_refused(server: Server, options: dict[str, Any], words: str) -> None:
    content = [{"image": data_url(drawn("Total 553"))}]
    body = {"input": {"messages": [{"role": "user", "content": content}]}, "parameters": {"ocr_options": options}}
    response = post(server, NATIVE, body)

    assert (response.status_code, response.json()["code"]) == (400, "InvalidParameter")
    assert response.json()["message"].startswith(words)
    rows = server.operator("GET", "/calls", params={"limit": 1}).json()
    assert [row["cost"] for row in rows if row["request_id"] == response.json()["request_id"]] in ([], ["0.00"])


def test_a_shape_of_json_that_is_too_deep_is_refused(server: Server) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(4):
        schema = {"type": "object", "properties": {"a": schema}}
    image = {"type": "image_url", "image_url": {"url": data_url(drawn("Total 553"))}}
    shape = {"type": "json_schema", "json_schema": {"name": "deep", "schema": schema}}
    body = {"messages": [{"role": "user", "content": [image]}], "response_format": shape}
    response = post(server, "/compatible-mode/v1/chat/completions", body)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_parameter_error")
    assert "nested deeper than 3 levels" in response.json()["error"]["message"]
    assert latest(server, 1) == [("failed", 400, "0.00", 0, 0, 0)]


# --- odd, and read all the same ---


def sixteen_bits() -> bytes:
    grey = drawn("Total 553", "L")
    return packed(grey.convert("I").point(lambda value: value * 257).convert("I;16"))


ODD: dict[str, Callable[[], bytes]] = {
    "cmyk": lambda: packed(drawn("Total 553", "CMYK"), "JPEG"),
    "16 bits": sixteen_bits,
    "palette": lambda: packed(drawn("Total 553").quantize(16)),
    "animated": lambda: packed(drawn("Total 553"), save_all=True, append_images=[drawn("No 1")], duration=50),
    "image and document": lambda: packed(drawn("Total 553")) + pdf("secret"),
    "image and page": lambda: packed(drawn("Total 553")) + b"<script>alert(1)</script>",
    "document with a script": lambda: with_script(pdf("Total 553")),
    "rows that are a bomb": lambda: packed(drawn("Total 553")).replace(
        chunk(b"IEND", b""), chunk(b"IDAT", zeros(100 << 20)) + chunk(b"IEND", b"")
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_picture_is_read(server: Server, name: str) -> None:
    assert read_by_openai(server, data_url(ODD[name]())) == "Total 553"


def test_refused_pictures_do_not_touch_the_process_that_reads(server: Server) -> None:
    assert read_by_openai(server, data_url(drawn("Total 553"))) == "Total 553"
    hosts = server.children("qwenport.engines.ocr.host")
    for name in ("truncated", "50,000x50,000", "a note that is a bomb", "document with a password"):
        assert by_openai(server, data_url(BAD[name][0])).status_code == 400

    assert read_by_openai(server, data_url(drawn("Total 553"))) == "Total 553"
    assert server.children("qwenport.engines.ocr.host") == hosts
    assert json.loads(server.run("ledger", "check", "--json").stdout)["open_holds"] == 0
