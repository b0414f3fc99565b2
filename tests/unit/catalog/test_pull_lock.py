"""The lock of a pull: one holder at a time, and no file left over."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qwenport.catalog.pull_lock import pull_lock


def never() -> None:
    raise AssertionError("waited for a lock that is free")


def test_a_free_lock_is_held_without_waiting_and_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pull_lock(path, never):
        held = path.exists()
    assert (held, path.exists()) == (True, False)


def test_a_lock_file_that_a_killed_process_left_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with pull_lock(path, never):
        pass
    assert not path.exists()


def test_a_lock_is_freed_when_its_holder_fails(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(KeyboardInterrupt), pull_lock(path, never):
        raise KeyboardInterrupt
    with pull_lock(path, never):
        pass


def test_one_who_waited_holds_a_lock_that_newcomers_see(tmp_path: Path) -> None:
    # The file that was waited for is deleted by its holder: holding that one would keep nobody out.
    path = tmp_path / "lock"
    waits = threading.Event()

    def take() -> bool:
        with pull_lock(path, waits.set):
            return path.exists()

    with ThreadPoolExecutor(1) as threads:
        with pull_lock(path, never):
            second = threads.submit(take)
            assert waits.wait(30)
        assert second.result(30)

    assert not path.exists()


def test_one_who_gives_up_waiting_leaves_the_holder_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    def give_up() -> None:
        raise KeyboardInterrupt

    with pull_lock(path, never):
        with pytest.raises(KeyboardInterrupt), pull_lock(path, give_up):
            pass
        assert path.exists()
