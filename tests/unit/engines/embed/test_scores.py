"""The score of a document."""

from __future__ import annotations

import struct

import pytest

from qwenport.engines.embed.scores import cosine, score_of, vector_of


def test_a_vector_is_little_endian_floats() -> None:
    values = [float(index) for index in range(384)]

    assert vector_of(struct.pack("<384f", *values)) == tuple(values)


def test_the_cosine_of_unit_vectors_is_their_product() -> None:
    assert cosine((0.6, 0.8), (0.8, 0.6)) == pytest.approx(0.96)


def test_the_score_grows_with_the_cosine_and_stays_between_0_and_1() -> None:
    scores = [score_of(step / 100) for step in range(-100, 101)]

    assert scores == sorted(set(scores))
    assert 0 < scores[0] < scores[-1] < 1


def test_an_answer_and_a_passage_that_only_shares_words_are_even_at_the_measured_cosine() -> None:
    assert score_of(0.846) == pytest.approx(0.5)
    assert score_of(0.90) == pytest.approx(0.664, abs=0.001)
    assert score_of(0.75) == pytest.approx(0.230, abs=0.001)
