"""What must hold among the facts of a model, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.catalog.sources import SourceInvalid, parse_source
from qwenport.core.capabilities import Ability, Capabilities, Thinking
from qwenport.core.model_card import (
    PRICE_REGIONS,
    Modality,
    ModelCard,
    Price,
    PublishedLimit,
    SamplingDefaults,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}", re.ASCII)
_TARGET = re.compile(r"[^/\s]+/\S+")
_SERVICE = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+){1,2}", re.ASCII)
_UNIT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_DEAREST_UNIT = 10_000
_MOST_UNITS = 1_000_000_000
_MOST_PRICED_UNITS = 4
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_GREATEST_SLOTS = 256
_GENERATING = {Ability.CHAT, Ability.COMPLETION}
_READING_MANY = {Ability.EMBEDDING, Ability.RERANK}
_AMOUNTS = ("input", "output", "thinking_output", "cached_input", "image_input")
_FACTORS = ("explicit_cache_factor", "cache_creation_factor", "batch_factor")
_GREATEST_FACTOR = 10

Problem = tuple[str, str]
"""The field, and what is wrong with it and what to do."""


def card_problems(card: ModelCard) -> Iterator[Problem]:
    """Yield what is wrong with a card, nothing for a good one."""
    yield from _name_problems("name", card.name)
    for field in ("description", "family"):
        if not getattr(card, field).strip():
            yield field, "is empty; say in a few words what the model is"
    yield from ((f"capabilities.{field}", problem) for field, problem in _capability_problems(card.capabilities))
    yield from _length_problems(card)
    if not card.modalities or Modality.TEXT not in card.modalities or _repeats(card.modalities):
        yield "modalities", 'must name "text" and each further kind of input once'
    if card.image_patch_pixels < 1:
        yield "image_patch_pixels", f"is {card.image_patch_pixels}; it must be at least 1, such as 28 or 32"
    yield from _sampling_problems(card.sampling)
    for index, price in enumerate(card.prices):
        yield from ((f"prices[{index}].{field}", problem) for field, problem in _price_problems(price))
    yield from _tier_problems(card.prices, card.max_input_tokens)
    for index, limit in enumerate(card.published_limits):
        yield from ((f"published_limits[{index}].{field}", problem) for field, problem in _limit_problems(limit))
    yield from _route_problems(card.route)


def _route_problems(route: tuple[str, ...]) -> Iterator[Problem]:
    """Check the shape of a route; whether its targets exist is the catalog's to know.

    Without one a model is answered where the operator's `[[routes]]` send its calls.
    """
    for target in route:
        if not _TARGET.fullmatch(target):
            yield "route", f"holds `{target}`, which is not of the form `engine/model`"
    if _repeats(route):
        yield "route", "names a target twice; a target is tried once only"


def engine_problems(model: EngineModel, card: ModelCard) -> Iterator[Problem]:
    """Yield what is wrong with the tables `[weights]` and `[engine]`, nothing for good ones."""
    yield from _name_problems("engine.kind", model.kind)
    if not 1 <= model.context_tokens <= card.context_tokens:
        yield (
            "engine.context_tokens",
            f"is {model.context_tokens}; it must be from 1 to the model's own {card.context_tokens}",
        )
    if not 1 <= model.slots <= _GREATEST_SLOTS:
        yield "engine.slots", f"is {model.slots}; it must be from 1 to {_GREATEST_SLOTS}"
    known = sorted({region for regions in PRICE_REGIONS.values() for region in regions})
    if model.region and model.region not in known:
        yield "engine.region", f"is `{model.region}`; it must be one of {', '.join(known)}, or left out"
    if model.default_output_tokens is not None and model.default_output_tokens < 1:
        yield "engine.default_output_tokens", f"is {model.default_output_tokens}; it must be at least 1"
    if model.process_bytes < 0:
        yield "engine.process_bytes", f"is {model.process_bytes}; write the bytes of one process, or leave it out"
    yield from _sight_problems(model)
    for file in model.files:
        yield from ((f"{file.table}.{field}", problem) for field, problem in _pin_problems(file.weights))


def _sight_problems(model: EngineModel) -> Iterator[Problem]:
    """Check that what only a model that sees has is not given to another, where nobody would ever use it."""
    if model.projector is not None and not model.capabilities.vision:
        yield "projector", 'is for a model that sees; add "image" to `modalities`, or leave the table out'
    if model.projector is None and model.image_tokens != 0:
        yield "engine.image_tokens", "is for a model with a `[projector]`; add the table, or leave it out"
    if not 0 <= model.image_tokens < model.context_tokens:
        words = (
            f"it must be below `context_tokens`, which is {model.context_tokens}, or 0 for the projector's own bound"
        )
        yield "engine.image_tokens", f"is {model.image_tokens}; {words}"


def _pin_problems(pinned: Weights) -> Iterator[Problem]:
    try:
        parse_source(pinned.source)
    except SourceInvalid as invalid:
        yield "source", str(invalid)
    if not _SHA256.fullmatch(pinned.sha256):
        yield "sha256", "must be 64 lower-case hexadecimal digits; `sha256sum FILE` prints them"
    if pinned.size_bytes < 1:
        yield "size_bytes", f"is {pinned.size_bytes}; it must be the file's length in bytes"
    if not pinned.licence.strip():
        yield "licence", "is empty; name the licence of the weights, such as `Apache-2.0`"


def _name_problems(field: str, name: str) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        yield field, f"is `{name}`; use 1 to 128 of a-z, 0-9, `.`, `_` and `-`, the first a letter or digit"


def _length_problems(card: ModelCard) -> Iterator[Problem]:
    if card.context_tokens < 1:
        yield "context_tokens", f"is {card.context_tokens}; it must be at least 1"
    if not 1 <= card.max_input_tokens <= card.context_tokens:
        words = f"it must be from 1 to `context_tokens`, which is {card.context_tokens}"
        yield "max_input_tokens", f"is {card.max_input_tokens}; {words}"
    if Ability.NATIVE in card.capabilities.abilities:
        if not 0 <= card.max_output_tokens <= card.context_tokens:
            words = f"it must be from 0 to `context_tokens`, which is {card.context_tokens}"
            yield "max_output_tokens", f"is {card.max_output_tokens}; {words}"
    elif not _GENERATING.intersection(card.capabilities.abilities):
        if card.max_output_tokens != 0:
            yield "max_output_tokens", f"is {card.max_output_tokens}; a model that generates nothing has 0"
    elif not 1 <= card.max_output_tokens <= card.context_tokens:
        words = f"it must be from 1 to `context_tokens`, which is {card.context_tokens}"
        yield "max_output_tokens", f"is {card.max_output_tokens}; {words}"


def _capability_problems(able: Capabilities) -> Iterator[Problem]:
    """Check what must hold among the capabilities, so that none says what another denies."""
    if not able.abilities or _repeats(able.abilities):
        yield "abilities", 'must name at least one kind of work, such as "chat", and each once'
    if _repeats(able.tool_uses):
        yield "tool_uses", "names a value twice; name each once, or none for a model that takes no tools"
    if able.thinks_by_default and able.thinking is not Thinking.HYBRID:
        yield "thinks_by_default", 'is for models whose `thinking` is "hybrid"; leave it out'
    if able.max_thinking_tokens is not None and (able.thinking is Thinking.NONE or able.max_thinking_tokens < 1):
        yield "max_thinking_tokens", "must be at least 1, and is for models that think; leave it out for others"
    yield from _service_problems(able)
    makes_vectors = Ability.EMBEDDING in able.abilities
    if makes_vectors != bool(able.dimensions) or _repeats(able.dimensions) or min(able.dimensions, default=1) < 1:
        yield "dimensions", "must name the lengths of vectors of an embedding model, each once, and of no other"
    if bool(_READING_MANY.intersection(able.abilities)) != (able.max_texts > 0):
        yield "max_texts", "must be at least 1 for a model that embeds or reranks, and is left out for others"


def _service_problems(able: Capabilities) -> Iterator[Problem]:
    if Ability.NATIVE in able.abilities and len(able.abilities) > 1:
        yield "abilities", 'names other work beside "native"; give what is handed on a model of its own'
    if (Ability.NATIVE in able.abilities) != bool(able.native_services) or _repeats(able.native_services):
        words = 'must name the services of a model whose ability is "native", each once, and is left out for others'
        yield "native_services", words
    for service in able.native_services:
        if not _SERVICE.fullmatch(service):
            yield "native_services", f"holds `{service}`; write it as `aigc/text2image/image-synthesis`"


def _sampling_problems(sampling: SamplingDefaults) -> Iterator[Problem]:
    """Check against the ranges that callers are held to, so that a default is never refused."""
    ranges = (
        ("temperature", 0 <= sampling.temperature < 2, "must be from 0 to below 2"),
        ("top_p", 0 < sampling.top_p <= 1, "must be above 0 and at most 1"),
        ("top_k", sampling.top_k >= 0, "must be at least 0"),
        ("repetition_penalty", 0 < sampling.repetition_penalty < float("inf"), "must be above 0"),
        ("presence_penalty", -2 <= sampling.presence_penalty <= 2, "must be from -2 to 2"),
    )
    for field, holds, words in ranges:
        if not holds:
            yield f"sampling.{field}", f"is {getattr(sampling, field)}; it {words}"


def _price_problems(price: Price) -> Iterator[Problem]:
    if price.per_tokens < 1:
        yield "per_tokens", f"is {price.per_tokens}; it must be at least 1, such as 1_000_000"
    else:
        yield from _amount_problems(price)
    if price.currency not in PRICE_REGIONS:
        yield "currency", f"is `{price.currency}`; price lists are in {' or '.join(PRICE_REGIONS)}"
    elif price.region.strip() and price.region not in PRICE_REGIONS[price.currency]:
        known = ", ".join(PRICE_REGIONS[price.currency])
        yield "region", f"is `{price.region}`, which has no price list in {price.currency}; known are {known}"
    yield from _published_problems(price)
    yield from _unit_problems(price)
    if price.up_to_input_tokens is not None and price.up_to_input_tokens < 1:
        yield "up_to_input_tokens", f"is {price.up_to_input_tokens}; it must be at least 1, or left out for no bound"


def _amount_problems(price: Price) -> Iterator[Problem]:
    """A misplaced decimal point is found here, not on a bill: no token costs more than one unit of a currency."""
    for field in _AMOUNTS:
        amount = getattr(price, field)
        if amount is not None and not (amount.is_finite() and 0 <= amount <= price.per_tokens):
            yield field, f"is {amount} for {price.per_tokens} tokens; it must be from 0 to 1 for one token"
    for field in _FACTORS:
        factor = getattr(price, field)
        if not (factor.is_finite() and 0 <= factor <= _GREATEST_FACTOR):
            yield field, f"is {factor}; it must be from 0 to {_GREATEST_FACTOR}, such as 0.5 for half of the price"


def _unit_problems(price: Price) -> Iterator[Problem]:
    """What has a price needs a bound: without one nobody could say beforehand whether a balance covers a call."""
    if len(price.units) > _MOST_PRICED_UNITS:
        yield "units", f"names {len(price.units)} things; at most {_MOST_PRICED_UNITS} have a price of their own"
    for name, amount in price.units.items():
        if not _UNIT.fullmatch(name) or name.endswith("tokens"):
            yield "units", f"names `{name}`; write a name as a service reports it, such as `image_count`, and no tokens"
        if not (amount.is_finite() and 0 <= amount <= _DEAREST_UNIT):
            yield f"units.{name}", f"is {amount}; it must be from 0 to {_DEAREST_UNIT} for one"
    if price.units.keys() != price.most_units.keys():
        yield "most_units", "must name the same things as `units`, and how many of each one call can use at most"
    for name, most in price.most_units.items():
        if not 1 <= most <= _MOST_UNITS:
            yield f"most_units.{name}", f"is {most}; it must be from 1 to {_MOST_UNITS}"


def _limit_problems(limit: PublishedLimit) -> Iterator[Problem]:
    yield from _published_problems(limit)
    for field in ("requests_per_minute", "tokens_per_minute"):
        number = getattr(limit, field)
        if number is not None and number < 1:
            yield field, f"is {number}; it must be at least 1, or left out where none is published"


def _published_problems(fact: Price | PublishedLimit) -> Iterator[Problem]:
    if not fact.region.strip():
        yield "region", "is empty; name the region, such as `beijing`"
    if not fact.source.strip():
        yield "source", "is empty; say where and when the figure was read"


def _tier_problems(prices: tuple[Price, ...], max_input_tokens: int) -> Iterator[Problem]:
    """Two prices for the same call, tiers out of order or an input beyond the last would leave the cost to chance."""
    lists: dict[tuple[object, ...], list[Price]] = {}
    for price in prices:
        lists.setdefault((price.region, price.currency, price.since), []).append(price)
    for tiers in lists.values():
        last = tiers[-1]
        where = f"for `{last.region}` in {last.currency} since {last.since}"
        for lower, upper in pairwise(tiers):
            if lower.up_to_input_tokens is None or (
                upper.up_to_input_tokens is not None and upper.up_to_input_tokens <= lower.up_to_input_tokens
            ):
                yield "prices", f"{where} overlap; order the tiers by `up_to_input_tokens`, only the last without it"
        if last.up_to_input_tokens is not None and last.up_to_input_tokens < max_input_tokens:
            words = f"end at {last.up_to_input_tokens} tokens, but `max_input_tokens` is {max_input_tokens}"
            yield "prices", f"{where} {words}; leave `up_to_input_tokens` out of the last tier"


def _repeats(values: tuple[object, ...]) -> bool:
    return len(set(values)) < len(values)
