"""Images and PDFs that are broken, or made to do harm: each is refused in words that say why, and nothing is left."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import signal
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from qwenport.core.content import ImagePart, Picture
from qwenport.settings.configuration_file import MediaTable
from qwenport.testing.child_processes import children, environment_of, only_linux, started_child
from qwenport.testing.image_site import IMAGE, fetcher, redirect, reply, site
from qwenport.testing.made_documents import pdf, with_deep_lists, with_deep_pages, with_endless_pages, with_password
from qwenport.testing.media_table import Table, stored

pytestmark = pytest.mark.anyio

ILLEGAL = "The image format is illegal and cannot be opened"
BROKEN = f"{ILLEGAL} (it is damaged, or takes too much time or memory to decode)"
PDF_BROKEN = f"{ILLEGAL} (the PDF is damaged, or takes too much time or memory to draw)"
UNFIT = "The image length and width do not meet the model restrictions. [{}]"
INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
FAILED = "Failed to download multimodal content."
LENGTH_MISSING = "Missing Content-Length of multimodal url."
TOO_LARGE = "Multimodal file size is too large"

NOISE = Image.effect_noise((200, 200), 90)


def packed(image: Image.Image, image_format: str, **options: object) -> bytes:
    output = io.BytesIO()
    image.copy().save(output, image_format, **options)
    return output.getvalue()


def heic() -> bytes:
    return (Path(__file__).parents[1] / "unit/media/pictures/picture.heic").read_bytes()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", len(content), kind) + content + struct.pack(">L", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, colour: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """Return so many zero bytes, packed."""
    packing = zlib.compressobj(1)
    pieces = [packing.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join((*pieces, packing.compress(bytes(count & 0xF_FFFF)), packing.flush()))


def data_url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


async def refusal_of(content: bytes, bounds: MediaTable | None = None) -> str:
    return await Table(decodes=True, bounds=bounds or MediaTable()).refusal(ImagePart(url=data_url(content)))


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (packed(NOISE, "JPEG"), BROKEN),
        (packed(NOISE, "PNG"), BROKEN),
        (packed(NOISE, "WEBP"), BROKEN),
        (packed(NOISE, "BMP"), BROKEN),
        (packed(NOISE, "TIFF", compression="tiff_lzw"), ILLEGAL),  # Its directory stands at its end.
        (heic(), ILLEGAL),  # Its boxes are longer than the file.
    ],
    ids=["jpeg", "png", "webp", "bmp", "tiff", "heic"],
)
async def test_an_image_that_ends_too_early_is_refused(whole: bytes, words: str) -> None:
    assert await refusal_of(whole[: len(whole) * 3 // 4]) == words


async def test_an_image_that_is_passed_on_is_not_decoded() -> None:
    whole = packed(NOISE, "JPEG")
    (picture,) = await Table().load(ImagePart(url=data_url(whole[: len(whole) // 2])))

    assert isinstance(picture, Picture)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x", ILLEGAL),
        (packed(NOISE, "GIF"), ILLEGAL),
        (png(1, 1), UNFIT.format("height:1 or width:1 must be larger than 10")),
        (png(50_000, 50_000), UNFIT.format("height*width must not be larger than 100000000")),
        (png(2_211, 11), UNFIT.format("absolute aspect ratio must be smaller than 200, got 201")),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            f"{ILLEGAL} (SVG is not taken; send the drawing as PNG or JPEG)",
        ),
        (png(64, 48), BROKEN),
        (b"\xff\xd8\xff\xe0" + packed(NOISE, "JPEG")[160:], ILLEGAL),
        (packed(NOISE, "PNG").replace(b"IDAT", b"IDAX"), BROKEN),
        (
            b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xff\x3f\x00" * 2,
            UNFIT.format("height*width must not be larger than 100000000"),
        ),
        (b"%PDF-1.7 is no document", PDF_BROKEN),
        (pdf("a")[:300], PDF_BROKEN),
        (b"%PDF-1.4\ntrailer<<>>", PDF_BROKEN),
        (pdf("a").replace(b"/Count 1/Kids[4 0 R]", b"/Count 0/Kids[]"), PDF_BROKEN),
        (with_password(pdf("a")), f"{ILLEGAL} (the PDF is protected by a password)"),
        (pdf("a", count=5_000), f"{TOO_LARGE} (the documents of one call may have 50 pages together)"),
        (with_deep_pages("a", 20_000), PDF_BROKEN),
        (with_endless_pages(), PDF_BROKEN),
        (
            pdf("a").replace(b"[0 0 612 200]", b"[0 0 612 1]"),
            UNFIT.format("height:3 or width:1700 must be larger than 10"),
        ),
        (
            pdf("a").replace(b"[0 0 612 200]", b"[0 0 1000000000 1]"),
            UNFIT.format("height:1 or width:32768 must be larger than 10"),
        ),
    ],
    ids=[
        *("text", "gif", "1x1", "50000x50000", "200:1", "svg", "no rows", "no header", "no data", "large webp"),
        *("no pdf", "half a pdf", "empty pdf", "no page", "password", "5000 pages"),
        *("deep pages", "endless pages", "flat page", "long page"),
    ],
)
async def test_what_cannot_be_taken_is_refused_in_words(content: bytes, words: str) -> None:
    assert await refusal_of(content) == words


@pytest.mark.parametrize(
    "content",
    [with_deep_pages("a", 100), with_deep_lists(pdf("a"), 200_000)],
    ids=["pages a hundred branches deep", "lists that mean nothing"],
)
async def test_a_document_that_is_nested_deeply_and_whole_is_drawn(content: bytes) -> None:
    (picture,) = await Table(decodes=True).load(ImagePart(url=data_url(content)))

    assert isinstance(picture, Picture)
    assert (picture.width, picture.height, picture.page) == (1700, 556, 1)


async def test_an_empty_file_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    table = Table(files={"file-1": stored(tmp_path / "a", b"", "file-1")}, decodes=True)
    async with site(a=reply(b"")) as there:
        words = [
            await table.refusal(ImagePart(url=url)) for url in ("data:,", "data:image/png;base64,", there.url("/a"))
        ]
    words += [await table.refusal(ImagePart(url=f"{scheme}file-1")) for scheme in ("oss://", "fileid://")]

    assert words == [INVALID, INVALID, ILLEGAL, ILLEGAL, ILLEGAL]


@pytest.mark.parametrize("digits", ["garbage", "%%%", "aGk=aGk", "\u56fe\u7247", "aGk\x00="])
async def test_base64_with_garbage_is_refused(digits: str) -> None:
    assert await Table(decodes=True).refusal(ImagePart(url=f"data:image/png;base64,{digits}")) == INVALID


# Files that are two things at once.


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "BMP"])
async def test_an_image_with_a_document_behind_it_is_an_image(image_format: str) -> None:
    both = packed(NOISE, image_format) + pdf("secret")
    (picture,) = await Table(decodes=True).load(ImagePart(url=data_url(both)))

    assert isinstance(picture, Picture)
    assert (picture.width, picture.page) == (200, 0)


async def test_a_document_with_an_image_behind_it_is_a_document() -> None:
    (picture,) = await Table(decodes=True).load(ImagePart(url=data_url(pdf("a") + packed(NOISE, "PNG"))))

    assert isinstance(picture, Picture)
    assert (picture.width, picture.page) == (1_700, 1)


async def test_an_image_that_says_two_sizes_is_packed_anew() -> None:
    second = chunk(b"IHDR", struct.pack(">LLBBBBB", 32, 24, 8, 2, 0, 0, 0))
    content = png(64, 48, second, chunk(b"IDAT", zeros(24 * 97)))
    (picture,) = await Table(decodes=True).load(ImagePart(url=data_url(content)))

    assert isinstance(picture, Picture)
    assert (picture.width, picture.height, picture.data.count(b"IHDR")) == (32, 24, 1)


# What unpacks to more than it is.


async def test_an_image_of_nothing_but_zeros_has_no_more_pixels_than_others() -> None:
    content = png(20_000, 20_000, chunk(b"IDAT", zeros(1 << 20)))

    assert await refusal_of(content) == UNFIT.format("height*width must not be larger than 100000000")


async def test_rows_that_unpack_to_more_than_the_image_has_are_not_unpacked() -> None:
    content = png(64, 48, chunk(b"IDAT", zeros(300 << 20)))
    (picture,) = await Table(decodes=True, bounds=MediaTable(image_memory_bytes=256 << 20)).load(
        ImagePart(url=data_url(content))
    )

    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == (64, 48)


async def test_a_note_that_unpacks_without_end_ends_its_reader_alone() -> None:
    note = chunk(b"zTXt", b"Comment\0\0" + zeros(100 << 20))

    assert await refusal_of(png(64, 48, note, chunk(b"IDAT", zeros(48 * 193)))) == BROKEN


async def test_an_image_that_takes_more_memory_than_there_is_ends_its_reader_alone() -> None:
    content = png(9_000, 9_000, chunk(b"IDAT", zeros(9_000 * 27_001)))

    assert await refusal_of(content, MediaTable(image_memory_bytes=256 << 20)) == BROKEN


async def test_a_page_of_a_tiff_may_not_be_larger_than_an_image() -> None:
    first, second = Image.new("1", (64, 48)), Image.new("1", (1_200, 1_200))
    content = packed(first, "TIFF", compression="group4", save_all=True, append_images=[second])
    bounds = MediaTable(max_pixels=1 << 20)

    assert await refusal_of(content, bounds) == UNFIT.format("height*width must not be larger than 1048576")


async def test_a_tiff_of_thousands_of_pages_is_refused() -> None:
    page = Image.new("L", (16, 16))
    content = packed(page, "TIFF", save_all=True, append_images=[page.copy() for _ in range(50)])

    assert await refusal_of(content) == f"{TOO_LARGE} (the documents of one call may have 50 pages together)"


async def test_a_tiff_whose_pages_go_round_comes_to_an_end() -> None:
    content = bytearray(packed(Image.new("L", (16, 16)), "TIFF"))
    (directory,) = struct.unpack_from("<L", content, 4)
    (entries,) = struct.unpack_from("<H", content, directory)
    struct.pack_into("<L", content, directory + 2 + 12 * entries, directory)
    (picture,) = await Table(decodes=True).load(ImagePart(url=data_url(bytes(content))))

    assert isinstance(picture, Picture)
    assert picture.page == 0


# Servers that mean no good.


def untrusted(**names: list[str]) -> Table:
    return Table(fetcher=fetcher("nobody", names={f"{name}.example": found for name, found in names.items()}))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "10.0.0.1", "192.168.1.1", "172.16.0.1"),  # noqa: S104 - asked for
        *(
            "169.254.169.254",
            "100.100.100.200",
            "192.0.0.192",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[::ffff:169.254.169.254]",
        ),
        "metadata.example",
    ],
)
async def test_an_address_of_a_private_network_is_not_asked(address: str) -> None:
    table = untrusted(metadata=["169.254.169.254"])

    assert await table.refusal(ImagePart(url=f"http://{address}/latest/meta-data")) == FAILED


async def test_a_name_that_turns_to_a_private_address_is_not_followed() -> None:
    table = Table(fetcher=fetcher("127.0.0.1", names={"turning.example": ["127.0.0.1", "10.0.0.1"]}))
    async with site() as there:
        there.answers = {"*": redirect(there.url("/b", "turning.example"))}
        words = await table.refusal(ImagePart(url=there.url("/a", "turning.example")))

    assert (words, there.paths) == (FAILED, ["/a"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(Content_Type="text/html"), "Wrong Content-Type of multimodal url"),
        (reply(Content_Type="application/json"), "Wrong Content-Type of multimodal url"),
        (redirect("/again"), FAILED),
        (reply(Content_Length=""), LENGTH_MISSING),
        (
            reply(b"fffff\r\n", Content_Length="", Transfer_Encoding="chunked"),
            "Missing Content-Length of multimodal url.",
        ),
        (reply(Content_Length="10485761"), TOO_LARGE),
        (
            reply(Content_Length="999999999", Content_Type="application/pdf"),
            f"{TOO_LARGE} (the images of one call may hold 67108864 bytes together)",
        ),
        (reply(Content_Length="-1"), FAILED),
    ],
    ids=["html", "json", "round", "no length", "endless pieces", "long", "a huge document", "negative"],
)
async def test_answers_of_such_a_server_are_refused(answer: bytes, words: str) -> None:
    async with site() as there:
        there.answers["*"] = answer
        assert await Table(decodes=True).refusal(ImagePart(url=there.url("/again"))) == words


async def test_a_body_that_stops_in_the_middle_is_given_up() -> None:
    async with site(a=reply(IMAGE, Content_Length=str(len(IMAGE) + 1))) as there:
        there.finishes = False
        words = await Table(fetcher=fetcher(seconds=0.2)).refusal(ImagePart(url=there.url("/a")))

    assert words == "Download multimodal file timed out"


async def test_a_body_that_goes_on_behind_its_announced_end_is_refused() -> None:
    async with site(a=reply(IMAGE + bytes(50_000_000), Content_Length=str(len(IMAGE)))) as there:
        assert await Table().refusal(ImagePart(url=there.url("/a"))) == FAILED


# The process that decodes.

CHILD = "qwenport.media.picture_child"


def long_work() -> ImagePart:
    return ImagePart(url=data_url(pdf("a", count=50).replace(b"[0 0 612 200]", b"[0 0 2000 2000]")))


@only_linux
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_process_that_dies_in_the_middle_fails_its_call_alone(kill: signal.Signals) -> None:
    table = Table()
    refusing = asyncio.create_task(table.refusal(long_work()))
    os.kill(await started_child(CHILD), kill)

    assert await refusing == PDF_BROKEN
    assert children(CHILD) == set()
    assert len(await table.load(ImagePart(url=data_url(pdf("a"))))) == 1


@only_linux
async def test_a_client_that_leaves_ends_the_process_that_decodes_for_it() -> None:
    loading = asyncio.create_task(Table().load(long_work()))
    environment = environment_of(await started_child(CHILD))
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading

    assert (environment, children(CHILD)) == (b"", set())


@only_linux
@pytest.mark.parametrize(
    ("part", "words"),
    [(long_work, PDF_BROKEN), (lambda: ImagePart(url=data_url(packed(NOISE, "BMP"))), BROKEN)],
    ids=["pdf", "image"],
)
async def test_what_takes_too_long_is_given_up_with_its_process(part: Callable[[], ImagePart], words: str) -> None:
    table = Table(decodes=True, bounds=MediaTable(image_s=0.01))

    assert await table.refusal(part()) == words
    assert children(CHILD) == set()
