"""The catalog that is in force, which another one can take the place of while calls run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.engine_model import EngineModel
from qwenport.core.errors import ModelNotFound
from qwenport.core.model_card import ModelCard
from qwenport.core.route import Route


class CurrentCatalog:
    """Answers as the catalog that was put in force last; whoever holds its `cards` sees those of that one."""

    def __init__(self, catalog: Catalog) -> None:
        self._cards = dict(catalog.cards)
        self.cards: Mapping[str, ModelCard] = MappingProxyType(self._cards)
        """Cards by name, as they are in force at each look."""
        self._catalog = catalog

    @property
    def engine_models(self) -> Mapping[str, EngineModel]:
        """Return what embedded engines can run, by target."""
        return self._catalog.engine_models

    def resolve(self, name: str) -> ModelCard:
        """Return the card of this name; raises `ModelNotFound`."""
        card = self._cards.get(name)
        if card is None:
            raise ModelNotFound(name)
        return card

    def routes_of(self, name: str) -> tuple[Route, ...]:
        """Return where the calls of a model go, the most specific first, the last for everybody."""
        return self._catalog.routes_of(name)

    def replace(self, catalog: Catalog) -> None:
        """Put a catalog of the same models in force; raises `ValueError` for one of others."""
        if catalog.cards.keys() != self._cards.keys():
            raise ValueError("only a catalog of the same models can take the place of one that is in force")
        self._cards.update(catalog.cards)
        self._catalog = catalog
