"""The operator's routes: what their tables say, checked against what there is, as targets of each model."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.errors import CatalogInvalid
from qwenport.core.model_card import ModelCard
from qwenport.core.route import Choice, Route
from qwenport.settings.configuration_file import RouteTable

Upstreams = Mapping[str, tuple[str, ...]]
"""Names of the models that an upstream serves, by its name; empty where that is not known."""
CardRoutes = Mapping[str, tuple[Route, ...]]
"""Routes of each model, the most specific first, the last for everybody."""

_MODEL = re.compile(r"[!-~]{1,200}")


class RouteReader:
    """Reads the tables of one configuration against one catalog and its upstreams."""

    def __init__(
        self,
        cards: Mapping[str, ModelCard],
        engine_models: Mapping[str, EngineModel],
        tables: Sequence[RouteTable],
        upstreams: Upstreams,
    ) -> None:
        """Refuse tables that speak of unknown models, or twice of the same calls; raises `CatalogInvalid`."""
        self._cards = cards
        self._engine_models = engine_models
        self._upstreams = upstreams
        self._everybodys: dict[str, RouteTable] = {}
        for name in upstreams:
            if name in cards:
                raise CatalogInvalid(f"upstream `{name}`", "name", "is that of a model, which routes could mean too")
        _refuse_repeated(tables)
        for table in tables:
            if table.model not in cards:
                raise CatalogInvalid(_where(table), "model", f"is not in the catalog; {_card_advice(table, cards)}")
            if not table.account and not table.key:
                self._everybodys[table.model] = table

    def route(self, table: RouteTable) -> Route:
        """Return what a table says, with every target named whole; raises `CatalogInvalid`."""
        for field, problem in _shape_problems(table):
            raise CatalogInvalid(_where(table), field, problem)
        found = [self._targets(table, entry, (table.model,)) for entry in table.to]
        if table.choose is Choice.WEIGHTED:
            _refuse_unequal(table, found)
        targets = tuple(dict.fromkeys(target for each in found for target in each))
        if not targets:
            problem = f"names `{table.to[0]}`, which has no route of its own; name an upstream or an engine"
            raise CatalogInvalid(_where(table), "to", problem)
        weights = table.weights if table.choose is Choice.WEIGHTED else ()
        return Route(
            targets=targets,
            choose=table.choose,
            weights=weights,
            account=table.account,
            key=table.key,
            cache_s=table.cache_s,
        )

    def _targets(self, table: RouteTable, entry: str, on_the_way: tuple[str, ...]) -> tuple[str, ...]:
        """Return where one entry leads, for the last of the models that the way there went over."""
        if "/" in entry:
            return (self._whole(table, entry),)
        if entry in self._upstreams:
            return (self._whole(table, f"{entry}/{on_the_way[-1]}"),)
        if entry not in self._cards:
            known = (*self._upstreams, *self._cards)
            raise CatalogInvalid(
                _where(table), "to", f"names `{entry}`, no upstream and no model; {advice(entry, known)}"
            )
        if entry in on_the_way:
            circle = " → ".join(f"`{name}`" for name in (*on_the_way, entry))
            raise CatalogInvalid(
                _where(table), "to", f"goes in a circle: {circle}; name a target in one of these routes"
            )
        other = self._everybodys.get(entry)
        if other is None:
            return self._cards[entry].route
        found = [self._targets(other, each, (*on_the_way, entry)) for each in other.to]
        return tuple(target for each in found for target in each)

    def _whole(self, table: RouteTable, target: str) -> str:
        """Return a target that there is."""
        if target in self._engine_models:
            return target
        upstream, _, model = target.partition("/")
        if upstream not in self._upstreams:
            problem = f"leads to `{target}`, which no engine and no upstream offers; {self._target_advice(target)}"
            raise CatalogInvalid(_where(table), "to", problem)
        if not _MODEL.fullmatch(model):
            raise CatalogInvalid(_where(table), "to", f"holds `{target}`; write `upstream/model` without spaces")
        served = self._upstreams[upstream]
        if served and model not in served:
            problem = f"leads to `{target}`, which is not among the `models` of that upstream; {advice(model, served)}"
            raise CatalogInvalid(_where(table), "to", problem)
        return target

    def _target_advice(self, target: str) -> str:
        first, _, model = target.partition("/")
        near = difflib.get_close_matches(first, self._upstreams, n=1)
        is_engine = any(each.kind == first for each in self._engine_models.values())
        if near and not is_engine:
            return f"did you mean `{near[0]}/{model}`?"
        return advice(target, (*self._engine_models, *(f"{name}/…" for name in self._upstreams)))


def routes_by_model(cards: Mapping[str, ModelCard], reader: RouteReader, tables: Sequence[RouteTable]) -> CardRoutes:
    """Return the routes of all models; those without a table for everybody go on as their cards say."""
    named: dict[str, list[Route]] = {}
    for table in tables:
        named.setdefault(table.model, []).append(reader.route(table))
    return {
        name: _most_specific_first(named.get(name, ()), Route(targets=card.route)) if name in named else own_route(card)
        for name, card in cards.items()
    }


def own_route(card: ModelCard) -> tuple[Route, ...]:
    """Return the routes of a model whose card alone says where it goes."""
    return (Route(targets=card.route),)


def stands_in(card: ModelCard, target: str, engine_models: Mapping[str, EngineModel]) -> bool:
    """Tell whether what a target offers is another model than the card's.

    An upstream's name counts without the organisation before it and in any case: `Qwen/Qwen3-8B` is `qwen3-8b`.
    """
    engine_model = engine_models.get(target)
    name = engine_model.name if engine_model else target.rpartition("/")[2].lower()
    return name != card.name


def advice(wrong: str, known: Iterable[str]) -> str:
    """Return the nearest name to a wrong one, or all names."""
    names = sorted(known)
    nearest = difflib.get_close_matches(wrong, names, n=1)
    return f"did you mean `{nearest[0]}`?" if nearest else f"known are {', '.join(names)}"


def _most_specific_first(found: Iterable[Route], own: Route) -> tuple[Route, ...]:
    ordered = sorted(found, key=lambda route: (not route.key, not route.account))
    return tuple(ordered) if not (ordered[-1].key or ordered[-1].account) else (*ordered, own)


def _shape_problems(table: RouteTable) -> Iterator[tuple[str, str]]:
    if not table.to:
        yield "to", "is empty; name at least one target, `engine/model`, `upstream/model`, an upstream or a model"
    if len(set(table.to)) < len(table.to):
        yield "to", "names a target twice; a target is tried once only"
    if table.price is not None and (table.account or table.key):
        yield "price", "is one for all callers of a model; leave it out of the route of an account or a key"
    if table.choose is not Choice.WEIGHTED:
        if table.weights:
            yield "weights", f'are given, but targets are chosen by `{table.choose}`; write `choose = "weighted"`'
    elif len(table.weights) != len(table.to):
        yield "weights", f"are {len(table.weights)} for {len(table.to)} targets; write one for each"
    elif not any(table.weights):
        yield "weights", "are all 0, so that no target could be chosen; give at least one a weight"


def _refuse_unequal(table: RouteTable, found: Sequence[tuple[str, ...]]) -> None:
    for entry, targets in zip(table.to, found, strict=True):
        if len(targets) != 1:
            problem = (
                f"names `{entry}`, which stands for {len(targets)} targets; beside weights name each target itself"
            )
            raise CatalogInvalid(_where(table), "to", problem)
    flat = [targets[0] for targets in found]
    if len(set(flat)) < len(flat):
        raise CatalogInvalid(_where(table), "to", "leads to one target twice; give it one weight")


def _refuse_repeated(tables: Sequence[RouteTable]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for table in tables:
        calls = (table.model, table.account, table.key)
        if calls in seen:
            raise CatalogInvalid(_where(table), "", "stands in the configuration twice; keep one of the two")
        seen.add(calls)


def _where(table: RouteTable) -> str:
    of = (("account", table.account), ("key", table.key))
    return f"route of `{table.model}`" + "".join(f" for the {what} `{name}`" for what, name in of if name)


def _card_advice(table: RouteTable, cards: Mapping[str, ModelCard]) -> str:
    nearest = difflib.get_close_matches(table.model, cards, n=1)
    meant = f"did you mean `{nearest[0]}`? If not, " if nearest else ""
    return (
        f"{meant}describe it in a file of its own, `<data directory>/catalog/NAME.toml`, with its context, abilities "
        "and price (docs/en/models.md), and a route can name it"
    )
