"""The admin API as the command line calls it: by the admin socket, from afar, or inside this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from qwenport.client.inside_transport import InsideTransport

Query = Mapping[str, Any]


class AdminError(Exception):
    """The admin API refused or could not be reached; the message is for the operator."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        """HTTP status of the refusal; None where no answer came."""
        self.code = code


class AdminClient:
    """Calls `/admin/v1` by any httpx transport. Query values of None are left out; every method raises `AdminError`."""

    def __init__(self, transport: httpx.AsyncBaseTransport, base_url: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._where = base_url
        self._client = httpx.AsyncClient(
            transport=transport, base_url=f"{base_url}/admin/v1", headers=headers, timeout=120
        )

    async def get(self, path: str, query: Query | None = None) -> Any:
        """Return the JSON of an address."""
        return self._json(await self._send("GET", path, query=query))

    async def text(self, path: str, query: Query | None = None) -> str:
        """Return an answer that is no JSON, such as a statement as CSV."""
        return (await self._send("GET", path, query=query)).text

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send JSON and return JSON."""
        return self._json(await self._send("POST", path, json=body or {}))

    async def post_csv(self, path: str, content: bytes, query: Query | None = None) -> Any:
        """Send CSV and return JSON."""
        headers = {"content-type": "text/csv"}
        return self._json(await self._send("POST", path, query=query, content=content, headers=headers))

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Replace by JSON and return JSON."""
        return self._json(await self._send("PUT", path, json=body))

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change by JSON and return JSON."""
        return self._json(await self._send("PATCH", path, json=body))

    async def delete(self, path: str) -> Any:
        """Delete and return JSON."""
        return self._json(await self._send("DELETE", path))

    @asynccontextmanager
    async def stream(self, path: str, query: Query | None = None) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give a long answer piece by piece; one that breaks off raises too, so that no part is taken for the whole."""
        with self._reaching():
            async with self._client.stream("GET", path, params=_given(query)) as response:
                if not response.is_success:
                    await response.aread()
                    self._refuse(response)
                yield response.aiter_bytes()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _send(self, method: str, path: str, *, query: Query | None = None, **more: Any) -> httpx.Response:
        with self._reaching():
            response = await self._client.request(method, path, params=_given(query), **more)
        if not response.is_success:
            self._refuse(response)
        return response

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except httpx.RemoteProtocolError as error:
            raise AdminError(f"the answer of {self._where} broke off: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AdminError(
                f"the server at {self._where} cannot be reached: {error or type(error).__name__}"
            ) from error

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise AdminError(
                f"{self._where} answered {response.status_code} without JSON; is it Qwenport?",
                status=response.status_code,
            ) from error

    def _refuse(self, response: httpx.Response) -> None:
        content = self._json(response)
        said: Mapping[str, Any] = content if isinstance(content, dict) else {}
        raise AdminError(
            str(said.get("message") or f"{self._where} answered {response.status_code}"),
            status=response.status_code,
            code=str(said.get("code", "")),
        )


def _given(query: Query | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def address(path: str, *names: str) -> str:
    """Return a path whose `{}` are filled with names, whatever characters these hold."""
    return path.format(*(quote(name, safe="") for name in names))


def by_socket(path: Path) -> AdminClient:
    """Return a client of the server whose admin socket this is; a symbolic link leads to a shorter path."""
    place = str(path.readlink()) if path.is_symlink() else str(path)
    return AdminClient(httpx.AsyncHTTPTransport(uds=place), "http://qwenport")


def from_afar(url: str, token: str) -> AdminClient:
    """Return a client of a server at an address."""
    return AdminClient(httpx.AsyncHTTPTransport(), url.rstrip("/"), token)


def inside(application: Any) -> AdminClient:
    """Return a client of an ASGI application in this process."""
    return AdminClient(InsideTransport(application), "http://qwenport")
