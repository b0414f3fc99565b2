"""Fields that a text model chooses, against fields by rules alone: how many are right, what is dropped, how long.

Two servers are started one after the other, without and with `[ocr].fields_model`, and asked for the fields of the same
rendered documents by `key_information_extraction`. The second asks its model through `bench.recorder`, which keeps what
the model says, to see how much of it did not stand on the page.

    python -m bench.fields_by_model [MODEL] [--documents 10] [--seed 1]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import sys
import tempfile
import time
import unicodedata
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.gateway import Gateway, serving
from bench.machine import Machine, describe
from bench.recorder import Recorder
from qwenport.documents.fields import parse_schema
from qwenport.evaluation.metrics.fields import FieldCounts, all_counts, count_fields
from qwenport.evaluation.metrics.values import is_same, means_same
from qwenport.evaluation.rendering import Sample, layouts, render
from qwenport.settings.settings import load_settings

MODEL = "smollm2-135m-instruct"
READER = "qwen-vl-ocr"
_PATH = "/api/v1/services/aigc/multimodal-generation/generation"
_CALL_S = 900.0
_CHOOSER = "qwen-turbo"
"""Name that leads to the recorder, which asks the model itself."""
_RULES = "[ocr]\nworkers = 1\n"
_CONFIGURATION = f"""
[ocr]
workers = 1
fields_model = "{_CHOOSER}"

[retries]
tries = 1

[[upstreams]]
name = "recorder"
kind = "openai"
dialect = "plain"
base_url = "http://127.0.0.1:{{port}}/v1"
first_event_s = 900
between_events_s = 900

[[routes]]
model = "{_CHOOSER}"
to = ["recorder/{{model}}"]
"""

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
    values: int
    """Values that are not empty."""
    dropped: int
    """Of them, those that are not in the server's answer, as they do not stand in the lines that the model named."""


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
    with tempfile.TemporaryDirectory() as folder, Recorder.running() as recorder:
        with serving(Path(folder) / "rules", core=None, models_dir=models_dir, configuration=_RULES) as gateway:
            rules, rules_s = _answers(gateway, warm_up, samples)
        configuration = _CONFIGURATION.format(port=recorder.port, model=model)
        with serving(Path(folder) / "model", core=None, models_dir=models_dir, configuration=configuration) as gateway:
            recorder.lead_to(gateway)
            by_model, model_s = _answers(gateway, warm_up, samples)
    return Result(
        machine=describe(),
        model=model,
        reader=READER,
        seed=seed,
        documents=tuple(taken),
        by_rules=_way(samples, rules, rules_s),
        by_model=_way(samples, by_model, model_s),
        choice=_choice(samples, by_model, recorder.answers[1:]),
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


def _answers(gateway: Gateway, warm_up: Sample, samples: Sequence[Sample]) -> tuple[list[Values], list[float]]:
    _fields_of(gateway, warm_up)
    values, seconds = [], []
    for sample in samples:
        began = time.monotonic()
        values.append(_fields_of(gateway, sample))
        seconds.append(time.monotonic() - began)
        print(f"{gateway.folder.name}: {sample.name} took {seconds[-1]:.1f} s", file=sys.stderr, flush=True)
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


def _choice(samples: Sequence[Sample], by_model: Sequence[Values], answers: Sequence[str]) -> Choice:
    no_json = values = dropped = 0
    for sample, given, answer in zip(samples, by_model, answers, strict=True):
        said = _values_of(answer)
        no_json += said is None
        for number, field in enumerate(parse_schema(sample.schema).fields, start=1):
            value = "" if said is None else said.get(f"f{number}", "")
            values += bool(value)
            dropped += bool(value) and _folded(value) != _folded(given.get(str(field.path[0]), ""))
    return Choice(answers=len(answers), no_json=no_json, values=values, dropped=dropped)


def _values_of(answer: str) -> Values | None:
    """Return what the model said of each field; None where the answer is not of the form that was asked for."""
    try:
        fields = msgspec.json.decode(answer, type=dict[str, dict[str, Any]])
    except msgspec.DecodeError:
        return None
    return {name: str(field.get("value", "")).strip() for name, field in fields.items()}


def _folded(text: str) -> str:
    """Return the characters by which a value that the model copied is looked for on the page."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


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
