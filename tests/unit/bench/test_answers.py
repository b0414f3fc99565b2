"""Every chunk of a stream is accounted for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from bench.answers import PieceCount, count_pieces, is_whole, pieces


def stream_of(*texts: bytes) -> bytes:
    return b"".join(b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % text for text in texts)


def test_pieces_of_an_answer_differ_from_one_another() -> None:
    assert all(earlier < later for earlier, later in pairwise(pieces(100)))


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ((0, 1, 2, 3), PieceCount(received=4, lost=0, doubled=0, misplaced=0)),
        ((0, 2, 3), PieceCount(received=3, lost=1, doubled=0, misplaced=0)),
        ((0, 1, 1, 2, 3), PieceCount(received=5, lost=0, doubled=1, misplaced=0)),
        ((0, 2, 1, 3), PieceCount(received=4, lost=0, doubled=0, misplaced=1)),
        ((), PieceCount(received=0, lost=4, doubled=0, misplaced=0)),
    ],
)
def test_a_lost_doubled_or_misplaced_piece_is_counted(received: tuple[int, ...], expected: PieceCount) -> None:
    sent = pieces(4)

    assert count_pieces(stream_of(*(sent[place] for place in received)), 4) == expected


def test_a_piece_that_was_never_sent_is_counted() -> None:
    found = count_pieces(stream_of(*pieces(2), b" invented"), 2)

    assert found == PieceCount(received=3, lost=0, doubled=1, misplaced=0)


def test_chunks_without_text_are_no_pieces() -> None:
    found = count_pieces(stream_of(b"", *pieces(2), b""), 2)

    assert found == PieceCount(received=2, lost=0, doubled=0, misplaced=0)


def test_an_answer_in_one_piece_is_whole_only_with_all_its_text() -> None:
    whole = b'{"choices":[{"message":{"content":" word0000 word0001"}}]}'

    assert [is_whole(whole, 2), is_whole(whole, 3), is_whole(whole, 1)] == [True, False, False]
