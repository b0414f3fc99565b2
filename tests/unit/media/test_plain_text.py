"""Text in the encodings that files have."""

from __future__ import annotations

import codecs

import pytest

from qwenport.media.plain_text import decode_text

ENGLISH = "name,amount\r\nrent,\t1200\n" * 20
CHINESE = "名称、金额\n房租、一千二百元\n" * 20


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_decoded_and_its_mark_left_out(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding)) == text


def test_either_byte_order_is_decoded_with_a_mark_and_by_its_zeros() -> None:
    assert decode_text(codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be")) == CHINESE
    assert decode_text(ENGLISH.encode("utf-16-le")) == ENGLISH
    assert decode_text(ENGLISH.encode("utf-16-be")) == ENGLISH


def test_gb18030_is_decoded_where_the_bytes_are_no_utf_8() -> None:
    assert decode_text(CHINESE.encode("gb18030")) == CHINESE


def test_colours_of_a_terminal_and_ends_of_pages_are_text() -> None:
    assert decode_text(b"\x1b[31mred\x1b[0m\x0c\x0b") == "\x1b[31mred\x1b[0m\x0c\x0b"


@pytest.mark.parametrize(
    "content",
    [
        b"\x00",
        b"plain\x00text",
        b"\x7fELF\x02\x01\x01" + bytes(40),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(400),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"\xef\xbb\xbf\xff",
        b"\xff\xfea",
        b"\x81",
    ],
)
def test_what_is_no_text_is_none(content: bytes) -> None:
    assert decode_text(content) is None


def test_an_empty_file_is_an_empty_text() -> None:
    assert decode_text(b"") == ""
