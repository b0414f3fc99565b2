"""The file through which the supervisor tells gateways how an engine is."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenport.engines import condition_file
from qwenport.engines.engine import Condition, EngineState, Site

TARGET = "llama/tiny"
ENDED = Condition(state=EngineState.ENDED, reason="it crashed", restarts=3, resident_bytes=5)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(runtime_dir=tmp_path, models_dir=tmp_path, secret="s")


def test_what_was_written_is_read(site: Site) -> None:
    condition_file.write(site, TARGET, ENDED)

    assert condition_file.read(site, TARGET) == ENDED


def test_an_engine_is_loading_until_something_was_written(site: Site) -> None:
    assert condition_file.read(site, TARGET) == Condition(state=EngineState.LOADING)


def test_engines_of_similar_names_have_conditions_of_their_own(site: Site) -> None:
    condition_file.write(site, "a/b.c", ENDED)

    assert condition_file.read(site, "a.b/c") == Condition(state=EngineState.LOADING)


def test_nobody_else_can_read_it_and_no_other_file_is_left(site: Site) -> None:
    condition_file.write(site, TARGET, ENDED)
    condition_file.write(site, TARGET, ENDED)

    (only,) = site.runtime_dir.iterdir()
    assert only.stat().st_mode & 0o077 == 0


def test_a_failed_write_leaves_no_file_behind(site: Site) -> None:
    condition_file.path_of(site, TARGET).mkdir()

    with pytest.raises(OSError, match="directory"):
        condition_file.write(site, TARGET, ENDED)

    assert list(site.runtime_dir.iterdir()) == [condition_file.path_of(site, TARGET)]


def test_a_file_of_another_version_counts_as_loading(site: Site) -> None:
    condition_file.path_of(site, TARGET).write_text('{"state": "singing"}')

    assert condition_file.read(site, TARGET) == Condition(
        state=EngineState.LOADING, reason="the condition of `llama/tiny` cannot be read"
    )


def test_a_reader_sees_each_replacement(site: Site) -> None:
    reader = condition_file.ConditionReader(site, TARGET)
    seen = [reader.read()]
    condition_file.write(site, TARGET, ENDED)
    seen.append(reader.read())
    condition_file.write(site, TARGET, Condition(state=EngineState.READY))
    seen += [reader.read(), reader.read()]
    condition_file.path_of(site, TARGET).unlink()
    seen.append(reader.read())

    loading, ready = Condition(state=EngineState.LOADING), Condition(state=EngineState.READY)
    assert seen == [loading, ENDED, ready, ready, loading]
