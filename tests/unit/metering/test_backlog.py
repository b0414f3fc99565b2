"""How far the books are behind the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.backlog import Backlog
from qwenport.metering.journal import Journal
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.testing.clock import FakeClock

SEGMENT_BYTES = 8192


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path, segment_bytes=SEGMENT_BYTES)
    yield journal
    journal.close()


def settle(journal: Journal, backlog: Backlog, number: int) -> None:
    hold = Hold(
        id=RequestId(f"request-{number}"),
        at=0.0,
        expires_at=3600.0,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=1,
        output_tokens=1,
    )
    journal.hold(hold)
    journal.settle(Settlement(hold=hold, at=1.0, outcome=Outcome.FINISHED, status=200))
    backlog.settled()


def state(backlog: Backlog) -> tuple[int, float, int]:
    return backlog.settlements, backlog.oldest_s, backlog.size_bytes


def test_a_new_journal_has_no_backlog(journal: Journal) -> None:
    assert state(Backlog(journal, FakeClock())) == (0, 0.0, 0)


def test_settlements_wait_until_they_are_posted(journal: Journal) -> None:
    clock = FakeClock()
    backlog = Backlog(journal, clock)
    settle(journal, backlog, 1)
    clock.advance(5)
    settle(journal, backlog, 2)
    clock.advance(2)
    before = state(backlog)
    place = backlog.begin()
    backlog.done()

    assert before == (2, 7.0, journal.offset)
    assert (place, state(backlog)) == ((journal.number, journal.offset), (0, 0.0, 0))


def test_what_is_settled_while_the_books_are_written_waits_for_the_next_time(journal: Journal) -> None:
    clock = FakeClock()
    backlog = Backlog(journal, clock)
    settle(journal, backlog, 1)
    _, posted = backlog.begin()
    clock.advance(3)
    settle(journal, backlog, 2)
    clock.advance(1)
    backlog.done()

    assert state(backlog) == (1, 1.0, journal.offset - posted)


def test_what_could_not_be_posted_goes_on_waiting_from_its_own_moment(journal: Journal) -> None:
    clock = FakeClock()
    backlog = Backlog(journal, clock)
    settle(journal, backlog, 1)
    backlog.begin()
    clock.advance(10)
    settle(journal, backlog, 2)
    backlog.begin()

    assert state(backlog) == (2, 10.0, journal.offset)


def test_full_segments_count_as_they_lie_on_the_disk(journal: Journal) -> None:
    backlog = Backlog(journal, FakeClock())
    first = journal.number
    for number in range(100):
        settle(journal, backlog, number)

    assert journal.number > first
    assert backlog.size_bytes == (journal.number - first) * SEGMENT_BYTES + journal.offset
