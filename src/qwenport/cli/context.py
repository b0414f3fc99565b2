"""What every command starts from: the settings, and the way to the server."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from qwenport.cli.display import ERRORS
from qwenport.client.admin_client import AdminClient, by_socket, from_afar, inside
from qwenport.settings.settings import Settings, load_settings, local_url

T = TypeVar("T")


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
        # It takes some 500 ms to import, which only a command without a server should pay.
        from qwenport.app.offline import offline_application  # noqa: PLC0415

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


__all__ = ["CommandFailed", "is_listening", "local_url", "named_url", "operator", "settings", "with_operator"]
