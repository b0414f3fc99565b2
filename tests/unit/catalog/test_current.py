"""The catalog in force, and another one that takes its place."""

from __future__ import annotations

import dataclasses

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.current import CurrentCatalog
from qwenport.core.errors import ModelNotFound
from qwenport.core.route import Route
from qwenport.settings.configuration_file import RouteTable

SHIPPED = Catalog.load()
ROUTED = SHIPPED.with_routes((RouteTable(model="qwen-plus", to=("alibaba",)),), {"alibaba": ()})


def test_it_answers_as_the_catalog_that_was_put_in_force_last() -> None:
    current = CurrentCatalog(SHIPPED)
    cards = current.cards
    before = (current.resolve("qwen-plus"), current.routes_of("qwen-plus"), dict(cards))
    current.replace(ROUTED)

    assert before == (SHIPPED.resolve("qwen-plus"), SHIPPED.routes_of("qwen-plus"), dict(SHIPPED.cards))
    assert current.resolve("qwen-plus") is ROUTED.resolve("qwen-plus") is cards["qwen-plus"]
    assert current.routes_of("qwen-plus") == (Route(targets=("alibaba/qwen-plus",)),)
    assert (dict(cards), current.engine_models) == (dict(ROUTED.cards), SHIPPED.engine_models)


def test_a_name_that_it_does_not_hold_is_not_found() -> None:
    with pytest.raises(ModelNotFound):
        CurrentCatalog(SHIPPED).resolve("qwen-ultra")


def test_a_catalog_of_other_models_does_not_take_its_place() -> None:
    fewer = dataclasses.replace(ROUTED, cards={"qwen-plus": ROUTED.cards["qwen-plus"]})
    current = CurrentCatalog(SHIPPED)
    with pytest.raises(ValueError, match="of the same models"):
        current.replace(fewer)

    assert current.resolve("qwen-plus") is SHIPPED.resolve("qwen-plus")
