"""Texts in pieces."""

from __future__ import annotations

import pytest

from qwenport.engines.embed.packed_weights import PackedWeights
from qwenport.engines.embed.tokenizer import Tokenizer
from qwenport.testing.tiny_embedding_model import PIECES


@pytest.fixture
def tokenizer(weights: PackedWeights) -> Tokenizer:
    return Tokenizer(weights.vocabulary)


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return [PIECES[number] for number in tokenizer.tokens(tokenizer.normalize(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red fox", ["▁red", "▁fox"]),
        ("fox", ["▁fox"]),
        ("red ox", ["▁red", "▁", "ox"]),
        ("query: red", ["▁query", ":", "▁red"]),
        ("狐狸", ["▁", "狐", "狸"]),
        ("red   fox", ["▁red", "▁fox"]),
        (" red", ["▁red"]),
        ("red\tfox", ["▁red", "▁fox"]),
        ("\uff46ox", ["▁fox"]),
        ("re\x01d", ["▁red"]),
        ("red!", ["▁red", "<unk>"]),
        ("", ["▁"]),
    ],
)
def test_a_text_becomes_its_likeliest_pieces(tokenizer: Tokenizer, text: str, expected: list[str]) -> None:
    assert pieces(tokenizer, text) == expected


@pytest.mark.parametrize("mark", ["<s>", "</s>", "<pad>", "<unk>"])
def test_a_text_cannot_say_a_mark(tokenizer: Tokenizer, mark: str) -> None:
    assert pieces(tokenizer, mark) == ["▁"] + ["<unk>"] * len(mark)


def test_no_text_has_fewer_tokens_than_its_length_by_the_longest_piece(tokenizer: Tokenizer) -> None:
    assert tokenizer.longest_piece == len("▁passage")


def test_a_text_that_is_far_too_long_is_normalized_only_as_far_as_that_shows(tokenizer: Tokenizer) -> None:
    normalized = tokenizer.normalize("\ufdfa" * 1_000_000, 100)

    assert 100 < len(normalized) <= 180_001


def test_spaces_that_become_one_do_not_make_a_text_too_long(tokenizer: Tokenizer) -> None:
    assert tokenizer.normalize("red" + " " * 50_000 + "fox", 100) == "▁red▁fox"
