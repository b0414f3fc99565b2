"""Server-sent events as they come: in any pieces, with any ends of lines, with and without comments."""

from __future__ import annotations

import pytest

from qwenport.engines.connections.frames import FrameSplitter, FrameTooLong

STREAMS = {
    "plain": (b"data: a\n\ndata: b\n\n", [b"data: a", b"data: b"]),
    "carriage returns": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"data: a", b"data: b"]),
    "carriage returns alone": (b"data: a\r\rdata: b\r\r", [b"data: a", b"data: b"]),
    "several lines": (b"id: 1\nevent: x\ndata: a\n\n", [b"id: 1\nevent: x\ndata: a"]),
    "comments": (b": hello\n\n:ping\ndata: a\n:x\n\n: bye\n\n", [b"data: a"]),
    "status of the native face": (
        b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:{}\n\n",
        [b"id:1\nevent:result\ndata:{}"],
    ),
    "many blank lines": (b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n", [b"data: a", b"data: b"]),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [b"data: a"]),
    "a colon that is no comment": (b'data: {"a":"b\\n: c"}\n\n', [b'data: {"a":"b\\n: c"}']),
    "no end": (b"data: a\n\ndata: b", [b"data: a", b"data: b"]),
    "an end without its blank line": (b"data: a\n\ndata: b\n", [b"data: a", b"data: b"]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("stream", "frames"), STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_frames_are_the_same_in_whatever_pieces_they_come(stream: bytes, frames: list[bytes], size: int) -> None:
    splitter = FrameSplitter()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]

    found = [frame for piece in pieces for frame in splitter.split(piece)]

    assert found + splitter.rest() == frames


def test_a_frame_without_end_is_refused() -> None:
    splitter = FrameSplitter(longest_bytes=10)
    assert splitter.split(b"data: 1234") == []

    with pytest.raises(FrameTooLong, match="a frame of more than 10 bytes"):
        splitter.split(b"5")


def test_the_length_of_one_frame_does_not_count_for_the_next() -> None:
    splitter = FrameSplitter(longest_bytes=10)

    assert [splitter.split(piece) for piece in (b"data: 12", b"34\n\ndata: 12", b"34\n\n")] == [
        [],
        [b"data: 1234"],
        [b"data: 1234"],
    ]
