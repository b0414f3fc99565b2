"""Where an image may come from and what it may be, on every face, before a live server that reads text in images.

Each way leads to the same words on the same small pictures; a stranger's files lead nowhere.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import dashscope
import httpx
import openai
import pytest
from dashscope.utils.oss_utils import OssUtils
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from qwenport.testing.made_documents import pdf

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServeFolder
    from tests.conftest import Server

pytestmark = pytest.mark.engine

MODEL = "qwen-vl-ocr-latest"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
HEIC = Path(__file__).parents[1] / "unit/media/pictures/turned.heic"
CHAT = "/compatible-mode/v1/chat/completions"
NATIVE = "/api/v1/services/aigc/multimodal-generation/generation"
MESSAGES = "/apps/anthropic/v1/messages"
RESOLVE = {"X-DashScope-OssResourceResolve": "enable"}
SAID = "Total 553"
Json = dict[str, Any]


def drawn(text: str) -> Image.Image:
    """Return a picture with a line of text."""
    image = Image.new("RGB", (320, 90), "white")
    ImageDraw.Draw(image).text((20, 20), text, font=ImageFont.truetype(FONT, 36), fill="black")
    return image


def packed(image: Image.Image, image_format: str, **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, image_format, **options)
    return output.getvalue()


def digits(content: bytes) -> str:
    return base64.b64encode(content).decode()


class Source(Struct, frozen=True):
    """One file, and where it can be had."""

    path: Path
    media_type: str
    web: str
    file_id: str

    @property
    def digits(self) -> str:
        return digits(self.path.read_bytes())

    @property
    def data(self) -> str:
        return f"data:{self.media_type};base64,{self.digits}"

    @property
    def stored(self) -> str:
        return f"fileid://{self.file_id}"

    @property
    def local(self) -> str:
        return f"file://{self.path}"


@pytest.fixture(scope="module")
def sources(
    reader: Server, serve_folder: ServeFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Source]]:
    """Give the same words as a picture and as a document, on the disk, on the web, and stored by their account."""
    folder = tmp_path_factory.mktemp("sources")
    purpose: Any = "file-extract"
    files = {"image/png": packed(drawn(SAID), "PNG"), "application/pdf": pdf(SAID)}
    with serve_folder(folder) as web, openai_client(reader) as client:
        made = {}
        for media_type, content in files.items():
            path = folder / f"file.{media_type.partition('/')[2]}"
            path.write_bytes(content)
            stored = client.files.create(file=path, purpose=purpose)
            made[media_type] = Source(path, media_type, f"{web}/{path.name}", stored.id)
        yield made


def openai_client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(api_key=server.key, base_url=f"{server.url}/compatible-mode/v1", max_retries=0)


# --- the faces, each asked by its official client with one part ---


def by_chat(server: Server, part: Json) -> str:
    messages: Any = [{"role": "user", "content": [part]}]
    with openai_client(server) as client:
        completion = client.chat.completions.create(model=MODEL, messages=messages)
    return completion.choices[0].message.content or ""


def by_responses(server: Server, part: Json) -> str:
    asked: Any = [{"role": "user", "content": [part]}]
    with openai_client(server) as client:
        return client.responses.create(model=MODEL, input=asked).output_text


def by_anthropic(server: Server, part: Json) -> str:
    messages: Any = [{"role": "user", "content": [part]}]
    with anthropic.Anthropic(api_key=server.key, base_url=f"{server.url}/apps/anthropic", max_retries=0) as client:
        message = client.beta.messages.create(
            model=MODEL, max_tokens=100, messages=messages, betas=["files-api-2025-04-14"]
        )
    [block] = message.content
    assert isinstance(block, anthropic.types.beta.BetaTextBlock)
    return block.text


def by_dashscope(server: Server, part: Json) -> str:
    conversation: Any = dashscope.MultiModalConversation
    answer: Any = conversation.call(
        model=MODEL, messages=[{"role": "user", "content": [part]}], api_key=server.key, **base_address(server)
    )
    assert answer.status_code == 200, answer
    return str(answer.output.choices[0].message.content[0]["text"])


def by_dashscope_v2(server: Server, part: Json) -> str:
    settings: Json = {"base_url": f"{server.url}/api/v1", "protocol": "native", "max_retries": 0}
    with dashscope.Client(api_key=server.key, **settings) as client:
        answer: Any = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": [part]}])
    return str(answer.output_text)


def base_address(server: Server) -> Json:
    return {"base_address": f"{server.url}/api/v1"}


@pytest.fixture(autouse=True)
def _address_of_the_client(reader: Server) -> Iterator[None]:
    """Have the dashscope client, which uploads files wherever it was last told, tell this server."""
    before = dashscope.base_http_api_url
    dashscope.base_http_api_url = f"{reader.url}/api/v1"
    yield
    dashscope.base_http_api_url = before


def image_url(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def base64_source(source: Source) -> Json:
    return {"type": "base64", "media_type": source.media_type, "data": source.digits}


Way = tuple[Callable[["Server", Json], str], Callable[[Source], Json]]
PICTURE: dict[str, Way] = {
    "chat, data URL": (by_chat, lambda source: image_url(source.data)),
    "chat, address": (by_chat, lambda source: image_url(source.web)),
    "chat, fileid": (by_chat, lambda source: image_url(source.stored)),
    "chat, file by id": (by_chat, lambda source: {"type": "file", "file": {"file_id": source.file_id}}),
    "responses, data URL": (by_responses, lambda source: {"type": "input_image", "image_url": source.data}),
    "responses, address": (by_responses, lambda source: {"type": "input_image", "image_url": source.web}),
    "responses, id": (by_responses, lambda source: {"type": "input_image", "file_id": source.file_id}),
    "anthropic, base64": (by_anthropic, lambda source: {"type": "image", "source": base64_source(source)}),
    "anthropic, address": (
        by_anthropic,
        lambda source: {"type": "image", "source": {"type": "url", "url": source.web}},
    ),
    "anthropic, id": (
        by_anthropic,
        lambda source: {"type": "image", "source": {"type": "file", "file_id": source.file_id}},
    ),
    "dashscope, data URL": (by_dashscope, lambda source: {"image": source.data}),
    "dashscope, address": (by_dashscope, lambda source: {"image": source.web}),
    "dashscope, fileid": (by_dashscope, lambda source: {"image": source.stored}),
    "dashscope, local file": (by_dashscope, lambda source: {"image": source.local}),
    "dashscope 2, address": (by_dashscope_v2, lambda source: {"image": source.web}),
    "dashscope 2, fileid": (by_dashscope_v2, lambda source: {"image": source.stored}),
}
DOCUMENT: dict[str, Way] = {
    "chat, data": (by_chat, lambda source: {"type": "file", "file": {"file_data": source.data}}),
    "chat, address": PICTURE["chat, address"],
    "chat, id": PICTURE["chat, file by id"],
    "responses, data": (by_responses, lambda source: {"type": "input_file", "file_data": source.data}),
    "responses, address": (by_responses, lambda source: {"type": "input_file", "file_url": source.web}),
    "responses, id": (by_responses, lambda source: {"type": "input_file", "file_id": source.file_id}),
    "anthropic, base64": (by_anthropic, lambda source: {"type": "document", "source": base64_source(source)}),
    "anthropic, address": (
        by_anthropic,
        lambda source: {"type": "document", "source": {"type": "url", "url": source.web}},
    ),
    "anthropic, id": (
        by_anthropic,
        lambda source: {"type": "document", "source": {"type": "file", "file_id": source.file_id}},
    ),
    "dashscope, address": PICTURE["dashscope, address"],
    "dashscope, fileid": PICTURE["dashscope, fileid"],
    "dashscope, local file": PICTURE["dashscope, local file"],
}


@pytest.mark.parametrize("name", PICTURE)
def test_a_picture_is_read_wherever_it_comes_from(reader: Server, sources: Mapping[str, Source], name: str) -> None:
    ask, part = PICTURE[name]

    assert ask(reader, part(sources["image/png"])) == SAID
    assert latest(reader, 1) == [("finished", 200, 1, 1)]


@pytest.mark.parametrize("name", DOCUMENT)
def test_a_document_is_read_wherever_it_comes_from(reader: Server, sources: Mapping[str, Source], name: str) -> None:
    ask, part = DOCUMENT[name]

    assert ask(reader, part(sources["application/pdf"])) == SAID
    assert latest(reader, 1) == [("finished", 200, 0, 1)]


def latest(server: Server, count: int) -> list[tuple[str, int, int, int]]:
    """Return outcome, status, images and pages of the latest calls."""
    rows = server.operator("GET", "/calls", params={"limit": count}).json()
    return [(row["outcome"], row["status"], row["images"], row["pages"]) for row in rows]


# --- what it may be ---


def turned(image_format: str) -> bytes:
    """Return the picture lying on its left side, with a camera's note that it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return packed(drawn(SAID).transpose(Image.Transpose.ROTATE_90), image_format, exif=exif, quality=95)


KINDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "BMP": (lambda: packed(drawn(SAID), "BMP"), SAID),
    "JPEG": (lambda: packed(drawn(SAID), "JPEG", quality=95), SAID),
    "TIFF": (lambda: packed(drawn(SAID), "TIFF"), SAID),
    "TIFF of two pages": (
        lambda: packed(drawn(SAID), "TIFF", save_all=True, append_images=[drawn("No 17")]),
        f"{SAID}\n\nNo 17",
    ),
    "WEBP": (lambda: packed(drawn(SAID), "WEBP", lossless=True), SAID),
    "HEIC": (HEIC.read_bytes, ""),
    "JPEG that was turned": (lambda: turned("JPEG"), SAID),
    "PNG that was turned": (lambda: turned("PNG"), SAID),
    "WEBP that was turned": (lambda: turned("WEBP"), SAID),
    "TIFF that was turned": (
        lambda: packed(drawn(SAID).transpose(Image.Transpose.ROTATE_90), "TIFF", tiffinfo={274: 6}),
        SAID,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_image_is_read(reader: Server, name: str) -> None:
    make, said = KINDS[name]

    assert by_chat(reader, image_url(f"data:image/png;base64,{digits(make())}")) == said


# --- what belongs to others ---


@pytest.fixture(scope="module")
def stranger(reader: Server) -> dict[str, str]:
    """Give the header of another account's caller."""
    account = reader.operator("POST", "/accounts", json={"email": "stranger@example.com"}).json()
    made = reader.operator("POST", "/keys", json={"workspace_id": account["workspace_id"]}).json()
    return {"Authorization": f"Bearer {made['key']}"}


def asked_for(url: str, face: str) -> tuple[str, Json]:
    """Return where a face is asked for the text of an image, and with what."""
    if face == "dashscope":
        return NATIVE, {"input": {"messages": [{"role": "user", "content": [{"image": url}]}]}}
    if face == "openai":
        return CHAT, {"messages": [{"role": "user", "content": [image_url(url)]}]}
    part = {"type": "image", "source": {"type": "url", "url": url}}
    return MESSAGES, {"max_tokens": 100, "messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize("face", ["openai", "dashscope", "anthropic"])
@pytest.mark.parametrize("scheme", ["fileid", "oss"])
def test_what_an_account_stored_does_not_exist_for_another(
    reader: Server, stranger: dict[str, str], sources: Mapping[str, Source], face: str, scheme: str
) -> None:
    picture = sources["image/png"]
    url = picture.stored
    if scheme == "oss":
        url, _ = OssUtils.upload(model=MODEL, file_path=str(picture.path), api_key=reader.key)
    path, body = asked_for(url, face)

    def ask(headers: Mapping[str, str]) -> httpx.Response:
        content = {"model": MODEL, **body}
        return httpx.post(f"{reader.url}{path}", json=content, headers={**headers, **RESOLVE}, timeout=120)

    own, foreign = ask(reader.bearer), ask(stranger)

    assert (own.status_code, SAID in own.text) == (200, True), own.text
    assert (foreign.status_code, SAID in foreign.text) == (400, False), foreign.text
    assert ("Invalid file [id:" if scheme == "fileid" else "The provided URL does not appear to be valid.") in (
        foreign.text
    )
    assert latest(reader, 2) == [("failed", 400, 0, 0), ("finished", 200, 1, 1)]
