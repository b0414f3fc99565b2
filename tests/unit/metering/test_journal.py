"""The journal: what was admitted and what became of it, whatever happens to the process or the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.journal import SETTLEMENT_EXTRA_BYTES, Journal, segments
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.metering.replay import Poster, decode_line, replay
from qwenport.metering.segment import read_lines
from qwenport.testing.clock import FakeClock

SEGMENT_BYTES = 8192
"""Room for a few calls, so that a handful of them needs several files."""


def a_hold(number: int, *, model: str = "qwen-plus") -> Hold:
    return Hold(
        id=RequestId(f"request-{number}"),
        at=1_767_225_600.0 + number,
        expires_at=1_767_229_200.0 + number,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model=model,
        face="openai",
        operation="chat.completions",
        streams=True,
        input_tokens=100,
        output_tokens=200,
    )


def settled(hold: Hold, *, outcome: Outcome = Outcome.FINISHED, served_by: str = "engine/model") -> Settlement:
    return Settlement(
        hold=hold, at=hold.at + 1, outcome=outcome, status=200, served_by=served_by, input_tokens=5, output_tokens=6
    )


def lost(hold: Hold) -> Settlement:
    """Return what the next start makes of a call that nobody settled."""
    return Settlement(hold=hold, at=FakeClock().timestamp(), outcome=Outcome.LOST, status=500, error="lost")


class MemoryBooks:
    """Books in memory: the first settlement of a call counts."""

    def __init__(self) -> None:
        self.calls: dict[RequestId, Settlement] = {}
        self.is_broken = False

    def post(self, settlements: Sequence[Settlement]) -> int:
        if self.is_broken:
            raise StorageUnavailable("the books are away")
        new = {each.hold.id: each for each in reversed(settlements) if each.hold.id not in self.calls}
        self.calls |= new
        return len(new)


def lines(folder: Path) -> list[Hold | Settlement | None]:
    return [decode_line(line, path) for path in segments(folder) for _, line in read_lines(path, 0)]


def test_a_hold_and_its_settlement_are_lines_that_read_as_they_were_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    hold = a_hold(1, model="qwen-\u4f60\n\u0000")
    journal.hold(hold)
    journal.settle(settled(hold))
    journal.close()

    assert lines(tmp_path) == [hold, settled(hold)]


def test_only_the_first_settlement_of_a_hold_is_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    hold = a_hold(1)
    journal.hold(hold)

    assert journal.settle(settled(hold))
    assert not journal.settle(settled(hold, outcome=Outcome.EXPIRED))
    assert not journal.settle(settled(a_hold(2)))
    assert lines(tmp_path) == [hold, settled(hold)]
    journal.close()


def test_a_new_file_begins_with_the_holds_that_are_open(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=SEGMENT_BYTES)
    open_hold = a_hold(0)
    journal.hold(open_hold)
    number = 0
    while journal.number == 1:
        number += 1
        journal.hold(a_hold(number))
        journal.settle(settled(a_hold(number)))
    journal.close()

    first, second = segments(tmp_path)
    assert [decode_line(line, second) for _, line in read_lines(second, 0)] == [
        open_hold,
        a_hold(number),
        settled(a_hold(number)),
    ]
    assert first.stat().st_size == SEGMENT_BYTES


def test_open_holds_that_fill_a_file_are_not_copied_for_every_further_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=8192)

    for number in range(300):
        journal.hold(a_hold(number))

    assert (len(journal.open_holds), len(segments(tmp_path))) == (300, 8)
    journal.close()


def test_a_settlement_of_the_greatest_size_fits_the_room_that_was_set_aside(tmp_path: Path) -> None:
    hold = a_hold(1, model="\x01" * 50)
    journal = Journal(tmp_path, segment_bytes=1)
    journal.hold(hold)
    before = journal.offset
    greatest = Settlement(
        hold=hold,
        at=1_767_225_600.123456,
        outcome=Outcome.ABANDONED,
        status=499,
        error="asynchronous_refused",
        served_by="\U0001f600" * 100,
        input_tokens=2**62,
        output_tokens=2**62,
        cached_tokens=2**62,
        usage_source="counted",
        first_event_ms=2**40,
        total_ms=2**40,
    )
    journal.settle(greatest)
    journal.close()

    assert journal.offset - before <= before + SETTLEMENT_EXTRA_BYTES
    assert segments(tmp_path)[-1].stat().st_size >= journal.offset


def test_files_of_an_earlier_run_are_left_alone_and_their_numbers_are_not_used_again(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    Journal(tmp_path).close()
    (tmp_path / "000000000002.journal").rename(tmp_path / "000000000002.damaged")
    journal = Journal(tmp_path)
    journal.close()

    assert journal.number == 3


def test_a_folder_that_cannot_hold_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="cannot grow"):
        Journal(tmp_path, segment_bytes=1 << 60)
    assert segments(tmp_path) == []


def test_settlements_that_the_disk_refuses_are_kept_and_nothing_is_admitted_until_they_are_written(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    holds = [a_hold(number) for number in range(3)]
    journal.hold(holds[0])
    journal.hold(holds[1])
    descriptor, journal._descriptor = journal._descriptor, -1
    assert journal.settle(settled(holds[0]))
    assert journal.settle(settled(holds[1]))

    assert (journal.open_holds, len(journal.unwritten)) == ({}, 2)
    with pytest.raises(StorageUnavailable, match="still waiting"):
        journal.hold(holds[2])
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        journal.retry()
    journal._descriptor = descriptor
    journal.retry()
    journal.hold(holds[2])
    assert lines(tmp_path) == [*holds[:2], settled(holds[0]), settled(holds[1]), holds[2]]
    journal.close()


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_journal import a_hold, settled
from qwenport.core.errors import StorageUnavailable
from qwenport.metering.journal import Journal

journal = Journal(Path(sys.argv[1]), segment_bytes=8192)
# From here on no file may grow beyond what is set aside already: a disk that is full.
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
admitted = []
try:
    for number in range(1000):
        journal.hold(a_hold(number))
        admitted.append(a_hold(number))
        if number % 3 == 0:
            journal.settle(settled(admitted.pop(0)))
except StorageUnavailable as error:
    print(f"refused: {error}")
for hold in admitted:
    journal.settle(settled(hold))
print(number, len(journal.unwritten), len(journal.open_holds))
"""


def test_on_a_full_disk_holds_are_refused_and_settlements_of_admitted_calls_still_land(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    command = [sys.executable, "-c", FULL_DISK, str(folder), str(Path(__file__).parent)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    refusal, counts = ended.stdout.splitlines()
    number, unwritten, still_open = map(int, counts.split())

    assert (ended.stderr, unwritten, still_open) == ("", 0, 0)
    assert refusal.startswith("refused: The service cannot record calls now")
    assert number > 2
    written = lines(folder)
    assert {line.id for line in written if isinstance(line, Hold)} == {a_hold(each).id for each in range(number)}
    assert sorted(line.hold.at for line in written if isinstance(line, Settlement)) == [
        a_hold(each).at for each in range(number)
    ]


def test_syncing_from_another_thread_while_files_change_never_meets_a_closed_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    failures: list[BaseException] = []
    ended = threading.Event()

    def sync() -> None:
        while not ended.is_set():
            try:
                journal.sync()
            except OSError as error:
                failures.append(error)

    thread = threading.Thread(target=sync)
    thread.start()
    for number in range(100):
        journal.hold(a_hold(number))
        journal.settle(settled(a_hold(number)))
    ended.set()
    thread.join()
    journal.close()

    assert failures == []
    assert not journal.is_dirty


def test_a_sync_that_fails_is_tried_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.hold(a_hold(1))
    descriptor = journal._descriptor
    reader, journal._descriptor = os.pipe()
    with pytest.raises(OSError, match="Invalid argument"):  # a pipe has nothing to sync
        journal.sync()
    assert journal.is_dirty
    for end in (reader, journal._descriptor):
        os.close(end)
    journal._descriptor = descriptor
    journal.sync()
    assert not journal.is_dirty
    journal.close()


STEPS = st.lists(
    st.one_of(st.just("hold"), st.integers(0, 30), st.sampled_from(["post", "break", "mend"])), max_size=60
)


class Life:
    """A journal that lives through steps, and what it must have come to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.books = MemoryBooks()
        self.journal = Journal(folder, segment_bytes=SEGMENT_BYTES)
        self.poster = Poster(self.journal, self.books.post)
        self.open: list[Hold] = []
        self.done: dict[RequestId, Settlement] = {}
        self.count = 0

    def take(self, step: str | int) -> None:
        """Admit a call, settle one of the open ones, or let the books follow, break or mend."""
        if step == "hold":
            self.count += 1
            hold = a_hold(self.count)
            self.journal.hold(hold)
            self.open.append(hold)
        elif isinstance(step, int):
            if self.open:
                hold = self.open.pop(step % len(self.open))
                self.done[hold.id] = settled(hold)
                self.journal.settle(settled(hold))
        elif step == "post":
            self.post()
        else:
            self.books.is_broken = step == "break"

    def post(self) -> None:
        """Bring the books up to the journal; broken ones leave it as it is."""
        if self.books.is_broken:
            return
        self.poster.post_written(self.journal.number, self.journal.offset)
        assert self.books.calls == self.done

    def crash(self) -> None:
        """End without a word, and start again: whatever was not settled is lost, nothing is twice."""
        self.books.is_broken = False
        replay(self.folder, self.books.post, FakeClock())
        assert self.books.calls == self.done | {hold.id: lost(hold) for hold in self.open}
        assert segments(self.folder) == []
        assert replay(self.folder, self.books.post, FakeClock()) == 0


@settings(max_examples=60)
@given(steps=STEPS)
def test_after_any_steps_and_a_crash_every_call_is_in_the_books_once(steps: list[str | int]) -> None:
    with TemporaryDirectory() as folder:
        life = Life(Path(folder))
        for step in steps:
            life.take(step)
        life.journal.close()
        life.crash()


@settings(max_examples=100)
@given(steps=STEPS, part=st.floats(0, 1))
def test_a_crash_in_the_middle_of_a_line_loses_that_line_and_no_other(steps: list[str | int], part: float) -> None:
    with TemporaryDirectory() as folder:
        life = Life(Path(folder))
        for step in steps:
            life.take("hold" if step in {"post", "break", "mend"} else step)
        life.journal.close()
        last = segments(Path(folder))[-1]
        whole = last.read_bytes().rstrip(b"\0")
        cut = round(len(whole) * part)
        last.write_bytes(whole[:cut] + bytes(last.stat().st_size - cut))
        known = [line for line in lines(Path(folder)) if line is not None]
        replay(Path(folder), life.books.post, FakeClock())

    done = {line.hold.id: line for line in known if isinstance(line, Settlement)}
    held = {line.id: lost(line) for line in known if isinstance(line, Hold)}
    assert life.books.calls == held | done
    complete = whole[:cut].count(b"\n")
    assert complete >= whole.count(b"\n", 0, max(cut - 1, 0))
