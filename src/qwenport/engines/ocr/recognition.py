"""From an image to its page: lines are found, cut out, read, spelled and put into order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from qwenport.documents.page import Line, Page, Quad, Word
from qwenport.documents.reading_order import in_reading_order
from qwenport.engines.ocr.backend import Floats, find_boxes, open_detector, open_recogniser
from qwenport.engines.ocr.columns import column_of, stacked
from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.lines import LineReader, cut_out, runs_downwards
from qwenport.engines.ocr.orientation import Orientation
from qwenport.engines.ocr.reader_order import ReaderOrder
from qwenport.engines.ocr.scaling import Pixels, bounded, framed
from qwenport.engines.ocr.scripts import in_script, script_of
from qwenport.engines.ocr.sight import Sight
from qwenport.engines.ocr.spelling import SpelledLine, is_wide, spelled

_LEAST_SCORE = 0.5
"""Of a line; what is less sure is mostly no text (RapidOCR's `text_score`)."""


class _Strip(Struct, frozen=True):
    """A line as it was cut out."""

    corners: Floats
    pixels: Pixels


class Recognizer:
    """Reads pages with one pair of models; takes part of a second to load them."""

    def __init__(self, order: ReaderOrder) -> None:
        """Load the models; raises `WeightsUnreadable` where one is not what it must be."""
        self._detector = open_detector(order)
        self._reader = LineReader(*open_recogniser(order))
        self._orientation = Orientation(order.orientation, threads=order.threads)

    def read(self, image: Pixels, *, rotates: bool = False, most_pixels: int = 0) -> Page:
        """Return what stands in an image, with places in its own pixels; the image has three colours, blue first."""
        return self.look(image, rotates=rotates, most_pixels=most_pixels).back()

    def look(self, image: Pixels, *, rotates: bool = False, most_pixels: int = 0) -> Sight:
        """Return the image upright, with its page in that image's pixels."""
        seen, scale = bounded(image, most_pixels)
        boxes = self._find(seen)
        turns = self._orientation.turns(seen, boxes, self._reader, rotates=rotates)
        if turns:
            seen = np.ascontiguousarray(np.rot90(seen, turns))
            boxes = self._find(seen)
        return Sight(image=seen, page=self._page(seen, boxes), quarter_turns=turns, scale=scale)

    def _find(self, image: Pixels) -> Floats:
        framing = framed(image)
        boxes = framing.back(find_boxes(self._detector, framing.image))
        height, width = image.shape[:2]
        inside = np.clip(boxes, 0, np.array((width, height), dtype=np.float32))
        sides = np.linalg.norm(inside - np.roll(inside, 1, axis=1), axis=2)
        return np.asarray(inside[sides.min(axis=1) >= 1], dtype=np.float32)

    def _page(self, image: Pixels, boxes: Floats) -> Page:
        strips = self._strips(image, boxes)
        read = [self._reader.read(strip.pixels) for strip in strips]
        script = script_of(character for line in read for character in line)
        lines = [_line(strip, in_script(each, script)) for strip, each in zip(strips, read, strict=True)]
        height, width = image.shape[:2]
        return in_reading_order(Page(width=width, height=height, lines=tuple(line for line in lines if line)))

    def _strips(self, image: Pixels, boxes: Floats) -> list[_Strip]:
        strips: list[_Strip] = []
        done: set[int] = set()
        for index in (index for index, corners in enumerate(boxes) if runs_downwards(corners)):
            column, members = column_of(index, boxes)
            if not done & members and (single := self._singles(image, column)):
                strips += single
                done |= members
        return [*strips, *(self._strip(image, corners) for index, corners in enumerate(boxes) if index not in done)]

    def _singles(self, image: Pixels, column: Floats) -> tuple[_Strip, ...]:
        """Return the Chinese characters of a column that are lines of their own; () where it is a line, or another."""
        parts = stacked(column, cut_out(image, column))
        single = tuple(_Strip(part, cut_out(image, part)) for part in parts)
        return single if all(_is_one_square(self._reader.read(each.pixels)) for each in single) else ()

    def _strip(self, image: Pixels, corners: Floats) -> _Strip:
        strip = cut_out(image, corners)
        if not runs_downwards(corners):
            return _Strip(corners, strip)
        # It may as well run upwards.
        turned = np.ascontiguousarray(np.rot90(strip, 2))
        if _surety(self._reader.read(turned)) > _surety(self._reader.read(strip)):
            return _Strip(np.roll(corners, 1, axis=0), turned)
        return _Strip(np.roll(corners, -1, axis=0), strip)


def _line(strip: _Strip, characters: Sequence[Character]) -> Line | None:
    line = spelled(characters, strip.pixels)
    if not line.text or line.score < _LEAST_SCORE:
        return None
    return Line(text=line.text, quad=_quad(strip.corners), score=round(line.score, 4), words=_words(strip, line))


def _words(strip: _Strip, line: SpelledLine) -> tuple[Word, ...]:
    top_left, top_right, bottom_right, bottom_left = strip.corners

    def part(start: float, end: float) -> Quad:
        top, bottom = top_right - top_left, bottom_right - bottom_left
        corners = (
            top_left + start * top,
            top_left + end * top,
            bottom_left + end * bottom,
            bottom_left + start * bottom,
        )
        return _quad(np.stack(corners))

    return tuple(Word(text=word.text, quad=part(word.start, word.end)) for word in line.words)


def _quad(corners: Floats) -> Quad:
    a, b, c, d, e, f, g, h = (round(float(value), 1) for value in corners.reshape(-1))
    return a, b, c, d, e, f, g, h


def _surety(characters: Sequence[Character]) -> float:
    return sum(each.score for each in characters) / len(characters) if characters else 0.0


def _is_one_square(characters: Sequence[Character]) -> bool:
    """Tell whether a strip holds one Chinese character."""
    return len(characters) == 1 and is_wide(characters[0].text) and characters[0].score >= _LEAST_SCORE
