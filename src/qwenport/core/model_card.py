"""What is known of a model: the facts that decide what a call to it may ask and what it costs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from qwenport.core.capabilities import Capabilities


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
    """One published price, for calls whose input is at most `up_to_input_tokens` long."""

    region: str
    currency: str
    input: Decimal
    """Amount for `per_tokens` input tokens."""
    output: Decimal
    """Amount for `per_tokens` output tokens."""
    per_tokens: int
    since: date
    source: str
    """Where and when the price was read."""
    up_to_input_tokens: int | None = None
    """Upper end of this tier of input lengths; None for no bound."""
    thinking_output: Decimal | None = None
    cached_input: Decimal | None = None


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
