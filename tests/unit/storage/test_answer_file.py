"""The file of the response cache: bounded, shared, and mended where it is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwenport.storage.answer_file import TOUCH_MS, AnswerFile

KEY = b"k" * 32


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.db"


@pytest.fixture
def file(path: Path) -> Iterator[AnswerFile]:
    opened = AnswerFile(path, 10_000)
    yield opened
    opened.close()


def test_an_answer_is_found_until_it_expires_and_no_older_than_asked(file: AnswerFile) -> None:
    file.put(KEY, b"answer", 1000, 5000)

    assert file.find(KEY, 4999, 1000) == b"answer"
    assert file.find(KEY, 5000, 1000) is None
    assert file.find(KEY, 2000, 1001) is None
    assert file.find(key(2), 2000, 0) is None


def test_a_later_answer_takes_the_place_of_the_former(file: AnswerFile) -> None:
    file.put(KEY, b"old", 1000, 5000)
    file.put(KEY, b"new", 2000, 9000)

    assert file.find(KEY, 8000, 2000) == b"new"


def test_it_tells_what_it_takes_on_the_disk(file: AnswerFile, tmp_path: Path) -> None:
    before = file.size_bytes
    file.put(KEY, b"x" * 5000, 1000, 5000)

    assert before == 0
    assert file.size_bytes == sum(path.stat().st_size for path in tmp_path.iterdir()) > 5000


def test_what_was_not_used_for_longest_goes_first(file: AnswerFile) -> None:
    for number in range(5):
        file.put(key(number), b"x" * 1700, number, 10**9)
    assert file.find(key(0), TOUCH_MS + 10, 0) is not None
    file.put(key(5), b"x" * 1700, TOUCH_MS + 20, 10**9)

    found = [number for number in range(6) if file.find(key(number), TOUCH_MS + 30, 0) is not None]
    assert found == [0, 3, 4, 5]
    assert file.held_bytes() <= 10_000


def test_what_has_expired_goes_before_what_has_not(file: AnswerFile) -> None:
    for number in range(5):
        file.put(key(number), b"x" * 1700, number, 100 if number > 2 else 10**9)
    file.put(key(5), b"x" * 1700, 200, 10**9)

    assert [number for number in range(6) if file.find(key(number), 99, 0) is not None] == [0, 1, 2, 5]


def test_an_answer_larger_than_the_cache_is_not_stored(file: AnswerFile) -> None:
    file.put(KEY, b"x" * 10_000, 1, 10**9)

    assert (file.find(KEY, 2, 0), file.held_bytes()) == (None, 0)


def test_two_workers_share_one_file(file: AnswerFile, path: Path) -> None:
    other = AnswerFile(path, 10_000)
    file.put(KEY, b"answer", 1, 10**9)

    assert other.find(KEY, 2, 0) == b"answer"
    other.close()


def test_a_damaged_answer_is_removed(file: AnswerFile, path: Path) -> None:
    file.put(KEY, b"answer", 1, 10**9)
    file.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET content = x'00'")
    connection.close()

    assert (file.find(KEY, 2, 0), file.held_bytes()) == (None, 0)
