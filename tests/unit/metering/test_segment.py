"""The lines of one journal file."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.metering.segment import READ_BYTES, allocate, frame, read_lines, unframe

PAYLOADS = st.binary(min_size=1, max_size=200).filter(lambda payload: b"\n" not in payload and b"\0" not in payload)


def read(content: bytes, offset: int = 0, end: int | None = None) -> list[tuple[int, bytes]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "segment"
        path.write_bytes(content)
        return list(read_lines(path, offset, end))


@given(payload=PAYLOADS)
def test_a_payload_comes_out_of_its_line_as_it_went_in(payload: bytes) -> None:
    line = frame(payload)

    assert line.endswith(b"\n")
    assert unframe(line[:-1]) == payload


@given(payload=PAYLOADS, place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_line_with_one_changed_bit_is_no_line(payload: bytes, place: int, bit: int) -> None:
    line = bytearray(frame(payload)[:-1])
    line[place % len(line)] ^= 1 << bit

    # The checksum's digits may change their case without a change of value; everything else is noticed.
    same = bytes(line).lower() == frame(payload)[:-1].lower()
    assert same or unframe(bytes(line)) is None


@pytest.mark.parametrize("line", [b"", b"00000000", b"00000000 ", b"zzzzzzzz x", b"00000000-x", b"\xff" * 20])
def test_what_is_no_line_is_told_as_such(line: bytes) -> None:
    assert unframe(line) is None


def test_lines_are_read_with_the_place_behind_them_up_to_the_first_zero() -> None:
    content = b"one\ntwo\nthr" + bytes(50) + b"four\n"

    assert read(content) == [(4, b"one"), (8, b"two")]


def test_reading_begins_at_an_offset_and_stops_before_an_end() -> None:
    assert read(b"one\ntwo\nthree\n", offset=4, end=8) == [(8, b"two")]


def test_a_file_that_ends_in_the_middle_of_a_line_gives_the_complete_ones() -> None:
    assert read(b"one\ntw") == [(4, b"one")]


def test_lines_that_are_longer_than_a_read_are_put_together() -> None:
    line = b"x" * (READ_BYTES + 10)

    assert read(line + b"\n" + line + b"\n") == [(len(line) + 1, line), (2 * len(line) + 2, line)]


def test_a_file_has_its_space_from_the_beginning_and_is_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    os.close(allocate(path, 10_000))
    status = path.stat()

    assert (status.st_size, status.st_blocks * 512 >= 10_000, status.st_mode & 0o777) == (10_000, True, 0o600)


def test_a_file_that_exists_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"of somebody else")
    with pytest.raises(FileExistsError):
        allocate(path, 100)

    assert path.read_bytes() == b"of somebody else"


def test_what_lies_behind_space_that_was_never_written_to_is_not_read() -> None:
    assert read(b"one\n" + bytes(READ_BYTES - 4) + b"two\n") == [(4, b"one")]
