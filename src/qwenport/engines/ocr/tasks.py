"""The built-in tasks: from what stands on a page to what the answer says."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from qwenport.core.ocr import OcrTask
from qwenport.documents.blocks import blocks_of, to_latex
from qwenport.documents.fields import Fields, Schema, SchemaInvalid, all_pairs, asked_fields, extract, parse_schema
from qwenport.documents.page import Line, Page
from qwenport.documents.reading_order import page_text
from qwenport.documents.tables import Table, find_tables, to_html
from qwenport.engines.ocr.layout import LayoutReader
from qwenport.engines.ocr.result_text import result_text
from qwenport.engines.ocr.ruled_lines import ruled_lines
from qwenport.engines.ocr.sight import Sight
from qwenport.engines.ocr.value_places import places_of
from qwenport.engines.ocr.wire import PageAnswer, PageOrder


class SchemaRefused(ValueError):
    """The fields that are asked for cannot be used; the words are for the caller."""


class TaskWork:
    """Does what a task asks with a page that was read."""

    def __init__(self, *, threads: int = 1) -> None:
        """Load nothing yet: the model of layouts is loaded for the first page that needs it."""
        self._threads = threads
        self._layout: LayoutReader | None = None

    def perform(self, order: PageOrder, sight: Sight) -> PageAnswer:
        """Return the answer to one order; raises `SchemaRefused`."""
        answer = self._answer(order, sight)
        places = sight.places_back(answer.places) if order.wants_page or order.wants_places else ()
        if not order.wants_page:
            return msgspec.structs.replace(answer, places=places, tables=(), blocks=())
        return msgspec.structs.replace(
            answer,
            page=sight.back(),
            places=places,
            tables=sight.tables_back(answer.tables),
            blocks=sight.blocks_back(answer.blocks),
        )

    def _answer(self, order: PageOrder, sight: Sight) -> PageAnswer:
        match order.task:
            case OcrTask.ADVANCED_RECOGNITION:
                return _with_result({"words_info": [_word_info(line) for line in sight.back().lines]}, "json")
            case OcrTask.KEY_INFORMATION_EXTRACTION:
                return _fields_answer(_fields(order.result_schema, sight.page), "json")
            case OcrTask.TABLE_PARSING:
                return _tables_answer(find_tables(sight.page, ruled_lines(sight.image)), sight.page)
            case OcrTask.DOCUMENT_PARSING:
                return self._document_answer(sight)
            case OcrTask.TEXT_RECOGNITION | OcrTask.MULTI_LANGUAGE:
                return PageAnswer(text=page_text(sight.page))
            case OcrTask.FORMULA_RECOGNITION:
                raise SchemaRefused("formulae need a vision model")
            case None:
                return _asked_answer(order, sight.page)

    def _document_answer(self, sight: Sight) -> PageAnswer:
        if self._layout is None:
            self._layout = LayoutReader(threads=self._threads)
        tables = find_tables(sight.page, ruled_lines(sight.image))
        blocks = blocks_of(sight.page, self._layout.regions(sight.image), tables)
        return PageAnswer(text=to_latex(blocks), fence="latex", tables=tables, blocks=blocks)


def _asked_answer(order: PageOrder, page: Page) -> PageAnswer:
    """Return what a prompt asks: fields as bare JSON where it lists fields or must be JSON, else the text."""
    schema = _schema(order.result_schema) if order.result_schema else asked_fields(order.prompt)
    if schema is not None:
        return _fields_answer(extract(page, schema), "")
    return _fields_answer(all_pairs(page), "") if order.is_json else PageAnswer(text=page_text(page))


def _fields(result_schema: bytes, page: Page) -> Fields:
    if not result_schema:
        return all_pairs(page)
    return extract(page, _schema(result_schema))


def _schema(result_schema: bytes) -> Schema:
    try:
        return parse_schema(result_schema)
    except SchemaInvalid as error:
        raise SchemaRefused(str(error)) from error


def _fields_answer(fields: Fields, fence: str) -> PageAnswer:
    return msgspec.structs.replace(_with_result({"kv_result": fields.values}, fence), places=places_of(fields))


def _with_result(result: Mapping[str, object], fence: str) -> PageAnswer:
    encoded = msgspec.json.encode(result)
    return PageAnswer(text=result_text(encoded), fence=fence, result=encoded)


def _tables_answer(tables: tuple[Table, ...], page: Page) -> PageAnswer:
    """Return the tables; the plain text of a page that has none, so that nothing is invented and nothing lost."""
    if not tables:
        return PageAnswer(text=page_text(page))
    return PageAnswer(text="\n".join(to_html(table) for table in tables), fence="html", tables=tables)


def _word_info(line: Line) -> dict[str, object]:
    x0, y0, x1, y1, x2, y2, x3, y3 = line.quad
    middle_x, middle_y = (x0 + x1 + x2 + x3) / 4, (y0 + y1 + y2 + y3) / 4
    width = (math.hypot(x1 - x0, y1 - y0) + math.hypot(x2 - x3, y2 - y3)) / 2
    height = (math.hypot(x3 - x0, y3 - y0) + math.hypot(x2 - x1, y2 - y1)) / 2
    # Whole degrees before it is folded, or the angle of lines that run upwards would be 90 or -90 by chance.
    angle = round(math.degrees(math.atan2(y1 - y0 + y2 - y3, x1 - x0 + x2 - x3)))
    # Upside down is the same rectangle.
    angle = angle - 180 if angle > 90 else angle + 180 if angle < -90 else angle
    return {
        "text": line.text,
        "location": [round(value) for value in line.quad],
        "rotate_rect": [round(middle_x), round(middle_y), round(width), round(height), angle],
    }
