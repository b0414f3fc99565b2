"""What the README tells its readers to paste works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwenport.evaluation.rendering import layouts, render

if TYPE_CHECKING:
    from tests.conftest import Server

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
FENCE = re.compile(r"^```(bash|sh|shell|console|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CLIENT = re.compile(r"^\s*(?:import|from) (openai|dashscope|anthropic)\b", re.MULTILINE)
KEY_VARIABLES = ("DASHSCOPE_API_KEY", "QWENPORT_API_KEY", "QWENPORT_BOOTSTRAP_API_KEY", "OPENAI_API_KEY")


def shell_commands(block: str) -> str:
    """Return the commands of a block, without the output that may follow those marked by `$`."""
    if not re.search(r"^\$ ", block, re.MULTILINE):
        return block
    return "\n".join(re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE))


def examples() -> list[tuple[str, str]]:
    """Return the kind and the text of each block that calls the server."""
    found = []
    for language, block in FENCE.findall(README):
        client = CLIENT.search(block) if language == "python" else None
        if client is not None:
            found.append((client[1], block))
        elif language != "python" and shell_commands(block).lstrip().startswith("curl"):
            found.append(("curl", shell_commands(block)))
    return found


def test_there_is_an_example_for_each_client() -> None:
    assert {kind for kind, _ in examples()} == {"curl", "openai", "dashscope", "anthropic"}


@pytest.mark.parametrize(
    ("kind", "text"), [pytest.param(*each, id=f"{each[0]}-{n}") for n, each in enumerate(examples())]
)
def test_the_example_works(brief: Server, tmp_path: Path, kind: str, text: str) -> None:
    (tmp_path / ".curlrc").write_text("fail-with-body\n")
    here = re.sub(r"http://(127\.0\.0\.1|localhost):8600", brief.url, text)
    assert brief.url in here, "the example calls another address than the one that `make serve` listens on"
    if "ticket.png" in text:
        (tmp_path / "ticket.png").write_bytes(render(layouts()["train-ticket-blue"], 7).image)
    done = subprocess.run(
        [sys.executable, "-c", here] if kind != "curl" else ["bash", "-euo", "pipefail", "-c", here],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **dict.fromkeys(KEY_VARIABLES, brief.key), "CURL_HOME": str(tmp_path)},
        timeout=100,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
