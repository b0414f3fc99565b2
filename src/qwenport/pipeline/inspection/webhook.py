"""The operator's own check, asked over HTTP.

`POST` with JSON `{"request_id", "direction", "model", "texts"}`; the answer is JSON `{"allowed": true or false,
"reason": "…"}`. With a secret, the header `x-qwenport-signature` is `t=<seconds since 1970>,v1=<digest>`: HMAC-SHA256
in hexadecimal over `<t>.<body>`.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Struct

from qwenport.core.clock import Clock
from qwenport.core.ids import RequestId
from qwenport.core.secret import Secret
from qwenport.engines.upstream.base_url import BaseUrl, BaseUrlInvalid, read_base_url

log = logging.getLogger(__name__)

SIGNATURE = "x-qwenport-signature"
MOST_ANSWER_BYTES = 64 << 10
MOST_REASON = 200


class CheckFailed(Exception):
    """The check gave no verdict; the message says why, in words for the log."""


class Question(Struct, frozen=True, kw_only=True):
    """What is sent."""

    request_id: RequestId
    direction: str
    """`input` or `output`."""
    model: str
    texts: tuple[str, ...]


class _Verdict(Struct, frozen=True, kw_only=True):
    allowed: bool
    reason: str = ""


def is_sent_openly(url: str) -> bool:
    """Tell whether what is sent there crosses the public internet in clear text; raises `ValueError` as `Webhook`."""
    server = _server(url)
    return server.scheme == "http" and not server.is_private


def _server(url: str) -> BaseUrl:
    """Return scheme, host and port; what else the address holds is between the operator and the check."""
    parts = urlsplit(url)
    try:
        return read_base_url(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
    except BaseUrlInvalid as invalid:
        raise ValueError(f"the address {invalid}") from invalid


class Webhook:
    """One address; connections are kept between questions."""

    def __init__(self, url: str, secret: Secret | None, clock: Clock, *, answer_s: float) -> None:
        """Raise `ValueError` for what is no address of HTTP; an empty secret is refused, since anybody could sign."""
        _server(url)
        if secret is not None and not secret.reveal():
            raise ValueError("the secret of the webhook is empty")
        self._url = url
        self._secret = secret
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=answer_s)
        self._session: aiohttp.ClientSession | None = None

    async def permits(self, question: Question) -> bool:
        """Return the verdict; raises `CheckFailed`."""
        body = msgspec.json.encode(question)
        try:
            verdict = msgspec.json.decode(await self._post(body), type=_Verdict)
        except msgspec.MsgspecError as error:
            raise CheckFailed(f"its answer is no verdict: {error}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise CheckFailed(f"it cannot be reached: {type(error).__name__}") from error
        if not verdict.allowed:
            log.info("the check refused request %s: %s", question.request_id, verdict.reason[:MOST_REASON])
        return verdict.allowed

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, body: bytes) -> bytes:
        headers = {"content-type": "application/json", "accept-encoding": "identity", **self._signature(body)}
        # Redirects are not followed: texts go to the address that the operator wrote and to no other.
        async with self._opened().post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                raise CheckFailed(f"it answered with status {answer.status}")
            content = bytearray()
            async for piece in answer.content.iter_any():
                content += piece
                if len(content) > MOST_ANSWER_BYTES:
                    raise CheckFailed("its answer is too long")
            return bytes(content)

    def _signature(self, body: bytes) -> dict[str, str]:
        if self._secret is None:
            return {}
        at = str(int(self._clock.timestamp()))
        key = self._secret.reveal().encode("utf-8", "surrogateescape")
        digest = hmac.new(key, b"%b.%b" % (at.encode(), body), hashlib.sha256).hexdigest()
        return {SIGNATURE: f"t={at},v1={digest}"}

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Nothing is unpacked, so that the bound on an answer is one on what is held of it.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session
