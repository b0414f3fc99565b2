"""Reading text on a whole server: what the books and limits say of it, and what becomes of pages that go wrong."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.testing.child_processes import only_linux
from qwenport.testing.made_documents import pdf

if TYPE_CHECKING:
    from tests.conftest import Server

pytestmark = pytest.mark.engine

Eventually = Callable[..., None]

MODEL = "qwen-vl-ocr-latest"
NATIVE = "/api/v1/services/aigc/multimodal-generation/generation"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
CHOOSER = "smollm2-135m-instruct"
BROKEN = "data:image/png;base64," + base64.b64encode(b"<svg/>").decode()


@pytest.fixture(scope="module")
def server(server_class: type[Server], models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that reads one page at a time, and lets a small text model choose fields."""
    server = server_class(tmp_path_factory.mktemp("reading"), models_dir)
    server.data_dir.mkdir(parents=True, exist_ok=True)
    (server.data_dir / "qwenport.toml").write_text(
        f'[media]\nmax_pages = 4\n[ocr]\nworkers = 1\npage_s = 200\nfields_model = "{CHOOSER}"\n'
    )
    try:
        server.start()
        yield server
        found = json.loads(server.run("ledger", "check", "--json").stdout)
        assert (found["balanced"], found["open_holds"], found["unposted"]) == (True, 0, 0)
        assert server.stop() == 0, server.output
    finally:
        server.close()


@pytest.fixture
def new_key(server: Server) -> Callable[..., tuple[str, str]]:
    """Give a maker of keys; returns the id and the key."""

    def make(**settings: object) -> tuple[str, str]:
        made = server.operator("POST", "/keys", json=settings).json()
        return str(made["id"]), str(made["key"])

    return make


def drawn(*lines: str, size: tuple[int, int] = (420, 0), font_size: int = 34) -> str:
    """Return a picture of these lines as a data URL."""
    height = size[1] or 30 + 60 * len(lines)
    image = Image.new("RGB", (size[0], height), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, font_size)
    for number, line in enumerate(lines):
        draw.text((20, 20 + number * (height - 20) // len(lines)), line, font=font, fill="black")
    output = io.BytesIO()
    image.save(output, "PNG")
    return "data:image/png;base64," + base64.b64encode(output.getvalue()).decode()


def document(*pages: str) -> str:
    return "data:application/pdf;base64," + base64.b64encode(pdf(*pages)).decode()


def body(url: str, options: Any = None) -> dict[str, object]:
    return {
        "model": MODEL,
        "input": {"messages": [{"role": "user", "content": [{"image": url}]}]},
        "parameters": {"ocr_options": options or {"task": "text_recognition"}},
    }


def ask(server: Server, url: str, key: str = "", options: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or server.key}"}
    return httpx.post(f"{server.url}{NATIVE}", json=body(url, options), headers=headers, timeout=240)


def said(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["output"]["choices"][0]["message"]["content"][0]["text"])


def calls(server: Server, key_id: str) -> list[dict[str, Any]]:
    """Return the rows of a key, the newest first."""
    return list(server.operator("GET", "/calls", params={"key": key_id, "limit": 100}).json())


# --- the books ---


def test_a_read_image_is_in_the_books_with_its_tokens(server: Server, new_key: Any) -> None:
    key_id, key = new_key()
    response = ask(server, drawn("Total 553.00"), key)
    usage = response.json()["usage"]
    [row] = calls(server, key_id)

    assert said(response) == "Total 553.00"
    assert usage["image_tokens"] > 0
    assert (
        row
        | {
            "request_id": response.json()["request_id"],
            "model": MODEL,
            "served_by": "ocr/pp-ocrv6-small",
            "outcome": "finished",
            "status": 200,
            "input_tokens": usage["input_tokens"],
            "output_tokens": usage["output_tokens"],
            "image_tokens": usage["image_tokens"],
            "images": 1,
            "pages": 1,
            "usage_source": "engine",
        }
        == row
    )
    assert float(row["cost"]) > 0


def limit(server: Server, unit: str, cap: int, key_id: str) -> None:
    made = server.operator("POST", "/limits", json={"unit": unit, "window": "day", "cap": cap, "key_id": key_id})
    assert made.status_code in {200, 201}, made.text


def test_a_limit_of_images_counts_those_that_were_read(server: Server, new_key: Any) -> None:
    key_id, key = new_key()
    limit(server, "images", 1, key_id)

    answers = [ask(server, url, key) for url in (BROKEN, drawn("Total 553.00"), drawn("Total 553.00"))]
    assert [answer.status_code for answer in answers] == [400, 200, 429]
    rows = [(row["outcome"], row["cost"] == "0.00", row["images"]) for row in calls(server, key_id)]
    assert rows == [("finished", False, 1), ("failed", True, 0)]


def test_a_limit_of_pages_is_held_for_the_most_and_settled_by_what_was_read(server: Server, new_key: Any) -> None:
    key_id, key = new_key()
    # A document is held as the four pages that it may have, and settled as the two that it has.
    limit(server, "pages", 5, key_id)
    first = ask(server, document("Total 553", "No 9876"), key)
    second = ask(server, document("Total 553"), key)
    image = ask(server, drawn("Total 553.00"), key)

    assert said(first) == "Total 553\n\nNo 9876"
    assert (second.status_code, image.status_code) == (429, 200)
    rows = [(row["outcome"], row["images"], row["pages"]) for row in calls(server, key_id)]
    assert rows == [("finished", 1, 1), ("finished", 0, 2)]


# --- pages that go wrong ---


def readers(server: Server) -> set[int]:
    """Return the processes that read pages for this server."""
    hosts = {str(pid) for pid in server.children("qwenport.engines.ocr.host")}
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True)
    return {int(pid) for pid, parent in map(str.split, table.stdout.splitlines()) if parent in hosts}


def ticks_of(pid: int) -> int:
    with suppress(FileNotFoundError):
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0


LARGE = drawn(*("word " * 14 for _ in range(36)), size=(1_600, 1_200), font_size=22)
"""A page that takes its reader a while."""


@only_linux
def test_a_page_whose_reader_dies_is_read_by_another(server: Server, eventually: Eventually) -> None:
    assert said(ask(server, drawn("Total 553.00"))) == "Total 553.00"
    [before] = readers(server)
    begun = ticks_of(before)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(ask, server, LARGE)
        eventually(lambda: ticks_of(before) > begun + 10, "the page is being read")
        os.kill(before, signal.SIGKILL)
        answer = asked.result()

    assert said(answer).count("word") > 400
    assert before not in readers(server)
    assert said(ask(server, drawn("Total 553.00"))) == "Total 553.00"


@only_linux
def test_a_client_that_leaves_stops_its_page_and_pays_nothing(
    server: Server, new_key: Any, eventually: Eventually
) -> None:
    key_id, key = new_key()
    assert said(ask(server, drawn("Total 553.00"))) == "Total 553.00"
    [before] = readers(server)
    begun = ticks_of(before)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", NATIVE, json.dumps(body(LARGE)), {"Authorization": f"Bearer {key}"})
        eventually(lambda: ticks_of(before) > begun + 10, "the page is being read")

    eventually(lambda: calls(server, key_id), "the call is in the books")
    [row] = calls(server, key_id)
    assert (row["outcome"], row["status"], row["output_tokens"], row["cost"]) == ("abandoned", 499, 0, "0.00")
    eventually(lambda: before not in readers(server), "nobody reads the page any more")
    assert said(ask(server, drawn("Total 553.00"))) == "Total 553.00"


# --- a text model that chooses fields ---

FIELDS = {"task": "key_information_extraction", "task_config": {"result_schema": {"total": ""}}}


def test_a_model_chooses_among_what_stands_on_the_page_and_is_billed_apart(server: Server, new_key: Any) -> None:
    key_id, key = new_key()
    response = ask(server, drawn("Total: 553.00"), key, FIELDS)
    fields = json.loads(said(response).removeprefix("```json\n").removesuffix("\n```"))
    chose, read = calls(server, key_id)

    assert response.json()["output"]["choices"][0]["message"]["content"][0]["ocr_result"] == {"kv_result": fields}
    assert list(fields) == ["total"]
    assert fields["total"]
    assert fields["total"] in "Total: 553.00"
    assert [(row["model"], row["operation"], row["outcome"]) for row in (read, chose)] == [
        (MODEL, "multimodal-generation", "finished"),
        (CHOOSER, "fields", "finished"),
    ]
    assert (chose["served_by"], chose["images"], chose["request_id"] != read["request_id"]) == (
        *(f"llama/{CHOOSER}", 0),
        True,
    )
    assert chose["input_tokens"] > chose["output_tokens"] > 0


def test_a_key_that_may_not_use_the_model_gets_what_the_rules_found(server: Server, new_key: Any) -> None:
    key_id, key = new_key(models=[MODEL])
    response = ask(server, drawn("Total: 553.00"), key, FIELDS)

    part = response.json()["output"]["choices"][0]["message"]["content"][0]
    assert part["ocr_result"] == {"kv_result": {"total": "553.00"}}
    assert [row["model"] for row in calls(server, key_id)] == [MODEL]
