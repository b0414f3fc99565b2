"""The images of whole calls."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.call import ChatInput, PromptInput
from qwenport.core.content import ImagePart, Message, Picture, Role, TextPart, VideoPart
from qwenport.core.errors import InputTooLong, Overloaded
from qwenport.core.ids import AccountId, RequestId
from qwenport.media.fetch import FETCHES_AT_ONCE
from qwenport.media.loader import IMAGES_AT_ONCE, MediaLoader
from qwenport.settings.configuration_file import MediaTable
from qwenport.testing.image_site import HANG, IMAGE, fetcher, reply, site
from qwenport.testing.media_table import ACCOUNT, STRANGER, Table, card, shelf, stored

pytestmark = pytest.mark.anyio

IMAGE_URL = "data:image/png;base64," + base64.b64encode(IMAGE).decode()
PICTURE = Picture(data=IMAGE, media_type="image/png", width=689, height=487, tokens=332, most_pixels=2_621_440)
INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
TOO_LARGE = "Multimodal file size is too large"


async def test_images_of_every_kind_become_pictures_in_their_places(tmp_path: Path) -> None:
    upload = stored(tmp_path / "image.png", IMAGE)
    text = TextPart(text="which?")
    async with site(a=reply()) as there:
        parts = (ImagePart(url=there.url("/a")), text, ImagePart(url="oss://key"), ImagePart(url=IMAGE_URL))
        loaded = await Table(files={"key": upload}).load(*parts)

    assert loaded == (PICTURE, text, PICTURE, PICTURE)


async def test_the_bounds_of_a_part_decide_what_it_counts_and_go_with_it() -> None:
    loaded = await Table().load(
        ImagePart(url=IMAGE_URL, max_pixels=65_536),
        ImagePart(url=IMAGE_URL),
        ImagePart(url=IMAGE_URL, min_pixels=1_000_000, rotates=True),
        ImagePart(url=IMAGE_URL, min_pixels=1, max_pixels=10**9),
    )

    assert loaded == (
        replace(PICTURE, tokens=56, most_pixels=65_536),
        PICTURE,
        replace(PICTURE, tokens=38 * 27 + 2, least_pixels=1_000_000, rotates=True),
        replace(PICTURE, least_pixels=4_096, most_pixels=16_777_216),
    )


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


async def test_an_account_that_names_many_slow_addresses_holds_up_no_other() -> None:
    async with site() as there:
        there.gate = asyncio.Event()
        there.answers["*"] = reply()
        loader = Table().loader()

        def loading(name: str, account: AccountId) -> asyncio.Task[ChatInput]:
            parts = [ImagePart(url=there.url(f"/{name}{number}")) for number in range(IMAGES_AT_ONCE)]
            call = replace(Table().call(*parts), id=RequestId(name))
            return asyncio.create_task(loader.load(account, call, card()))

        calls = FETCHES_AT_ONCE // IMAGES_AT_ONCE + 3
        many = [loading(f"many{number}-", ACCOUNT) for number in range(calls)]
        while there.open < FETCHES_AT_ONCE:
            await there.arrived.wait()
            there.arrived.clear()
        other = loading("other", STRANGER)
        await asyncio.sleep(0)
        there.gate.set()
        await asyncio.gather(*many, other)

    places = [number for number, path in enumerate(there.paths) if path.startswith("/other")]
    assert there.most_open == FETCHES_AT_ONCE
    assert max(places) < FETCHES_AT_ONCE + 2 * IMAGES_AT_ONCE


async def test_an_image_waits_for_its_turn_no_longer_than_it_may() -> None:
    async with site() as there:
        there.gate = asyncio.Event()
        there.answers["*"] = reply()
        fetching = fetcher(wait_s=0.05)
        many = [asyncio.create_task(fetching.fetch(there.url("/a"), lambda _: None)) for _ in range(FETCHES_AT_ONCE)]
        while there.open < FETCHES_AT_ONCE:
            await there.arrived.wait()
            there.arrived.clear()

        with pytest.raises(Overloaded):
            await fetching.fetch(there.url("/b"), lambda _: None)
        there.gate.set()
        await asyncio.gather(*many)

    assert "/b" not in there.paths


async def test_all_images_of_a_call_together_have_a_time() -> None:
    async with site(a=HANG) as there:
        table = Table(bounds=MediaTable(load_s=0.2))

        assert await table.refusal(ImagePart(url=there.url("/a"))) == "Download multimodal file timed out"


async def test_pictures_of_all_calls_together_have_a_ceiling_until_each_call_ends() -> None:
    """There is always room for the five megabytes that one call may have: for one account, and a third more for all."""
    image = IMAGE.ljust(1_000_000, b"\0")
    url = "data:image/png;base64," + base64.b64encode(image).decode()
    bounds = MediaTable(max_call_bytes=1 << 20, max_loaded_bytes=0, wait_s=0.05)
    loader, asked = Table(bounds=bounds).loader(), Table().call(ImagePart(url=url))

    def loading(number: int, account: AccountId) -> Coroutine[Any, Any, ChatInput]:
        return loader.load(account, replace(asked, id=RequestId(str(number))), card())

    loaded = [await loading(number, ACCOUNT) for number in range(5)]
    with pytest.raises(Overloaded):
        await loading(5, ACCOUNT)
    loaded += [await loading(6, STRANGER)]
    loader.let_go(RequestId("0"))
    loaded += [await loading(7, ACCOUNT)]

    assert [each.images for each in loaded] == [(replace(PICTURE, data=image),)] * 7
