"""From texts to vectors: prefixes, limits, windows and batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from qwenport.engines.embed.embedder import Embedder, ReadText, TextTooLong
from qwenport.engines.embed.encoder import Encoder
from qwenport.engines.embed.packed_weights import Floats, PackedWeights
from qwenport.engines.embed.wire import EmbedRequest
from qwenport.testing.tiny_embedding_model import PIECES

BEGIN, END = 0, 2
QUERY, PASSAGE, COLON, RED, GREEN, FOX = (
    PIECES.index(piece) for piece in ("▁query", "▁passage", ":", "▁red", "▁green", "▁fox")
)


def vectors(embedder: Embedder, *documents: str, queries: Sequence[str] = ()) -> Floats:
    read = list(embedder.read(EmbedRequest(queries=tuple(queries), documents=documents, longest=1000)))
    stored = b"".join(vector for batch in embedder.vectors(read) for vector in batch)
    return np.frombuffer(stored, dtype="<f4").reshape(-1, 384)


def test_a_text_is_read_behind_the_prefix_of_its_kind(embedder: Embedder) -> None:
    read = list(embedder.read(EmbedRequest(queries=("red fox",), documents=("green",), longest=100)))

    assert read == [ReadText([QUERY, COLON], [RED, FOX]), ReadText([PASSAGE, COLON], [GREEN])]


def test_the_prefix_and_both_marks_count(embedder: Embedder) -> None:
    (read,) = embedder.read(EmbedRequest(documents=("red fox",), longest=100))

    assert read.count == 6


def test_a_text_of_just_the_limit_is_read_whole(embedder: Embedder) -> None:
    (read,) = embedder.read(EmbedRequest(documents=("red green fox",), longest=7))

    assert read.tokens == [RED, GREEN, FOX]


@pytest.mark.parametrize("text", ["red green fox", "red " * 10_000], ids=["by one token", "by far"])
def test_a_longer_text_is_refused_by_its_number(embedder: Embedder, text: str) -> None:
    with pytest.raises(TextTooLong) as caught:
        list(embedder.read(EmbedRequest(queries=("red",), documents=("fox", text), longest=6)))

    assert caught.value.index == 2


@pytest.mark.parametrize("text", ["red green fox", "red green " * 10_000], ids=["by one token", "by far"])
def test_a_longer_text_is_cut_where_that_is_asked(embedder: Embedder, text: str) -> None:
    (read,) = embedder.read(EmbedRequest(documents=(text,), longest=6, cuts=True))

    assert (read.tokens, read.count) == ([RED, GREEN], 6)


def test_vectors_have_length_one_and_follow_the_order_of_the_texts(embedder: Embedder) -> None:
    both = vectors(embedder, "green", queries=["red"])

    assert np.linalg.norm(both, axis=1) == pytest.approx([1.0, 1.0])
    assert both[0] == pytest.approx(vectors(embedder, queries=["red"])[0], abs=1e-6)
    assert both[1] == pytest.approx(vectors(embedder, "green")[0], abs=1e-6)


def test_a_question_and_a_document_of_the_same_words_differ(embedder: Embedder) -> None:
    asked, told = vectors(embedder, "red fox", queries=["red fox"])

    assert float(asked @ told) < 0.999


def test_neighbours_in_a_batch_do_not_change_a_vector(embedder: Embedder) -> None:
    alone = vectors(embedder, "red fox")
    among = vectors(embedder, "green", "red fox", "狐狸 " * 4)

    assert among[1] == pytest.approx(alone[0], abs=1e-6)


def test_an_empty_text_has_a_vector(embedder: Embedder) -> None:
    assert vectors(embedder, "").shape == (1, 384)


def test_a_text_longer_than_the_model_is_the_weighted_mean_of_equal_parts(
    embedder: Embedder, weights: PackedWeights
) -> None:
    # Of sixteen tokens that the model reads at once, four are marks and prefix: twenty-five make three parts.
    tokens = [RED, GREEN, FOX, RED, FOX] * 5
    parts = [tokens[:9], tokens[9:18], tokens[18:]]
    encoded = Encoder(weights).encode([[BEGIN, PASSAGE, COLON, *part, END] for part in parts])
    mean = np.average(encoded, axis=0, weights=[len(part) for part in parts])

    (found,) = vectors(embedder, ("red green fox red fox " * 5).strip())

    assert found == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_work_comes_in_batches_and_a_vector_with_the_batch_that_completes_it(embedder: Embedder) -> None:
    # 600 tokens are 50 windows of 16, of which 32 fill a batch.
    long = " red" * 600
    read = list(embedder.read(EmbedRequest(documents=("red", long, "fox"), longest=1000)))

    batches = [[len(vector) for vector in batch] for batch in embedder.vectors(read)]

    assert batches == [[384 * 4], [384 * 4, 384 * 4]]


def test_a_text_in_several_batches_is_the_same_as_in_one(embedder: Embedder) -> None:
    long = "red green fox " * 30
    whole = vectors(embedder, "red", long, "fox")
    many = vectors(embedder, *["green"] * 60, "red", long, "fox")[60:]

    assert many == pytest.approx(whole, abs=1e-6)


def test_no_text_is_no_batch(embedder: Embedder) -> None:
    assert list(embedder.vectors([])) == []
