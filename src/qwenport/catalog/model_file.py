"""One model file: TOML text in, a card and perhaps an engine's model out; nothing unknown is let through.

The fields are those of `ModelCard` (but `stands_in`, `costs_nothing` and `default_output_tokens`, which follow from the
route, and the capabilities `vision` and `video`, which follow from the modalities), and, for a model that an embedded
engine can run, the tables `[weights]` and `[engine]`, which come together, and those of further files beside them:
`[projector]` for a model that sees, `[detector]` and `[characters]` for one that reads lines of text.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from qwenport.catalog.engine_model import FILES_BESIDE, EngineModel, Weights
from qwenport.catalog.errors import CatalogInvalid
from qwenport.catalog.facts import Problem, card_problems, engine_problems
from qwenport.core.capabilities import Capabilities
from qwenport.core.model_card import Modality, ModelCard, Price, PublishedLimit, SamplingDefaults

_T = TypeVar("_T")

Table = dict[str, Any]
"""A TOML table as it was read, before anything is known of its shape."""

_AMOUNTS = (
    *("input", "output", "thinking_output", "cached_input", "image_input"),
    *("explicit_cache_factor", "cache_creation_factor", "batch_factor"),
)
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)
_VALIDATION_PATH = re.compile(r" - at `\$\.?(?P<field>.*)`$")
_MISSING_FIELD = re.compile(r"Object missing required field `(?P<field>\w+)`")


class EngineTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[engine]`: what kind of engine runs the model, and what it is given."""

    kind: str
    context_tokens: int
    slots: int
    default_output_tokens: int | None = None
    url: str = ""
    secret_env: str = ""
    region: str = ""
    template_tools: bool = False
    image_tokens: int = 0
    process_bytes: int = 0


class ModelFile(Struct, frozen=True, kw_only=True):
    """What one file says."""

    where: str
    """The file's name, for messages."""
    card: ModelCard
    engine_model: EngineModel | None


def _names(struct: type[Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(struct))


_TABLES: Mapping[str, frozenset[str]] = {
    "capabilities": _names(Capabilities) - {"vision", "video"},
    "sampling": _names(SamplingDefaults),
    "prices": _names(Price),
    "published_limits": _names(PublishedLimit),
    "weights": _names(Weights),
    "engine": _names(EngineTable),
    **dict.fromkeys(FILES_BESIDE, _names(Weights) - {"kv_bytes_per_token"}),
}
_TOP = _names(ModelCard) - {"stands_in", "costs_nothing", "default_output_tokens"} | {
    "weights",
    "engine",
    *FILES_BESIDE,
}


def read_model_file(text: str, where: str) -> ModelFile:
    """Read one file's text; raises `CatalogInvalid` that names the file, the field and what to do."""
    table = _parse(text, where)
    _refuse(where, _unknown_keys(table))
    _refuse(where, _inexact_amounts(table))
    weights, engine = table.pop("weights", None), table.pop("engine", None)
    beside = {part: table.pop(part) for part in FILES_BESIDE if part in table}
    target = _own_target(table, engine)
    if target is not None:
        table.setdefault("route", [target])
    card = _with_senses(_convert(table, ModelCard, where))
    _refuse(where, card_problems(card))
    return ModelFile(where=where, card=card, engine_model=_engine_model(card, weights, engine, beside, where))


def _parse(text: str, where: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogInvalid(where, "", f"is not valid TOML: {error}; correct the file at that place") from error


def _refuse(where: str, problems: Iterator[Problem]) -> None:
    for field, problem in problems:
        raise CatalogInvalid(where, field, problem)


def _unknown_keys(table: Table) -> Iterator[Problem]:
    yield from _unknown_in(table, _TOP, "")
    for name, known in _TABLES.items():
        value = table.get(name)
        if isinstance(value, dict):
            yield from _unknown_in(value, known, f"{name}.")
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                if isinstance(entry, dict):
                    yield from _unknown_in(entry, known, f"{name}[{index}].")


def _unknown_in(table: Table, known: frozenset[str], prefix: str) -> Iterator[Problem]:
    for key in table:
        if key not in known:
            nearest = difflib.get_close_matches(key, sorted(known), n=1)
            advice = f"did you mean `{nearest[0]}`?" if nearest else f"known are {', '.join(sorted(known))}"
            yield f"{prefix}{key}", f"is no field of a model file; {advice}"


def _inexact_amounts(table: Table) -> Iterator[Problem]:
    """Amounts are strings of plain decimal digits: a TOML number would pass through a float."""
    prices = table.get("prices")
    for index, price in enumerate(prices if isinstance(prices, list) else ()):
        for field in _AMOUNTS:
            amount = price.get(field, "0") if isinstance(price, dict) else "0"
            if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
                yield (
                    f"prices[{index}].{field}",
                    f'is {amount!r}; write a decimal amount in quotes, such as "0.0008", with up to 12 places',
                )
        units = price.get("units") if isinstance(price, dict) else None
        for name, amount in (units if isinstance(units, dict) else {}).items():
            if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
                yield (
                    f"prices[{index}].units.{name}",
                    f'is {amount!r}; write a decimal amount in quotes, such as "0.2", with up to 12 places',
                )


def _own_target(table: Table, engine: object) -> str | None:
    """A model with an engine of its own needs no route: it is its own target."""
    if isinstance(engine, dict) and "kind" in engine and "name" in table:
        return f"{engine['kind']}/{table['name']}"
    return None


def _with_senses(card: ModelCard) -> ModelCard:
    """Fill in what the modalities say of the capabilities."""
    able = msgspec.structs.replace(
        card.capabilities, vision=Modality.IMAGE in card.modalities, video=Modality.VIDEO in card.modalities
    )
    return msgspec.structs.replace(card, capabilities=able)


def _engine_model(
    card: ModelCard, weights: object, engine: object, beside: Mapping[str, object], where: str
) -> EngineModel | None:
    if weights is None and engine is None:
        for part in beside:
            raise CatalogInvalid(
                where, part, "is for a model with `[weights]` and `[engine]`; add both or leave it out"
            )
        return None
    if weights is None or engine is None:
        missing, given = ("weights", "engine") if weights is None else ("engine", "weights")
        raise CatalogInvalid(where, missing, f"is missing beside `[{given}]`; add the table `[{missing}]`")
    limits = _convert(engine, EngineTable, where, "engine.")
    model = EngineModel(
        name=card.name,
        kind=limits.kind,
        weights=_convert(weights, Weights, where, "weights."),
        context_tokens=limits.context_tokens,
        slots=limits.slots,
        default_output_tokens=limits.default_output_tokens,
        url=limits.url,
        secret_env=limits.secret_env,
        region=limits.region,
        template_tools=limits.template_tools,
        capabilities=card.capabilities,
        image_tokens=limits.image_tokens,
        process_bytes=limits.process_bytes,
        **{part: _convert(table, Weights, where, f"{part}.") for part, table in beside.items()},
    )
    _refuse(where, engine_problems(model, card))
    return model


def _convert(table: object, wanted: type[_T], where: str, prefix: str = "") -> _T:
    try:
        return msgspec.convert(table, wanted)
    except msgspec.ValidationError as error:
        raise CatalogInvalid(where, *_place(str(error), prefix)) from error


def _place(words: str, prefix: str) -> Problem:
    """Turn msgspec's words into a field and a problem."""
    path = _VALIDATION_PATH.search(words)
    field = prefix + (path["field"] if path else "")
    problem = words[: path.start()] if path else words
    missing = _MISSING_FIELD.fullmatch(problem)
    if missing:
        joint = "." if path else ""
        return f"{field}{joint}{missing['field']}", "is missing; add it"
    return field.removesuffix("."), f"has a wrong value: {problem[:1].lower()}{problem[1:]}; correct it"
