"""Images fetched from real sockets, and requests that somebody forged."""

from __future__ import annotations

import asyncio
import logging

import pytest

from qwenport.core.errors import ParameterInvalid
from qwenport.media.fetch import MOST_REDIRECTS, Fetcher
from qwenport.media.outbound import Outbound
from qwenport.testing.image_site import HANG, IMAGE, fetcher, redirect, reply, site

pytestmark = pytest.mark.anyio

INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
FAILED = "Failed to download multimodal content."
TOO_LARGE = "Multimodal file size is too large"


def anything(_: int) -> None:
    """Let everything in."""


async def refusal(fetching: Fetcher, url: str) -> str:
    with pytest.raises(ParameterInvalid) as caught:
        await fetching.fetch(url, anything)
    return str(caught.value)


async def test_an_image_is_fetched_with_the_name_of_its_host_and_nothing_of_ours() -> None:
    async with site(**{"a%2Fb?s=%2B": reply()}) as there:
        image = await fetcher().fetch(there.url("/a%2Fb?s=%2B"), anything)

    assert image == IMAGE
    lines = there.heads[0].decode().split("\r\n")
    assert lines[0] == "GET /a%2Fb?s=%2B HTTP/1.1"
    assert {line.partition(":")[0].lower(): line.partition(": ")[2] for line in lines[1:] if line} == {
        "host": f"images.example:{there.port}",
        "user-agent": "qwenport",
        "accept": "image/*, application/pdf",
        "accept-encoding": "identity",
        "connection": "close",
    }


async def test_the_name_of_the_host_is_in_the_greeting_of_tls() -> None:
    greeting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting.set_result(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await refusal(fetcher(), f"https://images.example:{port}/") == FAILED

    assert b"images.example" in await greeting


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site(a=reply()) as there, site() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url(host="127.0.0.1"))
        assert await fetcher().fetch(there.url("/a"), anything) == IMAGE

    assert proxy.heads == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            reply(b"4\r\nabcd\r\n0\r\n\r\n", Content_Length="", Transfer_Encoding="chunked"),
            "Missing Content-Length of multimodal url.",
        ),
        (reply(Content_Length=""), "Missing Content-Length of multimodal url."),
        (reply(Content_Length="10485761"), TOO_LARGE),
        (reply(Content_Type="text/html; charset=utf-8"), "Wrong Content-Type of multimodal url"),
        (reply(Content_Encoding="gzip"), FAILED),
        (reply(Content_Length="1000000"), FAILED),
        (reply(status="404 Not Found"), FAILED),
        (reply(status="206 Partial Content"), FAILED),
        (reply(status="500 Oops"), FAILED),
        (b"no HTTP at all\r\n\r\n", FAILED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", FAILED),
    ],
)
async def test_answers_that_are_no_image_are_refused(answer: bytes, words: str) -> None:
    async with site(a=answer) as there:
        assert await refusal(fetcher(), there.url("/a")) == words


@pytest.mark.parametrize("declared", ["image/jpeg", "application/octet-stream", "binary/octet-stream", ""])
async def test_a_declared_type_that_may_be_an_image_is_taken(declared: str) -> None:
    async with site(a=reply(Content_Type=declared)) as there:
        assert await fetcher().fetch(there.url("/a"), anything) == IMAGE


async def test_the_budget_is_asked_before_the_image_is_loaded() -> None:
    def refuse(size_bytes: int) -> None:
        raise ParameterInvalid(f"no room for {size_bytes}")

    async with site(a=reply(b"", Content_Length="9000000")) as there:
        with pytest.raises(ParameterInvalid, match="no room for 9000000"):
            await fetcher().fetch(there.url("/a"), refuse)


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async with site(a=HANG) as there:
        assert await refusal(fetcher(seconds=0.2), there.url("/a")) == "Download multimodal file timed out"


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
async def test_redirects_are_followed_to_allowed_addresses(status: str) -> None:
    async with site(a=redirect("b?c=%2B#d", status), **{"b?c=%2B": reply()}) as there:
        assert await fetcher().fetch(there.url("/a"), anything) == IMAGE

    assert there.paths == ["/a", "/b?c=%2B"]


async def test_redirects_come_to_an_end() -> None:
    async with site() as there:
        there.answers["*"] = redirect(there.url("/again"))
        assert await refusal(fetcher(), there.url("/a")) == FAILED

    assert len(there.heads) == MOST_REDIRECTS + 1


# Forgery of requests: whatever the caller does, nothing that is not public is connected to.


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", FAILED),
        ("localhost", FAILED),
        ("metadata.example", FAILED),
        ("127.1", FAILED),
        ("2130706433", FAILED),
        ("0x7f000001", FAILED),
        ("0177.0.0.1", FAILED),
        ("0.0.0.0", FAILED),  # noqa: S104 - an address that is asked for
        ("[::1]", FAILED),
        ("[::ffff:127.0.0.1]", FAILED),
        ("[::ffff:7f00:1]", FAILED),
        ("a..b", FAILED),
        ("a" * 64 + ".example", FAILED),
        ("user:password@images.example", INVALID),
    ],
)
@pytest.mark.parametrize("goes_round", [False, True], ids=["named", "redirected to"])
async def test_an_address_that_is_not_public_is_not_connected_to(host: str, words: str, *, goes_round: bool) -> None:
    names = {"metadata.example": ["127.0.0.1"], "0x7f000001": ["127.0.0.1"], "localhost": ["127.0.0.1"]}
    async with site() as there:
        private = there.url("/secret", host)
        there.answers = {"/a": redirect(private), "/secret": reply()}
        asked = there.url("/a") if goes_round else private
        assert await refusal(fetcher(names=names), asked) == words

    assert there.paths == (["/a"] if goes_round else [])


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://images.example/", "http://[::1", "data:,x"])
async def test_a_redirect_leads_to_the_web_or_nowhere(location: str) -> None:
    async with site(a=redirect(location)) as there:
        assert await refusal(fetcher(), there.url("/a")) == INVALID

    assert there.paths == ["/a"]


async def test_a_name_that_changes_its_address_is_judged_anew() -> None:
    names = {"turning.example": ["127.0.0.1", "169.254.169.254"]}
    async with site() as there:
        there.answers = {"*": redirect(there.url("/b", "turning.example"))}
        assert await refusal(fetcher("127.0.0.1", names=names), there.url("/a", "turning.example")) == FAILED

    assert there.paths == ["/a"]


async def test_of_several_addresses_only_allowed_ones_are_connected_to() -> None:
    names = {"several.example": ["169.254.169.254 10.0.0.1 127.0.0.1"]}
    async with site(a=reply()) as there:
        assert await fetcher("127.0.0.1", names=names).fetch(there.url("/a", "several.example"), anything) == IMAGE


async def test_a_name_that_the_system_cannot_look_up_is_refused() -> None:
    fetching = Fetcher(Outbound(), seconds=10)

    assert [await refusal(fetching, f"http://{host}/") for host in ("a..b", "a" * 64 + ".example")] == [FAILED, FAILED]


async def test_the_log_says_which_address_the_operator_could_allow(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "qwenport.media")
    async with site() as there:
        await refusal(fetcher("nobody"), there.url("/path?secret=1"))

    assert len(caplog.messages) == 1
    assert "127.0.0.1 is no public address" in caplog.text
    assert "secret" not in caplog.text
