"""Images from real sockets and documents read by real child processes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import logging
import os
import socket
import struct
import sys
import zipfile
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput, PromptInput
from qwenport.core.content import FilePart, ImagePart, Message, Part, Picture, Role, TextPart, VideoPart
from qwenport.core.errors import FileNotFound, InputTooLong, ParameterInvalid
from qwenport.core.ids import AccountId, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.stored_files import FileContent, FilePurpose, StoredFile
from qwenport.media.documents import _output, _TextTooLong
from qwenport.media.fetch import MOST_REDIRECTS, Fetcher
from qwenport.media.images import FindContent
from qwenport.media.loader import IMAGES_AT_ONCE, MediaLoader
from qwenport.media.outbound import Outbound
from qwenport.settings.configuration_file import MediaTable
from qwenport.testing.models import model_card

pytestmark = pytest.mark.anyio

ACCOUNT, STRANGER = AccountId("acc-1"), AccountId("acc-2")
IMAGE = b"\x89PNG\r\n\x1a\n" + struct.pack(">L4sLL", 13, b"IHDR", 689, 487) + b"\x08\x02\x00\x00\x00"
IMAGE_URL = "data:image/png;base64," + base64.b64encode(IMAGE).decode()
PICTURE = Picture(data=IMAGE, media_type="image/png", width=689, height=487, tokens=332)
INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
FAILED = "Failed to download multimodal content."
TOO_LARGE = "Multimodal file size is too large"

# What a server on the network answers.


def reply(body: bytes = IMAGE, status: str = "200 OK", **headers: str) -> bytes:
    given = {"Content-Type": "image/png", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return reply(b"", status, Location=location)


HANG = b""
"""The answer of a server that says nothing."""


@dataclass
class Site:
    """A server that answers by the path, and what it was asked."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    heads: list[bytes] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    gate: asyncio.Event | None = None
    """What answers wait for."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def paths(self) -> list[str]:
        return [head.split(b" ", 2)[1].decode() for head in self.heads]

    def url(self, path: str = "/", host: str = "images.example") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            self.arrived.set()
            if self.gate is not None:
                await self.gate.wait()
            answer = self.answers.get(self.paths[-1], self.answers.get("*", HANG))
            writer.write(answer)
            await (writer.drain() if answer else reader.read())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            self.left.set()
            writer.close()


@asynccontextmanager
async def site(**answers: bytes) -> AsyncIterator[Site]:
    made = Site(answers={f"/{name}": answer for name, answer in answers.items()})
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
        server.close()


NO_NAMES: Mapping[str, Sequence[str]] = {}


class Names(AbstractResolver):
    """A name server of the tests; each name has a list of answers, the last of which stays."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._names = {name: list(answers) for name, answers in names.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = self._names.get(host)
        if not answers:
            raise OSError(f"no such name: {host}")
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in address.split()
        ]

    async def close(self) -> None:
        """Hold nothing."""


def fetcher(*private_hosts: str, seconds: float = 10.0, names: Mapping[str, Sequence[str]] = NO_NAMES) -> Fetcher:
    known = Names({"images.example": ["127.0.0.1"], **names})
    return Fetcher(Outbound(private_hosts or ["images.example"]), seconds=seconds, resolver=known)


def anything(_: int) -> None:
    """Let everything in."""


async def refusal(fetching: Fetcher, url: str) -> str:
    with pytest.raises(ParameterInvalid) as caught:
        await fetching.fetch(url, anything)
    return str(caught.value)


# Fetching.


async def test_an_image_is_fetched_with_the_name_of_its_host_and_nothing_of_ours() -> None:
    async with site(**{"a%2Fb?s=%2B": reply()}) as there:
        image = await fetcher().fetch(there.url("/a%2Fb?s=%2B"), anything)

    assert image == IMAGE
    lines = there.heads[0].decode().split("\r\n")
    assert lines[0] == "GET /a%2Fb?s=%2B HTTP/1.1"
    assert {line.partition(":")[0].lower(): line.partition(": ")[2] for line in lines[1:] if line} == {
        "host": f"images.example:{there.port}",
        "user-agent": "qwenport",
        "accept": "image/*",
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


# A whole call.


def stored(path: Path, content: bytes, file_id: str = "file-fe-1") -> FileContent:
    path.write_bytes(content)
    file = StoredFile(
        id=file_id,
        name=path.name,
        purpose=FilePurpose.EXTRACT,
        size_bytes=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    return FileContent(file=file, path=path)


def shelf(**files: FileContent) -> FindContent:
    """Return a way to find these files of the account of these tests."""

    async def find(account_id: AccountId, name: str) -> FileContent:
        if account_id != ACCOUNT or name not in files:
            raise FileNotFound(name)
        return files[name]

    return find


def card(max_input_tokens: int = 30_000) -> ModelCard:
    return model_card(
        family="qwen3-vl",
        max_input_tokens=max_input_tokens,
    )


@dataclass(kw_only=True)
class Table:
    """What the tests of whole calls put together."""

    bounds: MediaTable = field(default_factory=MediaTable)
    files: dict[str, FileContent] = field(default_factory=dict)
    card: ModelCard = field(default_factory=card)
    account: AccountId = ACCOUNT
    resolves_uploads: bool = True

    async def load(self, *parts: Part) -> tuple[Part, ...]:
        """Return what becomes of the parts of a message."""
        find = shelf(**self.files)
        loader = MediaLoader(self.bounds, resolve_upload=find, read_file=find, fetcher=fetcher())
        loaded = await loader.load(self.account, self.call(*parts), self.card)
        content = loaded.messages[0].content
        assert not isinstance(content, str)
        return content

    async def refusal(self, *parts: Part) -> str:
        """Return the words with which the parts of a message are refused."""
        with pytest.raises(ParameterInvalid) as caught:
            await self.load(*parts)
        return str(caught.value)

    def call(self, *parts: Part) -> Call:
        """Return a call with one message of these parts."""
        return Call(
            id=RequestId("request"),
            face="openai",
            operation="chat.completions",
            model="qwen3-vl-plus",
            input=ChatInput(messages=(Message(role=Role.USER, content=parts),)),
            resolves_uploads=self.resolves_uploads,
        )


async def test_images_of_every_kind_become_pictures_in_their_places(tmp_path: Path) -> None:
    upload = stored(tmp_path / "image.png", IMAGE)
    text = TextPart(text="which?")
    async with site(a=reply()) as there:
        parts = (ImagePart(url=there.url("/a")), text, ImagePart(url="oss://key"), ImagePart(url=IMAGE_URL))
        loaded = await Table(files={"key": upload}).load(*parts)

    assert loaded == (PICTURE, text, PICTURE, PICTURE)


async def test_the_bounds_of_a_part_decide_what_it_counts() -> None:
    loaded = await Table().load(ImagePart(url=IMAGE_URL, max_pixels=65_536), ImagePart(url=IMAGE_URL))

    assert [part.tokens for part in loaded if isinstance(part, Picture)] == [56, 332]


async def test_high_resolution_is_asked_for_by_the_call() -> None:
    large = b"\x89PNG\r\n\x1a\n" + struct.pack(">L4sLL", 13, b"IHDR", 4_000, 4_000)
    url = "data:image/png;base64," + base64.b64encode(large).decode()
    loader = MediaLoader(MediaTable(), resolve_upload=shelf(), read_file=shelf())
    plain = Table().call(ImagePart(url=url))
    fine = replace(plain, input=replace(plain.input, high_resolution=True))
    loaded = [await loader.load(ACCOUNT, call, card()) for call in (plain, fine)]

    assert [[image.tokens for image in each.images if isinstance(image, Picture)] for each in loaded] == [
        [50 * 50 + 2],
        [125 * 125 + 2],
    ]


async def test_messages_without_parts_and_other_parts_are_left_as_they_are() -> None:
    video = VideoPart(urls=("http://images.example/v.mp4",), is_frames=False)
    plain = Message(role=Role.SYSTEM, content="be brief")
    find = shelf()
    call = Table().call(video, PICTURE)
    asked = ChatInput(messages=(plain, Message(role=Role.USER, content=(video, PICTURE))), high_resolution=True)
    loader = MediaLoader(MediaTable(), resolve_upload=find, read_file=find)

    assert await loader.load(ACCOUNT, replace(call, input=asked), card()) == asked


async def test_only_conversations_have_media() -> None:
    call = replace(Table().call(), input=PromptInput(prompt=""))
    loader = MediaLoader(MediaTable(), resolve_upload=shelf(), read_file=shelf())

    with pytest.raises(TypeError, match="the input of call request is no chat"):
        await loader.load(ACCOUNT, call, card())


@pytest.mark.parametrize(
    "url", ["", "/etc/passwd", "file:///etc/passwd", "cat.png", "oss://unknown", "ftp://a/b", "blob:x", "OSS:key"]
)
async def test_what_names_no_image_is_refused(url: str) -> None:
    assert await Table().refusal(ImagePart(url=url)) == INVALID


async def test_an_upload_is_found_for_its_account_where_the_call_allows_it(tmp_path: Path) -> None:
    files = {"key": stored(tmp_path / "image.png", IMAGE)}
    part = ImagePart(url="oss://key")

    assert await Table(files=files).load(part) == (PICTURE,)
    assert await Table(files=files, resolves_uploads=False).refusal(part) == INVALID
    assert await Table(files=files, account=STRANGER).refusal(part) == INVALID
    (tmp_path / "image.png").unlink()
    assert await Table(files=files).refusal(part) == INVALID


async def test_an_upload_may_be_as_large_as_any_image(tmp_path: Path) -> None:
    longest = stored(tmp_path / "a.png", IMAGE.ljust(10_485_760, b"\0"))
    longer = stored(tmp_path / "b.png", IMAGE.ljust(10_485_761, b"\0"))
    table = Table(files={"a": longest, "b": longer})

    assert isinstance((await table.load(ImagePart(url="oss://a")))[0], Picture)
    assert await table.refusal(ImagePart(url="oss://b")) == TOO_LARGE


async def test_a_long_data_url_is_decoded() -> None:
    image = IMAGE.ljust(1_000_000, b"\0")
    loaded = await Table().load(ImagePart(url="data:image/png;base64," + base64.b64encode(image).decode()))

    assert [part.data for part in loaded if isinstance(part, Picture)] == [image]


async def test_the_images_of_a_call_have_a_ceiling_together(tmp_path: Path) -> None:
    files = {"key": stored(tmp_path / "image.png", IMAGE)}
    table = Table(bounds=MediaTable(max_call_bytes=2 * len(IMAGE)), files=files)
    named = [ImagePart(url=IMAGE_URL), ImagePart(url="oss://key")]
    words = f"{TOO_LARGE} (the images of one call may hold {2 * len(IMAGE)} bytes together)"

    assert await table.load(*named, *named) == (PICTURE,) * 4
    async with site(a=reply()) as there:
        assert await table.refusal(*named, ImagePart(url=there.url("/a"))) == words
    assert await table.refusal(*named, ImagePart(url=IMAGE_URL, max_pixels=9_999)) == words


async def test_the_number_of_images_has_a_ceiling() -> None:
    part = ImagePart(url=IMAGE_URL)
    table = Table(bounds=MediaTable(max_images=2))

    assert await table.load(part, part) == (PICTURE, PICTURE)
    assert await table.refusal(part, part, part) == "Range of the number of images should be [1, 2], but 3 were given"


async def test_images_that_are_more_than_the_model_reads_are_refused() -> None:
    part = ImagePart(url=IMAGE_URL)

    assert await Table(card=card(664)).load(part, part) == (PICTURE, PICTURE)
    with pytest.raises(InputTooLong, match=r"Range of input length should be \[1, 663\]"):
        await Table(card=card(663)).load(part, part)


async def test_a_call_fetches_a_few_images_at_a_time_and_each_once() -> None:
    async with site() as there:
        there.gate = asyncio.Event()
        there.answers["*"] = reply()
        parts = [ImagePart(url=there.url(f"/{number % 10}")) for number in range(20)]
        loading = asyncio.create_task(Table().load(*parts))
        while there.open < IMAGES_AT_ONCE:
            await there.arrived.wait()
            there.arrived.clear()
        there.gate.set()

        assert await loading == (PICTURE,) * 20
        assert (there.most_open, len(there.heads)) == (IMAGES_AT_ONCE, 10)


async def test_the_first_image_that_is_refused_ends_the_others() -> None:
    async with site(a=HANG) as there:
        waiting = asyncio.create_task(Table().refusal(ImagePart(url=there.url("/a")), ImagePart(url="nowhere")))

        assert await asyncio.wait_for(waiting, 5) == INVALID


async def test_a_client_that_leaves_stops_the_fetching() -> None:
    async with site(a=HANG) as there:
        loading = asyncio.create_task(Table().load(ImagePart(url=there.url("/a"))))
        await there.arrived.wait()
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        await asyncio.wait_for(there.left.wait(), 5)


# Documents.


def pdf(*pages: str, count: int | None = None) -> bytes:
    """Return a PDF with a line of text on each page; `count` repeats the last page."""
    kids = " ".join(f"{4 + 2 * min(number, len(pages) - 1)} 0 R" for number in range(count or len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {count or len(pages)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, text in enumerate(pages):
        content = f"BT /F 24 Tf 20 100 Td ({text}) Tj ET".encode()
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 200]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
            % (5 + 2 * number),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        ]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def docx(paragraph: str, times: int = 1) -> bytes:
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as body:
        body.write(f'<w:document xmlns:w="{namespace}"><w:body>'.encode())
        for _ in range(times):
            body.write(f"<w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p>".encode())
        body.write(b"</w:body></w:document>")
    return file.getvalue()


def archive(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, b"x")
    return file.getvalue()


FILE = FilePart(id="file-fe-1")
READ_HERE = "File [id:file-fe-1] format is not supported. (text, PDF and DOCX are read here)"
BROKEN = (
    "File [id:file-fe-1] format is not supported. "
    "(it is damaged, protected by a password, or takes too much time or memory to read)"
)


def of_file(path: Path, content: bytes, **others: object) -> Table:
    return Table(files={"file-fe-1": stored(path / "document", content)}, **others)  # type: ignore[arg-type]  # fields of Table


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a,b\n1,2\n", "a,b\n1,2\n"),
        ("条款".encode("gb18030"), "条款\n"),
        (pdf("Rent 1200", "Page two"), "Rent 1200\nPage two\n"),
        (docx("Lease \u6761\u6b3e"), "Lease \u6761\u6b3e\n"),
    ],
    ids=["text", "gb18030", "pdf", "docx"],
)
async def test_a_document_becomes_its_text(tmp_path: Path, content: bytes, text: str) -> None:
    assert await of_file(tmp_path, content).load(FILE) == (TextPart(text=text),)


async def test_a_file_of_nobody_or_of_somebody_else_is_named_and_refused(tmp_path: Path) -> None:
    table = of_file(tmp_path, b"text", account=STRANGER)

    assert await table.refusal(FILE) == "Invalid file [id:file-fe-1]."
    assert await Table().refusal(FILE) == "Invalid file [id:file-fe-1]."
    table = of_file(tmp_path, b"text")
    (tmp_path / "document").unlink()
    assert await table.refusal(FILE) == "Invalid file [id:file-fe-1]."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELF\x00\x00", READ_HERE),
        (IMAGE, READ_HERE),
        (b"{\\rtf1 text}", READ_HERE),
        (archive("xl/workbook.xml"), READ_HERE),
        (b"PK\x03\x04 is no archive", BROKEN),
        (b"%PDF-1.7 is no document", BROKEN),
        (b"", "File [id:file-fe-1] content blank."),
        (b" \n", "File [id:file-fe-1] content blank."),
        (pdf(""), "File [id:file-fe-1] content blank."),
        (pdf("x", count=15_001), "File [id:file-fe-1] exceeds page limits (15000 pages)."),
    ],
    ids=["program", "image", "rtf", "sheet", "archive", "damaged", "empty", "spaces", "scan", "pages"],
)
async def test_what_holds_no_text_that_can_be_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    assert await of_file(tmp_path, content).refusal(FILE) == words


@pytest.mark.parametrize("content", [b"a" * 10_001, pdf("a" * 10_001), docx("a" * 10_001)], ids=["text", "pdf", "docx"])
async def test_text_has_a_ceiling_of_the_model_and_one_of_the_operator(tmp_path: Path, content: bytes) -> None:
    table = of_file(tmp_path, content, card=card(10_000 // 16))
    with pytest.raises(InputTooLong, match=r"Range of input length should be \[1, 625\]"):
        await table.load(FILE)

    bounds = MediaTable(max_text_bytes=10_000)
    assert await of_file(tmp_path, content, bounds=bounds).refusal(FILE) == "File [id:file-fe-1] exceeds size limit."


async def test_the_documents_of_a_call_share_a_ceiling(tmp_path: Path) -> None:
    files = {f"file-fe-{n}": stored(tmp_path / f"{n}", b"a" * 6_000, f"file-fe-{n}") for n in (1, 2)}
    table = Table(files=files, bounds=MediaTable(max_text_bytes=10_000))

    assert await table.load(FILE, FILE) == (TextPart(text="a" * 6_000 + "\n"),) * 2
    assert await table.refusal(FILE, FilePart(id="file-fe-2")) == "File [id:file-fe-2] exceeds size limit."


async def test_a_call_names_a_hundred_files_at_most() -> None:
    assert await Table().refusal(*[FILE] * 101) == "Too many files provided."


async def test_an_archive_that_unpacks_without_end_ends_its_reader_alone(tmp_path: Path) -> None:
    bomb = docx("a" * 100_000, times=3_000)
    assert len(bomb) < 2_000_000
    table = of_file(tmp_path, bomb, card=card(10_000_000))

    assert await table.refusal(FILE) == "File [id:file-fe-1] exceeds size limit."


def children() -> set[int]:
    """Return the processes that read documents for this one."""
    started = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(each) for each in started if b"document_child" in Path(f"/proc/{each}/cmdline").read_bytes()}


def environment_of(process: int) -> bytes:
    """Return the environment that a process was started with."""
    return Path(f"/proc/{process}/environ").read_bytes()


only_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are told by /proc, which only Linux has")


@only_linux
async def test_a_document_that_takes_too_long_is_given_up_with_its_process(tmp_path: Path) -> None:
    table = of_file(tmp_path, pdf("x", count=15_000), bounds=MediaTable(document_s=0.05))

    assert await table.refusal(FILE) == BROKEN
    assert children() == set()


@only_linux
async def test_a_client_that_leaves_ends_the_process_that_reads_its_document(tmp_path: Path) -> None:
    table = of_file(tmp_path, pdf("x", count=15_000))
    loading = asyncio.create_task(table.load(FILE))
    async with asyncio.timeout(10):
        while not children():  # noqa: ASYNC110 - nothing tells that a process has started
            await asyncio.sleep(0.01)
    (child,) = children()
    environment = environment_of(child)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading

    assert (environment, children()) == (b"", set())


async def test_a_process_that_writes_more_than_it_may_is_not_believed() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print('a' * 11)", stdout=asyncio.subprocess.PIPE
    )
    with pytest.raises(_TextTooLong):
        await _output(child, 11)
    await child.wait()


@only_linux
async def test_the_process_that_reads_a_document_has_little_memory(tmp_path: Path) -> None:
    stream = zlib.compress(b"BT /F 24 Tf 20 100 Td (text) Tj ET" + b" " * 200_000_000, 1)
    small = b"<</Length 34>>stream\nBT /F 24 Tf 20 100 Td (text) Tj ET\nendstream"
    large = b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream)
    content = pdf("text").replace(small, large)
    assert len(content) > 200_000

    assert await of_file(tmp_path, content).load(FILE) == (TextPart(text="text\n"),)
    bounds = MediaTable(document_memory_bytes=128 << 20)
    assert await of_file(tmp_path, content, bounds=bounds).refusal(FILE) == BROKEN
