"""How the gateway's side of an engine sends calls to the host of its model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from qwenport.core.errors import EngineTimedOut
from qwenport.engines.engine import Condition
from qwenport.engines.host_address import HostAddress, unavailable


class HostConnections:
    """Connections to one host; opens nothing before the first call."""

    def __init__(
        self, address: HostAddress, *, target: str, read_condition: Callable[[], Condition], connect_s: float = 5.0
    ) -> None:
        """Keep what is needed; `read_condition` tells why nobody answers when nobody does."""
        self._address = address
        self._name = target.partition("/")[2]
        self._read_condition = read_condition
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: bytes, *, status_s: float) -> aiohttp.ClientResponse:
        """Send a call and return the answer once its status is known; the caller closes it.

        Raises:
            ModelUnavailable: nobody is there.
            EngineTimedOut: no status came within `status_s` seconds.
        """
        try:
            async with asyncio.timeout(status_s):
                return await self._post_once_or_again(path, body)
        except TimeoutError as error:
            raise EngineTimedOut from error
        except (aiohttp.ClientError, OSError) as error:
            # Nobody is there, or is no longer: a host that dies closes what it has accepted without a word.
            raise unavailable(self._name, self._read_condition()) from error

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post_once_or_again(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        """Post; a kept connection that turns out to be closed is replaced by a new one, once."""
        try:
            return await self._opened().post(path, data=body)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not self._address.keeps_connections:
                raise
            return await self._opened().post(path, data=body)

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, which belongs to the loop of the first call."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                self._address.url,
                connector=self._address.connector(),
                headers={"Authorization": f"Bearer {self._address.secret}", "Content-Type": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
            )
        return self._session
