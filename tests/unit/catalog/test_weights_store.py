"""Weights on disk: a file is whole and pinned, or not there at all."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.catalog.errors import (
    DiskFull,
    ModelsDirectoryUnusable,
    PullFailed,
    SourceFileMissing,
    WeightsAbsent,
    WeightsCorrupt,
    WeightsMismatch,
)
from qwenport.catalog.weights import WeightsStore

CONTENT = b"weights " * 400_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE_NAME = f"tiny-{DIGEST[:12]}.gguf"


class RecordedProgress:
    """Remembers what it was told; `on_advance` and `on_say` let a test act in the middle of a transfer."""

    def __init__(
        self, on_advance: Callable[[], object] = lambda: None, on_say: Callable[[], object] = lambda: None
    ) -> None:
        self.phases: list[tuple[str, int | None, int]] = []
        self.said: list[str] = []
        self.open_phases = 0
        self._on_advance = on_advance
        self._on_say = on_say

    def begin(self, label: str, total_bytes: int | None) -> None:
        self.phases.append((label, total_bytes, 0))
        self.open_phases += 1

    def advance(self, count_bytes: int) -> None:
        label, total, so_far = self.phases[-1]
        self.phases[-1] = (label, total, so_far + count_bytes)
        self._on_advance()

    def say(self, text: str) -> None:
        self.said.append(text)
        self._on_say()

    def end(self) -> None:
        self.open_phases -= 1


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.gguf"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def store(models: Path) -> WeightsStore:
    return WeightsStore(models)


def model_of(source: Path, *, sha256: str = DIGEST, size_bytes: int = len(CONTENT)) -> EngineModel:
    weights = Weights(source=f"file:{source}", sha256=sha256, size_bytes=size_bytes, licence="Apache-2.0")
    return EngineModel(name="tiny", kind="llama", weights=weights, context_tokens=1, slots=1)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@contextmanager
def greatest_file(size_bytes: int) -> Iterator[None]:
    """Let the system refuse to write files beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_is_named_for_the_model_and_the_first_digits_of_its_digest(
    store: WeightsStore, source: Path, models: Path
) -> None:
    assert store.path(model_of(source)) == models / FILE_NAME


def test_pulling_puts_the_whole_file_and_nothing_else_into_the_directory(
    store: WeightsStore, source: Path, models: Path
) -> None:
    path = store.pull(model_of(source), RecordedProgress())

    assert path == models / FILE_NAME
    assert path.read_bytes() == CONTENT
    assert names_in(models) == [FILE_NAME]


def test_a_pulled_file_has_the_permissions_of_any_new_file(store: WeightsStore, source: Path) -> None:
    path = store.pull(model_of(source), RecordedProgress())
    assert path.stat().st_mode == source.stat().st_mode


def test_progress_tells_every_byte_of_the_known_length(store: WeightsStore, source: Path) -> None:
    progress = RecordedProgress()

    store.pull(model_of(source), progress)

    assert progress.phases == [(f"Checking {FILE_NAME}", len(CONTENT), len(CONTENT))]
    assert progress.open_phases == 0


def test_a_file_that_is_there_and_whole_is_not_fetched_again(store: WeightsStore, source: Path) -> None:
    store.pull(model_of(source), RecordedProgress())
    source.unlink()
    progress = RecordedProgress()

    store.pull(model_of(source), progress)

    assert (progress.phases, progress.said) == ([], ["The weights of tiny are already there and whole"])


def test_presence_is_told_by_the_size_alone(store: WeightsStore, source: Path, models: Path) -> None:
    model = model_of(source)
    found = [store.is_present(model)]
    models.mkdir()
    (models / FILE_NAME).write_bytes(CONTENT[:-1])
    found.append(store.is_present(model))
    (models / FILE_NAME).write_bytes(bytes(len(CONTENT)))
    found.append(store.is_present(model))

    assert found == [False, False, True]


def test_a_directory_of_the_files_name_is_no_presence(store: WeightsStore, source: Path, models: Path) -> None:
    (models / FILE_NAME).mkdir(parents=True)
    size = (models / FILE_NAME).stat().st_size
    assert not store.is_present(model_of(source, size_bytes=size))


def test_a_whole_file_passes_verification(store: WeightsStore, source: Path) -> None:
    store.pull(model_of(source), RecordedProgress())
    store.verify(model_of(source))


def test_a_file_that_is_not_there_fails_verification_with_the_command_that_fetches_it(
    store: WeightsStore, source: Path
) -> None:
    with pytest.raises(WeightsAbsent, match="run `qwenport models pull tiny`"):
        store.verify(model_of(source))


def test_a_models_directory_that_is_a_file_holds_no_weights(source: Path) -> None:
    with pytest.raises(WeightsAbsent):
        WeightsStore(source).verify(model_of(source))


def test_a_corrupt_file_of_the_right_size_fails_verification_with_both_digests(
    store: WeightsStore, source: Path
) -> None:
    path = store.pull(model_of(source), RecordedProgress())
    corrupt = bytes(len(CONTENT))
    path.write_bytes(corrupt)

    with pytest.raises(WeightsCorrupt, match=f"{DIGEST}, found .* {hashlib.sha256(corrupt).hexdigest()}"):
        store.verify(model_of(source))


def test_a_directory_in_the_files_place_is_corrupt(store: WeightsStore, source: Path, models: Path) -> None:
    (models / FILE_NAME).mkdir(parents=True)
    with pytest.raises(WeightsCorrupt, match="cannot be read"):
        store.verify(model_of(source))


def test_a_corrupt_file_is_pulled_anew(store: WeightsStore, source: Path) -> None:
    path = store.pull(model_of(source), RecordedProgress())
    path.write_bytes(bytes(len(CONTENT)))
    progress = RecordedProgress()

    store.pull(model_of(source), progress)

    assert path.read_bytes() == CONTENT
    assert progress.said[0].startswith("Fetching the weights anew: ")


def test_a_corrupt_file_is_not_left_for_an_engine_when_it_cannot_be_pulled_anew(
    store: WeightsStore, source: Path, models: Path
) -> None:
    store.pull(model_of(source), RecordedProgress()).write_bytes(bytes(len(CONTENT)))
    source.unlink()

    with pytest.raises(SourceFileMissing):
        store.pull(model_of(source), RecordedProgress())

    assert names_in(models) == []


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (len(CONTENT) + 1, f"expected {len(CONTENT) + 1} bytes, found {len(CONTENT)} bytes"),
        (10, "expected 10 bytes, found more than 10 bytes"),
    ],
)
def test_a_source_of_another_size_is_refused_and_nothing_is_kept(
    store: WeightsStore, source: Path, models: Path, size_bytes: int, words: str
) -> None:
    with pytest.raises(WeightsMismatch, match=words):
        store.pull(model_of(source, size_bytes=size_bytes), RecordedProgress())
    assert names_in(models) == []


def test_a_source_with_another_digest_is_refused_with_both_and_nothing_is_kept(
    store: WeightsStore, source: Path, models: Path
) -> None:
    with pytest.raises(WeightsMismatch, match=f"expected SHA-256 {'0' * 64}, found SHA-256 {DIGEST}"):
        store.pull(model_of(source, sha256="0" * 64), RecordedProgress())
    assert names_in(models) == []


def test_a_source_that_never_ends_is_read_no_further_than_a_chunk_beyond_its_pinned_size(
    store: WeightsStore, source: Path
) -> None:
    progress = RecordedProgress()
    with pytest.raises(WeightsMismatch):
        store.pull(model_of(source, size_bytes=10), progress)
    assert progress.phases[0][2] == 1 << 20


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a defect"), KeyError("a defect")])
def test_a_pull_that_is_broken_off_in_the_middle_leaves_nothing_behind(
    store: WeightsStore, source: Path, models: Path, error: BaseException
) -> None:
    def break_off() -> None:
        raise error

    progress = RecordedProgress(on_advance=break_off)

    with pytest.raises(type(error)) as caught:
        store.pull(model_of(source), progress)

    assert caught.value is error
    assert names_in(models) == []
    assert progress.open_phases == 0


def test_a_terminal_that_is_gone_is_not_taken_for_a_fault_of_the_disk(store: WeightsStore, source: Path) -> None:
    def break_off() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        store.pull(model_of(source), RecordedProgress(on_advance=break_off))


def test_what_a_killed_pull_left_behind_is_cleared_away_and_hinders_nobody(
    store: WeightsStore, source: Path, models: Path
) -> None:
    left = models / f".pull-{FILE_NAME}-k1ll3d"
    left.mkdir(parents=True)
    (left / "partial").write_bytes(b"half")
    (models / f".pull-{FILE_NAME}.lock").touch()

    store.pull(model_of(source), RecordedProgress())

    assert names_in(models) == [FILE_NAME]


def test_a_second_pull_waits_for_the_first_and_takes_its_file(store: WeightsStore, source: Path, models: Path) -> None:
    first_copies, second_waits = threading.Event(), threading.Event()

    def hold() -> None:
        first_copies.set()
        assert second_waits.wait(30)

    first, second = RecordedProgress(on_advance=hold), RecordedProgress(on_say=second_waits.set)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(store.pull, model_of(source), first)
        assert first_copies.wait(30)
        two = threads.submit(store.pull, model_of(source), second)
        paths = one.result(30), two.result(30)

    assert paths == (models / FILE_NAME, models / FILE_NAME)
    assert second.phases == []
    assert second.said == [
        "Waiting for another pull of tiny to end",
        "The weights of tiny are already there and whole",
    ]
    assert names_in(models) == [FILE_NAME]


def test_of_many_pulls_at_once_exactly_one_copies(store: WeightsStore, source: Path, models: Path) -> None:
    progresses = [RecordedProgress() for _ in range(8)]
    together = threading.Barrier(len(progresses), timeout=30)

    def pull(progress: RecordedProgress) -> Path:
        together.wait()
        return store.pull(model_of(source), progress)

    with ThreadPoolExecutor(len(progresses)) as threads:
        paths = list(threads.map(pull, progresses))

    assert paths == [models / FILE_NAME] * len(progresses)
    assert sum(len(progress.phases) for progress in progresses) == 1
    assert names_in(models) == [FILE_NAME]


def test_a_second_pull_takes_over_where_the_first_failed(store: WeightsStore, source: Path, models: Path) -> None:
    first_copies, second_waits = threading.Event(), threading.Event()

    def hold_and_fail() -> None:
        first_copies.set()
        assert second_waits.wait(30)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(store.pull, model_of(source), RecordedProgress(on_advance=hold_and_fail))
        assert first_copies.wait(30)
        two = threads.submit(store.pull, model_of(source), RecordedProgress(on_say=second_waits.set))
        assert isinstance(one.exception(30), KeyboardInterrupt)
        assert two.result(30) == models / FILE_NAME

    assert names_in(models) == [FILE_NAME]


def test_a_full_disk_is_told_with_the_room_that_is_needed_and_nothing_is_kept(
    store: WeightsStore, source: Path, models: Path
) -> None:
    words = rf"no room in `{re.escape(str(models))}` .*: the file has {len(CONTENT)} bytes"
    with greatest_file(1 << 20), pytest.raises(DiskFull, match=words):
        store.pull(model_of(source), RecordedProgress())
    assert names_in(models) == []


def test_a_models_directory_that_cannot_be_made_is_told_with_its_path(source: Path) -> None:
    models = source / "models"
    words = f"the models directory `{re.escape(str(models))}` cannot be used .*`QWENPORT_MODELS_DIR`"
    with pytest.raises(ModelsDirectoryUnusable, match=words):
        WeightsStore(models).pull(model_of(source), RecordedProgress())


def test_a_directory_in_the_files_place_is_told_and_kept(store: WeightsStore, source: Path, models: Path) -> None:
    (models / FILE_NAME).mkdir(parents=True)
    with pytest.raises(ModelsDirectoryUnusable):
        store.pull(model_of(source), RecordedProgress())
    assert names_in(models) == [FILE_NAME]


def test_a_source_file_that_is_not_there_is_told_with_its_path(store: WeightsStore, tmp_path: Path) -> None:
    with pytest.raises(SourceFileMissing, match=re.escape(f"there is no file at `{tmp_path}/absent.gguf`")):
        store.pull(model_of(tmp_path / "absent.gguf"), RecordedProgress())


def test_a_pipe_is_no_source_and_is_not_waited_for(store: WeightsStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(SourceFileMissing):
        store.pull(model_of(tmp_path / "pipe.gguf"), RecordedProgress())


def test_a_source_that_the_system_cannot_name_is_told_as_such(store: WeightsStore, tmp_path: Path) -> None:
    with pytest.raises(SourceFileMissing):
        store.pull(model_of(tmp_path / ("a" * 300)), RecordedProgress())


def test_every_failure_of_a_pull_is_of_one_class() -> None:
    assert {DiskFull, ModelsDirectoryUnusable, SourceFileMissing, WeightsMismatch} <= set(PullFailed.__subclasses__())


def test_removing_tells_whether_there_was_a_file(store: WeightsStore, source: Path, models: Path) -> None:
    before = store.remove(model_of(source))
    path = store.pull(model_of(source), RecordedProgress())

    assert (before, store.remove(model_of(source)), names_in(models)) == ((), (path,), [])


SIGHT = b"sight"
SIGHT_DIGEST = hashlib.sha256(SIGHT).hexdigest()


@pytest.fixture
def seeing(source: Path, tmp_path: Path) -> EngineModel:
    """Return a model of two files."""
    (tmp_path / "sight.gguf").write_bytes(SIGHT)
    projector = Weights(
        source=f"file:{tmp_path / 'sight.gguf'}", sha256=SIGHT_DIGEST, size_bytes=len(SIGHT), licence="Apache-2.0"
    )
    return replace(model_of(source), projector=projector)


def test_all_files_of_a_model_come_and_go_together(store: WeightsStore, models: Path, seeing: EngineModel) -> None:
    projector = models / f"tiny-projector-{SIGHT_DIGEST[:12]}.gguf"
    path = store.pull(seeing, RecordedProgress())
    found = (names_in(models), projector.read_bytes(), store.is_present(seeing))

    assert found == (sorted([FILE_NAME, projector.name]), SIGHT, True)
    assert (store.remove(seeing), names_in(models)) == ((path, projector), [])


def test_a_model_is_whole_only_with_all_of_its_files(store: WeightsStore, models: Path, seeing: EngineModel) -> None:
    store.pull(seeing, RecordedProgress())
    version = store.version(seeing)
    projector = models / f"tiny-projector-{SIGHT_DIGEST[:12]}.gguf"
    projector.write_bytes(SIGHT.swapcase())

    assert version is not None
    assert len(version) == 2
    with pytest.raises(WeightsCorrupt, match=f"the weights at `{projector}` are not the pinned ones"):
        store.verify(seeing)
    projector.unlink()
    assert (store.is_present(seeing), store.version(seeing)) == (False, None)
    with pytest.raises(WeightsAbsent, match=r"of `tiny-projector` are not at .*; run `qwenport models pull tiny`"):
        store.verify(seeing)
    store.pull(seeing, RecordedProgress())
    assert store.is_present(seeing)
