"""A whole server whose operator has a model that sees, by a model file of two files of his own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
from PIL import Image

from qwenport.testing.made_documents import pdf
from qwenport.testing.tiny_vision_model import PATCH, write_tiny_vision_model

if TYPE_CHECKING:
    from tests.conftest import Server

pytestmark = pytest.mark.engine

MODEL = """
name = "tiny-vl"
description = "Made up"
family = "made-up"
released = 2026-01-01
context_tokens = 2048
max_input_tokens = 2000
max_output_tokens = 40
modalities = ["text", "image"]
image_patch_pixels = 28

[weights]
source = "file:{weights}"
sha256 = "{weights_sha256}"
size_bytes = {weights_size}
licence = "Apache-2.0"

[projector]
source = "file:{projector}"
sha256 = "{projector_sha256}"
size_bytes = {projector_size}
licence = "Apache-2.0"

[engine]
kind = "llama"
context_tokens = 1024
slots = 2
image_tokens = 256
"""


def pin(path: Path, name: str) -> dict[str, Any]:
    content = path.read_bytes()
    return {name: path, f"{name}_sha256": hashlib.sha256(content).hexdigest(), f"{name}_size": len(content)}


def data_url(colour: str, sides: tuple[int, int], kind: str = "png") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", sides, colour).save(buffer, kind)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


@pytest.fixture
def server(make_server: Callable[..., Server], tmp_path: Path, eventually: Callable[..., None]) -> Server:
    weights, projector = tmp_path / "tiny.gguf", tmp_path / "mmproj.gguf"
    write_tiny_vision_model(weights, projector)
    server = make_server(tmp_path / "models")
    own = server.data_dir / "catalog"
    own.mkdir(parents=True)
    (own / "tiny-vl.toml").write_text(MODEL.format(**pin(weights, "weights"), **pin(projector, "projector")))
    pulled = server.run("models", "pull", "tiny-vl", "--json")
    assert pulled.returncode == 0, pulled.stderr
    assert [each["name"] for each in json.loads(pulled.stdout)] == ["tiny-vl", "tiny-vl-projector"]
    server.start(until="/healthz")
    client = openai.OpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0)

    def is_up() -> bool:
        try:
            return bool(ask(client, data_url("red", (112, 84))).choices)
        except openai.InternalServerError:
            return False

    eventually(is_up, "the model answers")
    return server


def ask(client: openai.OpenAI, url: str, **part: Any) -> openai.types.chat.ChatCompletion:
    content: Any = [
        {"type": "image_url", "image_url": {"url": url}, **part},
        {"type": "text", "text": "What is it?"},
    ]
    return client.chat.completions.create(
        model="tiny-vl", messages=[{"role": "user", "content": content}], temperature=0, max_tokens=8
    )


def test_the_official_client_is_answered_about_an_image(server: Server) -> None:
    client = openai.OpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0)
    red, blue, again = [ask(client, data_url(each, (112, 84))) for each in ("red", "blue", "red")]
    webp = ask(client, data_url("red", (112, 84), "webp"))
    scaled = ask(client, data_url("red", (20 * PATCH, 20 * PATCH)), max_pixels=100 * PATCH * PATCH)
    bounded = ask(client, data_url("red", (30 * PATCH, 30 * PATCH)))
    texts = [each.choices[0].message.content for each in (red, blue, again)]

    assert texts[0] == texts[2] != texts[1]
    assert webp.usage is not None
    assert scaled.usage is not None
    assert bounded.usage is not None
    assert red.usage is not None
    text = red.usage.prompt_tokens - (4 * 3 + 2)
    assert webp.usage.prompt_tokens == red.usage.prompt_tokens
    assert (scaled.usage.prompt_tokens, bounded.usage.prompt_tokens) == (text + 100 + 2, text + 256 + 2)
    with pytest.raises(openai.BadRequestError, match="The image format is illegal and cannot be opened"):
        ask(client, "data:image/png;base64," + base64.b64encode(b"rubbish" * 20).decode())


def test_the_pages_of_a_document_are_seen_and_counted(server: Server) -> None:
    digits = base64.b64encode(pdf("First", "Second")).decode()
    content: Any = [
        # 612 by 200 points, scaled down to 300 squares of 28 pixels a page.
        {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{digits}"}, "max_pixels": 300 * PATCH**2},
        {"type": "text", "text": "What is it?"},
    ]
    with openai.OpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as client:
        completion = client.chat.completions.create(
            model="tiny-vl", messages=[{"role": "user", "content": content}], temperature=0, max_tokens=8
        )
    [row] = server.operator("GET", "/calls", params={"limit": 1}).json()

    assert completion.choices[0].message.content
    assert (row["images"], row["pages"]) == (0, 2)
    # Both pages, and no more of either than was bounded.
    assert 2 * 200 < row["image_tokens"] <= 2 * (256 + 2)
    assert completion.usage is not None
    assert completion.usage.prompt_tokens == row["input_tokens"]
