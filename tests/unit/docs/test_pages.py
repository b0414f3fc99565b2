"""Pages hang together: links lead somewhere, both languages say the same, examples are what they claim to be."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from qwenport.app.operators_catalog import load_catalog
from qwenport.app.places import places
from qwenport.app.reload import read_configuration
from qwenport.catalog.catalog import Catalog
from qwenport.core.clock import SystemClock
from qwenport.core.ids import RequestId
from qwenport.core.ocr import OcrTask
from qwenport.core.secret import Secret
from qwenport.engines.ocr.result_text import fenced, result_text
from qwenport.engines.ocr.value_places import ValuePlace, told_places, value_at
from qwenport.engines.upstream.regions import REGIONS
from qwenport.pipeline.inspection.webhook import SIGNATURE, Question, Webhook
from qwenport.settings.configuration_file import ConfigurationFile
from qwenport.settings.settings import Settings, load_settings

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
    "ocr",
    "models",
    "upstreams",
    "routing",
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
    "ocr",
    "models",
    "upstreams",
    "routing",
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

    assert catalog.cards["our-qwen3"].route == ("llama/our-qwen3",)
    assert not catalog.cards["our-qwen3"].stands_in
    assert [file.table for file in catalog.engine_models["llama/our-vision"].files] == ["weights", "projector"]
    assert catalog.engine_models["llama/qwen3-4b"].url == "http://10.0.0.5:8080"
    assert catalog.cards["qwen-plus"].route == ("llama/qwen3-0.6b", "llama/smollm2-135m-instruct")


REQUEST_ID = RequestId("01a205ab-3abd-9716-daad-6916aa6af8fc")
KEYS = dict.fromkeys(("BEIJING_API_KEY", "FRANKFURT_API_KEY", "ATTIC_API_KEY"), "sk-0123456789abcdef")
"""Variables that the examples name."""
UPSTREAMS = """
[[upstreams]]
name = "beijing"
kind = "openai"
base_url = "http://127.0.0.1:8000/v1"

[[upstreams]]
name = "frankfurt"
kind = "openai"
base_url = "http://127.0.0.1:8001/v1"

[[upstreams]]
name = "cellar"
kind = "openai"
base_url = "http://127.0.0.1:8002/v1"
"""
"""Those that the page on routing speaks of."""


def configured(text: str, folder: Path, secrets: dict[str, str]) -> tuple[Settings, Catalog]:
    """Return what a server would make of a configuration file in its data directory; raises what it would refuse."""
    (folder / "qwenport.toml").write_text(text, "utf-8")
    settings = load_settings({**secrets, "QWENPORT_DATA_DIR": str(folder)}, folder)
    return settings, load_catalog(settings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_upstreams_of_the_examples_are_taken_with_their_routes_and_model_files(
    language: str, root: Path, fences: Fences, tmp_path: Path
) -> None:
    alibaba, own, *cards = fences(root / "docs" / language / "upstreams.md", "toml")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "cellar").touch(mode=0o600)
    (tmp_path / "keys" / "cellar").write_text("token-of-the-cellar", "utf-8")
    (tmp_path / "catalog").mkdir()
    for number, card in enumerate(cards):
        (tmp_path / "catalog" / f"{number}.toml").write_text(card, "utf-8")

    settings, catalog = configured(alibaba, tmp_path, KEYS)
    assert [place.base_urls for place in places(settings)] == [
        ("https://dashscope.aliyuncs.com/compatible-mode/v1",),
        ("https://ws-1a2b3c.eu-central-1.maas.aliyuncs.com/compatible-mode/v1",),
    ]
    assert catalog.cards["qwen-plus"].route == ("beijing/qwen-plus", "frankfurt/qwen-plus")
    assert [catalog.cards[name].route for name in ("qwen3-235b-a22b", "wanx2.1-t2i-turbo")] == [(), ()]
    settings, catalog = configured(own, tmp_path, KEYS)
    assert [len(place.base_urls) for place in places(settings)] == [2, 1]
    assert catalog.cards["qwen3-8b"].route == ("cellar/Qwen/Qwen3-8B", "attic/Qwen/Qwen3-8B")
    assert not catalog.cards["qwen3-8b"].stands_in


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_regions_is_that_of_the_upstreams(language: str, root: Path, rows: Rows) -> None:
    of_a_region = [row for row in rows(root / "docs" / language / "upstreams.md") if "maas.aliyuncs.com" in row[-1]]
    said = [[CODE.findall(cell) for cell in row[1:]] for row in of_a_region]

    assert said == [
        [
            [region.name],
            [region.shared_host or "workspace"],
            [f"{{workspace}}.{region.id}.maas.aliyuncs.com"],
        ]
        for region in REGIONS.values()
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_routes_cache_and_check_of_the_examples_are_taken(
    language: str, root: Path, fences: Fences, tmp_path: Path
) -> None:
    routes, cache, check = fences(root / "docs" / language / "routing.md", "toml")
    (tmp_path / "words.txt").write_text("word\n", "utf-8")

    _, catalog = configured(UPSTREAMS + routes, tmp_path, {})
    assert [route.account for route in catalog.routes_of("qwen-plus")] == ["acc-77a899dc6bf9", ""]
    assert catalog.cards["qwen-turbo"].route == ("beijing/qwen-flash", "cellar/Qwen/Qwen3-8B")
    settings, catalog = configured(UPSTREAMS + cache, tmp_path, {})
    assert catalog.routes_of("text-embedding-v4")[-1].cache_s == 86_400
    assert settings.warnings == ()
    settings, _ = configured(check, tmp_path, {"CHECK_SECRET": "secret of the check"})
    assert read_configuration(settings).words is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_check_that_verifies_as_the_manual_shows_takes_what_is_signed(
    language: str, root: Path, fences: Fences
) -> None:
    (text,) = fences(root / "docs" / language / "routing.md", "python")
    example: dict[str, Any] = {}
    exec(text, example)  # noqa: S102 - our own page
    signature, body = asyncio.run(asked_by_the_webhook("secret"))

    assert example["is_genuine"](signature, body, b"secret")
    assert not example["is_genuine"](signature, body + b" ", b"secret")
    assert not example["is_genuine"](signature, body, b"another")


async def asked_by_the_webhook(secret: str) -> tuple[str, bytes]:
    """Return signature and body of a question as the check of an operator gets it."""
    got: list[tuple[str, bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        got.append((request.headers[SIGNATURE], await request.read()))
        return web.json_response({"allowed": True})

    application = web.Application()
    application.router.add_post("/", answer)
    async with TestServer(application) as server:
        webhook = Webhook(str(server.make_url("/")), Secret(secret), SystemClock(), answer_s=10.0)
        question = Question(request_id=REQUEST_ID, direction="input", model="qwen-plus", texts=("Hello.",))
        assert await webhook.permits(question)
        await webhook.close()
    return got[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_model_that_can_be_pulled_has_its_row_with_its_size_and_memory(
    language: str, root: Path, rows: Rows
) -> None:
    shipped = Catalog.load()
    said = {
        CODE.findall(row[0])[0]: tuple(row[1:3])
        for row in rows(root / "docs" / language / "models.md")
        if len(row) == 4 and row[1].replace(".", "").isdecimal()
    }
    pulled = [model for model in shipped.engine_models.values() if model.name in shipped.of_model_studio]

    assert said == {
        model.name: (f"{model.size_bytes / (1 << 30):.2f}", f"{model.memory_bytes(1) / (1 << 30):.2f}")
        for model in pulled
    }
    assert f"{len(shipped.of_model_studio)} " in (root / "docs" / language / "models.md").read_text("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_route_of_the_page_on_ocr_goes_to_a_model_that_sees_and_then_to_the_one_that_reads(
    language: str, root: Path, fences: Fences, tmp_path: Path
) -> None:
    (routes,) = fences(root / "docs" / language / "ocr.md", "toml")
    _, catalog = configured(routes, tmp_path, {})

    sees, reads = catalog.cards["qwen-vl-ocr-latest"].route
    assert catalog.engine_models[sees].projector is not None
    assert reads == "ocr/pp-ocrv6-small"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_ocr_has_a_row_for_each_task(language: str, root: Path, rows: Rows) -> None:
    named = {code for row in rows(root / "docs" / language / "ocr.md") for code in CODE.findall(row[0])}

    assert named >= set(OcrTask)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answers_of_the_page_on_ocr_have_the_shape_that_is_given(language: str, root: Path, fences: Fences) -> None:
    fields, line, place = (json.loads(text) for text in fences(root / "docs" / language / "ocr.md", "json"))

    said = json.loads(fields["text"].removeprefix("```json\n").removesuffix("\n```"))
    assert fields["ocr_result"] == {"kv_result": said}
    assert fields["text"] == fenced(result_text(json.dumps(fields["ocr_result"]).encode()), "json")
    left, top, *_ = line["location"]
    middle_x, middle_y, width, height, angle = line["rotate_rect"]
    assert abs(middle_x - width / 2 - left) <= 1
    assert abs(middle_y - height / 2 - top) <= 1
    assert angle == 0
    assert value_at(said, tuple(place["path"])) == "杨静怡"
    quads = tuple((x0, y0, x1, y1, x2, y2, x3, y3) for x0, y0, x1, y1, x2, y2, x3, y3 in place["locations"])
    told = ValuePlace(path=tuple(place["path"]), quads=quads, score=place["score"])
    assert json.loads(json.dumps(told_places([told]))) == [place]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_configuration_file_of_the_manual_holds_the_defaults(
    language: str, root: Path, fences: Fences, tmp_path: Path
) -> None:
    (text,) = fences(root / "docs" / language / "operations.md", "toml")
    path = tmp_path / "qwenport.toml"
    path.write_text(text, "utf-8")

    assert load_settings({"QWENPORT_CONFIG": str(path)}, tmp_path).file == ConfigurationFile()
    defaults = ConfigurationFile()
    for name, table in tomllib.loads(text).items():
        assert set(table) == set(getattr(defaults, name).__struct_fields__)
    assert set(tomllib.loads(text)) == set(defaults.__struct_fields__) - {"upstreams", "routes", "limits"}


def test_the_readme_can_be_read_in_one_go(root: Path) -> None:
    assert len((root / "README.md").read_text("utf-8").splitlines()) <= 120
