"""Where calls for reading images go when the operator wants the quick model."""

from __future__ import annotations

from qwenport.catalog.catalog import Catalog
from qwenport.settings.configuration_file import OcrModel, OcrTable, RouteTable

SMALL = "ocr/pp-ocrv6-small"
TINY = "ocr/pp-ocrv6-tiny"


def reading_tables(catalog: Catalog, ocr: OcrTable) -> tuple[RouteTable, ...]:
    """Return a route for each model that the small reader stands in for, where `[ocr].model` is `fast`.

    The small one stays behind the tiny one, for as long as the tiny one's weights are not pulled.
    """
    if ocr.model is not OcrModel.FAST or TINY not in catalog.engine_models:
        return ()
    return tuple(
        RouteTable(model=name, to=tuple(each for target in card.route for each in _quicker(target)))
        for name, card in catalog.cards.items()
        if SMALL in card.route and TINY not in card.route and f"ocr/{name}" != SMALL
    )


def _quicker(target: str) -> tuple[str, ...]:
    return (TINY, SMALL) if target == SMALL else (target,)
