"""One Valkey (or Redis from 6.2 on): bounded connections, scripts by their digest, each failure as one error in words.

Nothing is sent twice by itself: whoever asks decides whether a request that got no answer may be repeated.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from qwenport.core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_CONNECTIONS = 32
"""At one worker; calls beyond them wait for one, within their time."""

ANSWER_S = 1.0
"""A call that waits longer for the counters is refused."""

_SCHEMES = {"redis", "rediss", "valkey", "valkeys", "unix"}


class ScriptsForgotten(StorageUnavailable):
    """The server does not know our scripts: it is new, or was started again, maybe with an older copy of the data."""


class Script:
    """A script and the digest under which the server knows it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class Valkey:
    """A handle on one server. All keys begin with `prefix`, a hash tag, so that a cluster keeps them on one node."""

    def __init__(self, client: Redis, prefix: str, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self.prefix = prefix

    @classmethod
    def connect(
        cls, url: str, installation: str, *, timeout_s: float = ANSWER_S, most_connections: int = MOST_CONNECTIONS
    ) -> Valkey:
        """Return a handle; nothing is sent yet.

        Args:
            url: such as `redis://:password@host:6379/0` or `unix:///run/valkey.sock`; `?prefix=NAME` in it stands
                instead of `installation`.
            installation: tells servers apart that use the same Valkey.
            timeout_s: after this time without an answer a request has failed.
            most_connections: bound of the pool.

        Raises:
            ValueError: in words, for an address that is none.
        """
        address, prefix = _read_url(url)
        pool = BlockingConnectionPool.from_url(
            address,
            max_connections=most_connections,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(Redis(connection_pool=pool), f"{{qwenport:{prefix or installation}}}:", timeout_s)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """Run a script and return its answer.

        Raises:
            ScriptsForgotten: the server does not know it; nothing was done.
            StorageUnavailable: there was no answer; whether anything was done is not known.
        """
        async with self._translated():
            return await self._client.evalsha(script.digest, len(keys), *keys, *arguments)

    async def run_each(self, script: Script, calls: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[Any]:
        """Run a script with each of several sets of keys and arguments, one after the other; raises as `run`."""
        async with self._translated():
            pipeline = self._client.pipeline(transaction=False)
            for keys, arguments in calls:
                pipeline.evalsha(script.digest, len(keys), *keys, *arguments)
            answers: list[Any] = await pipeline.execute(raise_on_error=True)
            return answers

    async def load(self, scripts: Sequence[Script]) -> None:
        """Teach the server scripts; raises `StorageUnavailable`."""
        async with self._translated():
            for script in scripts:
                await self._client.script_load(script.source)

    async def send(self, commands: Sequence[Sequence[str]]) -> list[Any]:
        """Send plain commands one after the other and return their answers; raises `StorageUnavailable`."""
        async with self._translated():
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = await pipeline.execute(raise_on_error=True)
            return answers

    async def run_id(self) -> str:
        """Return what the server drew at random when it started; raises `StorageUnavailable`."""
        async with self._translated():
            found: dict[str, Any] = await self._client.info("server")
            return str(found["run_id"])

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose(close_connection_pool=True)

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except NoScriptError as error:
            raise ScriptsForgotten("the counters in Valkey are new") from error
        except TimeoutError as error:
            raise StorageUnavailable("the counters in Valkey do not answer") from error
        except (RedisError, OSError) as error:
            raise StorageUnavailable("the counters in Valkey cannot be reached") from error


def installation_of(database: str) -> str:
    """Return a name for whoever uses a database: twelve hexadecimal digits of its URL's or absolute path's digest."""
    return hashlib.sha256(database.encode()).hexdigest()[:12]


def _read_url(url: str) -> tuple[str, str]:
    """Return the address as the client library reads it, and the prefix that it names."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError(
            "QWENPORT_VALKEY_URL must begin with redis://, rediss://, valkey://, valkeys:// or unix://, "
            "such as redis://localhost:6379/0"
        )
    query = parse_qsl(parts.query)
    prefix = next((value for name, value in query if name == "prefix"), "")
    if set(prefix) & set("{}*?[] \t\r\n"):
        raise ValueError("the prefix in QWENPORT_VALKEY_URL may hold letters, digits, `-`, `_`, `.` and `:`")
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
    rest = urlencode([(name, value) for name, value in query if name != "prefix"])
    # An address of a socket keeps its three slashes only when it is put together by hand.
    if scheme == "unix":
        return f"unix://{parts.netloc}{parts.path}{'?' + rest if rest else ''}", prefix
    return urlunsplit((scheme, parts.netloc, parts.path, rest, "")), prefix
