"""The figures by which an embedding model is chosen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench.embedding_quality import LANGUAGES, Retrieval, logistic, read_pairs, retrieval, spearman


def at(*degrees: float) -> np.ndarray:
    """Return unit vectors in the plane."""
    return np.array([(math.cos(math.radians(each)), math.sin(math.radians(each))) for each in degrees], dtype="f4")


def test_there_are_a_hundred_sentences_of_each_kind_and_none_twice() -> None:
    pairs = read_pairs()

    assert set(pairs) == set(LANGUAGES)
    for each in pairs.values():
        sentences = each.questions + each.answers + each.near
        assert len(each.questions) == len(each.answers) == len(each.near) >= 100
        assert len(set(sentences)) == len(sentences)
        assert all(sentence.strip() for sentence in sentences)


def test_an_answer_is_ranked_among_all_passages() -> None:
    # The first question's answer is third, behind its own near passage and the second's answer; the second's is first.
    found = retrieval(at(0, 30), answers=at(40, 31), near=at(10, 200))

    assert found == Retrieval(accuracy=0.5, reciprocal_rank=(1 / 3 + 1) / 2, hard=0.5)


def test_rank_correlation_shares_ranks_among_equal_values() -> None:
    assert spearman([1, 2, 3], [10, 20, 900]) == pytest.approx(1.0)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)
    assert spearman([1, 2, 3, 4], [0, 0, 1, 1]) == pytest.approx(0.8944, abs=1e-4)


def test_the_logistic_curve_is_even_between_what_is_right_and_what_is_wrong() -> None:
    even, steepness = logistic([0.9, 0.8, 0.7], [0.5, 0.6, 0.75])
    mirrored, _ = logistic([0.5, 0.6, 0.75], [0.9, 0.8, 0.7])

    assert even == pytest.approx(mirrored)
    assert 0.6 < even < 0.8
    assert steepness > 0
