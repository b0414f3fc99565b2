"""`qwenport chat`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import httpx

from qwenport.cli.arguments import AsJson
from qwenport.cli.context import CommandFailed, named_url, settings
from qwenport.cli.display import ERRORS, show_json
from qwenport.settings.settings import Settings


def chat(
    prompt: str | None = None,
    /,
    *,
    model: str = "qwen-plus",
    system: str = "You are a helpful assistant.",
    json: AsJson = False,
) -> None:
    """Talk to a model; the answer appears while it is made. Without a prompt, line by line until Ctrl-D.

    The server is the one on this machine, or QWENPORT_URL; the key is QWENPORT_API_KEY, DASHSCOPE_API_KEY,
    QWENPORT_BOOTSTRAP_API_KEY, or the first key that the server left in its data directory.

    Args:
        prompt: one question; the command ends after the answer.
        model: the model's name.
        system: the system message.
        json: print the whole answer as JSON, with a prompt only.
    """
    if json and prompt is None:
        raise CommandFailed('`--json` needs a prompt, such as `qwenport chat --json "Who are you?"`')
    chosen = settings()
    messages = [{"role": "system", "content": system}]
    with httpx.Client(base_url=address(chosen), headers={"authorization": f"Bearer {api_key(chosen)}"}) as client:
        for line in [prompt] if prompt is not None else typed_lines():
            messages.append({"role": "user", "content": line})
            body = {"model": model, "messages": messages, "stream": not json}
            if json:
                show_json(whole(client, body))
                return
            answer = ""
            for piece in streamed(client, body):
                answer += piece
                sys.stdout.write(piece)
                sys.stdout.flush()
            sys.stdout.write("\n")
            messages.append({"role": "assistant", "content": answer})


def address(chosen: Settings) -> str:
    """Return the server's address."""
    return named_url() or chosen.local_address(chosen.port)


def api_key(chosen: Settings) -> str:
    """Return the key to call with.

    Raises:
        CommandFailed: there is none.
    """
    for name in ("QWENPORT_API_KEY", "DASHSCOPE_API_KEY"):
        if os.environ.get(name):
            return sendable(name, os.environ[name])
    if chosen.bootstrap_api_key is not None:
        return chosen.bootstrap_api_key.reveal()
    try:
        return chosen.first_key.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed("no API key: set QWENPORT_API_KEY, or make one with `qwenport keys create`") from error


def sendable(name: str, key: str) -> str:
    """Return a key that can stand in a header.

    Raises:
        CommandFailed: it cannot, such as one pasted with an ellipsis.
    """
    if not key.isascii() or not key.isprintable() or " " in key:
        raise CommandFailed(f"{name} holds a character that no API key has; copy the key into it again")
    return key


def typed_lines() -> Iterator[str]:
    """Yield what the user types, until Ctrl-D."""
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "")
        except EOFError:
            return
        if line.strip():
            yield line


def whole(client: httpx.Client, body: dict[str, Any]) -> Any:
    """Return the answer at once."""
    try:
        response = client.post("/v1/chat/completions", json=body, timeout=600)
    except httpx.HTTPError as error:
        raise unreachable(client, error) from error
    refuse_errors(response)
    return response.json()


def streamed(client: httpx.Client, body: dict[str, Any]) -> Iterator[str]:
    """Yield the pieces of the answer; Ctrl-C ends it."""
    try:
        with client.stream("POST", "/v1/chat/completions", json=body, timeout=600) as response:
            if not response.is_success:
                response.read()
                refuse_errors(response)
            for line in response.iter_lines():
                yield from piece_of(line)
    except httpx.HTTPError as error:
        raise unreachable(client, error) from error
    except KeyboardInterrupt:
        ERRORS.print(" (stopped)", markup=False)


def piece_of(line: str) -> Iterator[str]:
    """Yield the text of one line of the stream, if it has any."""
    if not line.startswith("data: ") or line == "data: [DONE]":
        return
    chunk = json.loads(line.removeprefix("data: "))
    if "error" in chunk:
        raise CommandFailed(chunk["error"]["message"])
    for choice in chunk["choices"]:
        yield choice["delta"].get("content") or ""


def refuse_errors(response: httpx.Response) -> None:
    """Raise the server's words where it refused.

    Raises:
        CommandFailed: with these words.
    """
    if response.is_success:
        return
    try:
        content = response.json()
    except ValueError:
        content = {}
    error = content.get("error") or content
    raise CommandFailed(f"{response.status_code}: {error.get('message', 'the server refused without words')}")


def unreachable(client: httpx.Client, error: httpx.HTTPError) -> CommandFailed:
    """Return the words for a server that does not answer."""
    return CommandFailed(f"no answer from {client.base_url} ({error}); is `qwenport serve` running?")
