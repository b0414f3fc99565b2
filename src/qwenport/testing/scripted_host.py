"""A fake llama.cpp host in a thread of its own, before which a whole server stands, and the model that leads to it."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from qwenport.gate.estimate import most_input_tokens
from qwenport.testing.calls import chat_call
from qwenport.testing.llama_host import DONE, FakeLlamaHost, Reply, end, piece, progress
from qwenport.testing.models import model_card
from qwenport.testing.scripted_engine import Wait

MODEL = "fake"

INPUT_TOKENS = most_input_tokens(chat_call("Hi"), model_card())
"""Bound of the prompt of `chat`, which the host reports to the token."""
OUTPUT_TOKENS = 10
COST_NANOS = INPUT_TOKENS * 1000 + OUTPUT_TOKENS * 2000
"""Bound and cost of one such call, in nano-yuan; putting a prompt into a cache costs nothing extra here."""

_MODEL_FILE = """
name = "{name}"
description = "An engine with a script"
family = "fake"
released = 2026-01-01
context_tokens = 4096
max_input_tokens = 4095
max_output_tokens = 2048
modalities = ["text"]
default_result_format = "text"

[[prices]]
region = "beijing"
currency = "CNY"
input = "0.001"
output = "0.002"
per_tokens = 1000
cache_creation_factor = "1"
since = 2026-01-01
source = "made up"

[weights]
source = "file:/nowhere.gguf"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
size_bytes = 1
licence = "none"

[engine]
kind = "llama"
context_tokens = 4096
slots = 64
url = "unix:{socket}"
"""


def chat(*, streams: bool = False) -> dict[str, object]:
    """Return the body of a chat of which `exact_answer` uses all that is held for it."""
    body: dict[str, object] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
    return {**body, "max_tokens": OUTPUT_TOKENS, "stream": streams}


def exact_answer(wait: Wait | None = None) -> Reply:
    """Return an answer that uses exactly what is held for `chat`; it stops at the wait, after two pieces."""
    pieces = [piece(f" {number}", number) for number in range(1, OUTPUT_TOKENS)]
    pauses = [] if wait is None else [wait]
    last = end(OUTPUT_TOKENS, prompt_tokens=INPUT_TOKENS)
    return Reply(steps=[progress(INPUT_TOKENS), *pieces[:2], *pauses, *pieces[2:], last, DONE])


class ScriptedHost:
    """A host that answers while the block lasts; `fake.reply` may be changed at any time."""

    def __init__(self, reply: Reply | None = None) -> None:
        self.fake = FakeLlamaHost(exact_answer() if reply is None else reply, says_close=True)
        # Its path must be short.
        self._folder = tempfile.TemporaryDirectory(prefix="qp-")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._listening = threading.Event()
        self._end = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._folder.cleanup()

    def add_model(self, data_dir: Path) -> None:
        """Put the model `fake`, which this host answers for, into the catalog of a server that is not started yet."""
        folder = data_dir / "catalog"
        folder.mkdir(parents=True, exist_ok=True)
        socket = Path(self._folder.name) / "fake.sock"
        (folder / f"{MODEL}.toml").write_text(_MODEL_FILE.format(name=MODEL, socket=socket))

    def release(self, wait: Wait) -> None:
        """Let the answers go on that stopped at a wait."""
        self._loop.call_soon_threadsafe(wait.go.set)

    def _run(self) -> None:
        async def listen() -> None:
            async with self.fake.listening(Path(self._folder.name) / "fake.sock"):
                self._listening.set()
                await self._end.wait()

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(listen())
