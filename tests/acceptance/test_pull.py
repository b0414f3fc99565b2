"""Weights from hubs by command, from a stand-in of their HTTP: what is told before, and what is not kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwenport.testing.hub import Hub, running_hub

if TYPE_CHECKING:
    from tests.conftest import Server

MakeServer = Callable[..., "Server"]
CONTENT = b"weights" * 300_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = """
name = "tiny"
description = "Made up"
family = "made-up"
released = 2026-01-01
context_tokens = 4096
max_input_tokens = 4095
max_output_tokens = 2048
modalities = ["text"]
default_result_format = "text"

[weights]
source = "{source}"
sha256 = "{digest}"
size_bytes = {size}
licence = "Apache-2.0"
kv_bytes_per_token = 1048576

[engine]
kind = "llama"
context_tokens = 1024
slots = 2
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub(CONTENT) as hub:
        yield hub


@pytest.fixture
def server(hub: Hub, make_server: MakeServer, tmp_path: Path) -> Server:
    """Give what has commands, which go to the stand-in."""
    homes = {"HF_HOME": tmp_path / "hf", "MODELSCOPE_CACHE": tmp_path / "ms", "MODELSCOPE_HOME": tmp_path / "msh"}
    return make_server(
        models=tmp_path / "models",
        HF_ENDPOINT=hub.url,
        MODELSCOPE_ENDPOINT=hub.url,
        NO_PROXY="127.0.0.1",
        **{name: str(path) for name, path in homes.items()},
    )


def describe(server: Server, source: str, digest: str) -> None:
    """Put the model `tiny` into the operator's catalog."""
    folder = server.data_dir / "catalog"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.toml").write_text(FILE.format(source=source, digest=digest, size=len(CONTENT)))


def flowing(text: str) -> str:
    """Return what a command printed without the line breaks of a narrow terminal."""
    return " ".join(text.split())


@pytest.mark.parametrize("kind", ["hf", "modelscope"])
def test_a_pull_tells_what_it_fetches_and_keeps_nothing_but_the_pinned_file(
    kind: str, server: Server, hub: Hub, tmp_path: Path
) -> None:
    source, other = f"{kind}:{hub.path}", "0" * 64
    describe(server, source, other)
    refused = server.run("models", "pull", "tiny")
    kept = [path.name for path in (tmp_path / "models").rglob("*") if path.is_file()]
    describe(server, source, DIGEST)
    pulled = server.run("models", "pull", "tiny")
    path = tmp_path / "models" / f"tiny-{DIGEST[:12]}.gguf"

    assert (refused.returncode, refused.stdout, kept) == (1, "", [])
    assert "SHA-256" in refused.stderr
    assert DIGEST in flowing(refused.stderr)
    assert pulled.returncode == 0, pulled.stderr
    assert flowing(pulled.stderr).startswith(
        f"tiny: 2 MiB from {source} SHA-256 {DIGEST}, licence Apache-2.0 "
        "needs about 2.00 GiB of memory with 2 slots of 1024 tokens"
    )
    assert path.read_bytes() == CONTENT
    assert [each.name for each in (tmp_path / "models").rglob("*") if each.is_file()] == [path.name]


def test_a_larger_qwen_is_told_of_by_its_name_and_not_begun_unasked(server: Server, hub: Hub, tmp_path: Path) -> None:
    asked = server.run("models", "pull", "qwen3-8b")

    assert (asked.returncode, asked.stdout, hub.seen) == (1, "", [])
    assert flowing(asked.stderr) == (
        "qwen3-8b: 4.68 GiB from hf:Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf@7c41481f57cb95916b40956ab2f0b139b296d974 "
        "SHA-256 d98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785, licence Apache-2.0 "
        "needs about 6.93 GiB of memory with 2 slots of 8192 tokens qwenport: 4.68 GiB are about to be downloaded; "
        "nobody can be asked here, so say `--yes` if you want it"
    )
    assert not (tmp_path / "models").exists()
