"""What is known of a model: the facts that decide what a call to it may ask and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from qwenport.core.capabilities import Capabilities

PRICE_REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"CNY": ("beijing",), "USD": ("singapore", "global", "beijing", "us", "hongkong", "frankfurt", "tokyo")}
)
"""Regions that have a price list in a currency; the first is the one that accounts of that currency are billed by."""

REGIONS = tuple(sorted({region for regions in PRICE_REGIONS.values() for region in regions}))
"""Every region by Model Studio's name for it."""


class Modality(StrEnum):
    """A kind of input."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"


class ResultFormat(StrEnum):
    """The native face's shape of an answer when the caller names none."""

    TEXT = "text"
    MESSAGE = "message"


class SamplingDefaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values for what a call leaves open, per family of models."""

    temperature: float = 0.7
    top_p: float = 0.8
    top_k: int = 20
    repetition_penalty: float = 1.05
    presence_penalty: float = 0.0


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published price, for calls whose input is at most `up_to_input_tokens` long.

    Amounts are for `per_tokens` tokens, in units of the currency. The factors have Model Studio's published values:
    https://www.alibabacloud.com/help/en/model-studio/context-cache (read 2026-01-29: making an explicit cache costs
    125 % of the input price, finding tokens in it 10 %) and
    https://www.alibabacloud.com/help/en/model-studio/billing-for-model-studio (read 2025-04-22: a batch costs 50 %).
    """

    region: str
    currency: str
    input: Decimal
    output: Decimal
    """Of answers without thinking."""
    per_tokens: int
    since: date
    source: str
    """Where and when the price was read."""
    up_to_input_tokens: int | None = None
    """Upper end of this tier of input lengths; None for no bound."""
    thinking_output: Decimal | None = None
    """Of all output of a call that thought, its answer too; None where thinking costs no more."""
    cached_input: Decimal | None = None
    """Of input tokens that were found cached by themselves; None where they cost as much as the rest."""
    image_input: Decimal | None = None
    """Of input tokens that are those of images; None where they cost as much as the rest."""
    explicit_cache_factor: Decimal = Decimal("0.1")
    """Part of the input price that a token costs that was found in an explicit cache."""
    cache_creation_factor: Decimal = Decimal("1.25")
    """Part of the input price that a token costs that was put into an explicit cache."""
    batch_factor: Decimal = Decimal("0.5")
    """Part of the price that a call of a batch costs; it has no price of cached tokens besides."""
    units: Mapping[str, Decimal] = {}
    """What one of each thing costs that a native service reports beyond tokens, by the name that it reports."""
    most_units: Mapping[str, int] = {}
    """How many of each of these one call can use at most; held for what a call does not say of itself."""


class PublishedLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests and tokens a minute that Model Studio publishes; a fact that binds nobody here."""

    region: str
    source: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class ModelCard(Struct, frozen=True, kw_only=True):
    """One model under the name that callers use."""

    name: str
    description: str
    family: str
    released: date
    context_tokens: int
    max_input_tokens: int
    max_output_tokens: int
    modalities: tuple[Modality, ...] = (Modality.TEXT,)
    capabilities: Capabilities = Capabilities()
    """What production allows to ask of this name."""
    image_patch_pixels: int = 32
    """Side of the square of pixels that counts one token; 28 for older models."""
    default_result_format: ResultFormat = ResultFormat.TEXT
    sampling: SamplingDefaults = SamplingDefaults()
    prices: tuple[Price, ...] = ()
    published_limits: tuple[PublishedLimit, ...] = ()
    default_output_tokens: int | None = None
    """Bound on an answer in free text whose caller names none, from what answers; None for `max_output_tokens`."""
    route: tuple[str, ...] = ()
    """Targets in the order they are tried, each `engine/model`."""
    stands_in: bool = False
    """Whether the route leads to a different model than the name promises."""
    costs_nothing: bool = False
    """Whether the operator's route says `price = 0`."""
