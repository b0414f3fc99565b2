"""From the characters of a strip to its text and words: spaces by the gaps in the ink, `?` for what cannot be read."""

from __future__ import annotations

import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from qwenport.documents.unreadable import UNREADABLE
from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.ink import Gap, between, gaps_of
from qwenport.engines.ocr.scaling import Pixels

LEAST_SCORE = 0.35
"""A character that is less sure is told as `?`. Of 15,104 characters read right on 25 scanned receipts, which have no
Chinese, none had less and six less than 0.45; of 286 that were wrong or too many, four and nine."""
LEAST_SCORE_WIDE = 0.45
"""The same of Chinese ones, of whose thousands some look like what is scribbled over. Of 9,988 characters read right on
pages of 46 layouts, half of them photographed or blurred, the least sure had 0.52."""

_WORD_GAP = 0.19
"""Of the strip's height. Between words of ten rendered pages 99 of 100 gaps were wider, and within words 99 of 100
narrower."""
_TIMES_LETTER_GAP = 3.0
"""A word's gap is so many times as wide as the usual one between letters: type of one width has wide ones there."""
_COLUMN_GAP = 1.0
"""Of the strip's height: there is a space whatever stands on both sides."""
_PLACE_SLACK = 0.3
_WIDE = frozenset({"W", "F"})
_CLOSING = frozenset(".,:;!?%)]}'\u2019\u201d°℃℉")
_OPENING = frozenset("([{$¥€£#\u2018\u201c")


class SpelledWord(Struct, frozen=True, gc=False):
    """A word, and which part of the strip it takes."""

    text: str
    start: float
    """From 0 to 1 along the strip."""
    end: float


class SpelledLine(Struct, frozen=True):
    """What a strip says."""

    text: str
    score: float
    words: tuple[SpelledWord, ...]


class _Piece(Struct, frozen=True, gc=False):
    """A character, and the columns of pixels that are its own."""

    text: str
    start: float
    end: float
    follows_space: bool


def spelled(characters: Sequence[Character], strip: Pixels) -> SpelledLine:
    """Return the text of a strip with its words."""
    pieces = tuple(_pieces(characters, strip))
    words = tuple(_words(pieces, strip.shape[1]))
    text = "".join((" " if piece.follows_space else "") + piece.text for piece in pieces)
    scores = [each.score for each in characters if each.text.strip()]
    return SpelledLine(text, statistics.fmean(scores) if scores else 0.0, words)


def _pieces(characters: Sequence[Character], strip: Pixels) -> Iterator[_Piece]:
    height, width = strip.shape[:2]
    gaps = gaps_of(strip)
    printed = [index for index, each in enumerate(characters) if each.text.strip()]
    between_them = _gaps_between(characters, printed, gaps, strip)
    usual = statistics.median([gap.width for gap in between_them if gap] or [0])
    least = max(_WORD_GAP * height, _TIMES_LETTER_GAP * usual)
    start, follows_space = _first_ink(gaps), False
    for order, index in enumerate(printed):
        mine = characters[index]
        text = mine.text if _is_told(mine) else UNREADABLE
        if order == len(printed) - 1:
            yield _Piece(text, start, _last_ink(gaps, width), follows_space)
            return
        following, gap = characters[printed[order + 1]], between_them[order]
        middle = (mine.place + following.place) / 2 * width
        yield _Piece(text, start, gap.start if gap else middle, follows_space)
        start = gap.end if gap else middle
        is_told = printed[order + 1] > index + 1
        follows_space = is_told or (gap is not None and _is_space(mine.text, following.text, gap.width, least, height))


def _is_told(character: Character) -> bool:
    return character.score >= (LEAST_SCORE_WIDE if is_wide(character.text) else LEAST_SCORE)


def _gaps_between(
    characters: Sequence[Character], printed: Sequence[int], gaps: Sequence[Gap], strip: Pixels
) -> list[Gap | None]:
    """Return the gap between each two neighbouring characters, None where they touch."""
    height, width = strip.shape[:2]
    pairs = list(pairwise(printed))
    found: dict[int, Gap | None] = {}
    # A place is told to about a third of the height: a space that the recogniser tells owns the widest gap near it,
    # which might else be taken for one within the word before or after.
    slack = _PLACE_SLACK * height
    free = [gap for gap in gaps if gap.start > 0 and gap.end < width]
    for order, (left, right) in enumerate(pairs):
        if right > left + 1:
            gap = between(free, characters[left].place * width - slack, characters[right].place * width + slack)
            found[order] = gap
            if gap is not None:
                free.remove(gap)
    for order, (left, right) in enumerate(pairs):
        if order not in found:
            found[order] = between(free, characters[left].place * width, characters[right].place * width)
    return [found[order] for order in range(len(pairs))]


def _is_space(left: str, right: str, gap: float, least: float, height: float) -> bool:
    if gap >= _COLUMN_GAP * height:
        return True
    if gap < least or is_wide(left) or is_wide(right):
        return False
    if right in _CLOSING or left in _OPENING:
        return False
    # Figures stand apart in many types, above all after a point.
    return not (_is_of_number(left) and _is_of_number(right))


def _words(pieces: Sequence[_Piece], width: int) -> Iterator[SpelledWord]:
    begun: list[_Piece] = []
    for piece in pieces:
        if begun and (piece.follows_space or is_wide(piece.text[:1]) != is_wide(begun[-1].text[:1])):
            yield _word(begun, width)
            begun = []
        begun.append(piece)
    if begun:
        yield _word(begun, width)


def _word(pieces: Sequence[_Piece], width: int) -> SpelledWord:
    text = "".join(piece.text for piece in pieces)
    return SpelledWord(text, max(pieces[0].start / width, 0.0), min(pieces[-1].end / width, 1.0))


def is_wide(character: str) -> bool:
    """Tell whether a character takes a whole square, as Chinese ones do."""
    return unicodedata.east_asian_width(character[:1] or " ") in _WIDE


def _is_of_number(character: str) -> bool:
    return character.isdigit() or character in ".,:/-"


def _first_ink(gaps: Sequence[Gap]) -> float:
    return gaps[0].end if gaps and gaps[0].start == 0 else 0.0


def _last_ink(gaps: Sequence[Gap], width: int) -> float:
    return gaps[-1].start if gaps and gaps[-1].end == width else float(width)
