"""What calls to the models that ship cost, worked out by hand from the published tables."""

from __future__ import annotations

from datetime import date

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.usage import Usage
from qwenport.metering.price_book import PriceBook

CATALOG = Catalog.load()
BOOK = PriceBook(CATALOG.cards)
TODAY = date(2026, 11, 22)
PLAIN = Usage(input_tokens=1_000, output_tokens=500)
THOUGHT = Usage(input_tokens=1_000, output_tokens=500, reasoning_tokens=400)

EXPECTED: dict[str, tuple[int | None, int | None]] = {
    # Nano-units of CNY and of USD for `PLAIN`; for 1,000 and 500 tokens these are the amounts for a million, the
    # output's halved, with six zeros.
    "qwen-max": (50_000_000, 4_800_000),
    "qwen-max-latest": (None, 4_800_000),
    "qwen-plus": (1_800_000, 1_000_000),
    "qwen-plus-latest": (1_800_000, 1_000_000),
    "qwen-turbo": (600_000, 150_000),
    "qwen-turbo-latest": (None, 150_000),
    "qwen-long": (1_500_000, None),
    "qwen-flash": (900_000, 250_000),
    "qwen3-max": (7_500_000, 4_200_000),
    "qwen3.5-plus": (3_200_000, 1_600_000),
    "qwen3.5-flash": (1_200_000, 300_000),
    "qwq-plus": (3_600_000, 2_000_000),
    "qvq-max": (24_000_000, 3_600_000),
    "qwen-vl-max": (7_500_000, 2_400_000),
    "qwen-vl-plus": (1_800_000, 525_000),
    "qwen3-vl-plus": (6_000_000, 1_000_000),
    "qwen3-vl-flash": (900_000, 250_000),
    "qwen3.5-ocr": (1_500_000, None),
    "qwen-vl-ocr": (550_000, 150_000),
    "qwen-vl-ocr-latest": (550_000, None),
    "qwen-vl-ocr-2025-11-20": (550_000, 150_000),
    "qwen-vl-ocr-2025-08-28": (7_500_000, None),
    "qwen-vl-ocr-2025-04-13": (7_500_000, None),
    "qwen-vl-ocr-2024-10-28": (7_500_000, None),
    "qwen-coder-turbo": (5_000_000, None),
    "qwen3-32b": (6_000_000, None),
    "qwen3-8b": (1_500_000, None),
    "pp-ocrv6-small": (None, None),
    "pp-ocrv6-tiny": (None, None),
    "qwen3-vl-2b-instruct": (None, None),
    "qwen3-vl-4b-instruct": (None, None),
    "qwen3-vl-8b-instruct": (None, None),
    "text-embedding-v1": (700_000, None),
    "text-embedding-v2": (700_000, None),
    "text-embedding-v3": (500_000, 70_000),
    "text-embedding-v4": (500_000, 70_000),
    "qwen3-rerank": (500_000, None),
    "qwen2.5-coder-7b-instruct": (None, None),
    "qwen2.5-0.5b-instruct": (None, None),
    "qwen2.5-1.5b-instruct": (None, None),
    "qwen3-0.6b": (None, None),
    "qwen3-1.7b": (None, None),
    "qwen3-4b": (None, None),
    "qwen3-14b": (None, None),
    "qwen2.5-coder-32b-instruct": (None, None),
    "smollm2-135m-instruct": (None, None),
    "multilingual-e5-small": (None, None),
}
DEARER_THINKING = {
    "qwen-plus": (4_800_000, 2_400_000),
    "qwen-plus-latest": (4_800_000, 2_400_000),
    "qwen-turbo": (1_800_000, 300_000),
    "qwen-turbo-latest": (None, 300_000),
    "qwen3-32b": (12_000_000, None),
    "qwen3-8b": (3_000_000, None),
}


def nanos(model: str, currency: str, usage: Usage, on: date = TODAY, *, batch: bool = False) -> int | None:
    tariff = BOOK.tariff(CATALOG.resolve(model), currency, FULL_PRICE_PPM, on, batch=batch)
    return None if tariff is None else tariff.cost_nanos(usage)


def test_every_model_costs_what_the_tables_say() -> None:
    found = {model: (nanos(model, "CNY", PLAIN), nanos(model, "USD", PLAIN)) for model in CATALOG.cards}

    assert found == EXPECTED


def test_thinking_is_dearer_where_the_tables_say_so_and_nowhere_else() -> None:
    found = {model: (nanos(model, "CNY", THOUGHT), nanos(model, "USD", THOUGHT)) for model in CATALOG.cards}

    assert found == EXPECTED | DEARER_THINKING


@pytest.mark.parametrize(
    ("model", "currency", "on", "expected"),
    [
        ("qwen-max", "CNY", date(2025, 1, 2), None),
        ("qwen-max", "CNY", date(2025, 1, 3), 50_000_000),
        ("qwen-max", "CNY", date(2026, 11, 21), 50_000_000),
        ("qwen-max", "USD", date(2024, 11, 30), None),
        ("qwen-max", "USD", date(2024, 12, 1), 25_000_000),
        ("qwen-max", "USD", date(2025, 4, 1), 4_800_000),
        ("qwen-plus", "USD", date(2025, 3, 31), 7_500_000),
        ("qwen-plus", "CNY", date(2025, 1, 3), 1_800_000),
        ("qwen-turbo", "USD", date(2024, 12, 1), 1_000_000),
        ("qwen-vl-max", "CNY", date(2025, 1, 3), 7_500_000),
        ("qwen-vl-ocr", "CNY", date(2025, 6, 1), 7_500_000),
        ("qwen-vl-ocr", "CNY", date(2026, 6, 1), 7_500_000),
        ("qwen-vl-ocr", "USD", date(2025, 12, 31), None),
        ("qwen3-max", "CNY", date(2026, 11, 21), None),
    ],
)
def test_a_call_is_priced_by_the_list_of_its_day(model: str, currency: str, on: date, expected: int | None) -> None:
    assert nanos(model, currency, PLAIN, on) == expected


@pytest.mark.parametrize(
    ("model", "currency", "usage", "expected"),
    [
        ("qwen-plus", "CNY", Usage(input_tokens=128_000), 102_400_000),
        ("qwen-plus", "CNY", Usage(input_tokens=128_001), 307_202_400),
        ("qwen-plus", "CNY", Usage(input_tokens=256_001), 1_228_804_800),
        ("qwen-plus", "CNY", Usage(input_tokens=128_001, output_tokens=10), 307_402_400),
        ("qwen-plus", "CNY", Usage(input_tokens=128_001, output_tokens=10, reasoning_tokens=5), 307_442_400),
        ("qwen-plus", "CNY", Usage(input_tokens=1_000, cached_tokens=400), 560_000),
        ("qwen3-max", "CNY", Usage(input_tokens=32_001, output_tokens=100), 129_604_000),
        ("qwen3-max", "USD", Usage(input_tokens=128_001, output_tokens=1), 384_018_000),
        ("qwen3-max", "CNY", Usage(input_tokens=2_000, cache_creation_tokens=1_024), 5_640_000),
        (
            "qwen3-max",
            "CNY",
            Usage(input_tokens=2_000, cached_tokens=1_024, explicitly_cached_tokens=1_024),
            2_696_000,
        ),
        ("qwen3-vl-plus", "USD", Usage(input_tokens=10_000, image_tokens=9_000, cached_tokens=500), 1_920_000),
    ],
)
def test_tiers_caches_and_images_are_billed_as_published(
    model: str, currency: str, usage: Usage, expected: int
) -> None:
    assert nanos(model, currency, usage) == expected


def test_cached_tokens_cost_40_percent_in_april_2025() -> None:
    usage = Usage(input_tokens=1_000, cached_tokens=400)

    assert nanos("qwen-max", "USD", usage, date(2025, 4, 1)) == 1_216_000


def test_a_batch_of_embeddings_costs_the_published_half() -> None:
    assert nanos("text-embedding-v4", "CNY", Usage(input_tokens=1_000), batch=True) == 250_000
