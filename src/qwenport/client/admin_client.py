"""The admin API as the command line calls it: by the admin socket, from afar, or inside this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx


class AdminError(Exception):
    """The admin API refused or could not be reached; the message is for the operator."""


class AdminClient:
    """Calls `/admin/v1` by any httpx transport."""

    def __init__(self, transport: httpx.AsyncBaseTransport, base_url: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._where = base_url
        self._client = httpx.AsyncClient(
            transport=transport, base_url=f"{base_url}/admin/v1", headers=headers, timeout=120
        )

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of an address; query values of None are left out."""
        return await self._send("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send JSON and return JSON."""
        return await self._send("POST", path, body=body or {})

    async def delete(self, path: str) -> Any:
        """Delete and return JSON."""
        return await self._send("DELETE", path)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = await self._client.request(method, path, params=params, json=body)
        except httpx.HTTPError as error:
            raise AdminError(
                f"the server at {self._where} cannot be reached: {error or type(error).__name__}"
            ) from error
        try:
            content = response.json()
        except ValueError as error:
            raise AdminError(f"{self._where} answered {response.status_code} without JSON; is it Qwenport?") from error
        if response.is_success:
            return content
        words = content.get("message") if isinstance(content, dict) else None
        raise AdminError(words or f"{self._where} answered {response.status_code}")


def by_socket(path: Path) -> AdminClient:
    """Return a client of the server whose admin socket this is; a symbolic link leads to a shorter path."""
    place = str(path.readlink()) if path.is_symlink() else str(path)
    return AdminClient(httpx.AsyncHTTPTransport(uds=place), "http://qwenport")


def from_afar(url: str, token: str) -> AdminClient:
    """Return a client of a server at an address."""
    return AdminClient(httpx.AsyncHTTPTransport(), url.rstrip("/"), token)


def inside(application: Any) -> AdminClient:
    """Return a client of an ASGI application in this process."""
    return AdminClient(httpx.ASGITransport(application), "http://qwenport")
