"""A worker reads another worker's journal while it is written, and misses nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.journal import Journal, segments
from qwenport.metering.neighbour import Neighbour
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.metering.replay import Poster, replay
from qwenport.testing.clock import FakeClock

SEGMENT_BYTES = 1 << 14


def hold(number: int) -> Hold:
    return Hold(
        id=RequestId(f"request-{number}"),
        at=float(number),
        expires_at=number + 3600.0,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=10,
        output_tokens=10,
    )


def settled(number: int) -> Settlement:
    return Settlement(hold=hold(number), at=number + 1.0, outcome=Outcome.FINISHED, status=200, output_tokens=number)


class Post:
    """Keeps what it is given; refuses while it is told to."""

    def __init__(self) -> None:
        self.posted: list[Settlement] = []
        self.is_down = False

    def __call__(self, settlements: Sequence[Settlement]) -> int:
        if self.is_down:
            raise StorageUnavailable("down")
        new = [each for each in settlements if each not in self.posted]
        self.posted += new
        return len(new)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "slot-2", segment_bytes=SEGMENT_BYTES)


def test_what_another_worker_has_written_is_posted_once_and_its_running_calls_are_known(journal: Journal) -> None:
    post = Post()
    neighbour = Neighbour(journal.folder, post)
    journal.hold(hold(1))
    journal.hold(hold(2))
    journal.settle(settled(1))

    assert neighbour.post_written() == 1
    assert neighbour.post_written() == 0
    assert post.posted == [settled(1)]
    assert neighbour.open_holds == {"request-2": hold(2)}

    journal.settle(settled(2))
    assert neighbour.post_written() == 1
    assert neighbour.open_holds == {}


def test_a_line_that_is_only_half_written_waits_for_its_end(journal: Journal) -> None:
    post = Post()
    neighbour = Neighbour(journal.folder, post)
    journal.hold(hold(1))
    journal.settle(settled(1))
    path = segments(journal.folder)[0]
    whole = path.read_bytes()
    written = whole[: journal.offset]
    for cut in range(written.index(b"\n") + 1, len(written)):
        path.write_bytes(written[:cut] + bytes(len(whole) - cut))
        assert neighbour.post_written() == 0, cut
    path.write_bytes(whole)

    assert neighbour.post_written() == 1
    assert post.posted == [settled(1)]


def test_segments_that_their_worker_has_dropped_meanwhile_are_passed_over(journal: Journal) -> None:
    post = Post()
    neighbour = Neighbour(journal.folder, post)
    journal.hold(hold(0))
    neighbour.post_written()
    own = Poster(journal, post)
    for number in range(1, 60):
        journal.hold(hold(number))
        journal.settle(settled(number))
    own.post_written(journal.number, journal.offset)
    assert segments(journal.folder)[0].stem != f"{1:012d}"
    journal.hold(hold(60))

    assert neighbour.post_written() == 0
    assert post.posted == [settled(number) for number in range(1, 60)]
    assert set(neighbour.open_holds) == {"request-0", "request-60"}


def test_what_the_books_did_not_take_is_read_again(journal: Journal) -> None:
    post = Post()
    neighbour = Neighbour(journal.folder, post)
    journal.hold(hold(1))
    journal.settle(settled(1))
    post.is_down = True
    with pytest.raises(StorageUnavailable):
        neighbour.post_written()
    post.is_down = False

    assert neighbour.post_written() == 1
    assert post.posted == [settled(1)]


def test_a_slot_without_a_journal_has_nothing(tmp_path: Path) -> None:
    neighbour = Neighbour(tmp_path / "slot-9", Post())

    assert neighbour.post_written() == 0
    assert neighbour.open_holds == {}


def test_a_slot_that_was_cleared_and_taken_by_another_worker_is_read_from_the_beginning(journal: Journal) -> None:
    post = Post()
    neighbour = Neighbour(journal.folder, post)
    for number in range(5):
        journal.hold(hold(number))
        journal.settle(settled(number))
    journal.hold(hold(5))
    neighbour.post_written()
    assert set(neighbour.open_holds) == {"request-5"}
    journal.close()
    replay(journal.folder, post, FakeClock())

    after = Journal(journal.folder, segment_bytes=SEGMENT_BYTES)
    assert after.number == journal.number
    after.hold(hold(6))
    after.settle(settled(6))
    after.hold(hold(7))

    assert neighbour.post_written() == 1
    assert post.posted[-1] == settled(6)
    assert set(neighbour.open_holds) == {"request-7"}
    after.close()
