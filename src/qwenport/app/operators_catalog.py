"""The catalog as the operator has it: own models, upstreams, routes."""

from __future__ import annotations

from qwenport.app.places import places
from qwenport.app.refusal import StartRefused
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.errors import CatalogInvalid
from qwenport.catalog.own_weights import own_weights_tables
from qwenport.catalog.reading_routes import reading_tables
from qwenport.catalog.weights import WeightsStore
from qwenport.engines.registry import KINDS
from qwenport.settings.settings import Settings


def load_catalog(settings: Settings) -> Catalog:
    """Return the catalog with the operator's models, upstreams and routes.

    Raises:
        StartRefused: one of them is not valid.
    """
    own = settings.data_dir / "catalog"
    upstreams = {place.name: place.models for place in places(settings)}
    try:
        catalog = Catalog.load(own if own.is_dir() else None)
        own_weights = own_weights_tables(catalog, WeightsStore(settings.models_dir))
        catalog = catalog.with_routes((*own_weights, *reading_tables(catalog, settings.file.ocr)))
        tables = catalog.model_studio_at(settings.default_upstream) if settings.default_upstream else settings.routes
        catalog = catalog.with_routes(tables, upstreams)
    except CatalogInvalid as error:
        raise StartRefused(str(error)) from error
    for model in catalog.engine_models.values():
        if model.kind not in KINDS:
            raise StartRefused(f"the model `{model.name}` wants an engine `{model.kind}`; known are {', '.join(KINDS)}")
    return catalog


def is_routed(target: str, catalog: Catalog) -> bool:
    """Tell whether any model's calls go to this target; others need no process."""
    return target in catalog.targets()
