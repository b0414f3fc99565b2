"""What gateway and child tell one another about pictures."""

from __future__ import annotations

import asyncio
import io

import pytest

from qwenport.core.errors import ParameterInvalid
from qwenport.media.decoding import read_pictures
from qwenport.media.picture_order import PictureOrder, write_pictures

pytestmark = pytest.mark.anyio


def sent(*pictures: bytes, cut: int = 0) -> asyncio.StreamReader:
    output = io.BytesIO()
    write_pictures(pictures, output)
    written = asyncio.StreamReader()
    written.feed_data(output.getvalue()[: len(output.getvalue()) - cut])
    written.feed_eof()
    return written


def test_an_order_survives_the_command_line() -> None:
    order = PictureOrder("image/tiff", 64, 48, 6, 100_000_000, 50, 200)

    assert PictureOrder.parse(order.arguments) == order


async def test_pictures_arrive_in_order_and_their_lengths_before_them() -> None:
    lengths: list[int] = []
    pictures = await read_pictures(sent(b"one", b"", b"three" * 100_000), lengths.append)

    assert (pictures, lengths) == ([b"one", b"", b"three" * 100_000], [3, 0, 500_000])


async def test_a_picture_that_does_not_arrive_whole_is_none() -> None:
    assert await read_pictures(sent(b"one", b"two", cut=1), lambda _: None) == [b"one"]


async def test_a_picture_for_which_there_is_no_room_is_not_loaded() -> None:
    def refuse(size_bytes: int) -> None:
        raise ParameterInvalid(f"no room for {size_bytes}")

    with pytest.raises(ParameterInvalid, match="no room for 3"):
        await read_pictures(sent(b"one"), refuse)
