"""Upstreams that cannot be used: a start that is refused in one line, a call that is answered in its face's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from qwenport.testing.faulty_upstream import Fault, FaultyUpstream, FaultyUpstreamThread, Script
from qwenport.testing.upstream_tables import configure, route, table, upstream

if TYPE_CHECKING:
    from tests.conftest import Server

MakeServer = Callable[..., "Server"]
URL = "http://127.0.0.1:9/v1"
MODEL = "qwen-plus"
FACES = {
    "openai": ("/v1/chat/completions", ("error", "message")),
    "anthropic": ("/apps/anthropic/v1/messages", ("error", "message")),
    "dashscope": ("/api/v1/services/aigc/text-generation/generation", ("message",)),
}
"""Path, and where an error says its words."""


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ((upstream("far", URL), route(MODEL, "near")), "near"),
        ((upstream("far", URL, models=["qwen-max"]), route(MODEL, "far/no-such-model")), "no-such-model"),
        ((route("qwen-plus", "qwen-max"), route("qwen-max", "qwen-plus")), "qwen-max"),
        ((upstream("far", URL, api_key_env="NOT_SET_ANYWHERE"), route(MODEL, "far")), "NOT_SET_ANYWHERE"),
        ((upstream("far", "gopher://example.com/v1"), route(MODEL, "far")), "gopher"),
        ((upstream("far", "http://example.com/v1"), route(MODEL, "far")), "allow_http"),
        ((upstream("far", "https://example.com/v1", ca_file="none.pem"), route(MODEL, "far")), "none.pem"),
    ],
    ids=["upstream", "model", "cycle", "key", "scheme", "plain http", "authorities"],
)
def test_a_start_with_what_cannot_be_used_is_refused_in_one_line(
    make_server: MakeServer, tables: tuple[str, ...], words: str
) -> None:
    server = make_server()
    configure(server.data_dir, *tables)
    refused = server.run("serve")

    assert refused.returncode == 1
    assert words in refused.stderr
    assert [line[:10] for line in refused.stderr.splitlines()] == ["qwenport: "]
    assert refused.stdout == ""


def test_what_upstreams_do_wrong_is_an_error_in_the_words_of_every_face(make_server: MakeServer) -> None:
    faults = (Fault.HTML_PAGE, Fault.GZIP_BOMB, Fault.BOTH_LENGTHS, Fault.HUGE_FRAME)
    with FaultyUpstreamThread(FaultyUpstream()) as far:
        server = make_server()
        configure(
            server.data_dir,
            table("[retries]", tries=1, breaker_failures=1000),
            upstream("far", far.url),
            upstream("unnamed", "https://no-such-host.invalid/v1"),
            upstream("nobody", URL),
            route(MODEL, "far"),
            route("qwen-max", "unnamed"),
            route("qwen-turbo", "nobody"),
        )
        server.start(until="/healthz")
        for face in FACES:
            for fault in faults:
                far.upstream.plan = Script([fault])
                status, words = told(server, face, MODEL)
                assert status >= 500, (face, fault)
                assert "far" in words, (face, fault)
            for model, name in (("qwen-max", "unnamed"), ("qwen-turbo", "nobody")):
                status, words = told(server, face, model)
                assert (status, name in words) == (503, True), (face, words)
        far.upstream.plan = Script(())
        assert told(server, "openai", MODEL)[0] == 200


def told(server: Server, face: str, model: str) -> tuple[int, str]:
    """Return the status of a call, and the words of an error."""
    path, place = FACES[face]
    messages = [{"role": "user", "content": "Hi"}]
    body: dict[str, object] = {"model": model, "messages": messages, "max_tokens": 4}
    if face == "dashscope":
        body = {"model": model, "input": {"messages": messages}, "parameters": {"max_tokens": 4}}
    answer = httpx.post(server.url + path, json=body, headers=server.bearer, timeout=30)
    found = answer.json()
    for name in place:
        found = found.get(name, {})
    return answer.status_code, str(found)
