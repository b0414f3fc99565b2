"""What is told before weights are fetched, and the question before many bytes."""

from __future__ import annotations

import hashlib
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwenport.catalog.model_file import read_model_file

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

CONTENT = b"weights"
TINY_FILE = Path(str(files("qwenport.catalog"))) / "models" / "pp-ocrv6-tiny.toml"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MODEL = """
name = "{name}"
description = "Made up"
family = "made-up"
released = 2026-01-01
context_tokens = 4096
max_input_tokens = 4095
max_output_tokens = 2048
modalities = ["text"]
default_result_format = "text"

[weights]
source = "file:{path}"
sha256 = "{digest}"
size_bytes = {size}
licence = "Apache-2.0"
kv_bytes_per_token = 1048576

[engine]
kind = "llama"
context_tokens = 1024
slots = 2
"""


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Put a large and a small model into the operator's catalog; both would be copied from one small file."""
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    own = tmp_path / "data" / "catalog"
    own.mkdir(parents=True)
    for name, size in {"large": (1 << 30) + 1, "small": len(CONTENT)}.items():
        text = MODEL.format(name=name, path=tmp_path / "tiny.gguf", digest=DIGEST, size=size)
        (own / f"{name}.toml").write_text(text)
    return tmp_path / "models"


def kept(models: Path) -> list[bytes]:
    return [path.read_bytes() for path in models.glob("*.gguf")] if models.exists() else []


def test_size_source_checksum_licence_and_memory_are_told_before(run: Run, models: Path, tmp_path: Path) -> None:
    code, _, err = run("models", "pull", "small")

    assert code == 0, err
    assert err.splitlines()[:3] == [
        f"small: 0 MiB from file:{tmp_path / 'tiny.gguf'}",
        f"  SHA-256 {DIGEST}, licence Apache-2.0",
        "  needs about 2.00 GiB of memory with 2 slots of 1024 tokens",
    ]
    assert kept(models) == [CONTENT]


SIGHT = """
[projector]
source = "file:{path}"
sha256 = "{digest}"
size_bytes = {size}
licence = "MIT"
"""


def test_the_projector_of_a_model_that_sees_is_told_of_and_pulled_with_it(
    run: Run, models: Path, tmp_path: Path
) -> None:
    small = tmp_path / "data" / "catalog" / "small.toml"
    sight = SIGHT.format(path=tmp_path / "tiny.gguf", digest=DIGEST, size=len(CONTENT))
    small.write_text(small.read_text().replace('["text"]', '["text", "image"]') + sight)

    code, out, err = run("models", "pull", "small", "--json")

    assert code == 0, err
    assert err.splitlines()[:5] == [
        f"small: 0 MiB from file:{tmp_path / 'tiny.gguf'}",
        f"  SHA-256 {DIGEST}, licence Apache-2.0",
        f"small-projector: 0 MiB from file:{tmp_path / 'tiny.gguf'}",
        f"  SHA-256 {DIGEST}, licence MIT",
        "  needs about 2.00 GiB of memory with 2 slots of 1024 tokens",
    ]
    files = [models / f"{name}-{DIGEST[:12]}.gguf" for name in ("small", "small-projector")]
    assert json.loads(out) == [
        {"name": name, "path": str(path), "size_bytes": len(CONTENT)}
        for name, path in zip(("small", "small-projector"), files, strict=True)
    ]
    assert kept(models) == [CONTENT, CONTENT]
    code, out, _ = run("models", "remove", "small", "--json")
    assert (code, json.loads(out), kept(models)) == (0, {"removed": [str(path) for path in files]}, [])


def test_both_files_count_where_much_is_about_to_be_downloaded(run: Run, models: Path, tmp_path: Path) -> None:
    small = tmp_path / "data" / "catalog" / "small.toml"
    sight = SIGHT.format(path=tmp_path / "tiny.gguf", digest=DIGEST, size=1 << 30)
    small.write_text(small.read_text().replace('["text"]', '["text", "image"]') + sight)

    code, _, err = run("models", "pull", "small")

    assert code == 1
    assert "1.00 GiB are about to be downloaded; nobody can be asked here" in " ".join(err.split())
    assert not models.exists()


def test_the_list_tells_size_and_memory(run: Run, models: Path) -> None:
    code, out, _ = run("models", "list", "--json")
    row = next(row for row in json.loads(out) if row["name"] == "small")

    assert code == 0
    assert (row["weights"], row["size_bytes"], row["memory_bytes"]) == (
        "absent",
        len(CONTENT),
        len(CONTENT) + (1 << 20) * 1024 * 2,
    )
    assert "2.00 GiB" in run("models", "list")[1]


def test_of_a_model_that_reads_pages_the_list_tells_files_and_the_memory_of_its_processes(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "qwenport.toml").write_text("[ocr]\nworkers = 3\n")

    code, out, _ = run("models", "list", "--json")
    row = next(row for row in json.loads(out) if row["name"] == "pp-ocrv6-small")

    assert code == 0
    assert (row["size_bytes"], row["memory_bytes"]) == (21_234_383 + 9_929_594, 3 * 1_100_000_000)


@pytest.mark.parametrize(
    ("table", "words"),
    [("", ['No route leads to ocr/pp-ocrv6-tiny yet: set `[ocr].model = "fast"`.']), ('[ocr]\nmodel = "fast"\n', [])],
    ids=["small", "fast"],
)
def test_a_pull_says_that_no_route_leads_to_what_was_fetched(
    table: str, words: list[str], run: Run, tmp_path: Path
) -> None:
    own = tmp_path / "data" / "catalog"
    own.mkdir(parents=True)
    shipped = read_model_file(TINY_FILE.read_text("utf-8"), "tiny")
    assert shipped.engine_model is not None
    text = TINY_FILE.read_text("utf-8")
    for file in shipped.engine_model.files:
        source = tmp_path / file.stem
        source.write_bytes(file.stem.encode())
        text = text.replace(file.weights.source, f"file:{source}")
        text = text.replace(file.weights.sha256, hashlib.sha256(source.read_bytes()).hexdigest())
        text = text.replace(f"{file.weights.size_bytes:_}", str(len(source.read_bytes())))
    (own / "tiny.toml").write_text(text)
    (tmp_path / "data" / "qwenport.toml").write_text(table)

    code, out, err = run("models", "pull", "pp-ocrv6-tiny")

    assert code == 0, err
    assert out.splitlines()[4:] == words


def test_what_is_there_is_not_announced_again(run: Run, models: Path) -> None:
    run("models", "pull", "small")
    code, _, err = run("models", "pull", "small")

    assert code == 0
    assert "SHA-256" not in err


def test_a_large_download_is_not_begun_where_nobody_can_be_asked(run: Run, models: Path) -> None:
    code, out, err = run("models", "pull", "large")

    assert (code, out) == (1, "")
    assert "1.00 GiB are about to be downloaded; nobody can be asked here, so say `--yes`" in " ".join(err.split())
    assert not models.exists()


@pytest.mark.parametrize(("typed", "is_begun"), [("n\n", False), ("\n", False), ("y\n", True), ("Yes\n", True)])
def test_a_large_download_is_begun_when_it_is_wanted(
    run: Run, models: Path, monkeypatch: pytest.MonkeyPatch, typed: str, is_begun: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    code, _, err = run("models", "pull", "large")

    assert code == 1
    assert "1.00 GiB are about to be downloaded. Go on? [y/N]" in err
    # The file behind it is another one, which shows that it was read.
    assert ("nothing was changed" not in err) == is_begun
    assert ("expected 1073741825 bytes" in " ".join(err.split())) == is_begun
    assert kept(models) == []


def test_yes_asks_nothing(run: Run, models: Path) -> None:
    code, _, err = run("models", "pull", "large", "--yes")

    assert code == 1
    assert "Go on?" not in err
    assert models.exists()
