"""Routes of the models that read text, where the operator wants the quick reader."""

from __future__ import annotations

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.reading_routes import SMALL, TINY, reading_tables
from qwenport.settings.configuration_file import OcrModel, OcrTable, RouteTable

FAST = OcrTable(model=OcrModel.FAST)


def test_the_small_reader_needs_no_routes_of_its_own() -> None:
    assert reading_tables(Catalog.load(None), OcrTable()) == ()


def test_the_quick_reader_comes_before_the_small_one_wherever_that_is_routed_to() -> None:
    catalog = Catalog.load(None)

    tables = {table.model: table for table in reading_tables(catalog, FAST)}

    routed = {name for name, card in catalog.cards.items() if SMALL in card.route and name != "pp-ocrv6-small"}
    assert "qwen-vl-ocr" in routed
    assert tables.keys() == routed
    for name, table in tables.items():
        assert isinstance(table, RouteTable)
        assert [target for target in table.to if target != TINY] == list(catalog.cards[name].route)
        assert table.to.index(TINY) + 1 == table.to.index(SMALL)


def test_the_small_reader_is_still_called_by_its_own_name() -> None:
    assert "pp-ocrv6-small" not in {table.model for table in reading_tables(Catalog.load(None), FAST)}


def test_routes_that_already_lead_to_the_quick_reader_stay_as_they_are() -> None:
    catalog = Catalog.load(None).with_routes([RouteTable(model="qwen-vl-ocr", to=(SMALL, TINY))], {})

    assert "qwen-vl-ocr" not in {table.model for table in reading_tables(catalog, FAST)}
