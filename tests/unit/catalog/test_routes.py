"""The operator's routes: where they lead, for whom, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.errors import CatalogInvalid
from qwenport.core.route import Choice, Route
from qwenport.settings.configuration_file import RouteTable

SMALL = "llama/smollm2-135m-instruct"
SMALL_EMBEDDER = "embed/multilingual-e5-small"
READER = "ocr/pp-ocrv6-small"
UPSTREAMS = {"alibaba": (), "vllm": ("Qwen/Qwen3-8B", "qwen-plus")}


def table(model: str, *to: str, **more: Any) -> RouteTable:
    return RouteTable(model=model, to=to, **more)


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return Catalog.load()


def routed(catalog: Catalog, *tables: RouteTable) -> Catalog:
    return catalog.with_routes(tables, UPSTREAMS)


def refused(catalog: Catalog, *tables: RouteTable) -> str:
    with pytest.raises(CatalogInvalid) as caught:
        routed(catalog, *tables)
    return str(caught.value)


def test_without_a_table_a_model_goes_where_its_card_says(shipped: Catalog) -> None:
    assert shipped.routes_of("qwen-plus") == (Route(targets=(SMALL,)),)
    assert shipped.routes_of("nothing") == ()


def test_a_table_replaces_the_cards_own_route_and_leaves_the_others(shipped: Catalog) -> None:
    catalog = routed(shipped, table("qwen-plus", "vllm/Qwen/Qwen3-8B", SMALL))

    assert catalog.routes_of("qwen-plus") == (Route(targets=("vllm/Qwen/Qwen3-8B", SMALL)),)
    assert catalog.resolve("qwen-plus").route == ("vllm/Qwen/Qwen3-8B", SMALL)
    assert catalog.resolve("qwen-max") is shipped.resolve("qwen-max")
    assert shipped.resolve("qwen-plus").route == (SMALL,)
    assert catalog.engine_models is shipped.engine_models
    assert catalog.targets() == {"vllm/Qwen/Qwen3-8B", SMALL, SMALL_EMBEDDER, READER}


def test_an_upstreams_name_keeps_that_of_the_model(shipped: Catalog) -> None:
    catalog = routed(shipped, table("qwen-plus", "alibaba"), table("qwen-max", "alibaba"))

    assert [catalog.resolve(name).route for name in ("qwen-plus", "qwen-max")] == [
        ("alibaba/qwen-plus",),
        ("alibaba/qwen-max",),
    ]


def test_another_models_name_leads_where_that_one_goes_by_its_own_name(shipped: Catalog) -> None:
    catalog = routed(
        shipped,
        table("qwen-turbo", "qwen-plus"),
        table("qwen-plus", "alibaba", "qwen-max", "qwen-flash"),
        table("qwen-max", "vllm/Qwen/Qwen3-8B", "alibaba/qwen-plus"),
        table("qwen-plus", SMALL, account="acct-1"),
    )

    expected = ("alibaba/qwen-plus", "vllm/Qwen/Qwen3-8B", SMALL)
    assert catalog.resolve("qwen-turbo").route == expected
    assert catalog.routes_of("qwen-plus")[-1].targets == expected


def test_routes_of_keys_stand_before_those_of_accounts_and_everybodys_stands_last(shipped: Catalog) -> None:
    tables = (
        table("qwen-plus", "alibaba"),
        table("qwen-plus", SMALL, account="acct-1"),
        table("qwen-plus", "vllm", key="key-1", account="acct-1"),
        table("qwen-plus", "vllm/Qwen/Qwen3-8B", key="key-2"),
    )

    assert routed(shipped, *tables).routes_of("qwen-plus") == (
        Route(targets=("vllm/qwen-plus",), key="key-1", account="acct-1"),
        Route(targets=("vllm/Qwen/Qwen3-8B",), key="key-2"),
        Route(targets=(SMALL,), account="acct-1"),
        Route(targets=("alibaba/qwen-plus",)),
    )


def test_a_route_of_one_account_leaves_everybody_where_they_were(shipped: Catalog) -> None:
    catalog = routed(shipped, table("qwen-plus", "alibaba", account="acct-1"))

    assert catalog.routes_of("qwen-plus") == (
        Route(targets=("alibaba/qwen-plus",), account="acct-1"),
        Route(targets=(SMALL,)),
    )
    assert (catalog.resolve("qwen-plus").route, catalog.resolve("qwen-plus").stands_in) == ((SMALL,), True)
    assert "alibaba/qwen-plus" in catalog.targets()


def test_the_choice_its_weights_and_the_age_of_cached_answers_are_kept(shipped: Catalog) -> None:
    weighted = table("qwen-plus", "alibaba", SMALL, choose=Choice.WEIGHTED, weights=(9, 0), cache_s=60)
    cheapest = table("qwen-max", "alibaba", "vllm/qwen-plus", choose=Choice.CHEAPEST)
    catalog = routed(shipped, weighted, cheapest)

    assert catalog.routes_of("qwen-plus") == (
        Route(targets=("alibaba/qwen-plus", SMALL), choose=Choice.WEIGHTED, weights=(9, 0), cache_s=60),
    )
    assert catalog.routes_of("qwen-max")[0].choose is Choice.CHEAPEST


@pytest.mark.parametrize(
    ("model", "target", "stands_in"),
    [
        ("qwen-plus", SMALL, True),
        ("qwen-plus", "alibaba", False),
        ("qwen-plus", "alibaba/qwen-max", True),
        ("qwen3-8b", "vllm/Qwen/Qwen3-8B", False),
        ("qwen3-32b", "vllm/Qwen/Qwen3-8B", True),
        ("smollm2-135m-instruct", SMALL, False),
    ],
)
def test_what_answers_under_another_models_name_stands_in(
    shipped: Catalog, model: str, target: str, stands_in: bool
) -> None:
    assert routed(shipped, table(model, target)).resolve(model).stands_in is stands_in


def test_the_bound_on_answers_without_one_follows_the_first_target(shipped: Catalog) -> None:
    catalog = routed(shipped, table("qwen-plus", "alibaba", SMALL), table("qwen-max", SMALL, "alibaba"))

    assert shipped.resolve("qwen-plus").default_output_tokens is not None
    assert catalog.resolve("qwen-plus").default_output_tokens is None
    assert catalog.resolve("qwen-max").default_output_tokens == shipped.resolve("qwen-max").default_output_tokens


def test_a_route_of_price_0_makes_a_model_cost_nothing_and_no_other(shipped: Catalog) -> None:
    catalog = routed(shipped, table("qwen-plus", SMALL, price=0), table("qwen-max", SMALL))

    free = {name: catalog.resolve(name).costs_nothing for name in ("qwen-plus", "qwen-max", "qwen-turbo")}
    assert free == {"qwen-plus": True, "qwen-max": False, "qwen-turbo": False}


def test_all_of_model_studios_models_can_go_to_one_upstream(shipped: Catalog) -> None:
    catalog = routed(shipped, *shipped.model_studio_at("alibaba"))

    local = {target.partition("/")[2]: (target,) for target in (SMALL, SMALL_EMBEDDER, READER)}
    local["pp-ocrv6-tiny"] = (READER,)  # until its own weights are pulled
    assert {name: card.route for name, card in catalog.cards.items()} == {
        name: local.get(name, (f"alibaba/{name}",)) for name in shipped.cards
    }
    assert [card.name for card in catalog.cards.values() if card.stands_in] == ["pp-ocrv6-tiny"]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (
            [table("qwen-pluss", SMALL)],
            "route of `qwen-pluss`: `model` is not in the catalog; did you mean `qwen-plus`?",
        ),
        ([table("xyzzy", SMALL)], "`model` is not in the catalog; describe it in a file of its own, `<data directory>"),
        ([table("qwen-plus", "alibabba")], "`to` names `alibabba`, no upstream and no model; did you mean `alibaba`?"),
        (
            [table("qwen-plus", "qwen-maxx")],
            "`to` names `qwen-maxx`, no upstream and no model; did you mean `qwen-max`?",
        ),
        (
            [table("qwen-plus", "vlm/qwen-plus")],
            "`to` leads to `vlm/qwen-plus`, which no engine and no upstream offers; ",
        ),
        ([table("qwen-plus", "vlm/qwen-plus")], "did you mean `vllm/qwen-plus`?"),
        ([table("qwen-plus", "llama/smollm2")], f"did you mean `{SMALL}`?"),
        (
            [table("qwen-plus", "vllm/Qwen/Qwen3-8b")],
            "is not among the `models` of that upstream; did you mean `Qwen/Qwe",
        ),
        (
            [table("qwen-max", "vllm")],
            "`to` leads to `vllm/qwen-max`, which is not among the `models` of that upstream",
        ),
        ([table("qwen-plus", "alibaba/")], "`to` holds `alibaba/`; write `upstream/model` without spaces"),
        ([table("qwen-plus", "alibaba/a b")], "`to` holds `alibaba/a b`; write `upstream/model` without spaces"),
        ([table("qwen-plus")], "`to` is empty; name at least one target"),
        ([table("qwen-plus", "")], "`to` names ``, no upstream and no model"),
        ([table("qwen-plus", SMALL, SMALL)], "`to` names a target twice; a target is tried once only"),
        ([table("qwen-plus", "qwen-plus")], "`to` goes in a circle: `qwen-plus` → `qwen-plus`;"),
        (
            [table("qwen-plus", "qwen-max"), table("qwen-max", SMALL, "qwen-turbo"), table("qwen-turbo", "qwen-plus")],
            "`to` goes in a circle: `qwen-plus` → `qwen-max` → `qwen-turbo` → `qwen-plus`;",
        ),
        (
            [table("qwen-plus", SMALL), table("qwen-plus", "alibaba")],
            "route of `qwen-plus`: stands in the configuration ",
        ),
        (
            [table("qwen-plus", SMALL, key="k"), table("qwen-plus", "alibaba", key="k")],
            "route of `qwen-plus` for the key `k`: stands in the configuration twice",
        ),
        (
            [table("qwen-plus", SMALL, account="a", price=0)],
            "route of `qwen-plus` for the account `a`: `price` is one for",
        ),
        ([table("qwen-plus", SMALL, weights=(1,))], 'but targets are chosen by `ordered`; write `choose = "weighted"`'),
        ([table("qwen-plus", SMALL, choose=Choice.WEIGHTED)], "`weights` are 0 for 1 targets; write one for each"),
        (
            [table("qwen-plus", SMALL, "alibaba", choose=Choice.WEIGHTED, weights=(0, 0))],
            "`weights` are all 0, so that no target could be chosen",
        ),
        (
            [
                table("qwen-plus", "qwen-max", "alibaba", choose=Choice.WEIGHTED, weights=(1, 2)),
                table("qwen-max", SMALL, "vllm/qwen-plus"),
            ],
            "`to` names `qwen-max`, which stands for 2 targets; beside weights name each target itself",
        ),
        (
            [table("qwen-plus", "alibaba", "alibaba/qwen-plus", choose=Choice.WEIGHTED, weights=(1, 2))],
            "`to` leads to one target twice; give it one weight",
        ),
    ],
)
def test_a_route_that_cannot_be_is_refused_in_words(shipped: Catalog, tables: list[RouteTable], words: str) -> None:
    assert words in refused(shipped, *tables)


def test_an_upstream_of_a_models_name_is_refused(shipped: Catalog) -> None:
    with pytest.raises(CatalogInvalid, match=re.escape("upstream `qwen-plus`: `name` is that of a model")):
        shipped.with_routes((), {"qwen-plus": ()})


def test_a_model_that_goes_nowhere_is_no_way_for_others(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "own-model"\ndescription = "ours"\nfamily = "own"\nreleased = 2026-01-02\ncontext_tokens = 9\n'
        "max_input_tokens = 9\nmax_output_tokens = 9\n"
    )
    catalog = Catalog.load(tmp_path)

    assert "names `own-model`, which has no route of its own" in refused(catalog, table("qwen-plus", "own-model"))
    assert routed(catalog, table("own-model", "alibaba")).resolve("own-model").route == ("alibaba/own-model",)
