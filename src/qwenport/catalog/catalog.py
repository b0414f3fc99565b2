"""The models by name, and the models that an embedded engine can run by target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import msgspec

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.errors import CatalogInvalid
from qwenport.catalog.model_file import ModelFile, read_model_file
from qwenport.catalog.routing import CardRoutes, RouteReader, Upstreams, advice, own_route, routes_by_model, stands_in
from qwenport.core.errors import ModelNotFound
from qwenport.core.model_card import ModelCard
from qwenport.core.route import Route
from qwenport.settings.configuration_file import RouteTable

_NO_UPSTREAMS: Upstreams = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known of every model; read-only, and whole: every route leads to a known target."""

    cards: Mapping[str, ModelCard]
    """Cards by name, in the order of their names."""
    engine_models: Mapping[str, EngineModel]
    """What embedded engines can run, by target (`kind/name`)."""
    routes: CardRoutes
    """Where the calls of each model go, the most specific first, the last for everybody."""
    of_model_studio: frozenset[str] = frozenset()
    """Names of the models that Model Studio answers: those that ship and that the house only stands in for."""

    @classmethod
    def load(cls, overlay_dir: Path | None = None) -> Catalog:
        """Read the models that ship, then the operator's own `*.toml`, which add to them or replace them by name.

        Raises `CatalogInvalid` with the file, the field and what to do.
        """
        shipped = dict(_by_name(_shipped()))
        own = {} if overlay_dir is None else dict(_by_name(_own(overlay_dir)))
        files = {**shipped, **own}
        engine_models = {file.engine_model.target: file.engine_model for file in files.values() if file.engine_model}
        for file in files.values():
            _refuse_unknown_targets(file.where, file.card.route, engine_models)
        cards = {name: _going(files[name].card, files[name].card.route, engine_models) for name in sorted(files)}
        return cls(
            MappingProxyType(cards),
            MappingProxyType(engine_models),
            MappingProxyType({name: own_route(card) for name, card in cards.items()}),
            frozenset(name for name in shipped if name not in own and _is_model_studios(cards[name], cards)),
        )

    def resolve(self, name: str) -> ModelCard:
        """Return the card of this name; raises `ModelNotFound`."""
        card = self.cards.get(name)
        if card is None:
            raise ModelNotFound(name)
        return card

    def routes_of(self, name: str) -> tuple[Route, ...]:
        """Return where the calls of a model go: the routes of keys, of accounts, then the one for everybody.

        Empty for a name that the catalog does not hold.
        """
        return self.routes.get(name, ())

    def targets(self) -> frozenset[str]:
        """Return every target that a route leads to."""
        return frozenset(target for routes in self.routes.values() for route in routes for target in route.targets)

    def with_routes(self, tables: Sequence[RouteTable], upstreams: Upstreams = _NO_UPSTREAMS) -> Catalog:
        """Return a catalog in which the calls of these models go where the tables say.

        Raises `CatalogInvalid` for what is unknown, a circle, or a choice that cannot be made.
        """
        reader = RouteReader(self.cards, self.engine_models, tables, upstreams)
        routes = routes_by_model(self.cards, reader, tables)
        free = {table.model for table in tables if table.price == 0}
        cards = dict(self.cards)
        for name in {table.model for table in tables}:
            routed = _going(cards[name], routes[name][-1].targets, self.engine_models)
            cards[name] = msgspec.structs.replace(routed, costs_nothing=name in free)
        return Catalog(
            MappingProxyType(cards), self.engine_models, MappingProxyType(dict(routes)), self.of_model_studio
        )

    def model_studio_at(self, upstream: str) -> tuple[RouteTable, ...]:
        """Return the tables by which all of Model Studio's models go to one upstream."""
        return tuple(RouteTable(model=name, to=(upstream,)) for name in sorted(self.of_model_studio))


def _is_model_studios(card: ModelCard, cards: Mapping[str, ModelCard]) -> bool:
    """Tell whether a shipped name is one of Model Studio's: nothing here is of the family that it promises."""
    if not card.route:
        return True
    return card.stands_in and cards[card.route[0].partition("/")[2]].family != card.family


def _refuse_unknown_targets(where: str, route: Iterable[str], engine_models: Mapping[str, EngineModel]) -> None:
    for target in route:
        if target not in engine_models:
            raise CatalogInvalid(
                where, "route", f"leads to `{target}`, which no engine offers; {advice(target, engine_models)}"
            )


def _going(card: ModelCard, route: tuple[str, ...], engine_models: Mapping[str, EngineModel]) -> ModelCard:
    """Return a card with a route, and with what follows from its first target."""
    if not route:
        return card
    first = engine_models.get(route[0])
    return msgspec.structs.replace(
        card,
        route=route,
        stands_in=stands_in(card, route[0], engine_models),
        default_output_tokens=None if first is None else first.default_output_tokens,
    )


def _by_name(files: Iterable[ModelFile]) -> Iterator[tuple[str, ModelFile]]:
    """Pair each file with its model's name; two files of one place must not speak of the same model."""
    seen: dict[str, str] = {}
    for file in files:
        other = seen.setdefault(file.card.name, file.where)
        if other != file.where:
            raise CatalogInvalid(
                file.where, "name", f"is `{file.card.name}`, as in {other}; rename one of the models or remove a file"
            )
        yield file.card.name, file


def _shipped() -> Iterator[ModelFile]:
    entries = resources.files("qwenport.catalog").joinpath("models").iterdir()
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            yield read_model_file(entry.read_text(encoding="utf-8"), entry.name)


def _own(directory: Path) -> Iterator[ModelFile]:
    if not directory.is_dir():
        raise CatalogInvalid(str(directory), "", "is no directory of model files; make it or correct the setting")
    # Names that begin with a dot are editors' locks and copies.
    for path in sorted(directory.glob("[!.]*.toml")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogInvalid(str(path), "", f"cannot be read as UTF-8 text: {error}; correct the file") from error
        yield read_model_file(text, str(path))
