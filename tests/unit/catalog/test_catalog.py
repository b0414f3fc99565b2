"""The catalog: the models that ship, the operator's own, and where they lead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.errors import CatalogInvalid
from qwenport.core.errors import ModelNotFound

SMALL = "llama/smollm2-135m-instruct"

OWN = """
name = "{name}"
description = "A model of our own"
family = "own"
released = 2026-01-02
context_tokens = 1_000
max_input_tokens = 900
max_output_tokens = 100
"""

ENGINE = f"""
[weights]
source = "file:/models/own.gguf"
sha256 = "{"0" * 64}"
size_bytes = 5
licence = "Apache-2.0"

[engine]
kind = "llama"
context_tokens = 500
slots = 2
"""


def own(name: str, *, route: str | None = SMALL, engine: bool = False) -> str:
    return OWN.format(name=name) + (f'route = ["{route}"]\n' if route else "") + (ENGINE if engine else "")


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return Catalog.load()


def test_a_name_leads_to_its_card(shipped: Catalog) -> None:
    assert shipped.resolve("qwen-plus") is shipped.cards["qwen-plus"]


@pytest.mark.parametrize("name", ["qwen-ultra", "QWEN-PLUS", " qwen-plus", ""])
def test_a_name_that_the_catalog_does_not_hold_is_not_found(shipped: Catalog, name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        shipped.resolve(name)
    assert caught.value.model == name


def test_cards_and_engine_models_are_read_only(shipped: Catalog) -> None:
    with pytest.raises(TypeError):
        shipped.cards["qwen-plus"] = shipped.cards["qwen-max"]  # type: ignore[index] # the refusal is what is tested
    with pytest.raises(TypeError):
        del shipped.engine_models[SMALL]  # type: ignore[attr-defined] # the refusal is what is tested


def test_cards_stand_in_the_order_of_their_names(shipped: Catalog) -> None:
    assert list(shipped.cards) == sorted(shipped.cards)


def test_an_operators_file_adds_a_model(shipped: Catalog, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(own("own-model"))

    catalog = Catalog.load(tmp_path)

    assert set(catalog.cards) == set(shipped.cards) | {"own-model"}
    assert catalog.resolve("own-model").stands_in


def test_an_operators_file_replaces_the_model_of_its_name_whatever_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(own("qwen-plus"))
    assert Catalog.load(tmp_path).resolve("qwen-plus").description == "A model of our own"


def test_an_operators_model_with_an_engine_becomes_a_target_and_stands_in_for_nobody(
    shipped: Catalog, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(own("own-model", route=None, engine=True))

    catalog = Catalog.load(tmp_path)

    assert set(catalog.engine_models) == {*shipped.engine_models, "llama/own-model"}
    assert catalog.engine_models["llama/own-model"].target == "llama/own-model"
    assert not catalog.resolve("own-model").stands_in


def test_files_of_other_kinds_and_editors_copies_are_left_alone(shipped: Catalog, tmp_path: Path) -> None:
    (tmp_path / ".mine.toml").write_text("not TOML")
    (tmp_path / "mine.toml~").write_text("not TOML")
    (tmp_path / "notes.txt").write_text("not TOML")
    assert Catalog.load(tmp_path) == shipped


def test_two_of_the_operators_files_for_one_model_are_refused(tmp_path: Path) -> None:
    for file in ("a.toml", "b.toml"):
        (tmp_path / file).write_text(own("own-model"))
    words = f"{tmp_path}/b.toml: `name` is `own-model`, as in {tmp_path}/a.toml; rename one"
    with pytest.raises(CatalogInvalid, match=re.escape(words)):
        Catalog.load(tmp_path)


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogInvalid, match="is no directory of model files; make it or correct the setting"):
        Catalog.load(tmp_path / "absent")


def test_an_operators_file_that_is_no_text_is_refused_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogInvalid, match=r"mine\.toml: cannot be read as UTF-8 text: "):
        Catalog.load(tmp_path)


def test_an_operators_file_that_cannot_be_read_is_refused_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    with pytest.raises(CatalogInvalid, match=r"mine\.toml: cannot be read as UTF-8 text: "):
        Catalog.load(tmp_path)


def test_a_file_whose_route_leads_nowhere_is_refused_with_the_nearest_target(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(own("own-model", route="llama/smollm2-135m"))
    words = f"mine.toml: `route` leads to `llama/smollm2-135m`, which no engine offers; did you mean `{SMALL}`?"
    with pytest.raises(CatalogInvalid, match=re.escape(words)):
        Catalog.load(tmp_path)


def test_taking_the_engine_from_a_model_that_others_lead_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(own("smollm2-135m-instruct"))
    with pytest.raises(CatalogInvalid, match=f"`route` leads to `{SMALL}`, which no engine offers"):
        Catalog.load(tmp_path)


def test_a_model_without_a_route_waits_for_the_operators(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(own("own-model", route=None))
    card = Catalog.load(tmp_path).resolve("own-model")

    assert (card.route, card.stands_in, card.default_output_tokens) == ((), False, None)


def test_the_models_of_model_studio_are_those_that_ship_and_that_the_house_stands_in_for(
    shipped: Catalog, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(own("own-model", route=None, engine=True))
    (tmp_path / "plus.toml").write_text(own("qwen-plus"))

    local = {"smollm2-135m-instruct", "multilingual-e5-small", "pp-ocrv6-small", "pp-ocrv6-tiny"}
    assert shipped.of_model_studio == frozenset(shipped.cards) - local
    assert Catalog.load(tmp_path).of_model_studio == shipped.of_model_studio - {"qwen-plus"}
