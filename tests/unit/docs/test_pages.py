"""Pages hang together: links lead somewhere, both languages say the same, examples are what they claim to be."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.settings.configuration_file import ConfigurationFile
from qwenport.settings.settings import load_settings

Fences = Callable[[Path, str], list[str]]
Rows = Callable[[Path], list[list[str]]]
Prose = Callable[[Path], str]

LANGUAGES = ("en", "zh")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
PAGES = (
    "index",
    "start",
    "clients",
    "apps",
    "files",
    "embeddings",
    "models",
    "accounts",
    "limits",
    "prices",
    "database",
    "api",
    "parameters",
    "errors",
    "operations",
    "books",
    "security",
)

NAMING = (
    "files",
    "embeddings",
    "models",
    "accounts",
    "limits",
    "prices",
    "database",
    "api",
    "parameters",
    "errors",
    "operations",
    "books",
    "security",
)
"""Pages whose code spans are what they are about."""


def test_every_link_within_the_repository_leads_to_a_file(pages: list[Path], prose: Prose) -> None:
    targets = [(page, target.partition("#")[0]) for page in pages for target in LINK.findall(prose(page))]
    broken = [
        f"{page.name}: {target}"
        for page, target in targets
        if target and "://" not in target and not (page.parent / target).exists()
    ]

    assert len(targets) > len(PAGES)
    assert broken == []


def test_every_decision_is_found_from_the_index(root: Path, prose: Prose) -> None:
    decisions = {f"../decisions/{path.name}" for path in (root / "docs/decisions").glob("*.md")}

    for language in LANGUAGES:
        links = set(LINK.findall(prose(root / "docs" / language / "index.md")))
        assert {link for link in links if link.startswith("../decisions/")} == decisions


def test_both_languages_have_the_same_pages(root: Path) -> None:
    english, chinese = ({path.name for path in (root / "docs" / each).iterdir()} for each in LANGUAGES)

    assert english == chinese
    assert english >= {f"{name}.md" for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_structure(name: str, root: Path, prose: Prose, rows: Rows) -> None:
    english, chinese = (root / "docs" / each / f"{name}.md" for each in LANGUAGES)

    assert HEADING.findall(prose(chinese)) == HEADING.findall(prose(english))
    assert [len(row) for row in rows(chinese)] == [len(row) for row in rows(english)]


@pytest.mark.parametrize("name", NAMING)
def test_both_languages_name_the_same_things(name: str, root: Path, prose: Prose) -> None:
    english, chinese = (Counter(CODE.findall(prose(root / "docs" / each / f"{name}.md"))) for each in LANGUAGES)

    assert chinese == english


def test_every_json_example_parses(pages: list[Path], fences: Fences) -> None:
    examples = [example for page in pages for example in fences(page, "json")]

    assert len(examples) > 10
    for example in examples:
        json.loads(example)


def test_every_python_example_compiles(pages: list[Path], fences: Fences) -> None:
    examples = [(page, example) for page in pages for example in fences(page, "python")]

    assert len(examples) > 10
    for page, example in examples:
        compile(example, str(page), "exec")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_models_of_the_examples_are_taken_by_the_catalog_with_their_routes(
    language: str, root: Path, fences: Fences, tmp_path: Path
) -> None:
    files = [text for text in fences(root / "docs" / language / "models.md", "toml") if tomllib.loads(text).get("name")]
    for number, text in enumerate(files):
        (tmp_path / f"{number}.toml").write_text(text, "utf-8")
    (routes,) = (text for text in fences(root / "docs" / language / "models.md", "toml") if text not in files)
    (tmp_path / "qwenport.toml").write_text(routes, "utf-8")
    settings = load_settings({"QWENPORT_CONFIG": str(tmp_path / "qwenport.toml")}, tmp_path)
    (tmp_path / "qwenport.toml").unlink()
    catalog = Catalog.load(tmp_path).with_routes(settings.routes)

    assert catalog.cards["qwen3-0.6b"].route == ("llama/qwen3-0.6b",)
    assert not catalog.cards["qwen3-0.6b"].stands_in
    assert catalog.engine_models["llama/qwen3-4b"].url == "http://10.0.0.5:8080"
    assert catalog.cards["qwen-plus"].route == ("llama/qwen3-0.6b", "llama/smollm2-135m-instruct")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_configuration_file_of_the_manual_holds_the_defaults(
    language: str, root: Path, fences: Fences, tmp_path: Path
) -> None:
    (text,) = fences(root / "docs" / language / "operations.md", "toml")
    path = tmp_path / "qwenport.toml"
    path.write_text(text, "utf-8")

    assert load_settings({"QWENPORT_CONFIG": str(path)}, tmp_path).file == ConfigurationFile()
    assert set(tomllib.loads(text)["server"]) == set(ConfigurationFile().server.__struct_fields__)


def test_the_readme_can_be_read_in_one_go(root: Path) -> None:
    assert len((root / "README.md").read_text("utf-8").splitlines()) <= 120
