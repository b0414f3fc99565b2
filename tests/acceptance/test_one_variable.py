"""Model Studio's key in the environment and nothing else, through a whole server: what arrives at Model Studio's name.

That name stands for a stand-in on the loopback, by a file of hosts that the server's processes alone see.
"""

from __future__ import annotations

import base64
import os
import random
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dashscope
import openai
import pytest
from anyio.from_thread import start_blocking_portal

from qwenport.testing.certificates import Authority
from qwenport.testing.image_site import IMAGE
from qwenport.testing.native_upstream import Asked, NativeUpstream, Said
from qwenport.testing.operated import calls
from qwenport.testing.raw_server import listening

if TYPE_CHECKING:
    from tests.conftest import Server

HOST = "dashscope-intl.aliyuncs.com"
"""Of Singapore, the region of a key of which nothing else is said."""
KEY = "sk-the-only-setting"
RESOLVE = f"import socket; print({{found[4][0] for found in socket.getaddrinfo({HOST!r}, 443)}})"
PICTURE = f"data:image/png;base64,{base64.b64encode(IMAGE).decode()}"
READ = {"words_info": [{"text": "发票", "location": [1, 2, 9, 2, 9, 6, 1, 6], "rotate_rect": [5, 4, 8, 4, 0]}]}
CHAT, EMBEDDINGS = "/compatible-mode/v1/chat/completions", "/compatible-mode/v1/embeddings"
RERANKS = "/compatible-api/v1/reranks"
GENERATION = "/api/v1/services/aigc/multimodal-generation/generation"


class Studio:
    """A server whose only setting is the key, and what answers it in Model Studio's name."""

    def __init__(self, server: Server, upstream: NativeUpstream) -> None:
        self.server = server
        self._upstream = upstream

    @property
    def seen(self) -> list[tuple[str, str, str]]:
        """Return path, model and key of the calls that arrived, oldest first."""
        return [(each.path, each.body["model"], _key(each)) for each in self._upstream.asked if each.body]

    @property
    def keys(self) -> set[str]:
        """Return what was shown as key by all that arrived, looks at its health among them."""
        return set(map(_key, self._upstream.asked))

    def served_by(self) -> list[str]:
        """Return who answered the calls that are in the books, oldest first."""
        return [row["served_by"] for row in reversed(calls(self.server))]


def _key(asked: Asked) -> str:
    return asked.headers.get("authorization", "")


@pytest.fixture(scope="module")
def studio(server_class: type[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("one-variable")
    address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    launcher = knowing(address, folder)
    authority = Authority.made(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue(HOST, hosts=[HOST]))
    upstream = model_studio()
    # The authorities are those of the system, which for the server are this file.
    settings = {"QWENPORT_DASHSCOPE_API_KEY": KEY, "SSL_CERT_FILE": str(authority.file)}
    server = server_class(folder, folder / "no-models", settings)
    server.launcher = launcher
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        served = listening(upstream.serve, host=address, port=443, tls=context)
        stack.enter_context(portal.wrap_async_context_manager(served))
        stack.callback(server.close)
        server.start(until="/healthz")
        yield Studio(server, upstream)
        assert server.stop() == 0, server.output


def knowing(address: str, folder: Path) -> Sequence[str]:
    """Return what starts a command for which Model Studio's name stands for an address of the loopback."""
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{address} {HOST}\n", "ascii")
    may_mount = () if os.geteuid() == 0 else ("--map-root-user",)
    mount = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
    launcher = ("unshare", "--mount", *may_mount, "sh", "-c", mount, "sh", str(hosts))
    if sys.platform != "linux":
        pytest.skip("only Linux gives a process a file of hosts of its own")
    found = subprocess.run([*launcher, sys.executable, "-c", RESOLVE], check=False, capture_output=True, text=True)
    if found.stdout.strip() != str({address}):
        pytest.skip("this user may not give a process a file of hosts of its own, or the resolver does not read it")
    try:
        with socket.socket() as probe:
            probe.bind((address, 443))
    except PermissionError:
        pytest.skip("this user may not listen on port 443")
    return launcher


def model_studio() -> NativeUpstream:
    """Return a stand-in that answers a chat, an embedding, a reranking, and the native service of an OCR task."""
    part = {"text": "read", "ocr_result": READ}
    choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": [part]}}
    said = {"output": {"choices": [choice]}, "usage": {"input_tokens": 9, "output_tokens": 2}, "request_id": "theirs"}
    return NativeUpstream(
        said=[Said(pieces=(said,))],
        compatible={
            CHAT: {
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
            },
            EMBEDDINGS: {
                "data": [{"index": 0, "embedding": [0.5] * 1024}],
                "usage": {"prompt_tokens": 2, "total_tokens": 2},
            },
            RERANKS: {"results": [{"index": 0, "relevance_score": 0.75}], "usage": {"total_tokens": 4}},
        },
    )


def test_calls_of_every_kind_arrive_in_model_studios_region_with_the_key(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = studio.server
    with openai.OpenAI(api_key=server.key, base_url=f"{server.url}/compatible-mode/v1", max_retries=0) as client:
        chat = client.chat.completions.create(model="qwen-plus", messages=[{"role": "user", "content": "Hi"}])
        [vector] = client.embeddings.create(model="text-embedding-v4", input="Hi").data
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{server.url}/api/v1")
    ranking: Any = dashscope.TextReRank
    ranked = ranking.call(model="qwen3-rerank", query="?", documents=["a"], api_key=server.key)
    read: Any = dashscope.MultiModalConversation.call(
        model="qwen-vl-ocr",
        messages=[{"role": "user", "content": [{"image": PICTURE}]}],
        ocr_options={"task": "advanced_recognition"},
        api_key=server.key,
    )

    assert chat.choices[0].message.content == "Hello"
    assert vector.embedding == [0.5] * 1024
    assert [(each.index, each.relevance_score) for each in ranked.output.results] == [(0, 0.75)]
    assert read.status_code == 200, read
    assert [part["ocr_result"] for part in read.output.choices[0].message.content] == [READ]
    asked = [
        (CHAT, "qwen-plus"),
        (EMBEDDINGS, "text-embedding-v4"),
        (RERANKS, "qwen3-rerank"),
        (GENERATION, "qwen-vl-ocr"),
    ]
    assert studio.seen == [(path, model, f"Bearer {KEY}") for path, model in asked]
    assert studio.served_by() == [f"alibaba/{model}" for _, model in asked]
    assert studio.keys == {f"Bearer {KEY}"}
    assert KEY not in server.output
