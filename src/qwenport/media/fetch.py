"""Brings an image or a PDF from the network: bounded in bytes, seconds and redirects, to allowed addresses only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver

from qwenport.children.fair_slots import FairSlots
from qwenport.media.media_type import may_be_image, may_be_pdf
from qwenport.media.names import NameLookup
from qwenport.media.outbound import Outbound, parse_url
from qwenport.media.pictures import LONGEST_FILE
from qwenport.media.refusals import (
    DOWNLOAD_FAILED,
    DOWNLOAD_TIMED_OUT,
    LENGTH_MISSING,
    TOO_LARGE,
    TYPE_WRONG,
    refused,
)
from qwenport.settings.configuration_file import MediaTable

log = logging.getLogger(__name__)

MOST_REDIRECTS = 3
FETCHES_AT_ONCE = 16
"""In one gateway process, all calls together."""
_LOOKUPS_AT_ONCE = 4 * FETCHES_AT_ONCE
"""Looking up a name cannot be broken off: one that nobody answers for outlives its fetch, and others need threads."""
_WAIT_S = MediaTable().wait_s

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": "qwenport", "Accept": "image/*, application/pdf", "Accept-Encoding": "identity"}

Reserve = Callable[[int], None]
"""Called with the length of what is about to be loaded; raises where there is no room for it."""


class Fetcher:
    """Fetches by `http` and `https`. Nothing is kept between two fetches: no connection, cookie, name or credential.

    Proxies of the environment are not used: they would connect to addresses that nobody here has judged.
    """

    def __init__(
        self,
        outbound: Outbound,
        *,
        seconds: float,
        wait_s: float = _WAIT_S,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """Fetch to where `outbound` allows, each within `seconds` after a wait of `wait_s` at most.

        Names are looked up by the system or `resolver`.
        """
        self._outbound = outbound
        self._seconds = seconds
        self._resolver = resolver or NameLookup(_LOOKUPS_AT_ONCE)
        self._slots = FairSlots(FETCHES_AT_ONCE, wait_s=wait_s)

    async def fetch(self, url: str, reserve: Reserve, owner: str = "") -> bytes:
        """Return what lies at an address; `owner` is who waits behind himself where many are fetched at once.

        Raises:
            ParameterInvalid: it cannot or may not be had; in the words of `refusals`.
            Overloaded: its turn did not come in time.
        """
        try:
            async with self._slots.hold(owner), asyncio.timeout(self._seconds):
                return await self._follow(url, reserve)
        except TimeoutError as error:
            raise refused(DOWNLOAD_TIMED_OUT) from error
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            # The caller is not told why: the difference would say which names and ports a private network has.
            log.info("an image could not be fetched: %s", _reason(error))
            raise refused(DOWNLOAD_FAILED) from error

    async def _follow(self, url: str, reserve: Reserve) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._ask(url, reserve)
            if isinstance(answer, bytes):
                return answer
            url = answer
        raise refused(DOWNLOAD_FAILED)

    async def _ask(self, url: str, reserve: Reserve) -> bytes | str:
        """Return the body, or the address that a redirect names."""
        target = self._outbound.check_url(url)
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            force_close=True,
            socket_factory=partial(self._outbound.open_socket, target.host or ""),
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session,
            session.get(target, allow_redirects=False) as response,
        ):
            if response.status in _REDIRECTS:
                return _location(response)
            return await _body(response, reserve)


def _location(response: aiohttp.ClientResponse) -> str:
    return str(response.url.join(parse_url(response.headers.get("Location", ""))))


async def _body(response: aiohttp.ClientResponse, reserve: Reserve) -> bytes:
    # A body that is packed could unpack to anything, and its length would say nothing.
    if response.status != 200 or response.headers.get("Content-Encoding", "identity") != "identity":
        raise refused(DOWNLOAD_FAILED)
    declared = response.headers.get("Content-Type", "")
    if not may_be_image(declared):
        raise refused(TYPE_WRONG)
    length = response.content_length
    if length is None:
        raise refused(LENGTH_MISSING)
    if length > LONGEST_FILE and not may_be_pdf(declared):
        raise refused(TOO_LARGE)
    reserve(length)
    return await response.read()


def _reason(error: Exception) -> str:
    """Return what failed; errors of aiohttp that hold the address of a request are told by their kind alone."""
    return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__
