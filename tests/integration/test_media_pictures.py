"""Images and PDFs that become plain pictures, decoded and drawn by real child processes."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from qwenport.core.content import ImagePart, Picture, TextPart
from qwenport.core.errors import ParameterInvalid
from qwenport.media.budget import call_budget
from qwenport.media.decoding import Decoder
from qwenport.settings.configuration_file import MediaTable
from qwenport.testing.image_site import reply, site
from qwenport.testing.made_documents import pdf, with_script
from qwenport.testing.media_table import STRANGER, Table, stored

pytestmark = pytest.mark.anyio

TWO_PAGES = pdf("Rent 1200", "Page two")
TOO_MANY_PAGES = "Multimodal file size is too large (the documents of one call may have {} pages together)"

GREY = Image.linear_gradient("L").resize((64, 48))
"""From dark above to light below."""
INK = GREY.point(lambda value: 255 * (value > 127))
COLOURED = Image.merge("RGB", [GREY, GREY.transpose(Image.Transpose.FLIP_TOP_BOTTOM), Image.new("L", GREY.size, 30)])
"""From green above to red below."""


def packed(image: Image.Image, image_format: str, **options: object) -> bytes:
    output = io.BytesIO()
    image.copy().save(output, image_format, **options)
    return output.getvalue()


def png(width: int, height: int, rows: bytes, *, depth: int = 8) -> bytes:
    """Return a PNG in colour of these packed rows."""
    chunks = ((b"IHDR", struct.pack(">LLBBBBB", width, height, depth, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L4s", len(content), kind) + content + struct.pack(">L", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def see_through() -> Image.Image:
    image = COLOURED.copy()
    image.putalpha(GREY)
    return image


def turned(image_format: str, orientation: int) -> bytes:
    note = Image.Exif()
    note[274] = orientation
    return packed(COLOURED, image_format, exif=note)


def data_url(content: bytes, declared: str = "application/octet-stream") -> str:
    return f"data:{declared};base64,{base64.b64encode(content).decode()}"


async def pictures_of(content: bytes, *, decodes: bool = True, bounds: MediaTable | None = None) -> list[Picture]:
    table = Table(decodes=decodes, bounds=bounds or MediaTable())
    return [part for part in await table.load(ImagePart(url=data_url(content))) if isinstance(part, Picture)]


def opened(picture: Picture) -> Image.Image:
    with Image.open(io.BytesIO(picture.data)) as image:
        image.load()
        assert (image.size, image.get_format_mimetype()) == ((picture.width, picture.height), picture.media_type)
        return image


def is_like(image: Image.Image, expected: Image.Image, tolerance: int = 12) -> bool:
    """Tell whether two images show the same at a few places within them."""
    places = [(x * image.width // 8, y * image.height // 8) for x in (1, 4, 7) for y in (1, 4, 7)]
    same = image.convert("RGB"), expected.convert("RGB")
    assert image.size == expected.size
    differences = (
        abs(one - other)
        for place in places
        for one, other in zip(_pixel(same[0], place), _pixel(same[1], place), strict=True)
    )
    return max(differences) <= tolerance


def _pixel(image: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    pixel = image.getpixel(place)
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (packed(COLOURED, "JPEG"), "image/jpeg"),
        (packed(GREY, "JPEG"), "image/jpeg"),
        (packed(COLOURED, "PNG"), "image/png"),
        (packed(GREY, "PNG"), "image/png"),
        (turned("JPEG", 1), "image/jpeg"),
    ],
)
async def test_what_is_plain_stays_as_it_came(content: bytes, media_type: str) -> None:
    assert await pictures_of(content) == [
        Picture(data=content, media_type=media_type, width=64, height=48, tokens=6, most_pixels=2_621_440)
    ]


@pytest.mark.parametrize(
    ("content", "expected", "mode"),
    [
        (packed(COLOURED, "BMP"), COLOURED, "RGB"),
        (packed(COLOURED, "WEBP", lossless=True), COLOURED, "RGB"),
        (packed(COLOURED, "WEBP"), COLOURED, "RGB"),
        (packed(COLOURED, "TIFF", compression="tiff_lzw"), COLOURED, "RGB"),
        (packed(COLOURED.convert("CMYK"), "JPEG"), COLOURED, "RGB"),
        (packed(COLOURED.convert("CMYK"), "TIFF"), COLOURED, "RGB"),
        (packed(COLOURED.quantize(64), "PNG"), COLOURED, "RGB"),
        (packed(GREY.convert("I").point(lambda value: value * 257).convert("I;16"), "PNG"), GREY, "L"),
        (packed(GREY.convert("I").point(lambda value: value * 257).convert("I;16"), "TIFF"), GREY, "L"),
        (packed(GREY.convert("I").point(lambda value: value * 257), "TIFF"), GREY, "L"),
        (packed(GREY.convert("I").point(lambda value: value * 70_000), "TIFF"), GREY, "L"),
        (packed(GREY.convert("F").point(lambda value: value * (1 / 255) + 0), "TIFF"), GREY, "L"),
        (packed(GREY.convert("F"), "TIFF"), GREY, "L"),
        (packed(INK.convert("1"), "PNG"), INK, "L"),
        (packed(INK.convert("1"), "TIFF", compression="group4"), INK, "L"),
    ],
    ids=[
        *("bmp", "webp", "lossy webp", "tiff", "cmyk jpeg", "cmyk tiff", "palette", "16 bits", "16 bits tiff"),
        *("32 bits of 16", "32 bits", "floats to 1", "floats to 255", "1 bit", "fax"),
    ],
)
async def test_every_kind_of_pixels_becomes_eight_bits_of_colour_or_grey(
    content: bytes, expected: Image.Image, mode: str
) -> None:
    (picture,) = await pictures_of(content)

    assert opened(picture).mode == mode
    assert is_like(opened(picture), expected)


async def test_sixteen_bits_of_colour_are_not_passed_on() -> None:
    rows = b"".join(b"\0" + struct.pack(">HHH", 0xFFFF, 0x8000, 0) * 64 for _ in range(48))
    content = png(64, 48, zlib.compress(rows), depth=16)
    (picture,) = await pictures_of(content)

    assert picture.data[24] == 8
    assert opened(picture).getpixel((8, 8)) == (255, 128, 0)


@pytest.mark.parametrize(
    "content",
    [
        packed(see_through(), "PNG"),
        packed(see_through(), "WEBP", lossless=True),
        packed(see_through(), "TIFF"),
    ],
    ids=["png", "webp", "tiff"],
)
async def test_what_can_be_seen_through_lies_on_white(content: bytes) -> None:
    (picture,) = await pictures_of(content)
    on_white = Image.composite(COLOURED, Image.new("RGB", COLOURED.size, "white"), GREY)

    assert is_like(opened(picture), on_white)


async def test_a_colour_that_stands_for_nothing_is_white() -> None:
    image = Image.new("RGB", (64, 48), "blue")
    image.paste((200, 10, 10), (0, 0, 32, 48))
    (picture,) = await pictures_of(packed(image, "PNG", transparency=(0, 0, 255)))

    shown = opened(picture)
    assert (shown.getpixel((8, 8)), shown.getpixel((56, 8))) == ((200, 10, 10), (255, 255, 255))


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
async def test_of_an_animation_the_first_image_is_seen(image_format: str) -> None:
    moving = packed(COLOURED, image_format, save_all=True, append_images=[COLOURED.rotate(180)])
    (picture,) = await pictures_of(moving)

    assert is_like(opened(picture), COLOURED)
    assert b"acTL" not in picture.data


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
async def test_an_image_is_turned_as_its_camera_noted(image_format: str, orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    upright = COLOURED.transpose(turns[orientation]) if orientation in turns else COLOURED
    content = turned(image_format, orientation)
    (decoded,), (passed_on,) = await pictures_of(content), await pictures_of(content, decodes=False)

    assert is_like(opened(decoded), upright)
    assert 274 not in opened(decoded).getexif() or orientation == 1
    assert passed_on.data == content
    assert (passed_on.width, passed_on.height, passed_on.tokens) == (decoded.width, decoded.height, decoded.tokens)


async def test_a_heic_image_is_turned_by_its_own_note() -> None:
    content = (Path(__file__).parents[1] / "unit/media/pictures/turned.heic").read_bytes()
    (decoded,), (passed_on,) = await pictures_of(content), await pictures_of(content, decodes=False)

    assert (decoded.media_type, opened(decoded).size) == ("image/jpeg", (48, 64))
    assert (passed_on.media_type, passed_on.width, passed_on.height) == ("image/heic", 48, 64)


async def test_the_pages_of_a_tiff_are_pictures() -> None:
    content = packed(COLOURED, "TIFF", save_all=True, append_images=[GREY.copy(), COLOURED.rotate(180)])
    pages = await pictures_of(content)

    assert [page.page for page in pages] == [1, 2, 3]
    for page, as_it_is in zip(pages, (COLOURED, GREY, COLOURED.rotate(180)), strict=True):
        assert is_like(opened(page), as_it_is)
    assert [picture.page for picture in await pictures_of(content, decodes=False)] == [0]


async def test_a_smaller_version_in_a_tiff_is_no_page() -> None:
    preview = GREY.resize((32, 24))
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    content = packed(COLOURED, "TIFF", save_all=True, append_images=[preview])

    assert [(picture.width, picture.page) for picture in await pictures_of(content)] == [(64, 0)]


async def test_the_pages_of_a_pdf_are_pictures_in_its_place() -> None:
    before, after = TextPart(text="before"), TextPart(text="after")
    part = ImagePart(url=data_url(TWO_PAGES, "application/pdf"), max_pixels=65_536, rotates=True)
    loaded = await Table().load(before, part, after)
    pages = [each for each in loaded if isinstance(each, Picture)]

    assert loaded == (before, *pages, after)
    assert [(page.page, page.width, page.height, page.rotates, page.most_pixels) for page in pages] == [
        (1, 1_700, 556, True, 65_536),
        (2, 1_700, 556, True, 65_536),
    ]
    assert {page.tokens for page in pages} == {4 * 13 + 2}
    for page in pages:
        assert opened(page).mode == "RGB"
        darkest, lightest = opened(page).convert("L").getextrema()
        assert (darkest, lightest) == (0, 255)


async def test_pages_are_drawn_as_finely_as_the_operator_says_and_models_look() -> None:
    (page,) = await pictures_of(pdf("a"), bounds=MediaTable(page_dpi=72))
    assert (page.width, page.height) == (612, 200)

    poster = pdf("a").replace(b"[0 0 612 200]", b"[0 0 14400 14400]")
    (page,) = await pictures_of(poster, bounds=MediaTable(max_pixels=1 << 20))
    assert (page.width, page.height) == (1_024, 1_024)


async def test_a_scanned_page_is_packed_as_the_photograph_that_it_is() -> None:
    scan = packed(Image.effect_noise((800, 1_000), 60).convert("RGB"), "PDF")
    (scanned,), (written,) = await pictures_of(scan), await pictures_of(pdf("a"))

    assert (scanned.media_type, written.media_type) == ("image/jpeg", "image/png")


async def test_what_was_filled_into_a_form_is_drawn() -> None:
    form = pdf("").replace(b"<</Type/Catalog", b"<</Type/Catalog/AcroForm<</Fields[6 0 R]>>")
    form = form.replace(b"/MediaBox", b"/Annots[6 0 R]/MediaBox")
    box = b"q 0 0 0 rg 0 0 400 100 re f Q"
    field = (
        b"6 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(x)/F 4/Rect[100 50 500 150]/AP<</N 7 0 R>>>> endobj\n"
        b"7 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 400 100]/Length %d>>stream\n%s\nendstream endobj\n"
        % (len(box), box)
    )
    # Its table of offsets is wrong now; readers make one of their own.
    (page,) = await pictures_of(form.replace(b"xref\n", field + b"xref\n").replace(b"startxref\n", b"startxref\n9"))

    assert opened(page).getpixel((page.width // 2, page.height // 2)) == (0, 0, 0)


async def test_the_script_of_a_pdf_does_not_run() -> None:
    assert [page.data for page in await pictures_of(with_script(TWO_PAGES))] == [
        page.data for page in await pictures_of(TWO_PAGES)
    ]


async def test_the_pages_of_a_call_have_a_ceiling_together() -> None:
    table = Table(bounds=MediaTable(max_pages=3))
    one, two = ImagePart(url=data_url(pdf("a"))), ImagePart(url=data_url(TWO_PAGES))

    assert len(await table.load(one, two)) == 3
    assert await table.refusal(two, ImagePart(url=data_url(pdf("b", "c")))) == TOO_MANY_PAGES.format(3)
    assert await table.refusal(two, two) == TOO_MANY_PAGES.format(3)
    assert await table.refusal(ImagePart(url=data_url(pdf("a", count=5_000)))) == TOO_MANY_PAGES.format(3)
    words = "Range of the number of images should be [1, 1], but 2 were given"
    assert await Table(bounds=MediaTable(max_images=1)).refusal(two) == words


@pytest.mark.parametrize(
    "content",
    [TWO_PAGES, packed(COLOURED, "TIFF", save_all=True, append_images=[GREY.copy()])],
    ids=["pdf", "tiff"],
)
async def test_pages_are_counted_as_they_are_made_not_when_all_of_a_call_are(content: bytes) -> None:
    decoder, budget = Decoder(MediaTable()), call_budget(MediaTable(max_pages=3))

    assert [decoded.page for decoded in await decoder.decode(content, budget)] == [1, 2]
    with pytest.raises(ParameterInvalid) as caught:
        await decoder.decode(content, budget)
    assert str(caught.value) == TOO_MANY_PAGES.format(3)


async def test_a_page_of_a_tiff_counts_as_one_of_a_document() -> None:
    pages = packed(COLOURED, "TIFF", save_all=True, append_images=[GREY.copy()] * 2)
    table = Table(decodes=True, bounds=MediaTable(max_pages=4))
    one = ImagePart(url=data_url(packed(GREY, "TIFF")))

    assert len(await table.load(*[one] * 5, ImagePart(url=data_url(pages)))) == 8
    table.bounds = MediaTable(max_pages=2)
    assert await table.refusal(ImagePart(url=data_url(pages))) == TOO_MANY_PAGES.format(2)


async def test_decoded_images_have_a_ceiling_of_their_own() -> None:
    note = Image.Exif()
    note[274] = 6
    rough = packed(Image.effect_noise((300, 300), 100), "JPEG", quality=10, exif=note)
    words = "Multimodal file size is too large (decoded, the images of one call may hold {} bytes together)"
    table = Table(decodes=True, bounds=MediaTable(max_call_bytes=len(rough)))

    assert await table.refusal(ImagePart(url=data_url(rough))) == words.format(4 * len(rough))
    table.bounds = MediaTable(max_call_bytes=2 * len(rough))
    assert len(await table.load(ImagePart(url=data_url(rough)))) == 1


# Where they come from.


async def test_a_stored_file_is_an_image_or_a_document(tmp_path: Path) -> None:
    image = packed(COLOURED, "PNG")
    files = {"file-1": stored(tmp_path / "a", image, "file-1"), "file-2": stored(tmp_path / "b", TWO_PAGES, "file-2")}
    table = Table(files=files, resolves_uploads=False)

    (picture,) = await table.load(ImagePart(url="fileid://file-1"))
    pages = await table.load(ImagePart(url="FileID://file-2"))

    assert isinstance(picture, Picture)
    assert (picture.data, [type(page) for page in pages]) == (image, [Picture, Picture])
    assert await table.refusal(ImagePart(url="fileid://file-3")) == "Invalid file [id:file-3]."
    table.account = STRANGER
    assert await table.refusal(ImagePart(url="fileid://file-1")) == "Invalid file [id:file-1]."
    table = Table(files=files)
    (tmp_path / "a").unlink()
    assert await table.refusal(ImagePart(url="fileid://file-1")) == "Invalid file [id:file-1]."


async def test_a_document_comes_from_the_network_and_may_be_longer_than_an_image() -> None:
    long = TWO_PAGES + b"\n% and nothing more" + bytes(10_485_760)
    async with site(a=reply(long, Content_Type="application/pdf"), b=reply(long, Content_Type="")) as there:
        loaded = [await Table().load(ImagePart(url=there.url(path))) for path in ("/a", "/b")]

    assert [len(pages) for pages in loaded] == [2, 2]


async def test_an_image_that_says_it_is_a_document_may_not_be_longer_than_images_are() -> None:
    long = packed(COLOURED, "PNG").ljust(10_485_761, b"\0")
    async with site(a=reply(long, Content_Type="application/pdf")) as there:
        assert await Table().refusal(ImagePart(url=there.url("/a"))) == "Multimodal file size is too large"
