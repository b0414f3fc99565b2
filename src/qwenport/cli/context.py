"""What every command starts from: the settings, the way to the server, the way to show a result."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
from rich.console import Console
from rich.table import Table

from qwenport.app.offline import offline_application
from qwenport.app.refusal import StartRefused
from qwenport.client.admin_client import AdminClient, by_socket, from_afar, inside
from qwenport.settings.settings import Settings, load_settings, local_url

T = TypeVar("T")

OUT = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
"""A moment in UTC; a table shows its seconds."""

ERRORS = Console(stderr=True, soft_wrap=True, highlight=False)


class CommandFailed(Exception):
    """A command cannot do what was asked; the message is one line with the fix."""


def settings() -> Settings:
    """Return the settings of this process; their warnings go to standard error."""
    read = load_settings(os.environ, Path.cwd())
    for warning in read.warnings:
        ERRORS.print(f"warning: {warning}", markup=False)
    return read


@asynccontextmanager
async def operator(chosen: Settings) -> AsyncIterator[AdminClient]:
    """Give the admin API: from afar by QWENPORT_URL, else of the running server, else on the database itself."""
    url = named_url()
    if url is not None:
        if chosen.admin_token is None:
            raise CommandFailed("QWENPORT_URL is set, so QWENPORT_ADMIN_TOKEN must hold that server's operator token")
        async with _closing(from_afar(url, chosen.admin_token.reveal())) as client:
            yield client
    elif is_listening(chosen.admin_socket):
        async with _closing(by_socket(chosen.admin_socket)) as client:
            yield client
    else:
        with offline_application(chosen) as application:
            async with _closing(inside(application)) as client:
                yield client


@asynccontextmanager
async def _closing(client: AdminClient) -> AsyncIterator[AdminClient]:
    try:
        yield client
    finally:
        await client.close()


def named_url() -> str | None:
    """Return the address in QWENPORT_URL, if any.

    Raises:
        CommandFailed: it is none.
    """
    text = os.environ.get("QWENPORT_URL")
    if not text:
        return None
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise CommandFailed(f"QWENPORT_URL is `{text}`; write it like `http://127.0.0.1:8600`")
    return text.rstrip("/")


def is_listening(path: Path) -> bool:
    """Tell whether a server listens on this admin socket."""
    place = path.readlink() if path.is_symlink() else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt:
        try:
            attempt.connect(str(place))
        except OSError:
            return False
    return True


def with_operator(work: Callable[[AdminClient], Awaitable[T]]) -> T:
    """Run work that needs the admin API, and return its result."""

    async def run() -> T:
        async with operator(settings()) as client:
            return await work(client)

    return asyncio.run(run())


def show_json(content: object) -> None:
    """Print a result for programs."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def show_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], empty: str) -> None:
    """Print rows for people; numbers stand right."""
    if not rows:
        OUT.print(empty, markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = all(isinstance(row.get(column), int) and not isinstance(row.get(column), bool) for row in rows)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        # An id is copied into the next command, so it stays in one piece.
        table.add_column(column.replace("_", " "), justify=justify, overflow="fold", no_wrap=column.endswith("id"))
    for row in rows:
        table.add_row(*(shown(row.get(column)) for column in columns))
    OUT.print(table)


def shown(value: object) -> str:
    """Return a value as a cell of a table."""
    if value in (None, "", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and (moment := MOMENT.fullmatch(value)):
        return f"{moment[1]} {moment[2]}"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


__all__ = [
    "ERRORS",
    "OUT",
    "CommandFailed",
    "StartRefused",
    "is_listening",
    "local_url",
    "named_url",
    "operator",
    "settings",
    "show_json",
    "show_table",
    "with_operator",
]
