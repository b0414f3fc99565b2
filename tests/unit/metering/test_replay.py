"""From journal to books, while the gateway runs and after it has ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.journal import Journal, segments
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.metering.replay import BATCH, Poster, replay
from qwenport.testing.clock import FakeClock


def a_hold(number: int) -> Hold:
    return Hold(
        id=RequestId(f"request-{number}"),
        at=float(number),
        expires_at=float(number + 1),
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


def settled(number: int) -> Settlement:
    return Settlement(hold=a_hold(number), at=9.0, outcome=Outcome.FINISHED, status=200)


class Post:
    """Remembers the batches; refuses from a given batch on."""

    def __init__(self, refuse_from: int | None = None) -> None:
        self.batches: list[Sequence[Settlement]] = []
        self.refuse_from = refuse_from

    def __call__(self, settlements: Sequence[Settlement]) -> int:
        if self.refuse_from is not None and len(self.batches) >= self.refuse_from:
            raise StorageUnavailable("the books are away")
        self.batches.append(list(settlements))
        return len(settlements)

    @property
    def posted(self) -> list[Settlement]:
        return [settlement for batch in self.batches for settlement in batch]


FIRST_VERSION = b"".join(
    (
        b'244fe6b4 {"line":"hold","id":"request-1","at":1.0,"expires_at":2.0,"key_id":"key-1","account_id":"acc-1",',
        b'"currency":"CNY","model":"qwen-plus","face":"openai","operation":"chat.completions","streams":false,',
        b'"input_tokens":1,"output_tokens":1}\n',
        b'13016599 {"line":"hold","id":"request-2","at":2.0,"expires_at":3.0,"key_id":"key-1","account_id":"acc-1",',
        b'"currency":"CNY","model":"qwen-plus","face":"openai","operation":"chat.completions","streams":false,',
        b'"input_tokens":1,"output_tokens":1}\n',
        b'b2c549f9 {"line":"settle","hold":{"line":"hold","id":"request-1","at":1.0,"expires_at":2.0,',
        b'"key_id":"key-1","account_id":"acc-1","currency":"CNY","model":"qwen-plus","face":"openai",',
        b'"operation":"chat.completions","streams":false,"input_tokens":1,"output_tokens":1},"at":9.0,',
        b'"outcome":"finished","status":200,"error":"","served_by":"engine/model","input_tokens":5,',
        b'"output_tokens":6,"cached_tokens":2,"usage_source":"engine","first_event_ms":7,"total_ms":8}\n',
    )
)
"""A journal as the first version wrote it: before workspaces, limits, and prices that the gate decides."""


def journal_of(folder: Path, count: int) -> Journal:
    journal = Journal(folder)
    for number in range(count):
        journal.hold(a_hold(number))
        journal.settle(settled(number))
    return journal


def test_what_is_written_is_posted_once(tmp_path: Path) -> None:
    journal, post = journal_of(tmp_path, 3), Post()
    poster = Poster(journal, post)
    poster.post_written(journal.number, journal.offset)
    poster.post_written(journal.number, journal.offset)
    journal.hold(a_hold(3))
    journal.settle(settled(3))
    poster.post_written(journal.number, journal.offset)
    journal.close()

    assert post.batches == [[settled(0), settled(1), settled(2)], [settled(3)]]


def test_a_place_that_lies_behind_is_not_gone_back_to(tmp_path: Path) -> None:
    journal, post = journal_of(tmp_path, 1), Post()
    middle = journal.offset
    journal.hold(a_hold(1))
    journal.settle(settled(1))
    poster = Poster(journal, post)
    poster.post_written(journal.number, middle)
    assert post.posted == [settled(0)]
    poster.post_written(journal.number, journal.offset)
    poster.post_written(journal.number, middle)
    journal.close()

    assert post.posted == [settled(0), settled(1)]


def test_batches_that_were_posted_before_the_books_failed_are_not_posted_again(tmp_path: Path) -> None:
    journal, post = journal_of(tmp_path, BATCH + 10), Post(refuse_from=1)
    poster = Poster(journal, post)
    with pytest.raises(StorageUnavailable):
        poster.post_written(journal.number, journal.offset)
    assert len(post.posted) == BATCH
    post.refuse_from = None
    poster.post_written(journal.number, journal.offset)
    journal.close()

    assert post.posted == [settled(number) for number in range(BATCH + 10)]


def test_a_file_is_dropped_once_all_of_it_is_posted_and_not_while_the_books_fail(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    post = Post(refuse_from=0)
    poster = Poster(journal, post)
    for number in range(20):
        journal.hold(a_hold(number))
        journal.settle(settled(number))
    files = segments(tmp_path)
    assert len(files) > 2
    with pytest.raises(StorageUnavailable):
        poster.post_written(journal.number, journal.offset)
    assert segments(tmp_path) == files
    post.refuse_from = None
    poster.post_written(journal.number, journal.offset)
    journal.close()

    assert segments(tmp_path) == files[-1:]
    assert post.posted == [settled(number) for number in range(20)]


def test_what_a_dead_slot_left_is_posted_and_cleared_and_open_calls_are_lost(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, 2)
    journal.hold(a_hold(7))
    journal.close()
    clock, post = FakeClock(), Post()

    assert replay(tmp_path, post, clock) == 3
    lost = Settlement(hold=a_hold(7), at=clock.timestamp(), outcome=Outcome.LOST, status=500, error="lost")
    assert post.batches == [[settled(0), settled(1)], [lost]]
    assert list(tmp_path.iterdir()) == []


def test_a_slot_is_left_as_it_is_while_the_books_fail(tmp_path: Path) -> None:
    journal_of(tmp_path, 2).close()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(StorageUnavailable):
        replay(tmp_path, Post(refuse_from=0), FakeClock())

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_slot_without_files_is_nothing(tmp_path: Path) -> None:
    assert replay(tmp_path / "never-made", Post(), FakeClock()) == 0


def test_a_damaged_line_is_passed_over_and_its_file_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = journal_of(tmp_path, 3)
    journal.close()
    [path] = segments(tmp_path)
    lines = path.read_bytes().split(b"\n")
    lines[3] = lines[3][:20] + b"~" + lines[3][21:]
    path.write_bytes(b"\n".join(lines))
    post = Post()
    with caplog.at_level(logging.ERROR):
        replay(tmp_path, post, FakeClock())

    # The second call's settlement is the damaged line; its hold is read, so it counts as lost.
    assert [(each.hold.id, each.outcome) for each in post.posted] == [
        ("request-0", "finished"),
        ("request-2", "finished"),
        ("request-1", "lost"),
    ]
    assert [each.name for each in tmp_path.iterdir()] == ["000000000001.damaged"]
    assert "a damaged line" in caplog.text


def test_the_journal_of_the_first_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "000000000001.journal").write_bytes(FIRST_VERSION + bytes(100))
    clock, post = FakeClock(), Post()

    assert replay(tmp_path, post, clock) == 2
    assert post.posted == [
        Settlement(
            hold=a_hold(1),
            at=9.0,
            outcome=Outcome.FINISHED,
            status=200,
            served_by="engine/model",
            input_tokens=5,
            output_tokens=6,
            cached_tokens=2,
            usage_source="engine",
            priced=False,
            first_event_ms=7,
            total_ms=8,
        ),
        Settlement(hold=a_hold(2), at=clock.timestamp(), outcome=Outcome.LOST, status=500, error="lost"),
    ]


def test_a_gateway_that_runs_does_not_read_its_own_holds_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal, post = journal_of(tmp_path, 1), Post()
    [path] = segments(tmp_path)
    hold_line, rest = path.read_bytes().split(b"\n", 1)
    with path.open("r+b") as file:
        file.write(hold_line[:-2] + b"~}\n" + rest)
    with caplog.at_level(logging.ERROR):
        Poster(journal, post).post_written(journal.number, journal.offset)
    journal.close()

    assert (post.posted, caplog.text) == ([settled(0)], "")
