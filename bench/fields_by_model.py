"""Fields that a text model chooses, against fields by rules alone: how many are right, what is dropped, how long.

Two servers are started one after the other, without and with `[ocr].fields_model`, and asked for the fields of the same
rendered documents by `key_information_extraction`. What the model says is then asked of it once more, in the server's
own words, to see how much of it does not stand on the page.

    python -m bench.fields_by_model [MODEL] [--documents 10] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.gateway import Gateway, serving
from bench.machine import Machine, describe
from qwenport.core.ocr import OcrTask
from qwenport.documents.field_choice import chosen, question
from qwenport.documents.fields import Fields, parse_schema
from qwenport.documents.page import Page
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.pool_order import local_pool_order
from qwenport.engines.ocr.wire import PageFailed, PageOrder
from qwenport.evaluation.metrics.fields import FieldCounts, all_counts, count_fields
from qwenport.evaluation.metrics.values import is_same, means_same
from qwenport.evaluation.rendering import Sample, layouts, render
from qwenport.settings.configuration_file import OcrTable
from qwenport.settings.settings import load_settings

MODEL = "smollm2-135m-instruct"
READER = "qwen-vl-ocr"
_PATH = "/api/v1/services/aigc/multimodal-generation/generation"
_CALL_S = 300.0
_MOST_TOKENS = 4_096

Values = Mapping[str, str]


class Way(Struct, frozen=True, kw_only=True):
    """How well and how fast fields come one way."""

    exact: float
    """Share of the wanted fields whose value is the same string."""
    same: float
    """Share of the wanted fields whose value means the same."""
    strict: FieldCounts
    normalised: FieldCounts
    seconds_median: float
    """Of a call, as the client waits for it; one after another."""
    seconds_most: float


class Choice(Struct, frozen=True, kw_only=True):
    """What the model said of the fields of the documents."""

    answers: int
    no_json: int
    """Answers that are not what was asked for, such as ones that were cut off; the rules' values stay."""
    refused: int
    """Questions that got no answer, such as ones that are too long for the model; the rules' values stay."""
    values: int
    """Values that are not empty."""
    dropped: int
    """Of them, those that do not stand in the lines that the model named."""


class Change(Struct, frozen=True, kw_only=True):
    """What the model made of the rules' values."""

    fields: int
    changed: int
    """Fields whose value is another one with the model."""
    mended: int
    """Of them, those that mean the right thing only with the model."""
    spoilt: int
    """Of them, those that meant the right thing only without it."""


class Result(Struct, frozen=True, kw_only=True):
    """Both ways side by side."""

    machine: Machine
    model: str
    reader: str
    seed: int
    documents: tuple[str, ...]
    by_rules: Way
    by_model: Way
    choice: Choice
    change: Change


def measure(model: str, count: int, seed: int) -> Result:
    """Ask for the fields of so many development layouts, spread over all of them, both ways."""
    names = list(layouts())
    taken = names[:: max(len(names) // count, 1)][:count]
    samples = [render(layouts()[name], seed) for name in taken]
    # A document that is not among them starts processes and loads models, which is no part of the measurement.
    warm_up = render(layouts()[next(name for name in names if name not in taken)], seed)
    models_dir = load_settings(os.environ, Path.cwd()).models_dir
    pages = asyncio.run(_pages(samples, models_dir))
    with tempfile.TemporaryDirectory() as folder:
        with _server(Path(folder) / "rules", models_dir, "") as gateway:
            rules, rules_s = _answers(gateway, warm_up, samples)
        with _server(Path(folder) / "model", models_dir, model) as gateway:
            by_model, model_s = _answers(gateway, warm_up, samples)
            choice = _choice(gateway, model, samples, pages)
    return Result(
        machine=describe(),
        model=model,
        reader=READER,
        seed=seed,
        documents=tuple(taken),
        by_rules=_way(samples, rules, rules_s),
        by_model=_way(samples, by_model, model_s),
        choice=choice,
        change=_change(samples, rules, by_model),
    )


def _change(samples: Sequence[Sample], rules: Sequence[Values], by_model: Sequence[Values]) -> Change:
    fields = [
        (sample.fields[name], one.get(name, ""), other.get(name, ""))
        for sample, one, other in zip(samples, rules, by_model, strict=True)
        for name in sample.fields
    ]
    right = [(means_same(truth, one), means_same(truth, other)) for truth, one, other in fields]
    return Change(
        fields=len(fields),
        changed=sum(one != other for _, one, other in fields),
        mended=right.count((False, True)),
        spoilt=right.count((True, False)),
    )


async def _pages(samples: Sequence[Sample], models_dir: Path) -> list[Page]:
    """Read the documents as the server reads them."""
    pages = []
    async with ReadingPool(local_pool_order(OcrTable(workers=1), models_dir)) as pool:
        for sample in samples:
            reply = await pool.read(PageOrder(image=sample.image, task=OcrTask.TEXT_RECOGNITION, wants_page=True))
            if isinstance(reply, PageFailed) or reply.page is None:
                raise RuntimeError(f"{sample.name} was not read: {reply}")
            pages.append(reply.page)
    return pages


def _server(folder: Path, models_dir: Path, model: str) -> Any:
    configuration = f'[ocr]\nworkers = 1\nfields_model = "{model}"\n'
    return serving(folder, core=None, models_dir=models_dir, configuration=configuration)


def _answers(gateway: Gateway, warm_up: Sample, samples: Sequence[Sample]) -> tuple[list[Values], list[float]]:
    _fields_of(gateway, warm_up)
    values, seconds = [], []
    for sample in samples:
        began = time.monotonic()
        values.append(_fields_of(gateway, sample))
        seconds.append(time.monotonic() - began)
    return values, seconds


def _fields_of(gateway: Gateway, sample: Sample) -> Values:
    task = {"task": "key_information_extraction", "task_config": {"result_schema": json.loads(sample.schema)}}
    kind = "jpeg" if sample.image.startswith(b"\xff\xd8") else "png"
    image = f"data:image/{kind};base64,{base64.b64encode(sample.image).decode()}"
    body = {
        "model": READER,
        "input": {"messages": [{"role": "user", "content": [{"image": image}]}]},
        "parameters": {"ocr_options": task},
    }
    answer = _post(gateway, _PATH, body)
    found: dict[str, str] = answer["output"]["choices"][0]["message"]["content"][0]["ocr_result"]["kv_result"]
    return found


def _choice(gateway: Gateway, model: str, samples: Sequence[Sample], pages: Sequence[Page]) -> Choice:
    answers = no_json = refused = values = dropped = 0
    for sample, page in zip(samples, pages, strict=True):
        schema = parse_schema(sample.schema)
        asked = question(page, schema)
        if asked is None:
            continue
        try:
            said = _said(gateway, model, asked.prompt, asked.shape)
        except urllib.error.HTTPError:
            refused += 1
            continue
        answers += 1
        given = _values_of(said)
        no_json += given is None
        values += given or 0
        none = Fields(values={str(field.path[0]): "" for field in schema.fields}, places={}, scores={})
        dropped += (given or 0) - len(chosen(page, schema, said, none).places)
    return Choice(answers=answers, no_json=no_json, refused=refused, values=values, dropped=dropped)


def _said(gateway: Gateway, model: str, prompt: str, shape: bytes) -> str:
    """Ask the model as the server asks it."""
    form = {"type": "json_schema", "json_schema": {"name": "fields", "schema": json.loads(shape), "strict": True}}
    body = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "response_format": form,
        "temperature": 0,
        "max_tokens": _MOST_TOKENS,
    }
    answer = _post(gateway, "/compatible-mode/v1/chat/completions", body)
    return str(answer["choices"][0]["message"]["content"] or "")


def _values_of(said: str) -> int | None:
    """Count the values that are not empty; None where the answer is not of the form that was asked for."""
    try:
        fields = msgspec.json.decode(said, type=dict[str, dict[str, Any]])
    except msgspec.DecodeError:
        return None
    return sum(bool(str(field.get("value", "")).strip()) for field in fields.values())


def _post(gateway: Gateway, path: str, body: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{gateway.port}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {gateway.key}"},
    )
    with urllib.request.urlopen(request, timeout=_CALL_S) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def _way(samples: Sequence[Sample], answers: Sequence[Values], seconds: Sequence[float]) -> Way:
    pairs = [(sample.fields, answer) for sample, answer in zip(samples, answers, strict=True)]
    strict = all_counts(count_fields(truth, answer, is_same) for truth, answer in pairs)
    normalised = all_counts(count_fields(truth, answer, means_same) for truth, answer in pairs)
    return Way(
        exact=strict.recall,
        same=normalised.recall,
        strict=strict,
        normalised=normalised,
        seconds_median=statistics.median(seconds),
        seconds_most=max(seconds),
    )


def main() -> None:
    """Measure with the model that the command names, and print it with the machine as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.fields_by_model")
    parser.add_argument("model", nargs="?", default=MODEL)
    parser.add_argument("--documents", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    result = measure(arguments.model, arguments.documents, arguments.seed)
    print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())


if __name__ == "__main__":
    main()
