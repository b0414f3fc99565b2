"""Models whose own weights are on this machine go to them, and no longer to the model that stands in."""

from __future__ import annotations

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.reading_routes import TINY
from qwenport.catalog.weights import WeightsStore
from qwenport.settings.configuration_file import RouteTable


def own_weights_tables(catalog: Catalog, store: WeightsStore) -> tuple[RouteTable, ...]:
    """Return a route for each model that could run here itself, is sent elsewhere, and whose weights are here.

    Whether the quick reader reads is said by `[ocr].model` alone; see `reading_routes`.
    """
    return tuple(
        RouteTable(model=model.name, to=(model.target,))
        for model in catalog.engine_models.values()
        if not model.url
        and model.target != TINY
        and model.target not in catalog.cards[model.name].route
        and store.is_present(model)
    )
