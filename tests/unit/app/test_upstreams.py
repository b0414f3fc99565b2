"""Upstreams of one configuration after another: what stays the same object, and what leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenport.app.operators_catalog import load_catalog
from qwenport.app.refusal import StartRefused
from qwenport.app.upstreams import Leaving, Upstreams, card_at
from qwenport.catalog.catalog import Catalog
from qwenport.engines.engine import Engine
from qwenport.engines.upstream.place import Place
from qwenport.engines.upstream.upstream_keys import KeyKind
from qwenport.routing.target import Pace
from qwenport.settings.settings import Settings, load_settings

pytestmark = pytest.mark.anyio

ALIBABA = """
[[upstreams]]
name = "alibaba"
kind = "alibaba"
region = "singapore"
api_key_env = "KEY"
rpm = 60
"""
VLLM = """
[[upstreams]]
name = "vllm"
kind = "openai"
base_url = "http://127.0.0.1:{port}/v1"
"""
ROUTES = """
[[routes]]
model = "qwen-plus"
to = ["vllm/Qwen/Qwen3-8B", "alibaba"]

[[routes]]
model = "qwen-max"
to = ["vllm/Qwen/Qwen3-8B"]
"""


class Configurations:
    """Settings and catalog of one text after another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, text: str, key: str = "sk-0123456789") -> tuple[Settings, Catalog]:
        (self._folder / "qwenport.toml").write_text(text)
        settings = load_settings({"QWENPORT_DATA_DIR": str(self._folder), "KEY": key}, self._folder)
        return settings, load_catalog(settings)


@pytest.fixture
def configured(tmp_path: Path) -> Configurations:
    return Configurations(tmp_path)


def engines(upstreams: Upstreams) -> dict[str, Engine]:
    return {target.name: target.engine for target in upstreams.targets}


async def test_only_those_that_stay_and_have_another_key_are_rekeyed(configured: Configurations) -> None:
    upstreams, text = Upstreams(), ALIBABA + VLLM.format(port=1) + ROUTES
    told = []
    for key in ("sk-0123456789", "sk-0123456789", "sk-9876543210", "sk-9876543210"):
        upstreams.follow(*configured(text, key))
        told.append(upstreams.rekeyed)

    assert told == [frozenset(), frozenset(), frozenset({"alibaba"}), frozenset()]


async def test_each_model_that_routes_lead_to_is_a_target_once(configured: Configurations) -> None:
    upstreams = Upstreams()
    leaving = upstreams.follow(*configured(ALIBABA + VLLM.format(port=1) + ROUTES))

    assert leaving == ()
    assert [(each.name, each.region, each.upstream, each.pace) for each in upstreams.targets] == [
        (
            "alibaba/qwen-plus",
            "singapore",
            "alibaba",
            Pace(account="alibaba", model="qwen-plus", requests_per_minute=60),
        ),
        ("vllm/Qwen/Qwen3-8B", "", "vllm", None),
    ]
    assert [upstreams.key_kind(name) for name in ("alibaba", "vllm")] == [KeyKind.PAY_AS_YOU_GO, KeyKind.NONE]


@pytest.mark.parametrize(
    ("rest", "is_own"),
    [
        ('base_url = "http://127.0.0.1:1/v1"', True),
        ('base_url = "http://gpu:1/v1"\nreplicas = ["http://10.0.0.5:1/v1"]', True),
        ('base_url = "https://api.example.com/v1"', False),
        ('base_url = "https://gpu:1/v1"\nreplicas = ["https://api.example.com/v1"]', False),
        ('base_url = "https://api.example.com/v1"\nregion = "frankfurt"', False),
        ('base_url = "http://gpu:1/v1"\nregion = "frankfurt"', False),
    ],
)
async def test_a_place_is_own_ground_where_it_has_no_region_and_no_public_address(
    configured: Configurations, rest: str, is_own: bool
) -> None:
    upstreams = Upstreams()
    upstreams.follow(
        *configured(
            f'[[upstreams]]\nname = "u"\nkind = "openai"\n{rest}\n\n[[routes]]\nmodel = "qwen-plus"\nto = ["u/m"]\n'
        )
    )

    assert [each.is_own_ground for each in upstreams.targets] == [is_own]


async def test_what_does_not_change_stays_the_same_object_and_a_key_alone_changes_nothing_else(
    configured: Configurations,
) -> None:
    upstreams = Upstreams()
    text = ALIBABA + VLLM.format(port=1) + ROUTES
    upstreams.follow(*configured(text))
    before = (dict(upstreams.by_name), engines(upstreams))
    leaving = upstreams.follow(*configured(text + "[retries]\ntries = 1\n", key="sk-ws-0123456789"))

    assert leaving == ()
    assert (dict(upstreams.by_name), engines(upstreams)) == before
    assert upstreams.key_kind("alibaba") is KeyKind.WORKSPACE


async def test_a_place_that_changed_leaves_with_its_targets_and_another_comes(configured: Configurations) -> None:
    upstreams = Upstreams()
    upstreams.follow(*configured(ALIBABA + VLLM.format(port=1) + ROUTES))
    old, engine = upstreams.by_name["vllm"], engines(upstreams)["vllm/Qwen/Qwen3-8B"]
    leaving = upstreams.follow(*configured(ALIBABA + VLLM.format(port=2) + ROUTES))

    assert leaving == (Leaving(upstream=old, targets=("vllm/Qwen/Qwen3-8B",)),)
    assert upstreams.by_name["vllm"].place.base_urls == ("http://127.0.0.1:2/v1",)
    assert engines(upstreams)["vllm/Qwen/Qwen3-8B"] is not engine
    await old.close()


async def test_an_upstream_that_is_gone_leaves(configured: Configurations) -> None:
    upstreams = Upstreams()
    upstreams.follow(*configured(ALIBABA + VLLM.format(port=1) + ROUTES))
    vllm, alibaba = upstreams.by_name["vllm"], upstreams.by_name["alibaba"]
    leaving = upstreams.follow(*configured(ALIBABA))

    assert leaving == (Leaving(upstream=vllm, targets=("vllm/Qwen/Qwen3-8B",)),)
    assert (dict(upstreams.by_name), upstreams.targets) == ({"alibaba": alibaba}, ())


async def test_engines_are_dressed_as_their_place_asks(configured: Configurations) -> None:
    seen = []

    def dress(place: Place, engine: Engine) -> Engine:
        seen.append((place.name, place.mask, engine.target))
        return engine

    Upstreams(dress).follow(*configured(VLLM.format(port=1) + "mask = true\n" + ROUTES.replace(', "alibaba"', "")))

    assert seen == [("vllm", True, "vllm/Qwen/Qwen3-8B")]


async def test_settings_that_are_not_valid_leave_everything(configured: Configurations) -> None:
    upstreams = Upstreams()
    settings, catalog = configured(VLLM.format(port=1))
    upstreams.follow(settings, catalog)
    before = dict(upstreams.by_name)
    wrong = load_settings(
        {"QWENPORT_DATA_DIR": "/nowhere", "QWENPORT_DASHSCOPE_API_KEY": "two words"}, Path("/nowhere")
    )
    with pytest.raises(StartRefused, match="its key holds spaces"):
        upstreams.follow(wrong, catalog)

    assert dict(upstreams.by_name) == before


@pytest.mark.parametrize(
    ("tables", "target", "name"),
    [
        (ROUTES, "alibaba/qwen-plus", "qwen-plus"),
        (ROUTES, "vllm/Qwen/Qwen3-8B", "qwen3-8b"),
        (ROUTES.replace("Qwen/Qwen3-8B", "ours"), "vllm/ours", "qwen-plus"),
        (ROUTES.replace("Qwen/Qwen3-8B", "ours").replace("qwen-max", "qwen-vl-max"), "vllm/ours", "qwen-vl-max"),
    ],
)
def test_what_a_target_can_do_is_said_by_its_own_card_or_by_the_broadest_that_leads_there(
    configured: Configurations, tables: str, target: str, name: str
) -> None:
    catalog = configured(ALIBABA + VLLM.format(port=1) + tables)[1]

    assert (card_at(target, catalog).name, card_at(target, catalog).route) == (name, ())
