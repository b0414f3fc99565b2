"""`qwenport chat` with the real small model: one question, typed lines, a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.conftest import Server


def test_one_question_is_answered_and_the_command_ends(brief: Server) -> None:
    done = brief.run("chat", "Say hello.", "--model", "qwen-turbo")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_an_answer_as_json_is_the_servers(brief: Server) -> None:
    answer = json.loads(brief.run("chat", "Say hello.", "--json").stdout)

    assert (answer["object"], answer["model"]) == ("chat.completion", "qwen-plus")


def test_typed_lines_are_one_conversation(brief: Server) -> None:
    done = brief.run("chat", text="Say hello.\n\nAnd again.\n")
    newest, before = brief.operator("GET", "/calls?limit=2").json()

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 2
    assert newest["input_tokens"] > before["input_tokens"]


def test_a_terminal_gets_a_prompt_and_the_answer(brief: Server, eventually: Callable[..., None]) -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "qwenport", "chat"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=brief.environment | {"TERM": "dumb"},
        cwd=brief.folder,
    ) as chat:
        os.close(terminal)
        seen = os.read(controller, 4096)
        os.write(controller, b"Say hello.\n")
        while seen.count(b"> ") < 2:
            seen += os.read(controller, 4096)
        os.write(controller, b"\x04")
        assert chat.wait(60) == 0
    os.close(controller)
    _, _, answer = seen.decode().partition("Say hello.")

    assert seen.startswith(b"> ")
    assert answer.removesuffix("> ").strip()


def test_a_refusal_is_one_line_in_the_servers_words(brief: Server) -> None:
    done = brief.run("chat", "Hi", "--model", "gpt-4")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "qwenport: 404: The model `gpt-4` does not exist or you do not have access to it.\n"


def test_a_server_that_is_not_there_is_named(live: Server) -> None:
    done = live.run("chat", "Hi", QWENPORT_URL="http://127.0.0.1:1")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("qwenport: no answer from http://127.0.0.1:1")
    assert done.stderr.endswith("is `qwenport serve` running?\n")


def test_doctor_finds_a_running_server_well(live: Server) -> None:
    done = live.run("doctor", "--json")
    findings = {finding["check"]: finding["verdict"] for finding in json.loads(done.stdout)}

    assert done.returncode == 0, done.stdout
    assert {findings[check] for check in ("server", "llama/smollm2-135m-instruct", "books", "weights")} == {"ok"}


def test_metrics_need_the_operators_token(live: Server) -> None:
    body = {"model": "qwen-plus", "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"}]}
    httpx.post(f"{live.url}/v1/chat/completions", headers=live.bearer, json=body, timeout=60)
    shown = httpx.get(f"{live.url}/metrics", headers={"Authorization": f"Bearer {live.token}"}, timeout=60)
    refused = httpx.get(f"{live.url}/metrics", headers=live.bearer, timeout=60)

    assert shown.status_code == 200
    assert "qwenport_holds_open" in shown.text
    assert 'qwenport_tokens_total{direction="output",model="qwen-plus"}' in shown.text
    assert (refused.status_code, refused.json()["code"]) == (401, "operator_token_invalid")
