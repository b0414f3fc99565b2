"""From an image to its page: lines are found, cut out, read, spelled and put into order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from qwenport.children.freed_memory import give_back
from qwenport.documents.page import Line, Page, Quad, Word
from qwenport.documents.reading_order import in_reading_order
from qwenport.engines.ocr.accents import is_written_plain, without_specks
from qwenport.engines.ocr.backend import Floats, find_boxes, open_detector, open_recogniser
from qwenport.engines.ocr.boxed_lines import BoxedLines, ReadStrip
from qwenport.engines.ocr.columns import column_of, stacked
from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.joined import joined
from qwenport.engines.ocr.lines import LineReader, cut_out, runs_downwards
from qwenport.engines.ocr.orientation import Orientation
from qwenport.engines.ocr.reader_order import ReaderOrder
from qwenport.engines.ocr.scaling import MOST_DETECTED_PIXELS, Pixels, bounded, framed
from qwenport.engines.ocr.scripts import in_script, script_of
from qwenport.engines.ocr.sight import Sight
from qwenport.engines.ocr.spelling import SpelledLine, is_wide, spelled

_LEAST_SCORE = 0.5
"""Of a line; what is less sure is mostly no text (RapidOCR's `text_score`)."""


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
        # The image as it was given, which may be 100 MB, is let go of here: looking for lines takes the most memory.
        image, scale = bounded(image, most_pixels)
        if image.shape[0] * image.shape[1] > MOST_DETECTED_PIXELS:
            give_back()
        lines = self._find(image)
        turns = self._orientation.turns(lines, rotates=rotates)
        if turns:
            image = np.ascontiguousarray(np.rot90(image, turns))
            lines = self._find(image)
        return Sight(image=image, page=_page(lines), quarter_turns=turns, scale=scale)

    def _find(self, image: Pixels) -> BoxedLines:
        framing = framed(image)
        boxes = framing.back(find_boxes(self._detector, framing.image))
        height, width = image.shape[:2]
        inside = np.clip(boxes, 0, np.array((width, height), dtype=np.float32))
        sides = np.linalg.norm(inside - np.roll(inside, 1, axis=1), axis=2)
        found = np.asarray(inside[sides.min(axis=1) >= 1], dtype=np.float32)
        return BoxedLines(image, joined(found), self._reader)


def _page(boxed: BoxedLines) -> Page:
    strips = _strips(boxed)
    characters = [character for strip in strips for character in strip.characters]
    script, is_plain = script_of(characters), is_written_plain(characters)
    lines = [
        _line(strip, in_script(without_specks(strip.characters) if is_plain else strip.characters, script))
        for strip in strips
    ]
    height, width = boxed.image.shape[:2]
    return in_reading_order(Page(width=width, height=height, lines=tuple(line for line in lines if line)))


def _strips(boxed: BoxedLines) -> list[ReadStrip]:
    strips: list[ReadStrip] = []
    done: set[int] = set()
    for index in (index for index, corners in enumerate(boxed.boxes) if runs_downwards(corners)):
        column, members = column_of(index, boxed.boxes)
        if not done & members and (single := _singles(boxed, column)):
            strips += single
            done |= members
    return [*strips, *(_strip(boxed, index) for index in range(len(boxed.boxes)) if index not in done)]


def _singles(boxed: BoxedLines, column: Floats) -> tuple[ReadStrip, ...]:
    """Return the Chinese characters of a column that are lines of their own; () where it is a line, or another."""
    parts = stacked(column, cut_out(boxed.image, column))
    single = tuple(boxed.read_at(part) for part in parts)
    return single if all(_is_one_square(each.characters) for each in single) else ()


def _strip(boxed: BoxedLines, index: int) -> ReadStrip:
    strip = boxed.read(index)
    if not runs_downwards(strip.corners):
        return strip
    # It may as well run upwards.
    turned = boxed.read_turned(index)
    surer = turned if turned.surety > strip.surety else strip
    return replace(surer, corners=np.roll(surer.corners, -1, axis=0))


def _line(strip: ReadStrip, characters: Sequence[Character]) -> Line | None:
    line = spelled(characters, strip.pixels)
    if not line.text or line.score < _LEAST_SCORE:
        return None
    return Line(text=line.text, quad=_quad(strip.corners), score=round(line.score, 4), words=_words(strip, line))


def _words(strip: ReadStrip, line: SpelledLine) -> tuple[Word, ...]:
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


def _is_one_square(characters: Sequence[Character]) -> bool:
    """Tell whether a strip holds one Chinese character."""
    return len(characters) == 1 and is_wide(characters[0].text) and characters[0].score >= _LEAST_SCORE
