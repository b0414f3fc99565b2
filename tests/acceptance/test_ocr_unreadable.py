"""Characters that are covered on an image: a live server marks them, and gives no number that is a piece of another."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from PIL import Image, ImageDraw

from qwenport.evaluation.rendering import Sample, layouts, render

if TYPE_CHECKING:
    from tests.conftest import Server

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

COVERED = {"发票号码": 7, "票价": 3}
"""Of each field the number of the character that is covered."""


def test_a_covered_figure_is_a_question_mark_in_its_field(reader: Server) -> None:
    sample = render(layouts()["train-ticket-blue"], 7)
    client = openai.OpenAI(api_key=reader.key, base_url=f"{reader.url}/compatible-mode/v1", max_retries=0)
    image: Any = {"type": "image_url", "image_url": {"url": covered(sample)}}
    asked = {
        "type": "text",
        "text": f"Extract as JSON: {json.dumps(dict.fromkeys(sample.fields, ''), ensure_ascii=False)}",
    }
    content: Any = [image, asked]

    completion = client.chat.completions.create(
        model="qwen-vl-ocr-latest", messages=[{"role": "user", "content": content}]
    )

    told = json.loads((completion.choices[0].message.content or "").strip().removeprefix("```json").removesuffix("```"))
    wanted = {
        name: value[: (at := COVERED[name])] + "?" + value[at + 1 :]
        for name, value in sample.fields.items()
        if name in COVERED
    }
    assert {name: told[name] for name in COVERED} == wanted
    assert {name: value for name, value in told.items() if name not in COVERED} == {
        name: value for name, value in sample.fields.items() if name not in COVERED
    }


def covered(sample: Sample) -> str:
    """Return the image with some characters painted over in white."""
    image = Image.open(io.BytesIO(sample.image)).convert("RGB")
    paint = ImageDraw.Draw(image)
    for name, at in COVERED.items():
        line = next(line for line in sample.lines if line.text == sample.fields[name])
        left, top, right, bottom = line.quad[0], line.quad[1], line.quad[2], line.quad[5]
        width = (right - left) / len(line.text)
        paint.rectangle((left + at * width, top - 2, left + (at + 1) * width, bottom + 2), fill="white")
    png = io.BytesIO()
    image.save(png, "PNG")
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
