"""One conversation, answered by the embedded engine and through an upstream that is the embedded engine's own server.

Two gateways as users have them: one runs the stand-in itself; the other has no weights, and an upstream of the kind
`openai` at the HTTP server of such an engine. Nothing but ids and moments may tell their answers apart, and the header
that names who answered. Both engines are new and are asked the same: what an engine has cached of other prompts was
computed in other batches, whose sums are rounded otherwise, and a small model then takes another word.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.conftest import Server

Json = dict[str, Any]
Pair = tuple["Server", "Server"]
SECRET = "the-secret-of-the-upstream-in-tests"
URL = re.compile(r'^url = "(.+)"$', re.MULTILINE)

ASKED = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Name a river of Europe. 一条河。"},
    {"role": "assistant", "content": "The Rhine."},
    {"role": "user", "content": "Name three more."},
]
OPENAI: Json = {"model": "qwen-plus", "messages": ASKED, "temperature": 0, "seed": 1, "max_tokens": 24}
NATIVE: Json = {
    "model": "qwen-plus",
    "input": {"messages": ASKED},
    "parameters": {"temperature": 0, "seed": 1, "max_tokens": 24, "result_format": "message"},
}
ANTHROPIC: Json = {
    "model": "qwen-plus",
    "system": ASKED[0]["content"],
    "messages": ASKED[1:],
    "temperature": 0,
    "max_tokens": 24,
}
CHAT = "/compatible-mode/v1/chat/completions"
GENERATION = "/api/v1/services/aigc/text-generation/generation"
MESSAGES = "/apps/anthropic/v1/messages"
SSE = {"X-DashScope-SSE": "enable"}
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
INCREMENTAL = {"parameters": NATIVE["parameters"] | {"incremental_output": True}}

CALLS: dict[str, tuple[str, Json, dict[str, str]]] = {
    "OpenAI, whole": (CHAT, OPENAI, {}),
    "OpenAI, streamed": (CHAT, OPENAI | STREAMED, {}),
    "OpenAI, two choices": (CHAT, OPENAI | {"n": 2}, {}),
    "OpenAI, log probabilities": (CHAT, OPENAI | {"logprobs": True, "top_logprobs": 2}, {}),
    "OpenAI, log probabilities, streamed": (CHAT, OPENAI | STREAMED | {"logprobs": True, "top_logprobs": 2}, {}),
    "OpenAI, stop": (CHAT, OPENAI | {"stop": ["2."]}, {}),
    "OpenAI, completions": (
        "/compatible-mode/v1/completions",
        {"model": "smollm2-135m-instruct", "prompt": "One, two,", "temperature": 0, "max_tokens": 8},
        {},
    ),
    "native, whole": (GENERATION, NATIVE, {}),
    "native, streamed": (GENERATION, NATIVE, SSE),
    "native, streamed in pieces": (GENERATION, NATIVE | INCREMENTAL, SSE),
    "Anthropic, whole": (MESSAGES, ANTHROPIC, {}),
    "Anthropic, streamed": (MESSAGES, ANTHROPIC | {"stream": True}, {}),
}


@pytest.fixture(scope="module")
def pair(
    server_class: type[Server],
    models_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
    eventually: Callable[..., None],
) -> Iterator[Pair]:
    """Give the gateway with an engine of its own, and the one with an upstream."""
    folder = tmp_path_factory.mktemp("upstream")
    gateway = server_class(folder, folder / "no-models", {"OWN_SECRET": SECRET})
    embedded = server_class(tmp_path_factory.mktemp("embedded"), models_dir)
    log = folder / "engine.out"
    with log.open("wb") as out:
        engine = subprocess.Popen(
            [sys.executable, "-m", "qwenport", "engine", "serve", "smollm2-135m-instruct", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=gateway.environment | {"QWENPORT_MODELS_DIR": str(models_dir), "QWENPORT_ENGINE_SECRET": SECRET},
            cwd=folder,
            start_new_session=True,
        )
    try:
        eventually(lambda: URL.search(log.read_text("utf-8")), "the engine says where it listens")
        found = URL.search(log.read_text("utf-8"))
        assert found is not None
        eventually(lambda: is_well(found[1]), "the engine is ready")
        configure(gateway, found[1])
        gateway.start(until="/healthz")
        embedded.start()
        for each in (gateway, embedded):
            eventually(lambda each=each: ask(each, *CALLS["OpenAI, whole"]).status_code == 200, "the gateway serves")
        yield embedded, gateway
        assert [*gateway.children("llama.host"), *gateway.children("embed.host")] == []
    finally:
        gateway.close()
        embedded.close()
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait()


def is_well(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def configure(gateway: Server, url: str) -> None:
    """Write the configuration file; the dialect is found out."""
    routes = "".join(
        f'[[routes]]\nmodel = "{model}"\nto = ["own/smollm2-135m-instruct"]\n'
        for model in ("qwen-plus", "smollm2-135m-instruct")
    )
    upstream = f'[[upstreams]]\nname = "own"\nkind = "openai"\nbase_url = "{url}/v1"\napi_key_env = "OWN_SECRET"\n'
    gateway.data_dir.mkdir(parents=True, exist_ok=True)
    (gateway.data_dir / "qwenport.toml").write_text(upstream + routes, "utf-8")


def ask(server: Server, path: str, body: Json, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, headers=server.bearer | headers, timeout=60)


IDS = {"id", "request_id"}
MOMENTS = {"created"}


def masked(said: Any) -> Any:
    """Return a body without what differs between two calls to one and the same gateway: ids and moments."""
    if isinstance(said, dict):
        return {name: "…" if name in IDS | MOMENTS else masked(value) for name, value in said.items()}
    return [masked(each) for each in said] if isinstance(said, list) else said


def bodies(response: httpx.Response) -> list[Any]:
    """Return what a response says: one body, or the frames of a stream, with what stands around their JSON."""
    if not response.headers["content-type"].startswith("text/event-stream"):
        return [masked(response.json())]
    lines = [line.partition("data:") for line in response.text.splitlines()]
    return [
        (before, masked(json.loads(data)) if data.strip().startswith("{") else data) for before, mark, data in lines
    ]


def told(server: Server, name: str) -> list[Any]:
    """Return the bodies of a call that was made before, so that its prompt is as far in the engine's cache anywhere."""
    path, body, headers = CALLS[name]
    ask(server, path, body, headers)
    response = ask(server, path, body, headers)
    assert response.status_code == 200, response.text
    return bodies(response)


@pytest.mark.parametrize("name", CALLS)
def test_the_bodies_are_equal(pair: Pair, name: str) -> None:
    embedded, upstream = pair

    assert told(upstream, name) == told(embedded, name)


def test_each_answer_comes_from_where_it_should(pair: Pair) -> None:
    served = [ask(server, *CALLS["OpenAI, whole"]).headers["x-qwenport-served-by"] for server in pair]

    assert served == ["llama/smollm2-135m-instruct; stand-in", "own/smollm2-135m-instruct; stand-in"]
