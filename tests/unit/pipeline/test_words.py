# ruff: noqa: RUF001 - characters that look alike are what some of it is about
"""A list of words: found in every disguise, whole texts and pieces alike, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.pipeline.inspection.held_text import HeldText, WordFound
from qwenport.pipeline.inspection.words import WordList, WordsInvalid, normal_form

WORDS = WordList(["坏词", "Bad Thing", "ass", "ＥＶＩＬ", "a坏"])


@pytest.mark.parametrize(
    "text",
    [
        "这是坏词。",
        "坏\u200b词",
        "坏\ufe0f词",
        "a BAD thing!",
        "bad\nthing",
        "ｂａｄ　ｔｈｉｎｇ",
        "evil",
        "Ass",
        "an ass.",
        "E\u00adVIL",
    ],
)
def test_a_word_is_found_in_every_form(text: str) -> None:
    assert WORDS.is_in(normal_form(text))


@pytest.mark.parametrize("text", ["", "坏 词", "class", "assume", "bad  thing", "devil", "坏"])
def test_what_is_no_word_is_not_found(text: str) -> None:
    assert not WORDS.is_in(normal_form(text))


def given_out(pieces: Sequence[str]) -> list[str]:
    """Return what is given out of pieces that come one after the other; raises `WordFound`."""
    held: HeldText[str] = HeldText(WORDS)
    return [each for piece in pieces for each in held.add(piece, piece)] + list(held.end())


@given(st.lists(st.text("坏词aevils bdthing\u200b", max_size=4), max_size=12))
def test_pieces_are_blocked_exactly_where_the_whole_is_and_given_out_in_order(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        assert given_out(pieces) == pieces
    except WordFound:
        assert WORDS.is_in(normal_form(text))
    else:
        assert not WORDS.is_in(normal_form(text))


@given(st.lists(st.text("坏词aevils bdthing\u200b", max_size=4), max_size=12))
def test_no_beginning_of_a_word_was_given_out_when_it_is_found(pieces: list[str]) -> None:
    held: HeldText[str] = HeldText(WORDS)
    out = ""
    try:
        for piece in pieces:
            out += "".join(held.add(piece, piece))
        held.end()
    except WordFound:
        assert not WORDS.is_in(normal_form(out))
        rest = normal_form("".join(pieces))[len(normal_form(out)) :]
        assert WORDS.is_in(rest, before=normal_form(out)[-1:])


def test_a_text_without_a_trace_of_a_word_is_not_held_back() -> None:
    held: HeldText[str] = HeldText(WORDS)

    assert [held.add(piece, piece) for piece in ("Hello", " to you", "坏", "人")] == [
        ["Hello"],
        [" to you"],
        [],
        ["坏", "人"],
    ]


def test_a_file_is_read_a_word_a_line(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeff坏词\n\n  Bad Thing \n", "utf-8")
    words = WordList.read(path)

    assert (words.is_in(normal_form("坏词")), words.is_in(normal_form("bad thing")), words.is_in("")) == (
        True,
        True,
        False,
    )


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe", "字".encode() * 257])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(WordsInvalid):
        WordList.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WordsInvalid, match="cannot be read"):
        WordList.read(tmp_path / "none")
